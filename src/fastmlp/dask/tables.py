"""Raw tables on workers: some rows race in the client, and all teach those who predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastmlp.dask.learning import Surveyed
from fastmlp.estimators.sampling import Encoder, prepare_on_sample
from fastmlp.tabular.whole import rows_to_draw
from fastmlp.training import clock

if TYPE_CHECKING:
    from fastmlp.backends import Rows
    from fastmlp.dask.partitions import Parts
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
    surveyed : Surveyed
    """

    surveyed: Surveyed

    @classmethod
    def of(cls, parts: Parts, model: Any, client: Any, sight: Any) -> PartedTable:
        """Return the table of some parts after a pass over them, which ``sight`` is shown."""
        surveyed = Surveyed.of(parts, model, client, rows_to_draw, sight)
        if surveyed.found.extent is not None:
            sight.extent = surveyed.found.extent
        return cls(surveyed)

    @property
    def found(self) -> Survey:
        """What the pass has shown."""
        return self.surveyed.survey

    def teach(self, network: Any, lesson: Lesson) -> None:
        """Fit a network to all rows that a lesson is about, where they are."""
        fitting = prepare_on_sample(network, lesson.sample, clock.now(), lesson.judged)
        encode = _InTurn(lesson.encode, Encoder.of(fitting))
        fitting, _ = self.surveyed.spread(fitting, encode, lesson.held, lesson.n_rows)
        network._run(fitting, lesson.sample.X, None, None)
