"""Parts of the calendar, from seconds since 1970, by whole numbers: see ``tables/calendar.py``.

Days become years and months as in Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013):
in eras of 400 years that begin on the first of March.
"""

from __future__ import annotations

import numpy as np

from fastmlp.export.onnx.graph import Graph, Tensor
from fastmlp.kept import kept_property

__all__ = ["Dates"]

_INT, _REAL = np.dtype(np.int64), np.dtype(np.float64)
_DAY = 86_400_000_000  # microseconds


class Dates:
    """Dates whose parts are written down when they are asked for, each once.

    Parameters
    ----------
    graph : Graph
    seconds : str
        A tensor (N, 1) of float64: seconds since 1970, none of which is NaN.
    start : float
        The date from which days are counted, likewise.
    """

    def __init__(self, graph: Graph, seconds: str, start: float) -> None:
        self._graph, self._seconds, self._start = graph, seconds, start

    def part(self, name: str) -> str:
        """Return a part by its name, (N, 1) of float64."""
        wave, _, cycle = name.partition("_of_")
        if wave in ("sin", "cos"):
            share = {"day": "share_of_day", "week": "share_of_week", "year": "share_of_year"}
            angle = self._graph.op("Mul", getattr(self, share[cycle]), np.float64(2 * np.pi))
            if wave == "cos":
                return self._graph.cosine(angle, np.dtype(np.float64))
            return self._graph.op("Sin", angle)
        part: str = getattr(self, name)
        return part if name == "days" else self._graph.cast(part, _REAL)

    # -- arithmetic of whole numbers --------------------------------------------------------------

    def _two(self, kind: str, first: Tensor, second: Tensor | int) -> str:
        second = np.int64(second) if isinstance(second, int) else second
        return self._graph.op(kind, first, second)

    def _add(self, first: Tensor, second: Tensor | int) -> str:
        return self._two("Add", first, second)

    def _less(self, first: Tensor, second: Tensor | int) -> str:
        return self._two("Sub", first, second)

    def _times(self, first: Tensor, second: int) -> str:
        return self._two("Mul", first, second)

    def _over(self, first: Tensor, second: int) -> str:
        """Return the quotient, rounded down, of numbers that are not negative."""
        return self._two("Div", first, second)

    def _rest(self, first: Tensor, second: int) -> str:
        """Return first modulo second, which is not negative even where the first number is."""
        return self._two("Mod", first, second)

    def _down(self, first: Tensor, second: int) -> str:
        """Return the quotient, rounded down, of any numbers."""
        return self._over(self._less(first, self._rest(first, second)), second)

    # -- days and within a day --------------------------------------------------------------------

    @kept_property
    def _microseconds(self) -> str:
        return self._whole(self._seconds)

    def _whole(self, seconds: Tensor) -> str:
        rounded = self._graph.op("Round", self._graph.op("Mul", seconds, np.float64(1e6)))
        return self._graph.cast(rounded, _INT)

    @kept_property
    def _of_day(self) -> str:
        """Microseconds since midnight."""
        return self._rest(self._microseconds, _DAY)

    @kept_property
    def _day_number(self) -> str:
        """Whole days since 1970."""
        return self._over(self._less(self._microseconds, self._of_day), _DAY)

    @kept_property
    def hour(self) -> str:  # noqa: D102 - parts of a date, whole numbers
        return self._over(self._of_day, 3_600_000_000)

    @kept_property
    def minute(self) -> str:  # noqa: D102
        return self._rest(self._over(self._of_day, 60_000_000), 60)

    @kept_property
    def second(self) -> str:  # noqa: D102
        return self._rest(self._over(self._of_day, 1_000_000), 60)

    @kept_property
    def day_of_week(self) -> str:  # noqa: D102
        return self._rest(self._add(self._day_number, 3), 7)

    @kept_property
    def days(self) -> str:
        """Days since the start, not whole ones."""
        start = np.int64(np.rint(self._start * 1e6))
        passed = self._graph.cast(self._less(self._microseconds, start), _REAL)
        return self._graph.op("Div", passed, np.float64(_DAY))

    # -- the calendar -----------------------------------------------------------------------------

    @kept_property
    def _since_march(self) -> str:
        """Days since March of the year 0."""
        return self._add(self._day_number, 719_468)

    @kept_property
    def _of_era(self) -> str:
        """Days since the era began."""
        return self._rest(self._since_march, 146_097)

    @kept_property
    def _year_of_era(self) -> str:
        day = self._of_era
        leaps = self._less(self._over(day, 36_524), self._over(day, 1_460))
        leaps = self._less(leaps, self._over(day, 146_096))
        return self._over(self._add(day, leaps), 365)

    @kept_property
    def _since_first_of_march(self) -> str:
        """Days since the last first of March."""
        year = self._year_of_era
        passed = self._add(self._times(year, 365), self._over(year, 4))
        return self._less(self._of_era, self._less(passed, self._over(year, 100)))

    @kept_property
    def _month_from_march(self) -> str:
        return self._over(self._add(self._times(self._since_first_of_march, 5), 2), 153)

    @kept_property
    def month(self) -> str:  # noqa: D102
        return self._add(self._rest(self._add(self._month_from_march, 2), 12), 1)

    @kept_property
    def day(self) -> str:  # noqa: D102
        begin = self._over(self._add(self._times(self._month_from_march, 153), 2), 5)
        return self._add(self._less(self._since_first_of_march, begin), 1)

    @kept_property
    def year(self) -> str:  # noqa: D102
        eras = self._down(self._since_march, 146_097)
        is_next = self._over(self._month_from_march, 10)  # 1 in January and February
        return self._add(self._add(self._times(eras, 400), self._year_of_era), is_next)

    @kept_property
    def _is_leap(self) -> str:
        """1 in leap years."""
        graph, year = self._graph, self.year
        by = [self._two("Equal", self._rest(year, n), 0) for n in (4, 100, 400)]
        usual = graph.op("And", by[0], graph.op("Not", by[1]))
        return graph.cast(graph.op("Or", usual, by[2]), _INT)

    @kept_property
    def _before_new_year(self) -> str:
        """Whole days from the first of January of the year to the date."""
        from_march = self._add(self._since_first_of_march, self._add(self._is_leap, 59))
        in_winter = self._less(self._since_first_of_march, 306)
        is_winter = self._two("Greater", self._month_from_march, 9)
        return self._graph.op("Where", is_winter, in_winter, from_march)

    @kept_property
    def day_of_year(self) -> str:  # noqa: D102
        return self._add(self._before_new_year, 1)

    # -- shares of cycles -------------------------------------------------------------------------

    def _share(self, days: str, length: Tensor) -> str:
        """Return (days + the time of day) / length, in float64."""
        passed = self._add(self._times(days, _DAY), self._of_day)
        return self._graph.op("Div", self._graph.cast(passed, _REAL), length)

    @kept_property
    def share_of_day(self) -> str:  # noqa: D102
        return self._graph.op("Div", self._graph.cast(self._of_day, _REAL), np.float64(_DAY))

    @kept_property
    def share_of_week(self) -> str:  # noqa: D102
        return self._share(self.day_of_week, np.float64(7 * _DAY))

    @kept_property
    def share_of_year(self) -> str:  # noqa: D102
        length = self._times(self._add(self._is_leap, 365), _DAY)
        return self._share(self._before_new_year, self._graph.cast(length, _REAL))
