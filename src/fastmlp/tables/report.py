"""What each column of a raw table was taken for, as a table to be printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple, overload

__all__ = ["ColumnReport", "ColumnTable"]

#: Rows that are printed of a longer table, from its beginning and its end.
MOST_ROWS = 60


class ColumnReport(NamedTuple):
    """What was seen of a column, and what it was taken for.

    Attributes
    ----------
    name : str or int
        Name of the column, or its place in a table without names.
    dtype : str
        Type of the column, as the table's library writes it.
    taken_for : str
        "number", "boolean", "category", "ordinal", "date", "duration" or "dropped".
    missing : float
        Share of the rows without a value, or NaN for a column that the user dropped.
    levels : int or None
        Number of levels of a category or an ordinal column, including rare ones.
    range : tuple of two float or str, or None
        The smallest and the largest number or date.
    outputs : tuple of str
        Names of what is made of the column.
    remark : str
        Why the column was dropped, or what else a user should know.
    """

    name: str | int
    dtype: str
    taken_for: str
    missing: float
    levels: int | None
    range: tuple[float, float] | tuple[str, str] | None
    outputs: tuple[str, ...]
    remark: str


class ColumnTable(Sequence[ColumnReport]):
    """A table with a row for each column of a raw table, found by its place or its name.

    Printing it, or showing it in a notebook, gives a table.
    """

    _reports: tuple[ColumnReport, ...]

    def __init__(self, reports: Iterable[ColumnReport]) -> None:
        self._reports = tuple(reports)

    @overload
    def __getitem__(self, key: int | str) -> ColumnReport: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[ColumnReport, ...]: ...
    def __getitem__(self, key: int | str | slice) -> ColumnReport | tuple[ColumnReport, ...]:
        if isinstance(key, str):
            found = next((each for each in self._reports if each.name == key), None)
            if found is None:
                raise KeyError(key)
            return found
        return self._reports[key]

    def __len__(self) -> int:
        return len(self._reports)

    def __repr__(self) -> str:
        rows = [_HEADINGS, *self._shown()]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(each)}</th>" for each in _HEADINGS)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._shown()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _shown(self) -> Iterator[tuple[str, ...]]:
        """Yield the rows that are printed."""
        reports, half = self._reports, MOST_ROWS // 2
        if len(reports) <= MOST_ROWS:
            yield from map(_cells, reports)
            return
        yield from map(_cells, reports[:half])
        yield (f"… {len(reports) - 2 * half} more", *[""] * (len(_HEADINGS) - 1))
        yield from map(_cells, reports[-half:])


_HEADINGS = ("column", "dtype", "taken for", "missing", "levels", "range", "gives", "remark")

#: Whole numbers below it are printed with all of their digits.
LARGEST_IN_FULL = 1e12

#: Longest text of a cell.
MOST_CHARACTERS = 48


def _cells(report: ColumnReport) -> tuple[str, ...]:
    """Return the texts of a row."""
    share = (
        "" if report.missing != report.missing or not report.missing else _percent(report.missing)
    )
    levels = "" if report.levels is None else str(report.levels)
    ends = "" if report.range is None else " … ".join(map(_end, report.range))
    outputs = ", ".join(report.outputs)
    cells = (str(report.name), report.dtype, report.taken_for, share, levels, ends, outputs)
    return tuple(map(_cut, (*cells, report.remark)))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "< 0.1 %"


def _end(end: float | str) -> str:
    if isinstance(end, str):
        return end
    return f"{end:.0f}" if end % 1 == 0 and abs(end) < LARGEST_IN_FULL else f"{end:.6g}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"
