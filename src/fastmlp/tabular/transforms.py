"""Transforms of skewed targets before training, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastmlp.kept import kept_property

__all__ = ["TRANSFORMS", "Logarithm", "Quantiles", "Transform", "fit_transform", "worth_trying"]

#: By name, in the order in which they are tried.
TRANSFORMS = ("log", "quantile")

#: Targets of less skewness are learnt as they are.
SKEWED = 1.0

#: Quantiles of a target that are remembered at most.
MOST_QUANTILES = 1000


class Transform(Protocol):
    """A function that rises, and its inverse."""

    def forth(self, y: np.ndarray) -> np.ndarray:
        """Return what is learnt of targets y (N,) or (N, T)."""

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return targets for values (N,) or (N, T), the last axis of which may be quantiles."""


class Logarithm:
    """The logarithm of targets above 0."""

    def forth(self, y: np.ndarray) -> np.ndarray:
        """See :class:`Transform`."""
        logarithms: np.ndarray = np.log(y)
        return logarithms

    def back(self, values: np.ndarray) -> np.ndarray:
        """See :class:`Transform`."""
        with np.errstate(over="ignore"):
            targets: np.ndarray = np.exp(values)
        return targets


@dataclass(frozen=True, eq=False)
class Quantiles:
    """The normal deviate at the share of targets that are smaller.

    Attributes
    ----------
    quantiles : tuple of ndarray of float64, shape (Q,)
        Of each target.
    shares : ndarray of float64, shape (Q,)
        How many targets are smaller than each quantile.
    """

    quantiles: tuple[np.ndarray, ...]
    shares: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray) -> Quantiles:
        """Return the quantiles of targets y (N,) or (N, T)."""
        columns = y.reshape(len(y), -1).T
        fitted = [_transformer(len(y)).fit(column.reshape(-1, 1)) for column in columns]
        return cls(tuple(each.quantiles_[:, 0] for each in fitted), fitted[0].references_)

    @kept_property
    def transformers(self) -> list[Any]:
        """A ``QuantileTransformer`` for each target."""
        made = []
        for quantiles in self.quantiles:
            transformer = _transformer(len(quantiles))
            transformer.n_quantiles_, transformer.n_features_in_ = len(quantiles), 1
            transformer.quantiles_, transformer.references_ = quantiles[:, None], self.shares
            made.append(transformer)
        return made

    def forth(self, y: np.ndarray) -> np.ndarray:
        """See :class:`Transform`."""
        return self._each("transform", y, y.ndim - 1)

    def back(self, values: np.ndarray) -> np.ndarray:
        """See :class:`Transform`; values beyond those of the fit are its ends."""
        return self._each("inverse_transform", values, int(len(self.transformers) > 1))

    def _each(self, method: str, values: np.ndarray, has_targets: int) -> np.ndarray:
        """Return each target's values (N, …) transformed; its axis is the second, if there is."""
        if not has_targets:
            return _column(getattr(self.transformers[0], method), values)
        parts = [
            _column(getattr(each, method), values[:, i]) for i, each in enumerate(self.transformers)
        ]
        return np.stack(parts, axis=1)


def _column(function: Any, values: np.ndarray) -> np.ndarray:
    """Return a function of columns (M, 1), applied to values of any shape."""
    result: np.ndarray = function(values.reshape(-1, 1)).reshape(values.shape)
    return result


def fit_transform(name: str | None, y: np.ndarray) -> Transform | None:
    """Return the transform of a name for targets y (N,) or (N, T); None without a name."""
    if name is None:
        return None
    if name == "log":
        return Logarithm()
    return Quantiles.of(y)


def _transformer(n_values: int) -> Any:
    """Return what makes normal deviates by the quantiles of so many values, not yet fitted."""
    from sklearn.preprocessing import QuantileTransformer  # noqa: PLC0415 - takes long to import

    n_quantiles = min(MOST_QUANTILES, n_values)
    return QuantileTransformer(
        n_quantiles=n_quantiles, output_distribution="normal", subsample=None
    )


def worth_trying(y: np.ndarray, least: float | None = None) -> str | None:
    """Return the transform to be tried on targets y (N,) or (N, T), if they are skewed.

    That is the logarithm where all are positive and it makes them less skewed, else their quantiles
    where none is negative. ``least`` is the least target, if y is but a sample.
    """
    skewness = _skewness(y)
    least = float(y.min()) if least is None else least
    if skewness < SKEWED or least < 0:
        return None
    if least > 0 and abs(_skewness(np.log(y))) < skewness:
        return "log"
    return "quantile"


def _skewness(y: np.ndarray) -> float:
    """Return the mean skewness of the targets; 0 for a constant."""
    from scipy.stats import skew  # noqa: PLC0415 - takes long to import

    columns = y.reshape(len(y), -1)
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    if not columns.size:
        return 0.0
    scaled = columns / np.abs(columns).max(axis=0)
    return float(np.nan_to_num(skew(scaled, axis=0)).mean())
