"""``fastmlp train``: from a table in a file to a model in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.cli.errors import RefusedError, TableError
from fastmlp.cli.evaluate import judge
from fastmlp.cli.guarding import check_metric, naming_table
from fastmlp.cli.judging.figures import Judged
from fastmlp.cli.judging.importances import Importances
from fastmlp.cli.notes import note
from fastmlp.cli.tables.dialect import Dialect
from fastmlp.cli.tables.natures import is_text, typed
from fastmlp.cli.tables.reading import Table, read_table
from fastmlp.cli.tables.remarks import remarks_on
from fastmlp.cli.tables.target import Aimed, aimed, aimed_as_learnt
from fastmlp.cli.telling import Teller
from fastmlp.tabular.split import hold_out
from fastmlp.validation import check_path_to_save
from fastmlp.validation.wording import counted

__all__ = ["Trained", "Training", "train"]

#: Fewer rows than this can't be learnt from and judged.
FEWEST_ROWS = 10


@dataclass(frozen=True)
class Training:
    """What is wanted.

    Attributes
    ----------
    data, target : str
    dialect : Dialect
    task : str or None
        None if it is to be found.
    test : str or None
        A table of rows that judge; otherwise a share ``test_size`` of the data does.
    test_size : float
    drop, categories : tuple of str
        Columns.
    seed : int
    parameters : dict
        Others of the model.
    """

    data: str
    target: str
    dialect: Dialect
    task: str | None
    test: str | None
    test_size: float
    drop: tuple[str, ...]
    categories: tuple[str, ...]
    seed: int
    parameters: dict[str, Any] = field(default_factory=dict)


class Trained(NamedTuple):
    """What came of it.

    Attributes
    ----------
    model : TabularClassifier or TabularRegressor
    learnt : Aimed
        The rows that it has learnt from.
    held : Aimed or None
        The rows that judge it.
    judged : Judged or None
        What it says of these.
    importances : Importances or None
        How much each column matters for these.
    seconds : float
        Of the fit.
    """

    model: Any
    learnt: Aimed
    held: Aimed | None
    judged: Judged | None
    importances: Importances | None
    seconds: float


def train(wanted: Training, out: Path, teller: Teller) -> Trained:
    """Read, learn, judge, and write the model.

    Raises
    ------
    TableError
        The table is not as it must be.
    CommandError
        The training diverged, or the model can't be written.
    """
    _check_out(out)  # before the work, not after it
    data, test = _read(wanted, teller)
    problem = aimed(data, wanted.target, wanted.task)
    check_metric(wanted.parameters.get("metric"), problem.task)
    for remark in problem.table.remarks:
        teller.warn(remark)
    teller.say(f"target {wanted.target}: {problem.task}, because {problem.why}")
    for remark in remarks_on(problem, wanted.drop):
        teller.warn(remark)
    learnt, held = _divided(problem, test, wanted)
    counts = f"{counted(len(learnt.table), 'row')} to learn from"
    teller.say(counts if held is None else f"{counts}, {len(held.table):,} to judge the model by")
    model = _model(problem.task, wanted, learnt.table, draws=teller.draws)
    began = perf_counter()
    with naming_table(data.name), teller.listening(), _bar():
        model.fit(learnt.table.columns, learnt.y)
    seconds = perf_counter() - began
    result = found = None
    if held is not None:
        looks = {"shuffles": not teller.interrupted, "tells_unknown": test is not None}
        result, found = judge(model, held, wanted.seed, teller, **looks)
    trained = Trained(model, learnt, held, result, found, seconds)
    note(model, _notes(trained, wanted, data, teller))
    model.save(out)
    return trained


def _check_out(out: Path) -> None:
    """Raise RefusedError unless a model may be written there."""
    try:
        check_path_to_save(out)
    except OSError as error:
        raise RefusedError(f"--out: {error.strerror}") from None


def _read(wanted: Training, teller: Teller) -> tuple[Table, Table | None]:
    """Return the tables, columns of texts being what their cells are."""
    tables = [read_table(path, wanted.dialect) for path in (wanted.data, wanted.test) if path]
    named = {"--target": [wanted.target], "--drop": wanted.drop, "--category": wanted.categories}
    for option, columns in named.items():
        tables[0].require(columns, option=option)
    for table in tables:
        teller.say(table.told)
    data = typed(tables[0], wanted.categories)
    for remark in data.remarks:
        teller.warn(remark)
    return data, tables[1] if len(tables) > 1 else None


def _divided(problem: Aimed, test: Table | None, wanted: Training) -> tuple[Aimed, Aimed | None]:
    """Return the rows that are learnt from, and those that judge."""
    if test is not None:
        classes = np.unique(problem.y) if problem.task == "classification" else None
        return problem, aimed_as_learnt(test, wanted.target, classes)
    n_rows = len(problem.table)
    if n_rows < FEWEST_ROWS:
        raise TableError(
            f"{problem.table.name} has {counted(n_rows, 'row')} with a target, and at least "
            f"{FEWEST_ROWS} are needed"
        )
    if not wanted.test_size:
        return problem, None
    strata = problem.y if problem.task == "classification" else None
    rng = np.random.RandomState(wanted.seed)
    [split] = hold_out(n_rows, wanted.test_size, strata, rng)
    return problem.rows(split.train), problem.rows(split.held)


def _model(task: str, wanted: Training, table: Table, *, draws: bool) -> Any:
    kind = TabularClassifier if task == "classification" else TabularRegressor
    texts = [name for name in table.names if is_text(table.columns[name].type)]
    categories = sorted({*wanted.categories, *texts} - set(wanted.drop))
    given = {name: each for name, each in wanted.parameters.items() if each is not None}
    return kind(
        categorical_features=categories or "auto",
        drop=list(wanted.drop) or None,
        random_state=wanted.seed,
        verbose="bar" if draws else False,
        **given,
    )


@contextmanager
def _bar() -> Iterator[None]:
    """Let the bar be drawn on standard error, since results go to standard output."""
    from rich.console import Console

    from fastmlp.training.progress_bar import drawing_on

    with drawing_on(Console(stderr=True)):
        yield


def _notes(trained: Trained, wanted: Training, data: Table, teller: Teller) -> dict[str, Any]:
    result = trained.judged
    figures = {} if result is None else {n: each.value for n, each in result.figures.items()}
    return {
        "target": wanted.target,
        "data": data.name,
        "trained": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": trained.seconds,
        "rows": len(trained.learnt.table),
        "held_out": 0 if trained.held is None else len(trained.held.table),
        "figures": figures,
        "warnings": list(teller.told),
    }
