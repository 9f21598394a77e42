"""Fits of rows that do not fit into memory.

One pass over the source counts its rows and draws some of them. What follows from all data at once
in other fits, such as the classes, the target's unit and first weights, follows from these here,
and so do all checks of parameters. The rows themselves then come in windows.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import validation
from fastmlp.backends import Rows
from fastmlp.data.source import Piece, Source
from fastmlp.data.stacks import chosen, stacked
from fastmlp.data.survey import Drawn, Survey, survey
from fastmlp.data.turns import in_turns
from fastmlp.estimators.class_weights import ClassWeights
from fastmlp.estimators.learnt import is_in_training
from fastmlp.estimators.preparation import ValidationRows, checked_parameters, prepare
from fastmlp.training.shuffling import random_state_of
from fastmlp.training.windows import BUFFER_BYTES, Streamed, StreamedData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastmlp.estimators.fitting import Fitting

__all__ = ["parts_of", "prepare_streamed"]

#: Rows that are drawn, within the bytes that their numbers take in float64.
FEWEST_DRAWN, MOST_DRAWN, BYTES_DRAWN = 1_000, 100_000, 1 << 24

#: Of the rows that are drawn, early stopping holds out so many at most.
SHARE_HELD_OUT = 0.5


def prepare_streamed(
    model: Any, source: Source, began: float, validation_rows: ValidationRows
) -> Fitting:
    """Return the fitting of a model to a source.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
    source : Source
    began : float
        What the clock showed when the fit was called.
    validation_rows : ValidationRows
        What the user brings to judge the fit by.
    """
    validation.check_not_in_training(type(model).__name__, is_in_training(model))
    _, parameters, _ = checked_parameters(model, incremental=False)
    validation.check_streams(vars(parameters))
    drawn = Drawn(_seed_of(model.random_state))
    found = survey(source, drawn, _rows_to_draw, has_labels=model._task == "classifier")
    n_held = _rows_to_hold_out(parameters, validation_rows, found)
    held, sample = _split(found, n_held)
    if held is not None:
        validation_rows = ValidationRows(held.X, held.y, held.weights)
    try:
        fitting = prepare(
            model,
            sample.X,
            sample.y,
            sample.weights,
            incremental=False,
            classes=None,
            began=began,
            validation_rows=validation_rows,
        )
    except (ValueError, TypeError):
        _raise_for_piece(model, source)
        raise
    bound = -1.0 if n_held == 0 else float(found.keys[n_held - 1])
    n_rows = found.n_rows - n_held
    return _with_rows(fitting, source, drawn, bound, n_rows)


def _raise_for_piece(model: Any, source: Source) -> None:
    """Raise, with its place, for the first piece whose numbers are wrong."""
    columns = validation.stand_in(type(model).__name__)
    dtype = np.dtype(np.float32 if model.dtype == "auto" else model.dtype)
    for piece in source.pieces(source.rows_of_piece):
        with validation.naming_piece(piece.place):
            validation.check_data(
                columns, piece.X, piece.y, dtype=dtype, reset=True, numeric_y=model._numeric_target
            )
            if piece.weights is not None and piece.weights.any():
                validation.check_sample_weight(piece.weights, len(piece), dtype)


def _seed_of(random_state: Any) -> int:
    return int(random_state_of(random_state).randint(0, 2**31 - 1))


def _rows_to_draw(n_columns: int) -> int:
    """Return how many rows of so many columns are drawn."""
    return int(np.clip(BYTES_DRAWN // (8 * n_columns), FEWEST_DRAWN, MOST_DRAWN))


def _rows_to_hold_out(parameters: SimpleNamespace, given: ValidationRows, found: Survey) -> int:
    """Return how many of the rows that were drawn judge the network."""
    if not parameters.early_stopping or given.X is not None:
        return 0
    wanted = round(float(parameters.validation_fraction) * found.n_rows)
    return max(1, min(wanted, int(SHARE_HELD_OUT * len(found.sample))))


def _split(found: Survey, n_held: int) -> tuple[Piece | None, Piece]:
    """Return the rows that are held out, the first ones of the sample, and the others.

    Behind these comes a row of each label that none of them has.
    """
    rows = np.arange(len(found.sample))
    held = chosen(found.sample, rows[:n_held]) if n_held else None
    others = chosen(found.sample, rows[n_held:])
    have = set(np.unique(np.asarray(others.y)).tolist()) if found.firsts else set()
    rare = [piece for label, piece in found.firsts.items() if label not in have]
    return held, stacked([others, *rare])


def _with_rows(
    fitting: Fitting, source: Source, drawn: Drawn, bound: float, n_rows: int
) -> Fitting:
    """Return a fitting to a sample as one to all rows of the source."""
    batch = min(validation.largest_batch(vars(fitting.parameters)), n_rows)
    streamed = Streamed(
        source=source,
        drawn=drawn,
        bound=bound,
        encode=_encoder(fitting),
        n_rows=n_rows,
        window_rows=_window_rows(source, fitting, batch, n_rows),
        shuffles=bool(fitting.parameters.shuffle),
    )
    return replace(fitting, data=StreamedData(fitting.data, streamed))


def _window_rows(source: Source, fitting: Fitting, batch: int, n_rows: int) -> int:
    """Return how many rows a window has: whole batches, and never one row in the last window."""
    wanted = source.reading.buffer_rows
    if wanted is None:
        n_columns = fitting.data.rows.X.shape[1] + fitting.data.rows.target.shape[1] + 1
        wanted = BUFFER_BYTES // (fitting.coder.dtype.itemsize * n_columns)
    rows = int(max(batch, wanted // batch * batch))
    while n_rows % rows == 1 and n_rows > 1 and rows > 1:
        rows += batch
    return int(min(rows, -(-n_rows // batch) * batch))


def _encoder(fitting: Fitting) -> Callable[[Piece], Rows]:
    """Return what makes a piece's rows what the network learns from."""
    model, coder, dtype = fitting.model, fitting.coder, fitting.coder.dtype
    owner, n_columns = type(model).__name__, fitting.data.rows.X.shape[1]
    columns = validation.stand_in(owner, n_columns, fitting.feature_names)
    rows = fitting.data.rows
    classes = ClassWeights.of(
        getattr(fitting.parameters, "class_weight", None), coder, rows.target, fitting.sample_weight
    )

    def encode(piece: Piece) -> Rows:
        X, y, _ = validation.check_data(
            columns, piece.X, piece.y, dtype=dtype, reset=False, numeric_y=model._numeric_target
        )
        own = validation.check_sample_weight(piece.weights, len(X), dtype)
        coder.check(y, whole=False)
        target = coder.encode(y)
        return Rows(np.asarray(X, dtype), target, classes.times(own, coder, target))

    return encode


def parts_of(model: Any, source: Source) -> Iterator[Piece]:
    """Yield a source in parts that partial fits learn from, one after the other.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
    source : Source
    """
    order = np.arange(source.n_parts)
    if model.shuffle and not source.once:
        np.random.default_rng(_seed_of(model.random_state)).shuffle(order)
    pieces: list[Piece] = []
    n_rows, first = 0, None
    size = source.reading.buffer_rows
    at_once = source.rows_of_piece if size is None else min(size, source.rows_of_piece)
    for _, piece in in_turns(
        order.tolist(), lambda part: source.read(part, at_once), source.n_open
    ):
        first = first or piece
        validation.check_like_first(first, piece, piece.place)
        validation.check_brings_target(piece.y, piece.place)
        if size is None:
            size = max(1, BUFFER_BYTES // (8 * piece.X.shape[1]))
        if pieces and n_rows + len(piece) > size:
            yield _as_one(pieces)
            pieces, n_rows = [], 0
        pieces.append(piece)
        n_rows += len(piece)
    validation.check_any_row_to_stream(n_rows)
    yield _as_one(pieces)


def _as_one(pieces: list[Piece]) -> Piece:
    """Return pieces as one; ValueError if they are too unlike for that."""
    with validation.naming_unlike_pieces():
        return stacked(pieces)
