"""What each candidate reached, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np

from fastmlp.tabular.member import Failure, Member

__all__ = ["Leaderboard", "Place"]


class Place(NamedTuple):
    """The row of a candidate.

    Attributes
    ----------
    recipe : str
        The inputs of the recipe, and the settings that differ from the defaults. Of a partner, the
        text of the model.
    error : float
        Error on the held-out rows by the metric, or NaN if there is none.
    weight : float
        Weight in the mean that predicts.
    epochs : int
        Number of epochs, 0 for a partner.
    seconds : float
    remark : str
        The reason why the candidate has no error; empty if it has one.
    """

    recipe: str
    error: float
    weight: float
    epochs: int
    seconds: float
    remark: str = ""


class Leaderboard(Sequence[Place]):
    """A table of the candidates, with the best one first.

    ``pandas.DataFrame`` makes a data frame of it.
    """

    metric: str
    _places: tuple[Place, ...]

    def __init__(self, metric: str, places: Sequence[Place]) -> None:
        self.metric = metric
        self._places = tuple(sorted(places, key=lambda place: (np.isnan(place.error), place.error)))

    @classmethod
    def of(
        cls,
        metric: str,
        members: Sequence[Member],
        weights: np.ndarray,
        failures: Sequence[Failure] = (),
    ) -> Leaderboard:
        """Return the places of members with their ``weights`` (M,), and of those that failed."""
        rows = zip(members, weights.tolist(), strict=True)
        places = [Place(m.name, m.error, weight, m.n_epochs, m.seconds) for m, weight in rows]
        failed = [
            Place(each.recipe.summary, np.nan, 0.0, 0, each.seconds, each.remark)
            for each in failures
        ]
        return cls(metric, [*places, *failed])

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Place, ...]: ...
    def __getitem__(self, index: int | slice) -> Place | tuple[Place, ...]:
        return self._places[index]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def __repr__(self) -> str:
        head = (self.metric, "weight", "epochs", "seconds", "recipe")
        rows = [
            (f"{p.error:.5g}", f"{p.weight:.2f}", str(p.epochs), f"{p.seconds:.1f}", _told(p))
            for p in self
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        return "\n".join(
            "  ".join(text.rjust(width) for text, width in zip(row[:-1], widths, strict=False))
            + "  "
            + row[-1]
            for row in (head, *rows)
        )


def _told(place: Place) -> str:
    return f"{place.recipe} ({place.remark})" if place.remark else place.recipe
