"""From parts to a fitting whose rows lie on workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dask

from fastmlp import validation
from fastmlp.backends import Rows
from fastmlp.dask.run import Distribution
from fastmlp.dask.shards import Encoding, ShardedData, shards_of
from fastmlp.dask.survey import Look, survey_of
from fastmlp.dask.waiting import gathered
from fastmlp.data.survey import Drawn
from fastmlp.estimators.sampling import (
    Encoder,
    PieceCheck,
    parameters_for_parts,
    prepare_on_survey,
    rows_to_draw,
    seed_of,
)

if TYPE_CHECKING:
    from fastmlp.dask.partitions import Part
    from fastmlp.dask.survey import Found
    from fastmlp.data.source import Piece
    from fastmlp.estimators.fitting import Fitting
    from fastmlp.estimators.preparation import ValidationRows

__all__ = ["none_of", "number_of_shards", "prepare_distributed", "spread"]


def prepare_distributed(
    model: Any,
    parts: Sequence[Part],
    client: Any,
    began: float,
    validation_rows: ValidationRows,
) -> tuple[Fitting, Distribution]:
    """Return the fitting of a model to rows on workers, and how it is spread over them.

    Parameters
    ----------
    model : DaskMLPClassifier or DaskMLPRegressor
    parts : sequence of Part
    client : distributed.Client
    began : float
        What the clock showed when the fit was called.
    validation_rows : ValidationRows
        What the user brings to judge the fit by.
    """
    parameters = parameters_for_parts(model)
    validation.check_can_be_distributed(vars(parameters), model.exchange)
    drawn = Drawn(seed_of(model.random_state))
    look = Look(drawn, rows_to_draw, has_labels=model._task == "classifier")
    found = survey_of(parts, look, client)
    assert found.survey is not None
    try:
        fitting, held = prepare_on_survey(model, parameters, found.survey, began, validation_rows)
    except (ValueError, TypeError):
        _raise_for_piece(model, parts, client)
        raise
    encoding = Encoding(Encoder.of(fitting), drawn, held, none_of(fitting))
    return spread(fitting, model, parts, found, encoding, client, found.survey.n_rows - len(held))


def spread(
    fitting: Fitting,
    settings: Any,
    parts: Sequence[Part],
    found: Found,
    encoding: Encoding,
    client: Any,
    n_rows: int,
) -> tuple[Fitting, Distribution]:
    """Return a fitting to a sample as one to all rows of the parts, and how these are spread.

    ``settings`` has the parameters of the cluster; ``n_rows`` are to be learnt from.
    """
    n_shards = number_of_shards(settings.n_shards, found, client)
    shards = shards_of(parts, found, encoding, n_shards, client)
    validation.check_stream_length(sum(shards.n_rows), n_rows)
    distribution = Distribution(client, shards, settings.exchange, settings.local_steps)
    data = ShardedData(fitting.data, shards)
    return replace(fitting, data=data, training=distribution.training), distribution


def none_of(fitting: Fitting) -> Rows:
    """Return no row, in the form in which a fitting's are learnt from."""
    rows, dtype = fitting.data.rows, fitting.coder.dtype
    weights = rows.sample_weight
    X: Any = rows.X
    return Rows(X[:0].astype(dtype), rows.target[:0], None if weights is None else weights[:0])


def number_of_shards(wanted: int | None, found: Found, client: Any) -> int:
    """Return how many shards there are: as ``wanted``, else as workers, and not more than parts."""
    n_workers = len(client.nthreads())
    return max(1, min(wanted or n_workers, sum(n > 0 for n in found.n_counting)))


def _raise_for_piece(model: Any, parts: Sequence[Part], client: Any) -> None:
    """Raise, with its place, for the first part whose numbers are not as they must be."""
    check = dask.delayed(_error_of, pure=False)
    checked = [check(PieceCheck.of(model), part.pieces) for part in parts]
    for error in gathered(client, client.compute(checked)):
        if error is not None:
            raise error


def _error_of(check: PieceCheck, pieces: Sequence[Piece]) -> Exception | None:
    """Return what is wrong with a part."""
    try:
        for piece in pieces:
            if len(piece):
                check(piece)
    except (ValueError, TypeError) as error:
        return error
    return None
