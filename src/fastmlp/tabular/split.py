"""Which rows each network learns from, and which judge it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Split", "folds", "hold_out"]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows by their numbers; none is in both.

    Attributes
    ----------
    train : ndarray of int64, shape (K,)
    held : ndarray of int64, shape (V,)
    """

    train: np.ndarray
    held: np.ndarray


def hold_out(
    n_rows: int, fraction: float, strata: np.ndarray | None, rng: np.random.RandomState
) -> list[Split]:
    """Return one split that holds out a share of the rows.

    ``strata`` (N,) are the classes, whose shares are kept; each keeps a row to learn from.
    """
    held = rng.permutation(n_rows)[: max(1, round(fraction * n_rows))]
    if strata is not None:
        held = _of_each(fraction, strata, rng)
    train = np.setdiff1d(np.arange(n_rows), held)
    return [Split(train, np.sort(held))]


def _of_each(fraction: float, strata: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Return a share of the rows of each class, at least one where two are left to learn from."""
    parts = []
    for label in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == label))
        wanted = round(fraction * len(rows))
        parts.append(rows[: max(wanted, int(len(rows) > 2))])
    return np.concatenate(parts)


def folds(
    n_rows: int, n_folds: int, strata: np.ndarray | None, rng: np.random.RandomState
) -> list[Split]:
    """Return ``n_folds`` splits, each of which holds out its own part of the rows.

    ``strata`` (N,) are the classes, which are spread evenly over the parts.
    """
    order = rng.permutation(n_rows)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    part = np.empty(n_rows, np.int64)
    part[order] = np.arange(n_rows) % n_folds
    return [Split(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in range(n_folds)]
