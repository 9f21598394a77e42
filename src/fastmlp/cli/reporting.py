"""What a training or an evaluation is told as: text, JSON, and a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from fastmlp._version import __version__
from fastmlp.cli.evaluate import Evaluated
from fastmlp.cli.findings import Findings
from fastmlp.cli.notes import notes_of
from fastmlp.cli.outcome import print_json
from fastmlp.cli.summary import (
    figures_of,
    importances_as_plain,
    print_columns,
    print_figures,
    print_importances,
    print_leaderboard,
)
from fastmlp.cli.telling import Teller
from fastmlp.cli.train import Trained, Training
from fastmlp.cli.wording import size
from fastmlp.validation.wording import counted

__all__ = ["tell_evaluation", "tell_training"]


def tell_training(
    trained: Trained,
    wanted: Training,
    out: Path,
    page: Path | None,
    teller: Teller,
    *,
    as_json: bool,
) -> None:
    """Tell of a training; write a page about it if one is wanted."""
    if page is not None:
        _write(_of_training(trained, wanted, out, teller), page)
    if as_json:
        print_json(_training_as_plain(trained, wanted, out, page, teller))
        return
    console = Console(highlight=False)
    print_columns(console, trained.model.columns_)
    print_leaderboard(console, trained.model.leaderboard_)
    if trained.judged is not None:
        title = (
            f"{wanted.target}, on {counted(len(trained.judged), 'row')} that the model has not seen"
        )
        print_figures(console, title, trained.judged)
    if trained.importances is not None:
        print_importances(console, trained.importances)
    console.print(f"trained in {trained.seconds:.1f} s")
    _print_file(console, "model", out)
    if page is not None:
        _print_file(console, "report", page)


def tell_evaluation(
    found: Evaluated, model_path: str, page: Path | None, teller: Teller, *, as_json: bool
) -> None:
    """Tell of an evaluation; write a page about it if one is wanted."""
    if page is not None:
        _write(_of_evaluation(found, model_path, teller), page)
    if as_json:
        print_json(
            {
                "model": model_path,
                "report": None if page is None else str(page),
                "target": found.target,
                "rows": len(found.judged),
                "figures": figures_of(found.judged),
                "importances": importances_as_plain(found.importances),
                "warnings": teller.told,
            }
        )
        return
    console = Console(highlight=False)
    print_figures(console, f"{found.target}, on {counted(len(found.judged), 'row')}", found.judged)
    if found.importances is not None:
        print_importances(console, found.importances)
    if page is not None:
        _print_file(console, "report", page)


def _print_file(console: Console, what: str, path: Path) -> None:
    told = f" ({size(path.stat().st_size)})" if path.is_file() else ""
    console.print(f"{what}: {path}{told}", markup=False, soft_wrap=True)


def _write(findings: Findings, page: Path) -> None:
    from fastmlp.cli.page.writing import write_page

    write_page(findings, page)


def _of_training(trained: Trained, wanted: Training, out: Path, teller: Teller) -> Findings:
    n_held = 0 if trained.held is None else len(trained.held.table)
    whose = f"{counted(n_held, 'row')} that it has not seen"
    options = {name: each for name, each in wanted.parameters.items() if each is not None}
    return Findings(
        target=wanted.target,
        task=trained.learnt.task,
        model=trained.model,
        model_file=out.name,
        judged_by=f"judged by {whose}" if n_held else "not judged",
        judged=trained.judged,
        importances=trained.importances,
        facts={
            "table": trained.learnt.table.name,
            "rows to learn from": f"{len(trained.learnt.table):,}",
            "rows to judge by": f"{n_held:,}" + (f", from {wanted.test}" if wanted.test else ""),
            "task": f"{trained.learnt.task}, because {trained.learnt.why}",
            **_facts(trained.model),
            "options": ", ".join(f"{name}={each}" for name, each in options.items()),
            "seed": str(wanted.seed),
        },
        warnings=teller.told,
    )


def _of_evaluation(found: Evaluated, model_path: str, teller: Teller) -> Findings:
    notes = notes_of(found.model)
    return Findings(
        target=found.target,
        task="regression" if found.judged.classes is None else "classification",
        model=found.model,
        model_file=Path(model_path).name,
        judged_by=f"judged by {counted(len(found.judged), 'row')} of {Path(found.data).name}",
        judged=found.judged,
        importances=found.importances,
        facts={
            "learnt from": str(notes.get("data", "unknown")),
            "rows to learn from": f"{notes['rows']:,}" if "rows" in notes else "unknown",
            **_facts(found.model),
            "judged by": f"{counted(len(found.judged), 'row')} of {found.data}",
        },
        warnings=[*notes.get("warnings", ()), *teller.told],
    )


def _facts(model: Any) -> dict[str, str]:
    notes = notes_of(model)
    seconds = f", in {notes['seconds']:.1f} s" if "seconds" in notes else ""
    return {
        "model": type(model).__name__,
        "trained": f"{notes.get('trained', 'unknown')}{seconds}",
        "fastmlp": __version__,
    }


def _training_as_plain(
    trained: Trained, wanted: Training, out: Path, page: Path | None, teller: Teller
) -> dict[str, Any]:
    model, judged = trained.model, trained.judged
    return {
        "model": str(out),
        "report": None if page is None else str(page),
        "target": wanted.target,
        "task": trained.learnt.task,
        "rows": len(trained.learnt.table),
        "held_out": 0 if judged is None else len(judged),
        "seconds": trained.seconds,
        "interrupted": teller.interrupted,
        "figures": None if judged is None else figures_of(judged),
        "importances": importances_as_plain(trained.importances),
        "columns": [each._asdict() for each in model.columns_],
        "metric": model.leaderboard_.metric,
        "leaderboard": [each._asdict() for each in model.leaderboard_],
        "warnings": teller.told,
    }
