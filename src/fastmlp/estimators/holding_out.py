"""Which rows early stopping holds out, to judge the network by."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from fastmlp.backends import Rows
from fastmlp.estimators.coding import TargetCoder
from fastmlp.notices import notify
from fastmlp.plan.inputs import matrix_of
from fastmlp.training.loop import TrainingData
from fastmlp.validation import (
    check_any_held_out,
    check_held_out_weights,
    check_part,
    check_parts,
    check_rows_for_batch_norm,
    check_strata,
    check_training_weights,
    check_validation_size,
    check_weights_of_parts,
    classes_not_learnt,
    naming,
    no_split,
    says_nothing,
    splitting,
)

__all__ = ["hold_out", "warn_of_constant"]


def hold_out(
    parameters: SimpleNamespace,
    data: TrainingData,
    coder: TargetCoder,
    rng: np.random.RandomState,
    y: np.ndarray,
) -> np.ndarray:
    """Split ``data.order``; return the rows (V,) held out.

    They are those that ``validation_split`` says, of targets ``y`` (N,) or (N, C) as users gave
    them, or a share that is drawn as scikit-learn draws it.
    """
    if parameters.validation_split is None:
        train, held_out = _by_fraction(parameters.validation_fraction, data, coder, rng)
    else:
        train, held_out = _by_rule(parameters.validation_split, data, coder, y)
    check_rows_for_batch_norm(parameters.normalization, len(train), data.rows.weights_of(train))
    data.order = np.ascontiguousarray(train)
    return np.ascontiguousarray(held_out)


def _by_fraction(
    fraction: float, data: TrainingData, coder: TargetCoder, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to learn from (K,) and those to hold out (V,), with scikit-learn's draws.

    A class that would be held out wholly keeps one row to be learnt from.
    """
    from sklearn.model_selection import train_test_split  # noqa: PLC0415 - slow to import

    strata = coder.strata(data.rows.target)
    if strata is not None:
        check_strata(strata, coder.class_labels)
    check_validation_size(fraction, len(data.order))
    with naming("validation_fraction"):
        train, held_out = train_test_split(
            data.order, test_size=fraction, random_state=rng, stratify=strata
        )
    weights, classes = data.rows.sample_weight, coder.classes_of_rows(data.rows.target)
    counts = np.ones(len(data.rows.X), bool) if weights is None else weights > 0
    train, held_out = _with_each_class(train, held_out, classes, counts)
    check_any_held_out(fraction, len(held_out))
    if classes is None:
        which = f" that validation_fraction={fraction:g} holds out"
        remedy = "raise validation_fraction, or change random_state"
        warn_of_constant(data.rows, held_out, data.rows.target[train], which, remedy)
    check_held_out_weights(data.rows.weights_of(held_out))
    check_training_weights(data.rows.weights_of(train))
    return train, held_out


def _by_rule(
    split: Any, data: TrainingData, coder: TargetCoder, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to learn from (K,) and those to hold out (V,) as the user's rule has it.

    ``y`` is (N,) or (N, C). Nothing is moved from one part to the other.
    """
    n_rows, listed = len(data.rows.X), isinstance(split, (list, tuple))
    with splitting(split):
        parts = iter(split if listed else split.split(matrix_of(data.rows.X), y))
        first, second = next(parts, (None, None))
    if first is None:
        raise no_split(split)
    train, held_out = check_part(first, "train", n_rows), check_part(second, "test", n_rows)
    check_parts(train, held_out)
    train_weights, held_out_weights = map(data.rows.weights_of, (train, held_out))
    check_weights_of_parts(train_weights, held_out_weights)
    classes = coder.classes_of_rows(data.rows.target)
    if classes is None:
        which, remedy = " that validation_split holds out", "hold out rows whose target varies"
        warn_of_constant(data.rows, held_out, data.rows.target[train], which, remedy)
    elif classes.ndim == 1:
        rows = data.counting()
        learnt = train if train_weights is None else train[train_weights > 0]
        text = classes_not_learnt(classes[rows], classes[learnt], coder.class_labels)
        if text:
            notify(text, RuntimeWarning)
    return train, held_out


def warn_of_constant(
    judged: Rows, held_out: np.ndarray, learnt: np.ndarray, which: str, remedy: str, name: str = "y"
) -> None:
    """Warn where real targets (K, T) that are ``learnt`` vary, but not those of ``held_out``.

    ``held_out`` (V,) are rows of ``judged``, whose target's ``name`` is told.
    """
    weights = judged.weights_of(held_out)
    counting = held_out if weights is None else held_out[weights > 0]
    text = says_nothing(judged.target[counting], learnt, which, remedy, name)
    if text:
        notify(text)


def _with_each_class(
    train: np.ndarray, held_out: np.ndarray, classes: np.ndarray | None, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows, (K,) and (V,), after the last row of any class has gone to the first.

    ``classes`` has the class of each row (N,), or which classes it has (N, C). ``counts`` says
    which rows (N,) have a weight.
    """
    if classes is None:
        return train, held_out
    learnt, judged = train[counts[train]], held_out[counts[held_out]]
    if classes.ndim == 1:
        lost = np.setdiff1d(classes[judged], classes[learnt])
        needed = [judged[np.argmax(classes[judged] == label)] for label in lost]
    else:
        lost = np.flatnonzero(classes[judged].any(axis=0) & ~classes[learnt].any(axis=0))
        needed = [judged[np.argmax(classes[judged, label])] for label in lost]
    moved = np.isin(held_out, needed)
    return np.concatenate([train, held_out[moved]]), held_out[~moved]
