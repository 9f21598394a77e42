"""Which rows each network learns from, and which judge it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp import validation

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
    """Return one split that holds out a share of the rows, at least one.

    ``strata`` (N,) are the classes, whose shares are kept; each keeps a row to learn from.
    """
    if strata is not None:
        held = _of_each(fraction, strata, rng)
    else:
        held = rng.permutation(n_rows)[: _count(fraction, n_rows, 1)]
    validation.check_any_judged(len(held))
    train = np.setdiff1d(np.arange(n_rows), held)
    return [Split(train, np.sort(held))]


def _count(fraction: float, n_rows: int, least: int) -> int:
    """Return how many of some rows are held out, so that one is left."""
    return min(max(round(fraction * n_rows), least), n_rows - 1)


def _of_each(fraction: float, strata: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Return a share of the rows of each class, at least one where two are left to learn from.

    If no class has as many, one row of each class of two is held out.
    """
    parts = [rng.permutation(np.flatnonzero(strata == label)) for label in np.unique(strata)]
    enough = 3 if max(map(len, parts)) > 2 else 2
    return np.concatenate(
        [rows[: _count(fraction, len(rows), int(len(rows) >= enough))] for rows in parts]
    )


def folds(
    n_rows: int, n_folds: int, strata: np.ndarray | None, rng: np.random.RandomState
) -> list[Split]:
    """Return ``n_folds`` splits, each of which holds out its own part of the rows.

    ``strata`` (N,) are the classes, which are spread evenly over the parts. The only row of a class
    is in no part: it is always learnt from. A part without rows gives no split.
    """
    order = rng.permutation(n_rows)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    part = np.empty(n_rows, np.int64)
    part[order] = np.arange(n_rows) % n_folds
    if strata is not None:
        part[np.bincount(strata)[strata] == 1] = -1
    validation.check_any_judged(int(np.count_nonzero(part >= 0)))
    used = [k for k in range(n_folds) if (part == k).any()]
    return [Split(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in used]
