"""Run every benchmark, one after the other: ``python benchmarks/run_all.py --help``.

Each leaves its table, its figures and its picture in one folder. One that fails does not keep the
next from running. On a shared machine a run is cut into slices, each of them at a quiet moment:
``--stop-after`` ends one, ``--resume`` goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import click
from results_file import UNFINISHED

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
#: Those that keep each figure at once, so that one of them may take several slices.
SLICED = {
    "ablation.py",
    "fit.py",
    "gemm.py",
    "peers.py",
    "predict.py",
    "roofline.py",
    "tabular.py",
}
#: File of the names of jobs that have been done.
DONE = "done.txt"

JOBS = (
    Job("gemm", "gemm.py"),
    Job("kernels", "kernels.py"),
    Job("kernels-float64", "kernels.py", "--dtype float64"),
    Job("dropout", "dropout.py"),
    Job("custom", "custom.py"),
    Job("lbfgs", "lbfgs.py"),
    Job("members", "members.py"),
    Job("shuffle", "shuffle.py"),
    Job("normalization", "normalization.py"),
    Job("embeddings", "embeddings.py"),
    Job("small", "small.py"),
    Job("calls", "calls.py"),
    Job("mapped", "mapped.py"),
    Job("busy", "busy.py"),
    Job("roofline", "roofline.py"),
    Job("roofline-one-thread", "roofline.py", "--threads 1"),
    Job("peers", "peers.py"),
    Job("fit-wide", "fit.py", "--shapes wide"),
    Job("fit-extra", "fit.py", "--shapes extra"),
    Job("fit-one-thread", "fit.py", "--threads 1 --rounds 3"),
    Job("predict-wide", "predict.py", "--cell wide2048 --rows 1 --rows 1000"),
    Job("tabular", "tabular.py", "--group bundled --group folder"),
    Job("ablation", "ablation.py", "--seeds 1"),
    Job("precision", "precision.py", files=("json",)),
    Job("mnist", "mnist.py", files=("json",), needs_mnist=True),
    Job("memory", "memory.py", files=(), needs_mnist=True),
    Job("stream-memory", "stream.py", "memory", files=("json",)),
    Job("stream-rate", "stream.py", "rate", files=("json",)),
    Job("stream-rate-one-thread", "stream.py", "rate --threads 1", files=("json",)),
    Job("stream-accuracy", "stream.py", "accuracy --row-group 2048", files=("json",)),
    Job("scale-link", "scale.py", "link", files=("json",)),
    Job("scale-speed", "scale.py", "speed", files=("json",)),
    Job("scale-accuracy", "scale.py", "accuracy", files=("json",)),
    Job("import", "import_time.py", files=()),
)


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", type=click.Choice([job.name for job in JOBS]), multiple=True)
@click.option("--resume", is_flag=True, help="Run only what the folder lacks.")
@click.option(
    "--stop-after",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help=f"Begin nothing new after so long; exit status {UNFINISHED} if something is left.",
)
def main(folder: Path, only: tuple[str, ...], resume: bool, stop_after: float | None) -> None:
    """Run the benchmarks and leave NAME.txt, NAME.json and NAME.png in FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    done = done_before(folder / DONE, resume)
    jobs = [job for job in JOBS if (not only or job.name in only) and job.name not in done]
    ended = run_each(jobs, folder, resume, stop_after)
    failed = [name for name, code in ended.items() if code not in (0, UNFINISHED)]
    left = len(jobs) - sum(code != UNFINISHED for code in ended.values())
    click.echo(f"in {folder}: {', '.join(ended) or 'nothing new'}")
    if failed:
        raise click.ClickException(f"failed, see their .txt: {', '.join(failed)}")
    if left:
        click.echo(f"{left} of {len(JOBS)} jobs are left: continue by --resume")
        click.get_current_context().exit(UNFINISHED)


def done_before(file: Path, resume: bool) -> list[str]:
    """Return the names of jobs that are done, none of a run that starts over."""
    if not resume:
        file.unlink(missing_ok=True)
    return file.read_text().split() if file.is_file() else []


def run_each(
    jobs: Sequence[Job], folder: Path, resume: bool, stop_after: float | None
) -> dict[str, int]:
    """Run jobs until the time is over; return the exit codes of those that were run."""
    end = None if stop_after is None else perf_counter() + stop_after
    ended: dict[str, int] = {}
    for job in jobs:
        left = None if end is None else end - perf_counter()
        if ended and left is not None and left <= 0:
            break
        ended[job.name] = run(job, folder, resume, left)
        if ended[job.name] == 0:
            with (folder / DONE).open("a") as file:
                file.write(f"{job.name}\n")
    return ended


def run(job: Job, folder: Path, resume: bool = False, left: float | None = None) -> int:
    """Run one benchmark, what it prints going to ``NAME.txt``; return its exit code."""
    if job.needs_mnist and not os.environ.get(DATA_VARIABLE):
        click.echo(f"{job.name}: skipped, ${DATA_VARIABLE} is not set")
        return 0
    click.echo(f"{job.name} … ", nl=False)
    start = perf_counter()
    with (folder / f"{job.name}.txt").open("w") as log:
        words = command(job, folder, resume, left)
        done = subprocess.run(words, stdout=log, stderr=log, check=False)
    verdict = {0: "done", UNFINISHED: "some of it"}.get(done.returncode, "FAILED")
    click.echo(f"{verdict} in {perf_counter() - start:.0f} s")
    return done.returncode


def command(job: Job, folder: Path, resume: bool = False, left: float | None = None) -> list[str]:
    """Return the command line of a job, for ``left`` seconds if it can be cut."""
    words = [sys.executable, str(HERE / job.script), *job.options.split()]
    for kind in job.files:
        words += [FILE_OPTIONS[kind], str(folder / f"{job.name}.{kind}")]
    if job.script in SLICED:
        words += ["--resume"] * resume
        words += [] if left is None else ["--stop-after", f"{max(0.0, left):.0f}"]
    return words


if __name__ == "__main__":
    main()
