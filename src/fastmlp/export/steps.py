"""Steps of a network: its front, its layers, its link.

Legend: N rows of X, m rows of a value (1 or k members), I inputs and O outputs of a layer.
Arrays of parameters have the network's real type, unless a step says otherwise. What has m = 1 rows
beside something of k rows counts for each of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.backends.reference.activations import ACTIVATION_FUNCTIONS, logistic
from fastmlp.export.values import Step
from fastmlp.plan.layout import NORMALIZATION_EPSILON

__all__ = [
    "Activate",
    "Add",
    "Bins",
    "Concatenate",
    "Constant",
    "Dense",
    "Embed",
    "Link",
    "MeanOfMembers",
    "Normalize",
    "Scale",
    "Select",
    "Waves",
    "Weights",
]


@dataclass(frozen=True, eq=False)
class Weights:
    """Numbers as they are stored: w = values · scales.

    Attributes
    ----------
    values : ndarray, shape (..., O)
        Real, int8 or int16.
    scales : ndarray of float64, shape (..., O) with 1 for the last axis but one, or None
        Of each column; None for real values.
    """

    values: np.ndarray
    scales: np.ndarray | None = None

    @property
    def numbers(self) -> np.ndarray:
        """What they stand for, in float64 where they are integers."""
        return self.values if self.scales is None else self.values * self.scales


@dataclass(frozen=True, eq=False)
class Constant(Step):
    """The same for every row; it takes any value and looks at none of its numbers.

    Attributes
    ----------
    numbers : ndarray, shape (width,)
    """

    numbers: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.broadcast_to(self.numbers, (len(arrays[0]), 1, len(self.numbers)))


@dataclass(frozen=True, eq=False)
class Select(Step):
    """Some columns of a value, as numbers of the output's type.

    Attributes
    ----------
    places : ndarray of int64, shape (width,)
    """

    places: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return arrays[0][..., self.places]


@dataclass(frozen=True, eq=False)
class Concatenate(Step):
    """Values of one row side by side."""

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.concatenate(arrays, axis=2)


@dataclass(frozen=True, eq=False)
class Waves(Step):
    """cos(2π x w + b) of one number x, or cos(2π x w) and then sin(2π x w).

    Attributes
    ----------
    frequencies : ndarray, shape (K,)
        w.
    phases : ndarray, shape (K,), or None
        b; None for cosines and sines.
    """

    frequencies: np.ndarray
    phases: np.ndarray | None

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        turns = arrays[0] * self.frequencies
        angles = (turns - np.rint(turns)) * self.frequencies.dtype.type(2 * np.pi)
        if self.phases is not None:
            return np.cos(angles + self.phases)
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=2)


@dataclass(frozen=True, eq=False)
class Bins(Step):
    """How far one number x fills each of some bins: (x - start) · scale.

    It is at least 0, but in the first bin, and at most 1, but in the last one.

    Attributes
    ----------
    starts, scales : ndarray, shape (width,)
        Where a bin begins, and 1 / its width.
    """

    starts: np.ndarray
    scales: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        filled = (arrays[0] - self.starts) * self.scales
        filled[..., 1:] = np.maximum(filled[..., 1:], 0)
        filled[..., :-1] = np.minimum(filled[..., :-1], 1)
        return filled


@dataclass(frozen=True, eq=False)
class Embed(Step):
    """Row number x of a table; row 0 where x is no whole number from 0 to K - 1, cut to one.

    Attributes
    ----------
    table : Weights, shape (K, width)
    """

    table: Weights

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        x, n_levels = arrays[0][..., 0], len(self.table.values)
        level = np.where((x >= 0) & (x < n_levels), x, 0).astype(np.int64)
        return self.table.numbers[level]


@dataclass(frozen=True, eq=False)
class Scale(Step):
    """x · factors.

    Attributes
    ----------
    factors : ndarray, shape (m, width) or (1, 1)
    """

    factors: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return arrays[0] * self.factors


@dataclass(frozen=True, eq=False)
class Dense(Step):
    """x W + b.

    Attributes
    ----------
    weights : Weights, shape (m, I, O)
        W; the scales of integers are (m, 1, O).
    biases : ndarray, shape (m, O)
        b.
    """

    weights: Weights
    biases: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        product: np.ndarray = arrays[0][:, :, np.newaxis] @ self.weights.numbers
        return product[:, :, 0] + self.biases


@dataclass(frozen=True, eq=False)
class Add(Step):
    """The sum of two values; the second one has one row."""

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return arrays[0] + arrays[1]


@dataclass(frozen=True, eq=False)
class Normalize(Step):
    """γ ẑ + β, where ẑ has mean 0 and variance 1 in each of some runs of neighbours.

    Batch normalisation is no step: the layer before it takes it in.

    Attributes
    ----------
    n_groups : int
        How many runs, all alike in length.
    gains, shifts : ndarray, shape (width,)
        γ and β.
    """

    n_groups: int
    gains: np.ndarray
    shifts: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        z = arrays[0]
        grouped = z.reshape(*z.shape[:2], self.n_groups, -1)
        centred = grouped - grouped.mean(axis=3, keepdims=True)
        variance = np.square(centred).mean(axis=3, keepdims=True)
        normalized = centred / np.sqrt(variance + NORMALIZATION_EPSILON)
        return self.gains * normalized.reshape(z.shape) + self.shifts


@dataclass(frozen=True, eq=False)
class Activate(Step):
    """f(z), or z + α (f(z) - z).

    Attributes
    ----------
    function : str
        Name of f in ``registry.ACTIVATIONS``.
    shares : ndarray, shape (width,), or None
        α.
    """

    function: str
    shares: np.ndarray | None = None

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        z = arrays[0]
        h, _ = ACTIVATION_FUNCTIONS[self.function](z)
        return h if self.shares is None else z + self.shares * (h - z)


@dataclass(frozen=True, eq=False)
class Link(Step):
    """What makes predictions of the last layer's logits z.

    - softmax: exp(z_j) / Σ exp(z_i);
    - logistic: 1 / (1 + exp(-z));
    - exp: exp(z);
    - gaussian: the means as they are, then the variances: log(1 + exp(z)) + 10⁻⁶;
    - quantiles: of ``n_quantiles`` neighbours, the first as it is, and each later one by
      log(1 + exp(z)) above the one before.

    Attributes
    ----------
    function : str
    n_quantiles : int
        0 for other links.
    """

    function: str
    n_quantiles: int = 0

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        z = arrays[0]
        if self.function == "softmax":
            exponentials = np.exp(z - z.max(axis=2, keepdims=True))
            return exponentials / exponentials.sum(axis=2, keepdims=True)
        if self.function == "logistic":
            return logistic(z)
        if self.function == "exp":
            return np.exp(z)
        if self.function == "gaussian":
            means, spread = np.split(z, 2, axis=2)
            return np.concatenate([means, _softplus(spread) + z.dtype.type(1e-6)], axis=2)
        by_target = z.reshape(*z.shape[:2], -1, self.n_quantiles)
        steps = np.concatenate([by_target[..., :1], _softplus(by_target[..., 1:])], axis=3)
        return steps.cumsum(axis=3).reshape(z.shape)


def _softplus(z: np.ndarray) -> np.ndarray:
    h: np.ndarray = ACTIVATION_FUNCTIONS["softplus"](z)[0]
    return h


@dataclass(frozen=True, eq=False)
class MeanOfMembers(Step):
    """The mean of the rows.

    Attributes
    ----------
    of_gaussians : bool
        The first half are means and the other half variances, of which the mixture's is taken.
    """

    of_gaussians: bool = False

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        mean = arrays[0].mean(axis=1, keepdims=True)
        if self.of_gaussians:
            half = mean.shape[2] // 2
            mean[..., half:] += arrays[0][..., :half].var(axis=1, keepdims=True)
        return mean
