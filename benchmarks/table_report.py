"""The figures of models of raw tables as tables, for a terminal and for the README."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.table import Table
from table_results import Reached, Summary

__all__ = ["markdown", "overall", "table_of"]


def table_of(means: Sequence[Reached]) -> Table:
    """Return a row for each model of each table."""
    table = Table("table", "model", box=box.HORIZONTALS, pad_edge=False)
    for heading in ("error", "± spread", "fit, s", "predict, µs a row", "seeds"):
        table.add_column(heading, justify="right")
    for name in _tables(means):
        for each in (each for each in means if each.table == name):
            figures = (
                f"{each.error:.4f}",
                f"{each.spread:.4f}",
                f"{each.fit_seconds:.3g}",
                f"{each.microseconds:.3g}",
            )
            table.add_row(name, each.model, *figures, str(each.n_seeds))
        table.add_section()
    return table


def overall(summary: Sequence[Summary]) -> Table:
    """Return a row for each model, over the tables that have figures of all."""
    heads, *rows = _overall(summary)
    table = Table(title=_told(summary), title_justify="left", box=box.HORIZONTALS, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == "model" else "right")
    for row in rows:
        table.add_row(*row)
    return table


def markdown(means: Sequence[Reached], models: Sequence[str], summary: Sequence[Summary]) -> str:
    """Return the errors, the seconds and the summary as tables of Markdown."""
    parts = [
        "Error, mean ± spread over seeds; the least of a table is bold.",
        _lines(_grid(means, models, _error_cell)),
        "Seconds of a fit:",
        _lines(_grid(means, models, lambda each, _: f"{each.fit_seconds:.3g}")),
        _told(summary),
        _lines(_overall(summary)),
    ]
    return "\n\n".join(parts) + "\n"


def _tables(means: Sequence[Reached]) -> list[str]:
    return list(dict.fromkeys(each.table for each in means))


def _error_cell(each: Reached, row: Sequence[Reached]) -> str:
    told = f"{each.error:.4f} ± {each.spread:.4f}"
    return f"**{told}**" if each.error == min(other.error for other in row) else told


def _grid(
    means: Sequence[Reached],
    models: Sequence[str],
    cell: Callable[[Reached, Sequence[Reached]], str],
) -> Iterator[tuple[str, ...]]:
    """Yield the head, then a row for each table with a cell for each model."""
    yield ("table", *models)
    for name in _tables(means):
        row = {each.model: each for each in means if each.table == name}
        cells = (cell(row[model], list(row.values())) if model in row else "–" for model in models)
        yield (name, *cells)


def _overall(summary: Sequence[Summary]) -> Iterator[tuple[str, ...]]:
    yield ("model", "mean place", "error", "fit", "predict")
    for each in summary:
        ratios = (each.error, each.fit_seconds, each.predict_seconds)
        yield (each.model, f"{each.rank:.2f}", *(f"{ratio:.3g}" for ratio in ratios))


def _told(summary: Sequence[Summary]) -> str:
    """Say what the summary is of."""
    if not summary:
        return "No table has figures of every model, so there is no summary."
    first = summary[0]
    return (
        f"Over the tables with figures of every model ({first.n_tables}): mean place by error, and "
        f"geometric means of the ratios to {first.model}, those of errors over the tables on which "
        f"every model makes some ({first.n_ratios})."
    )


def _lines(rows: Iterator[tuple[str, ...]]) -> str:
    head, *others = rows
    rule = ("---",) * len(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *others))
