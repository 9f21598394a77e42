"""Which rows early stopping holds out, to judge the network by."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from fastmlp.estimators.coding import TargetCoder
from fastmlp.notices import notify
from fastmlp.training.loop import TrainingData
from fastmlp.validation import (
    check_any_held_out,
    check_held_out_weights,
    check_rows_for_batch_norm,
    check_strata,
    check_training_weights,
    check_validation_size,
    naming,
    says_nothing,
)

__all__ = ["hold_out"]


def hold_out(
    parameters: SimpleNamespace, data: TrainingData, coder: TargetCoder, rng: np.random.RandomState
) -> np.ndarray:
    """Split ``data.order``, with scikit-learn's draws; return the rows (V,) held out.

    A class that would be held out wholly keeps one row to be learnt from.
    """
    from sklearn.model_selection import train_test_split  # noqa: PLC0415 - slow to import

    fraction, strata = parameters.validation_fraction, coder.strata(data.rows.target)
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
        text = says_nothing(
            data.rows.target[held_out[counts[held_out]]], data.rows.target[train], fraction
        )
        if text:
            notify(text)
    check_held_out_weights(data.rows.weights_of(held_out))
    check_training_weights(data.rows.weights_of(train))
    check_rows_for_batch_norm(parameters.normalization, len(train), data.rows.weights_of(train))
    data.order = np.ascontiguousarray(train)
    return np.ascontiguousarray(held_out)


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
