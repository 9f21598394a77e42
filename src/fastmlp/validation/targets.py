"""Checks of what a loss demands of its target."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.plan.user_functions import CustomLoss
from fastmlp.validation.wording import brief

__all__ = [
    "MeanAndStd",
    "check_any_positive",
    "check_distributions",
    "check_has_probabilities",
    "check_loss_fits",
    "check_return_std",
    "check_target_in_unit",
    "check_target_range",
    "check_unit_goes_on",
    "check_unit_of_own_loss",
    "says_nothing",
]

#: How far the sum of a distribution may be from 1: rounded percentages pass, counts don't.
SUM_TOLERANCE = 1e-3

_KINDS = {
    "binary": "one of two labels per row",
    "multiclass": "one label per row",
    "multilabel": "an indicator matrix of zeros and ones",
    "distribution": "a distribution over the classes in each row",
}


def check_loss_fits(loss: str, kind: str, known: Any) -> None:
    """Raise ValueError unless a loss knows this ``kind`` of classification target."""
    if kind == "multiclass" and "binary" in known and kind not in known:
        raise ValueError(
            f"Only binary classification is supported by loss={brief(loss)}; y has more than "
            "two labels."
        )
    if kind not in known:
        wanted = " or ".join(dict.fromkeys(_KINDS[name] for name in known))
        raise ValueError(f"loss={brief(loss)} needs {wanted} in y; got {_KINDS[kind]}.")


def check_distributions(y: np.ndarray, n_classes: int) -> None:
    """Raise ValueError unless each row of y (N, C) holds probabilities that sum to 1."""
    if y.ndim != 2 or y.shape[1] != n_classes or y.dtype.kind not in "biuf":
        raise ValueError(
            f"y must hold {n_classes} probabilities per row, one for each class; got shape "
            f"{y.shape} and dtype {y.dtype}."
        )
    if y.min() < 0:
        row, column = np.argwhere(y < 0)[0]
        raise ValueError(
            f"y must hold probabilities; got {y[row, column]:g} (column {column}, row {row})."
        )
    sums = y.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"the probabilities of a row of y must sum to 1; got {sums[row]:g} (row {row})."
        )


def check_target_range(
    y: np.ndarray, loss: str, kind: str, dtype: np.dtype, scale: np.ndarray
) -> None:
    """Raise ValueError if a value of y (N,) or (N, T) is one that the loss has no value for.

    ``kind`` is the target's kind in the registry, ``scale`` (T,) what the network divides each
    target by; below the normal numbers of ``dtype`` the logarithm of a "positive" target is lost.
    """
    if kind == "non_negative":
        wrong, bound = y < 0, "≥ 0"
    elif kind == "positive":
        least = np.finfo(dtype).tiny * scale
        wrong = (y <= 0) | (y < least)
        bound = f"> 0 (from {least.max():.2g}, for dtype {dtype.name})"
    else:
        return
    if wrong.any():
        row = int(np.argmax(wrong.reshape(len(y), -1).any(axis=1)))
        value = np.min(y[row])
        raise ValueError(f"loss={brief(loss)} needs every y {bound}; got {value:g} (row {row}).")


def check_target_in_unit(
    y: np.ndarray, center: np.ndarray, scale: np.ndarray, dtype: np.dtype
) -> None:
    """Raise ValueError if a standardised value of y (N,) or (N, T) is too large for ``dtype``.

    ``center`` and ``scale`` are (T,).
    """
    with np.errstate(over="ignore"):
        distance = np.abs(y.reshape(len(y), -1) - center) / scale
    if distance.max() <= np.finfo(dtype).max:
        return
    row, column = np.unravel_index(np.argmax(distance), distance.shape)
    raise ValueError(
        f"y contains {y.reshape(len(y), -1)[row, column]:g} (column {column}, row {row}), which is "
        f"too far from the target's center {center[column]:g}, measured in its scale "
        f"{scale[column]:g}, for dtype {dtype.name} to hold: remove such values, or set "
        "standardize_target=False."
    )


def check_unit_goes_on(loss: str, link: str, own: bool, center: np.ndarray) -> None:
    """Raise ValueError if a loss can't take over a network whose target was standardised.

    Parameters
    ----------
    loss : str
        What the user calls it.
    link : str
        Its link in the registry.
    own : bool
        Whether the user wrote it.
    center : ndarray, shape (T,)
        What was subtracted from each target.
    """
    if own or (link == "exp" and center.any()):
        raise ValueError(
            f"loss={brief(loss)} can't continue a network whose target was standardised for "
            "another loss: fit with warm_start=False, or set standardize_target=False in the first "
            "fit."
        )


def check_unit_of_own_loss(loss: object, standardize_target: object) -> None:
    """Raise ValueError if the target of a loss that the user wrote is to be standardised."""
    if isinstance(loss, CustomLoss) and not _is_off(standardize_target):
        raise ValueError(
            f"standardize_target={brief(standardize_target)} can't be used with a loss of your "
            "own, which is in the unit of y: leave it at 'auto' and scale y yourself."
        )


def _is_off(standardize_target: object) -> bool:
    return not standardize_target or standardize_target == "auto"


def check_any_positive(y: np.ndarray, loss: str, kind: str) -> None:
    """Raise ValueError if the counts of a target are all zero: its best mean would be exp(−∞)."""
    if kind != "non_negative" or y.any(axis=0).all():
        return
    if y.ndim == 1:
        raise ValueError(f"loss={brief(loss)} needs at least one y above 0; all are 0.")
    column = int(np.argmin(y.any(axis=0)))
    raise ValueError(
        f"loss={brief(loss)} needs at least one y above 0 in each column; all of column {column} "
        "are 0."
    )


def says_nothing(
    held_out: np.ndarray, train: np.ndarray, which: str, remedy: str, name: str = "y"
) -> str | None:
    """Return what to warn of when a target varies in ``train`` (K, T), but not in ``held_out``.

    ``which`` says which rows (V, T) these are, ``name`` is that of their target.
    """
    if len(held_out) < 2:
        return None
    vain = (held_out == held_out[0]).all(axis=0) & (train != held_out[0]).any(axis=0)
    if not vain.any():
        return None
    column = name if len(vain) == 1 else f"Column {int(np.argmax(vain))} of {name}"
    return (
        f"{column} is the same in all rows{which}, so early stopping can't judge what is learnt "
        f"of it: {remedy}."
    )


def check_return_std(loss: str, link: str) -> None:
    """Raise ValueError unless the network estimates a variance."""
    if link != "gaussian":
        raise ValueError(
            f"return_std=True needs a model fitted with loss='gaussian_nll'; this one has "
            f"{brief(loss)}."
        )


class MeanAndStd(tuple[np.ndarray, np.ndarray]):
    """A predicted mean and standard deviation, which no wrapper can take for one array."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """Not there; its text is for those who pass ``return_std`` through a wrapper that asks."""
        raise AttributeError(
            "predict(X, return_std=True) gives two arrays, y and std. TransformedTargetRegressor "
            "can't transform a standard deviation back: use MLPRegressor without it, with "
            "standardize_target=True, or call predict of its regressor_, on the transformed scale."
        )


def check_has_probabilities(loss: object, links: Any) -> None:
    """Raise AttributeError, as for any missing method, if no link of ``links`` is a probability."""
    if not {"softmax", "logistic"} & set(links):
        raise AttributeError(
            f"loss={brief(loss)} gives no probabilities; use decision_function, or calibrate "
            "the model by sklearn.calibration.CalibratedClassifierCV."
        )
