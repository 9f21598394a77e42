"""Fits of rows that do not fit into memory.

One pass over the source counts its rows and draws some of them. The rows themselves then come in
windows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import validation
from fastmlp.data.source import Piece, Source
from fastmlp.data.stacks import stacked
from fastmlp.data.survey import Drawn, survey
from fastmlp.data.turns import in_turns, spread_order
from fastmlp.estimators.preparation import ValidationRows
from fastmlp.estimators.sampling import (
    Encoder,
    PieceCheck,
    parameters_for_parts,
    prepare_on_survey,
    rows_to_draw,
    seed_of,
)
from fastmlp.training.windows import BUFFER_BYTES, WINDOWS_OF_BUFFER, Streamed, StreamedData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastmlp.estimators.fitting import Fitting

__all__ = ["parts_of", "prepare_streamed", "with_rows"]


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
    parameters = parameters_for_parts(model)
    drawn = Drawn(seed_of(model.random_state))
    found = survey(source, drawn, rows_to_draw, has_labels=model._task == "classifier")
    try:
        fitting, held = prepare_on_survey(model, parameters, found, began, validation_rows)
    except (ValueError, TypeError):
        _raise_for_piece(model, source)
        raise
    return with_rows(fitting, source, drawn, held, found.n_rows - len(held))


def _raise_for_piece(model: Any, source: Source) -> None:
    """Raise, with its place, for the first piece whose numbers are wrong."""
    check = PieceCheck.of(model)
    for piece in source.pieces(source.rows_of_piece):
        check(piece)


def with_rows(
    fitting: Fitting, source: Source, drawn: Drawn, held: np.ndarray, n_rows: int
) -> Fitting:
    """Return a fitting to a sample as one to all rows of the source.

    Parameters
    ----------
    fitting : Fitting
    source : Source
    drawn : Drawn
    held : ndarray of float64, shape (V,)
        What the rows drew that are not to be learnt from, ascending.
    n_rows : int
        How many rows of a weight there are beside these.
    """
    batch = min(validation.largest_batch(vars(fitting.parameters)), n_rows)
    buffer_rows = min(_buffer_rows(source, fitting), n_rows)
    streamed = Streamed(
        source=source,
        drawn=drawn,
        held=held,
        encode=Encoder.of(fitting),
        n_rows=n_rows,
        buffer_rows=buffer_rows,
        window_rows=_window_rows(buffer_rows // WINDOWS_OF_BUFFER, batch, n_rows),
        shuffles=bool(fitting.parameters.shuffle),
    )
    return replace(fitting, data=StreamedData(fitting.data, streamed))


def _buffer_rows(source: Source, fitting: Fitting) -> int:
    """Return how many rows are mixed, as the user says or as many as the bytes hold."""
    wanted = source.reading.buffer_rows
    if wanted is None:
        n_columns = fitting.data.rows.X.shape[1] + fitting.data.rows.target.shape[1] + 1
        wanted = max(1, BUFFER_BYTES // (fitting.coder.dtype.itemsize * n_columns))
    return wanted


def _window_rows(wanted: int, batch: int, n_rows: int) -> int:
    """Return how many rows a window has: whole batches, and never one row in the last window."""
    rows = max(batch, wanted // batch * batch)
    while n_rows % rows == 1 and n_rows > 1 and rows > 1:
        rows += batch
    return int(min(rows, -(-n_rows // batch) * batch))


def parts_of(model: Any, source: Source) -> Iterator[Piece]:
    """Yield a source in parts that partial fits learn from, one after the other.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
    source : Source
    """
    order = np.arange(source.n_parts)
    if model.shuffle and not source.once:
        rng = np.random.default_rng(seed_of(model.random_state))
        order = spread_order(source.n_parts, rng)
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
