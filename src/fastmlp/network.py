"""A network with its parameters: the state that training moves and prediction reads.

A fit comes here last: ``estimators/base.py`` → ``preparation.py`` → ``fitting.py`` →
``training/loop.py`` → ``bind`` of the backend → the executor, which trains this network's arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.protocol import PREDICTION_WORK, Backend, Predictor, Rows
from fastmlp.backends.row_blocks import rows_to_bind
from fastmlp.plan.description import require
from fastmlp.plan.inputs import Inputs
from fastmlp.plan.layout import Plan
from fastmlp.plan.members import joint_logits
from fastmlp.plan.parameters import (
    REAL_TYPES,
    aligned_zeros,
    alpha_views,
    bias_views,
    gain_views,
    running_mean_views,
    running_variance_views,
    scales_view,
    shift_views,
    weight_views,
)
from fastmlp.plan.records import group_runs, make_settings
from fastmlp.registry import NORMALIZATIONS, OPTIMIZERS

__all__ = ["Gradient", "Network", "PenalizedRun", "penalized_runs", "penalty_of"]

#: Rows whose logits are kept of every member, at a time.
ROWS_OF_MEMBERS = 16384

#: Parameters whose squares are summed in their own precision.
_BLOCK = 1 << 10

#: How many vectors the memory of an optimiser may have; L-BFGS leaves none.
NUMBERS_OF_MOMENTS = {0, *(row.n_moments for row in OPTIMIZERS)}
#: Far more updates than anybody makes; sums of steps stay in 64 bits.
MOST_STEPS = 2**62


def aligned_copy(array: np.ndarray, dtype: np.dtype | None = None) -> np.ndarray:
    """Return a copy that starts on a cache line."""
    out = aligned_zeros(array.shape, dtype or array.dtype)
    out[...] = array
    return out


class PenalizedRun(NamedTuple):
    """Neighbouring parameters, and the factors l2 and l1 of their penalty."""

    place: slice
    l2: float
    l1: float


def penalized_runs(
    plan: Plan, l2: float, l1: float, share: tuple[int, int] = (0, 1)
) -> list[PenalizedRun]:
    """Return the parameters that have a penalty; for a share (r, n), of the r-th of n parts."""
    part, n_parts = share
    first, last = (plan.n_parameters * i // n_parts for i in (part, part + 1))
    runs = []
    for begin, end, group in group_runs(plan.trained_slots).tolist():
        factors = plan.groups[group]
        place = slice(max(begin, first), max(begin, first, min(end, last)))
        runs.append(PenalizedRun(place, l2 * float(factors["l2"]), l1 * float(factors["l1"])))
    return [run for run in runs if run.l2 or run.l1]


def penalty_of(parameters: np.ndarray, runs: Sequence[PenalizedRun]) -> float:
    """Return l2/2 · Σw² + l1 · Σ|w| of the parameters (V,) of some runs."""
    total = 0.0
    for place, l2, l1 in runs:
        w = parameters[place]
        blocks, rest = np.split(w, [len(w) // _BLOCK * _BLOCK])
        rows = blocks.reshape(-1, _BLOCK)
        squares = np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64) + rest @ rest
        total += l2 / 2 * float(squares)
        total += l1 * float(np.abs(w).sum(dtype=np.float64)) if l1 else 0.0
    return total


class Gradient(NamedTuple):
    """Derivatives of a number by the parameters, a list each, shaped as the parameters are."""

    coefs: list[np.ndarray]
    intercepts: list[np.ndarray]
    norm_gains: list[np.ndarray | None]
    norm_shifts: list[np.ndarray | None]
    activation_shares: list[np.ndarray | None]

    def times(self, factor: float) -> Gradient:
        """Return the derivatives of a number that is ``factor`` times as large."""
        if factor == 1:
            return self
        scaled = (
            [None if part is None else factor * part.astype(np.float64) for part in parts]
            for parts in self
        )
        return Gradient(*scaled)  # type: ignore[arg-type]


@dataclass
class Network:
    """A plan, its parameters and its optimiser's memory.

    The core believes a network's sizes. So arrays are held against the plan when a network is made
    or unpickled, and what comes to it from outside, whenever it comes.

    Attributes
    ----------
    plan : Plan
        Sizes, activations, loss, dropout.
    parameters : ndarray, shape (V,)
        ``[all W | all b | all γ | all β | all α | running means | running variances]``, aligned;
        the first P values are trained.
    moments : ndarray, shape (M, P)
        The optimiser's vectors, aligned.
    step : int
        Updates made so far.
    """

    plan: Plan
    parameters: np.ndarray
    moments: np.ndarray
    step: int = 0
    #: What predicts in small calls, and the backend, the plan and the parameters that it is for.
    _bound: tuple[Predictor | None, tuple[Any, ...]] = field(
        init=False, repr=False, compare=False, default=(None, ())
    )

    def __post_init__(self) -> None:
        plan, parameters, moments = self.plan, self.parameters, self.moments
        require(isinstance(plan, Plan) and "layers" in vars(plan), "it has no plan")
        for array in (parameters, moments):
            require(isinstance(array, np.ndarray), "its parameters are no array")
            require(array.dtype in REAL_TYPES, "its parameters are {}", array.dtype)
        require(moments.dtype == parameters.dtype, "its parameters are of two types")
        require(
            parameters.shape == (plan.n_values,),
            "a plan for {} parameters has an array of shape {}",
            plan.n_values,
            parameters.shape,
        )
        require(
            moments.shape in {(n, plan.n_parameters) for n in NUMBERS_OF_MOMENTS},
            "the optimiser's memory has shape {}",
            moments.shape,
        )
        require(type(self.step) is int and 0 <= self.step <= MOST_STEPS, "its step is no count")

    @classmethod
    def zeros(cls, plan: Plan, dtype: np.dtype, n_moments: int) -> Network:
        """Return a network whose parameters are all zero."""
        moments = aligned_zeros((n_moments, plan.n_parameters), dtype)
        return cls(plan, aligned_zeros(plan.n_values, dtype), moments)

    def copied(self) -> Network:
        """Return an independent copy."""
        return Network(
            self.plan, aligned_copy(self.parameters), aligned_copy(self.moments), self.step
        )

    def continued(self, plan: Plan, dtype: np.dtype, n_moments: int, keep_moments: bool) -> Network:
        """Return an independent copy under another plan of the same sizes.

        The optimiser's memory and step count begin anew unless ``keep_moments`` is set and
        there are as many moments as before.
        """
        parameters = aligned_copy(self.parameters, dtype)
        if keep_moments and len(self.moments) == n_moments:
            return Network(plan, parameters, aligned_copy(self.moments, dtype), self.step)
        return Network(plan, parameters, aligned_zeros((n_moments, plan.n_parameters), dtype))

    def without_moments(self) -> Network:
        """Return an independent copy without the optimiser's memory."""
        return self.continued(self.plan, self.dtype, 0, keep_moments=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return all that another process can use."""
        return {name: value for name, value in vars(self).items() if name != "_bound"}

    def __setstate__(self, state: Any) -> None:
        names = set(type(self).__dataclass_fields__) - {"_bound"}
        require(isinstance(state, dict) and set(state) == names, "its parts have other names")
        self.__dict__.update(state)
        self.__post_init__()
        # Unpickled arrays start anywhere (and may be read-only maps of a file).
        self.parameters = aligned_copy(self.parameters)
        self.moments = aligned_copy(self.moments)

    def require_inputs(self, X: Inputs) -> None:
        """Raise ValueError unless X (N, I) has a column for each input."""
        n_inputs = self.plan.n_inputs
        fits = X.shape[1:] == (n_inputs,)
        require(fits, "X of shape {} came to a network of {} inputs", X.shape, n_inputs)

    def require_target(self, target: np.ndarray) -> None:
        """Raise ValueError unless a target (N, T) has the plan's width and numbers of classes."""
        plan = self.plan
        require(
            target.shape[1:] == (plan.target_width,),
            "a target of shape {} came to a loss of {} columns",
            target.shape,
            plan.target_width,
        )
        if plan.loss_row.target == "class":
            known = (target >= 0) & (target < plan.n_outputs)
            require(bool(known.all()), "a class has no number below {}", plan.n_outputs)

    @property
    def dtype(self) -> np.dtype:
        """Real type of every parameter."""
        return self.parameters.dtype

    def penalty(self, l2: float, l1: float) -> float:
        """Return l2/2 · Σw² + l1 · Σ|w|, by the factors of the groups; biases have none."""
        return penalty_of(self.parameters, penalized_runs(self.plan, l2, l1))

    @property
    def weights(self) -> list[np.ndarray]:
        """Views of the weights, one (fan_in, fan_out) array per layer, or (k, …) of k members."""
        return weight_views(self.plan, self.parameters)

    @property
    def biases(self) -> list[np.ndarray]:
        """Views of the biases, one (fan_out,) array per layer, or (k, fan_out) of k members."""
        return bias_views(self.plan, self.parameters)

    @property
    def norm_gains(self) -> list[np.ndarray | None]:
        """Views of γ, one (fan_out,) array per hidden layer; None where it has no norm."""
        return gain_views(self.plan, self.parameters)[:-1]

    @property
    def norm_shifts(self) -> list[np.ndarray | None]:
        """Views of β, likewise."""
        return shift_views(self.plan, self.parameters)[:-1]

    @property
    def activation_shares(self) -> list[np.ndarray | None]:
        """Views of α, one (fan_out,) array per hidden layer; None without parametric activation."""
        return alpha_views(self.plan, self.parameters)[:-1]

    @property
    def scales(self) -> np.ndarray | None:
        """View of the factors (fan_in,) of the inputs, or (k, fan_in) of k members; or None."""
        scales = scales_view(self.plan, self.parameters)
        if not len(scales):
            return None
        return scales if self.plan.n_members > 1 else scales[0]

    @property
    def running_means(self) -> list[np.ndarray | None]:
        """Views of the running means, one per hidden layer; None where it has no batch norm."""
        return running_mean_views(self.plan, self.parameters)[:-1]

    @property
    def running_variances(self) -> list[np.ndarray | None]:
        """Views of the running variances, likewise."""
        return running_variance_views(self.plan, self.parameters)[:-1]

    @property
    def layer_sizes(self) -> list[int]:
        """Widths from the input to the output."""
        return [self.plan.n_inputs, *self.plan.layers["fan_out"].tolist()]

    @property
    def normalizations(self) -> list[str]:
        """Name of each hidden layer's normalisation, "none" without one."""
        codes = self.plan.layers["normalization"][:-1]
        return [NORMALIZATIONS.by_code(code).name for code in codes]

    @property
    def parametric(self) -> list[bool]:
        """Whether the activation of each hidden layer is parametric."""
        flags: list[bool] = self.plan.layers["is_parametric"][:-1].astype(bool).tolist()
        return flags

    @property
    def groups(self) -> list[int]:
        """How many runs of units, each with its own statistics, a row of each hidden layer has."""
        counts: list[int] = self.plan.layers["n_groups"][:-1].tolist()
        return counts

    @property
    def cost_divisor(self) -> int:
        """What the sum over outputs is divided by in reported costs: their number, or 1."""
        row = self.plan.loss_row
        return self.plan.n_outputs // (row.outputs_per_target or 1) if row.mean_over_outputs else 1

    def losses(self, backend: Backend, logits: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return each row's loss (K,) of logits (K, C) against a target (K, T), as reported."""
        self.require_target(target)
        values = np.empty(len(logits), self.dtype)
        backend.sample_losses(self.plan, logits, target, values)
        return values / self.cost_divisor

    def forward(
        self,
        backend: Backend,
        X: Inputs,
        rows: np.ndarray | None = None,
        *,
        apply_link: bool,
        n_threads: int,
    ) -> np.ndarray:
        """Return the outputs, or the logits, at rows of X: the mean of all members.

        Parameters
        ----------
        backend : Backend
            What computes.
        X : ndarray of uint8, float32 or float64, or SparseRows, shape (N, I)
            C-contiguous.
        rows : ndarray of int64, shape (K,), optional
            Rows of X; all of them when None, then K = N.
        apply_link : bool
            Apply softmax or logistic.
        n_threads : int
            Size of the team.

        Returns
        -------
        ndarray, shape (K, C)
        """
        self.require_inputs(X)
        n_rows = len(X) if rows is None else len(rows)
        n_threads = min(n_threads, n_rows)
        n_members = 1 if apply_link else self.plan.n_members
        out = np.empty((n_rows, self.plan.n_outputs), self.dtype)
        stride = self._rows_between_interrupts(n_members)
        for start in range(0, n_rows, stride):
            part = slice(start, start + stride)
            into = out[part]
            if n_members > 1:
                into = np.empty((len(into), n_members * self.plan.n_outputs), self.dtype)
            backend.predict(
                self.plan,
                self.parameters,
                X[part] if rows is None else X,
                None if rows is None else rows[part],
                into,
                apply_link,
                n_threads,
            )
            if n_members > 1:
                out[part] = joint_logits(self.plan, into)
        return out

    def _rows_between_interrupts(self, n_kept: int) -> int:
        """Return how many rows go into a call of the backend, ``n_kept`` logits of each."""
        work = 2 * self.plan.n_members * self.plan.products_of_row
        by_work = max(1024, PREDICTION_WORK // work)
        return by_work if n_kept == 1 else min(by_work, max(1, ROWS_OF_MEMBERS // n_kept))

    def at_once(
        self, backend: Backend, X: Any, n_threads: Any, *, apply_link: bool, paired: bool
    ) -> np.ndarray | None:
        """Return what ``forward`` does; None wherever a check of X or the outputs might object.

        Parameters
        ----------
        backend : Backend
            What computes.
        X : object
            Not checked. What is returned for None is to be checked, and then to go forward.
        n_threads : object
            Not checked.
        apply_link : bool
            Apply softmax or logistic.
        paired : bool
            Give two columns, 1 − p and p, for the only output.

        Returns
        -------
        ndarray, shape (K, C), or None
        """
        if self.plan.n_members > 1 and not apply_link:
            return None
        (predictor, bound_to), wanted = self._bound, (backend, self.plan, self.parameters)
        if len(bound_to) != len(wanted) or not all(map(is_, bound_to, wanted)):
            predictor = backend.predictor(self.plan, self.parameters)
            self._bound = predictor, wanted
        if predictor is None:
            return None
        try:
            return predictor.checked(X, apply_link, paired, n_threads)
        except MemoryError:  # forward says of what there is too much
            return None

    def cost_gradient(
        self,
        backend: Backend,
        rows: Rows,
        n_threads: int,
    ) -> Gradient:
        """Return the gradient of the reported cost, without penalties, dropout or noise.

        Batch norm takes the statistics of X, as in training.

        Parameters
        ----------
        backend : Backend
            What computes.
        rows : Rows
            C-contiguous; not all of weight zero.
        n_threads : int
            Size of the team.
        """
        self.require_inputs(rows.X)
        self.require_target(rows.target)
        layers = self.plan.layers.copy()
        layers["dropout_threshold"] = 0
        plan = replace(self.plan, layers=layers)
        gradient = aligned_zeros(plan.n_parameters, self.dtype)
        n_at_once = rows_to_bind(plan, len(rows.X))
        executor = backend.bind(plan, make_settings(), self.dtype, n_at_once, n_threads)
        executor.gradient(aligned_copy(self.parameters), rows, gradient)  # statistics move
        gradient /= self.cost_divisor
        return Gradient(
            weight_views(plan, gradient),
            bias_views(plan, gradient),
            gain_views(plan, gradient)[:-1],
            shift_views(plan, gradient)[:-1],
            alpha_views(plan, gradient)[:-1],
        )
