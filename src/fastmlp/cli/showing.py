"""``fastmlp inspect``: what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from fastmlp.cli.guarding import loaded
from fastmlp.cli.notes import notes_of
from fastmlp.cli.outcome import print_json
from fastmlp.cli.summary import print_columns, print_leaderboard
from fastmlp.cli.wording import number, size
from fastmlp.files.container import unpacked
from fastmlp.files.disk import read
from fastmlp.validation.wording import counted

__all__ = ["inspect"]

#: Classes that are listed.
MOST_CLASSES = 30


def inspect(path: str, *, as_json: bool) -> None:
    """Print what a model file holds.

    Raises
    ------
    TableError
        It holds no model of tables.
    """
    model = loaded(path, "inspect")
    found = _as_plain(model, path)
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    for name, value in _lines(found).items():
        console.print(f"{name:<22}{value}", markup=False, soft_wrap=True)
    print_columns(console, model.columns_)
    print_leaderboard(console, model.leaderboard_)


def _as_plain(model: Any, path: str) -> dict[str, Any]:
    contents = unpacked(read(path))
    classes = getattr(model, "classes_", None)
    networks = [
        learner.network
        for member in model._ensemble.members
        for learner in member.learners
        if hasattr(learner, "network")
    ]
    return {
        "file": path,
        "bytes": Path(path).stat().st_size,
        "written_by_fastmlp": contents.version,
        "model": type(model).__name__,
        "task": "regression" if classes is None else "classification",
        "classes": None if classes is None else classes.tolist(),
        **{name: notes_of(model).get(name) for name in _NOTES},
        "networks": len(networks),
        "parameters": sum(int(each._network.parameters.size) for each in networks),
        "metric": model.leaderboard_.metric,
        "columns": [each._asdict() for each in model.columns_],
        "leaderboard": [each._asdict() for each in model.leaderboard_],
        "warnings": notes_of(model).get("warnings", []),
    }


_NOTES = ("target", "data", "trained", "rows", "held_out", "figures")


def _lines(found: dict[str, Any]) -> dict[str, str]:
    """Return facts by what they are called in a text."""
    classes = found["classes"] or []
    more = f" and {len(classes) - MOST_CLASSES} more" if len(classes) > MOST_CLASSES else ""
    figures = found["figures"] or {}
    lines = {
        "file": f"{found['file']} ({size(found['bytes'])})",
        "written by fastmlp": found["written_by_fastmlp"],
        "model": found["model"],
        "predicts": found["target"] or "a column that the file does not name",
        "classes": ", ".join(map(str, classes[:MOST_CLASSES])) + more,
        "trained": found["trained"],
        "on": None
        if found["data"] is None
        else f"{counted(found['rows'], 'row')} of {found['data']}",
        "networks": f"{found['networks']}, with {found['parameters']:,} parameters in total",
        "on held-out rows": ", ".join(f"{name} {number(each)}" for name, each in figures.items()),
    }
    return {name: value for name, value in lines.items() if value}
