"""Shards: the rows that a rank of a fit learns from, encoded, on the worker that keeps them.

Which rows a shard has follows from the sizes of the parts and the number of shards only, so that
it does not matter which worker has which shard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import dask
import numpy as np

from fastmlp import validation
from fastmlp.backends import Rows
from fastmlp.dask.survey import Count, counted
from fastmlp.dask.waiting import gathered
from fastmlp.data.stacks import chosen
from fastmlp.data.survey import Drawn, are_among
from fastmlp.plan.parameters import readable
from fastmlp.training.loop import TrainingData

if TYPE_CHECKING:
    from fastmlp.dask.partitions import Part
    from fastmlp.dask.survey import Found
    from fastmlp.data.source import Piece

__all__ = ["Encoding", "Shard", "ShardedData", "Shards", "Size", "cuts", "shards_of"]

#: Shards are unlike if the part of rows whose target is below some value differs by more than this
#: from that of all, and by more than so many times as by chance.
UNLIKE, TIMES_CHANCE = 0.1, 4

#: So many values of each target are looked at.
N_CUTS = 16


class Size(NamedTuple):
    """What a shard has.

    Attributes
    ----------
    n_rows : int
    weight_sum : float
    below : ndarray of float64, shape (C, T)
        How many of its rows have targets of at most some values.
    """

    n_rows: int
    weight_sum: float
    below: np.ndarray


@dataclass(frozen=True, eq=False)
class Shard:
    """What one rank learns from.

    Attributes
    ----------
    rank : int
    rows : Rows
    n_rows : int
    weight_sum : float
        Of its rows, which count 1 each without weights.
    """

    rank: int
    rows: Rows
    n_rows: int
    weight_sum: float

    @classmethod
    def of(cls, rank: int, rows: Rows) -> Shard:
        """Return the shard of these rows."""
        weights = rows.sample_weight
        total = len(rows.target) if weights is None else weights.sum(dtype=np.float64)
        return cls(rank, rows, len(rows.target), float(total))

    def size(self, cuts: np.ndarray) -> Size:
        """Return what the shard has; ``cuts`` (C, T) are values of the targets."""
        below = np.array([np.sum(self.rows.target <= each, axis=0) for each in cuts], np.float64)
        return Size(self.n_rows, self.weight_sum, below)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Arrays that Dask hands to another worker begin at any byte.
        vars(self).update(state, rows=_each(readable, state["rows"]))


@dataclass(frozen=True, eq=False)
class Shards:
    """All shards of a fit, by rank.

    Attributes
    ----------
    futures : list of Future, length W
        Of ``Shard`` each. Dask makes one again, by the user's graph, whose worker is lost.
    sizes : list of Size, length W
    """

    futures: list[Any]
    sizes: list[Size]

    @property
    def n_rows(self) -> list[int]:
        """Rows of each shard, (W,)."""
        return [each.n_rows for each in self.sizes]

    @property
    def weight_sums(self) -> list[float]:
        """What the rows of each shard count, (W,)."""
        return [each.weight_sum for each in self.sizes]

    @property
    def are_unlike(self) -> bool:
        """Whether targets of some shard are distributed otherwise than all, as of sorted rows.

        What is compared is the statistic of Kolmogorov and Smirnov, at the values looked at.
        """
        n_all = max(sum(self.n_rows), 1)
        filled = [each for each in self.sizes if each.n_rows]
        of_all = sum(each.below for each in filled) / n_all
        for each in filled:
            # The deviation, at most, of the part that is below a value, in rows drawn from all.
            by_chance = 0.5 * (1 / each.n_rows - 1 / n_all) ** 0.5
            difference = np.max(np.abs(each.below / each.n_rows - of_all), initial=0.0)
            if difference > max(UNLIKE, TIMES_CHANCE * by_chance):
                return True
        return False


class ShardedData(TrainingData):
    """Rows to learn from that lie on workers; ``rows`` are a sample of them."""

    def __init__(self, sample: TrainingData, shards: Shards) -> None:
        super().__init__(sample.rows, sample.order)
        self.shards = shards

    @property
    def n_rows(self) -> int:
        """Rows of an epoch."""
        return sum(self.shards.n_rows)


@dataclass(frozen=True, eq=False)
class Encoding:
    """How parts become what a network learns from.

    Attributes
    ----------
    encode : callable
        Returns the ``Rows`` of a piece.
    drawn : Drawn
        Gives each row a number.
    held : ndarray of float64, shape (V,)
        Numbers, ascending, of the rows that are held out.
    none : Rows
        No row, of the same form.
    """

    encode: Callable[[Piece], Rows]
    drawn: Drawn
    held: np.ndarray
    none: Rows

    def part(self, number: int, place: str, before: Count, pieces: Sequence[Piece]) -> Rows:
        """Return a part's rows to learn from; ValueError if it is not as it was ``before``."""
        validation.check_part_unchanged(place, before, counted(pieces))
        rng = self.drawn.of_part(number)
        return self.stacked([self._kept(piece, rng.random(len(piece))) for piece in pieces])

    def _kept(self, piece: Piece, numbers: np.ndarray) -> Rows:
        """Return those rows of a piece that count and are not held out."""
        keep = ~are_among(numbers, self.held)
        if piece.weights is not None:
            keep &= piece.weights != 0
        if not keep.any():
            return self.none
        with validation.naming_piece(piece.place):
            return self.encode(piece if keep.all() else chosen(piece, np.flatnonzero(keep)))

    def stacked(self, several: Sequence[Rows]) -> Rows:
        """Return some rows after the other."""
        several = list(several) or [self.none]
        return _each(lambda *columns: np.concatenate(columns), *several)

    def shard(self, rank: int, several: Sequence[Rows]) -> Shard:
        """Return the shard of a rank, whose parts have these rows."""
        return Shard.of(rank, self.stacked(several))


def _each(make: Callable[..., np.ndarray], *several: Rows) -> Rows:
    """Return rows of which each column is made of those of ``several``; weights may be missing."""
    X, target, weights = zip(*several, strict=True)
    return Rows(make(*X), make(*target), None if weights[0] is None else make(*weights))


def cuts(n_rows: Sequence[int], n_shards: int) -> list[range]:
    """Return the parts of each shard, which lie one after the other.

    Parameters
    ----------
    n_rows : sequence of int, length P
        Of each part.
    n_shards : int
        At most as many as there are parts with rows; each shard has one of these.

    Returns
    -------
    list of range, length n_shards
        They end where the sum of the rows is nearest to an equal share of all.
    """
    filled = np.flatnonzero(n_rows)
    sums = np.cumsum(np.asarray(n_rows)[filled])
    ends, last = [], 0
    for shard in range(1, n_shards):
        wanted = sums[-1] * shard / n_shards
        nearest = int(np.argmin(np.abs(sums - wanted))) + 1
        last = int(np.clip(nearest, last + 1, len(filled) - (n_shards - shard)))
        ends.append(int(filled[last]))
    return [range(first, end) for first, end in zip([0, *ends], [*ends, len(n_rows)], strict=True)]


def shards_of(
    parts: Sequence[Part],
    found: Found,
    encoding: Encoding,
    n_shards: int,
    client: Any,
    sample: np.ndarray,
) -> Shards:
    """Have workers encode all rows, each those of some shards; return when that is done.

    ``sample`` (S, T) are encoded targets of some of the rows.

    Raises
    ------
    ValueError, TypeError
        If a row is not as it must be, or a part has changed.
    """
    shared = dask.delayed(encoding, traverse=False)
    futures = []
    for rank, numbers in enumerate(cuts(found.n_counting, n_shards)):
        rows = [
            shared.part(number, parts[number].place, found.counts[number], parts[number].pieces)
            for number in numbers
        ]
        # No worker is named, not even as a wish: Dask would wait for it once all had left.
        futures.append(client.compute(shared.shard(rank, rows)))
    # Quantiles that are targets of some rows: of classes, these are their numbers.
    values = np.quantile(sample, np.linspace(0, 1, N_CUTS), axis=0, method="lower")
    asked = [client.submit(Shard.size, each, values, pure=False) for each in futures]
    return Shards(futures, gathered(client, asked))
