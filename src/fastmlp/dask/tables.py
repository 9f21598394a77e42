"""Raw tables on workers: some rows race in the client, and all teach those who predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastmlp.dask.learning import none_of, spread
from fastmlp.dask.shards import Encoding
from fastmlp.dask.survey import Look, survey_of
from fastmlp.data.survey import Drawn
from fastmlp.estimators.preparation import prepare
from fastmlp.estimators.sampling import Encoder, seed_of
from fastmlp.tabular.whole import rows_to_draw
from fastmlp.training import clock

if TYPE_CHECKING:
    from fastmlp.backends import Rows
    from fastmlp.dask.partitions import Part
    from fastmlp.dask.survey import Found
    from fastmlp.data.source import Piece
    from fastmlp.data.survey import Survey
    from fastmlp.tabular.whole import Lesson

__all__ = ["PartedTable"]


@dataclass(frozen=True, eq=False)
class _InTurn:
    """Encodes a piece of a raw table as a network's inputs, and these as its rows."""

    table: Callable[[Piece], Piece]
    network: Encoder

    def __call__(self, piece: Piece) -> Rows:
        return self.network(self.table(piece))


@dataclass(frozen=True, eq=False)
class PartedTable:
    """A table in parts on workers; see ``fastmlp.tabular.whole.WholeTable``.

    Attributes
    ----------
    parts : sequence of Part
    model : object
        Has the parameters of the cluster.
    client : distributed.Client
    drawn : Drawn
    looked : Found
    """

    parts: Sequence[Part]
    model: Any
    client: Any
    drawn: Drawn
    looked: Found

    @classmethod
    def of(
        cls, parts: Sequence[Part], model: Any, client: Any, sight: Any, *, has_labels: bool
    ) -> PartedTable:
        """Return the table of some parts after a pass over them, which ``sight`` is shown."""
        drawn = Drawn(seed_of(model.random_state))
        looked = survey_of(parts, Look(drawn, rows_to_draw, has_labels, sight), client)
        if looked.extent is not None:
            sight.extent = looked.extent
        return cls(parts, model, client, drawn, looked)

    @property
    def found(self) -> Survey:
        """What the pass has shown."""
        assert self.looked.survey is not None
        return self.looked.survey

    def teach(self, network: Any, lesson: Lesson) -> None:
        """Fit a network to all rows that a lesson is about, where they are."""
        sample = lesson.sample
        fitting = prepare(
            network,
            sample.X,
            sample.y,
            sample.weights,
            incremental=False,
            classes=None,
            began=clock.now(),
            validation_rows=lesson.judged,
        )
        encode = _InTurn(lesson.encode, Encoder.of(fitting))
        encoding = Encoding(encode, self.drawn, lesson.held, none_of(fitting))
        fitting, _ = spread(
            fitting, self.model, self.parts, self.looked, encoding, self.client, lesson.n_rows
        )
        network._run(fitting, sample.X, None, None)
