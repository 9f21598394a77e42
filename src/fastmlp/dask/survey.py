"""What one pass over all parts shows: each worker looks at those it has, and the client at the sum.

Rows draw the same numbers as those of a source with the same parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import dask
import numpy as np

from fastmlp import validation
from fastmlp.dask.waiting import gathered
from fastmlp.data.survey import Drawn, Survey, merged_surveys, survey_of_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastmlp.dask.partitions import Part
    from fastmlp.data.source import Piece

__all__ = ["Count", "Found", "Look", "counted", "survey_of"]

#: So many samples are made one at a time, since each may have thousands of rows.
AT_ONCE = 16


class Count(NamedTuple):
    """What tells whether a part is the same when it is made again.

    Attributes
    ----------
    n_rows : int
        Those without weight included.
    digest : int
        Of its targets, in their order.
    """

    n_rows: int
    digest: int


class Found(NamedTuple):
    """What is known of some parts.

    Attributes
    ----------
    survey : Survey or None
        None if no row counts.
    counts : list of Count, length P
        Of each part.
    n_counting : list of int, length P
        Rows of each part whose weight is above 0.
    extent : Extent or None
        What a sight has remembered of the targets.
    """

    survey: Survey | None
    counts: list[Count]
    n_counting: list[int]
    extent: Any = None


@dataclass(frozen=True)
class Look:
    """How to look at a part.

    Attributes
    ----------
    drawn : Drawn
    usual : callable
        Maps the number of columns to the number of rows to draw, where the user does not say it.
    wanted : int or None
        How many rows the user wants to be drawn.
    has_labels : bool
        Whether the target holds class labels, where it is (n,).
    sight : callable or None
        Is shown the rows of each piece that count; may remember an ``extent``.
    """

    drawn: Drawn
    usual: Callable[[int], int]
    wanted: int | None
    has_labels: bool
    sight: Callable[[Piece], None] | None = None

    def most(self, n_columns: int) -> int:
        """Return how many rows of so many columns are drawn."""
        return self.usual(n_columns) if self.wanted is None else self.wanted

    def at(self, number: int, pieces: Sequence[Piece]) -> Found:
        """Return what is found in a part."""
        rng, sight = self.drawn.of_part(number), copy(self.sight)
        survey = survey_of_part(pieces, rng, self.most, has_labels=self.has_labels, look=sight)
        n_counting = 0 if survey is None else survey.n_rows
        return Found(survey, [counted(pieces)], [n_counting], getattr(sight, "extent", None))

    def merged(self, several: Sequence[Found]) -> Found:
        """Return what is found in parts that lie one after the other."""
        extents = [each.extent for each in several if each.extent is not None]
        surveys = [each.survey for each in several if each.survey is not None]
        return Found(
            merged_surveys(surveys, self.most) if surveys else None,
            [count for each in several for count in each.counts],
            [count for each in several for count in each.n_counting],
            reduce(lambda one, other: one.joined(other), extents) if extents else None,
        )


def counted(pieces: Sequence[Piece]) -> Count:
    """Return how many rows a part has, and a digest of their targets."""
    digest = 0
    for piece in pieces:
        digest = crc32(_bytes_of(piece.y), digest)
    return Count(sum(map(len, pieces)), digest)


def _bytes_of(y: Any) -> bytes:
    y = np.asarray(y)
    return "\0".join(map(str, y.ravel())).encode() if y.dtype.hasobject else y.tobytes()


def survey_of(parts: Sequence[Part], look: Look, client: Any) -> Found:
    """Look at all rows once, where they are.

    Raises
    ------
    ValueError
        If no row counts, or parts are unlike; what a part can't be made for is raised as it is.
    """
    at, merge = dask.delayed(look.at, pure=False), dask.delayed(look.merged, pure=False)
    level = [at(number, part.pieces) for number, part in enumerate(parts)]
    while len(level) > AT_ONCE:
        level = [merge(level[i : i + AT_ONCE]) for i in range(0, len(level), AT_ONCE)]
    found = look.merged(gathered(client, client.compute(level)))
    validation.check_rows_on_workers(sum(found.n_counting))
    return found
