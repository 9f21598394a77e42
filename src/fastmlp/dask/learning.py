"""From parts to a fitting whose rows lie on workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
from sklearn.base import is_classifier

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
    from fastmlp.dask.partitions import Part, Parts
    from fastmlp.dask.survey import Found
    from fastmlp.data.source import Piece
    from fastmlp.data.survey import Survey
    from fastmlp.estimators.fitting import Fitting
    from fastmlp.estimators.preparation import ValidationRows

__all__ = ["Surveyed", "prepare_distributed"]


@dataclass(frozen=True, eq=False)
class Surveyed:
    """Parts that have been looked at once, and who they are for.

    Attributes
    ----------
    parts : list of Part
    model : object
        Has the parameters of the cluster.
    client : distributed.Client
    drawn : Drawn
    found : Found
    """

    parts: list[Part]
    model: Any
    client: Any
    drawn: Drawn
    found: Found

    @classmethod
    def of(
        cls, parts: Parts, model: Any, client: Any, usual: Callable[[int], int], sight: Any = None
    ) -> Surveyed:
        """Return what a pass over some parts has shown, which is shown to ``sight``, too.

        ``usual`` says how many rows are drawn, as in ``Look``.
        """
        drawn = Drawn(seed_of(model.random_state))
        look = Look(drawn, usual, parts.sample_rows, is_classifier(model), sight)
        return cls(parts.parts, model, client, drawn, survey_of(parts.parts, look, client))

    @property
    def survey(self) -> Survey:
        """What is known of the rows that count."""
        assert self.found.survey is not None
        return self.found.survey

    def spread(
        self, fitting: Fitting, encode: Callable[[Piece], Rows], held: np.ndarray, n_rows: int
    ) -> tuple[Fitting, Distribution]:
        """Return a fitting to a sample as one to all rows, and how these are spread.

        Parameters
        ----------
        fitting : Fitting
        encode : callable
            Returns what the network learns from, of a piece.
        held : ndarray of float64, shape (V,)
            What the rows drew that are not to be learnt from, ascending.
        n_rows : int
            How many rows of a weight there are beside these.
        """
        encoding = Encoding(encode, self.drawn, held, _none_of(fitting))
        sample = fitting.data.rows.target
        shards = shards_of(self.parts, self.found, encoding, self._n_shards, self.client, sample)
        validation.check_stream_length(sum(shards.n_rows), n_rows)
        settings = self.model
        distribution = Distribution(self.client, shards, settings.exchange, settings.local_steps)
        data = ShardedData(fitting.data, shards)
        return replace(fitting, data=data, training=distribution.training), distribution

    @property
    def _n_shards(self) -> int:
        """How many shards there are: as wanted, else as workers, and not more than parts."""
        wanted = self.model.n_shards or len(self.client.nthreads())
        return max(1, min(wanted, sum(n > 0 for n in self.found.n_counting)))

    def raise_for_piece(self) -> None:
        """Raise, with its place, for the first part whose numbers are not as they must be."""
        check = dask.delayed(_error_of, pure=False)
        checked = [check(PieceCheck.of(self.model), part.pieces) for part in self.parts]
        for error in gathered(self.client, self.client.compute(checked)):
            if error is not None:
                raise error


def prepare_distributed(
    model: Any, parts: Parts, client: Any, began: float, validation_rows: ValidationRows
) -> tuple[Fitting, Distribution]:
    """Return the fitting of a model to rows on workers, and how it is spread over them.

    Parameters
    ----------
    model : DaskMLPClassifier or DaskMLPRegressor
    parts : Parts
    client : distributed.Client
    began : float
        What the clock showed when the fit was called.
    validation_rows : ValidationRows
        What the user brings to judge the fit by.
    """
    parameters = parameters_for_parts(model)
    validation.check_can_be_distributed(vars(parameters), model.exchange)
    surveyed = Surveyed.of(parts, model, client, rows_to_draw)
    survey = surveyed.survey
    try:
        fitting, held = prepare_on_survey(model, parameters, survey, began, validation_rows)
    except (ValueError, TypeError):
        surveyed.raise_for_piece()
        raise
    return surveyed.spread(fitting, Encoder.of(fitting), held, survey.n_rows - len(held))


def _none_of(fitting: Fitting) -> Rows:
    """Return no row, in the form in which a fitting's are learnt from."""
    rows, dtype = fitting.data.rows, fitting.coder.dtype
    weights = rows.sample_weight
    X: Any = rows.X
    return Rows(X[:0].astype(dtype), rows.target[:0], None if weights is None else weights[:0])


def _error_of(check: PieceCheck, pieces: Sequence[Piece]) -> Exception | None:
    """Return what is wrong with a part."""
    try:
        for piece in pieces:
            if len(piece):
                check(piece)
    except (ValueError, TypeError) as error:
        return error
    return None
