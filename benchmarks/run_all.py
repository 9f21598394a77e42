"""Run every benchmark, one after the other: ``python benchmarks/run_all.py --help``.

Each leaves its table, its figures and its picture in one folder. One that fails does not keep the
next from running.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import click

from fastmlp.cli.data import DATA_VARIABLE

HERE = Path(__file__).resolve().parent


class Job(NamedTuple):
    """A script of this folder with its options; ``name`` is that of the files that it leaves."""

    name: str
    script: str
    options: str = ""
    files: tuple[str, ...] = ("json", "png")
    needs_mnist: bool = False


FILE_OPTIONS = {"json": "--json", "png": "--output"}

JOBS = (
    Job("gemm", "gemm.py"),
    Job("kernels", "kernels.py"),
    Job("kernels-float64", "kernels.py", "--dtype float64"),
    Job("dropout", "dropout.py"),
    Job("custom", "custom.py"),
    Job("members", "members.py"),
    Job("shuffle", "shuffle.py"),
    Job("normalization", "normalization.py"),
    Job("embeddings", "embeddings.py"),
    Job("small", "small.py"),
    Job("calls", "calls.py"),
    Job("busy", "busy.py"),
    Job("roofline", "roofline.py"),
    Job("roofline-one-thread", "roofline.py", "--threads 1"),
    Job("peers", "peers.py"),
    Job("fit-extra", "fit.py", "--shapes extra"),
    Job("fit-one-thread", "fit.py", "--threads 1 --rounds 3"),
    Job("predict-wide", "predict.py", "--cell wide2048 --rows 1 --rows 1000"),
    Job("tabular", "tabular.py", "--group bundled --group folder"),
    Job("ablation", "ablation.py", "--seeds 1"),
    Job("mnist", "mnist.py", files=("json",), needs_mnist=True),
    Job("memory", "memory.py", files=(), needs_mnist=True),
    Job("import", "import_time.py", files=()),
)


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", type=click.Choice([job.name for job in JOBS]), multiple=True)
def main(folder: Path, only: tuple[str, ...]) -> None:
    """Run the benchmarks and leave NAME.txt, NAME.json and NAME.png in FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    ended = {job.name: run(job, folder) for job in JOBS if not only or job.name in only}
    failed = [name for name, code in ended.items() if code]
    click.echo(f"in {folder}: {', '.join(ended)}")
    if failed:
        raise click.ClickException(f"failed, see their .txt: {', '.join(failed)}")


def run(job: Job, folder: Path) -> int:
    """Run one benchmark, what it prints going to ``NAME.txt``; return its exit code."""
    if job.needs_mnist and not os.environ.get(DATA_VARIABLE):
        click.echo(f"{job.name}: skipped, ${DATA_VARIABLE} is not set")
        return 0
    click.echo(f"{job.name} … ", nl=False)
    start = perf_counter()
    with (folder / f"{job.name}.txt").open("w") as log:
        done = subprocess.run(command(job, folder), stdout=log, stderr=log, check=False)
    verdict = "done" if done.returncode == 0 else "FAILED"
    click.echo(f"{verdict} in {perf_counter() - start:.0f} s")
    return done.returncode


def command(job: Job, folder: Path) -> list[str]:
    """Return the command line of a job."""
    words = [sys.executable, str(HERE / job.script), *job.options.split()]
    for kind in job.files:
        words += [FILE_OPTIONS[kind], str(folder / f"{job.name}.{kind}")]
    return words


if __name__ == "__main__":
    main()
