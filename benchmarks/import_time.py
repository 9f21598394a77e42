"""Time ``import fastmlp`` beside scikit-learn's own MLP: ``python benchmarks/import_time.py``."""

from __future__ import annotations

import subprocess
import sys

import click
from rich.console import Console
from rich.table import Table

from fastmlp.cli.timing import Timing, WrongResultError, rounds_of

#: What each fresh interpreter imports; the last statement alone is timed. The third is what fastmlp
#: adds for a program that uses scikit-learn already.
IMPORTS = {
    "scikit-learn's MLP": ["import sklearn.neural_network"],
    "fastmlp": ["import fastmlp"],
    "fastmlp after scikit-learn's MLP": ["import sklearn.neural_network", "import fastmlp"],
}


@click.command(context_settings={"show_default": True})
@click.option("--rounds", type=click.IntRange(min=1), default=15)
def main(rounds: int) -> None:
    """Import in fresh interpreters, in interleaved rounds."""
    check_lazy()
    for statements in IMPORTS.values():  # fills the file cache and writes the bytecode
        seconds_to_import(*statements)
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for name in rounds_of(list(IMPORTS), rounds):
        times[name].append(seconds_to_import(*IMPORTS[name]))
    table = Table("import", "median", "spread")
    for name, values in times.items():
        timing = Timing(tuple(values))
        table.add_row(name, f"{1e3 * timing.median:.1f} ms", f"{100 * timing.spread:.0f} %")
    Console().print(table)


def check_lazy() -> None:
    """Raise WrongResultError if importing fastmlp imports what only some users need."""
    code = (
        "import sys, fastmlp; print(*{'numba', 'matplotlib', 'click', 'rich'} & set(sys.modules))"
    )
    loaded = _run(code).strip()
    if loaded:
        raise WrongResultError(f"import fastmlp imports {loaded}")


def seconds_to_import(*statements: str) -> float:
    """Return how long the last statement takes in a fresh interpreter."""
    *before, timed = statements
    clock = "from time import perf_counter as clock"
    lines = [clock, *before, "start = clock()", timed, "print(clock() - start)"]
    return float(_run("\n".join(lines)))


def _run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


if __name__ == "__main__":
    main()
