"""What a command found, as text for a terminal and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastmlp.cli.judging.figures import FIGURES, Judged
from fastmlp.cli.judging.importances import Importances
from fastmlp.cli.wording import number

__all__ = [
    "figures_of",
    "importances_as_plain",
    "print_columns",
    "print_figures",
    "print_importances",
    "print_leaderboard",
    "table_of",
]

#: Columns that are listed of a wide table.
MOST_COLUMNS = 60

#: Columns that are listed of those that matter.
MOST_IMPORTANCES = 15


def table_of(title: str, headings: Sequence[str], n_left: int = 1) -> Table:
    """Return an empty table whose first ``n_left`` columns are texts."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.HORIZONTALS)
    table.pad_edge = False
    for place, heading in enumerate(headings):
        is_text = place < n_left
        justify: Any = "left" if is_text else "right"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=not is_text)
    return table


def print_figures(console: Console, title: str, judged: Judged) -> None:
    """Print the figures of a model beside those of the best constant."""
    table = table_of(title, ("figure", "model", "± 95 %", "constant", "what it is"))
    table.columns[-1].justify = "left"
    table.columns[-1].no_wrap = False
    for name, figure in judged.figures.items():
        margin = "" if figure.margin is None else number(figure.margin, 2)
        what, _ = FIGURES[name]
        table.add_row(name, number(figure.value), margin, number(figure.constant), what)
    console.print(table)


def print_columns(console: Console, columns: Sequence[Any]) -> None:
    """Print what columns were taken for."""
    headings = ("column", "taken for", "missing", "levels", "from", "to", "remark")
    table = table_of("Columns", headings, n_left=2)
    table.columns[-1].justify = "left"
    for each in columns[:MOST_COLUMNS]:
        low, high = ("", "") if each.range is None else map(number, each.range)
        missing = f"{100 * each.missing:.3g} %" if each.missing > 0 else ""
        levels = "" if each.levels is None else str(each.levels)
        cells = (str(each.name), each.taken_for, missing, levels, low, high, each.remark)
        table.add_row(*map(Text, cells))
    if len(columns) > MOST_COLUMNS:
        table.add_row(f"… {len(columns) - MOST_COLUMNS} more")
    console.print(table)


def print_leaderboard(console: Console, leaderboard: Any) -> None:
    """Print what each candidate reached."""
    headings = (leaderboard.metric, "weight", "epochs", "seconds", "recipe")
    table = table_of("Candidates, by their error on held-out rows", headings, n_left=0)
    table.columns[-1].justify, table.columns[-1].no_wrap = "left", False
    for place in leaderboard:
        told = f"{place.recipe} ({place.remark})" if place.remark else place.recipe
        cells = (number(place.error), f"{place.weight:.2f}", str(place.epochs))
        table.add_row(*cells, f"{place.seconds:.1f}", Text(told))
    console.print(table)


def figures_of(judged: Judged) -> Mapping[str, Any]:
    """Return the figures as plain values."""
    return {
        name: {"value": each.value, "constant": each.constant, "margin": each.margin}
        for name, each in judged.figures.items()
    }


def print_importances(console: Console, found: Importances) -> None:
    """Print which columns matter most."""
    table = table_of("Columns that matter most", ("column", f"{found.measure} grows by"))
    for each in found.columns[:MOST_IMPORTANCES]:
        table.add_row(Text(each.column), number(each.increase, 3))
    more = len(found.columns) - MOST_IMPORTANCES
    if more > 0:
        table.add_row(f"… {more} more")
    table.caption = f"when the column is shuffled; otherwise it is {number(found.error)}"
    table.caption_justify = "left"
    console.print(table)


def importances_as_plain(found: Importances | None) -> dict[str, Any] | None:
    """Return importances as plain values."""
    if found is None:
        return None
    columns = {each.column: each.increase for each in found.columns}
    return {"measure": found.measure, "error": found.error, "increases": columns}
