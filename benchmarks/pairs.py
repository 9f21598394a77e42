"""Pieces of work that peers do, each peer in turn with the first of them, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from candidates import PEERS, PeerProcess, Registration
from comparison import (
    PeerMeasurement,
    best_rivals,
    draw_ratios,
    merged,
    restored,
    write_markdown,
)
from options import console_for_tables
from results_file import Results, Slice, circumstances
from rich.console import Console

from fastmlp.cli.report import product_table

__all__ = ["Report", "Task", "compare", "keys_of", "that_can_run"]

#: Those whose versions the figures depend on.
LIBRARIES = ("torch", "jax", "jaxlib", "onnxruntime", "openvino")

#: A task's name and the peer's.
Key = tuple[str, str]


class Task(Protocol):
    """A piece of work."""

    @property
    def name(self) -> str:
        """Name that no other task of the run has."""

    def can_be_done_by(self, peer: Registration) -> bool:
        """Return whether the peer has what it takes."""

    def measure(
        self, processes: Mapping[str, PeerProcess], n_threads: int, n_rounds: int
    ) -> PeerMeasurement:
        """Check that all reach the same, then time them in turn."""


class Report(NamedTuple):
    """Where a comparison is written, and what stands above it."""

    title: str
    json_path: Path
    output: Path


def compare(
    tasks: Sequence[Task],
    peers: Sequence[str],
    n_threads: int,
    n_rounds: int,
    cut: Slice,
    report: Report,
) -> None:
    """Measure what is lacking, tell all that is there, and say whether something is left."""
    console = console_for_tables()
    facts = circumstances(n_threads, LIBRARIES)
    results = Results(report.json_path, facts, restored).continued(cut)
    names = that_can_run(peers, console)
    rows = run(tasks, names, n_threads, n_rounds, results, console)
    console.print(product_table(report.title, rows))
    for line in best_rivals(rows):
        console.print(line)
    draw_ratios(rows, report.title, report.output)
    table = report.json_path.with_suffix(".md")
    write_markdown(rows, table)
    console.print(f"figures: {report.json_path}, {table}, picture: {report.output}")
    results.end(keys_of(tasks, names), console)


def that_can_run(names: Sequence[str], console: Console) -> list[str]:
    """Return those of the peers that can run here, in the order of registration; name the others.

    The first of them that can do a task is what the others are set beside.
    """
    able = []
    for name in (name for name in PEERS if name in names):
        if obstacle := PEERS[name].missing():
            console.print(f"[bold]{name}[/]: skipped, {obstacle}")
        else:
            able.append(name)
    return able


def keys_of(tasks: Sequence[Task], names: Sequence[str]) -> list[Key]:
    """Return what there is to measure, peer after peer, so that few processes are started."""
    able = {task.name: _able(task, names) for task in tasks}
    keys = [(task, peer) for task, peers in able.items() for peer in peers[1:] or peers]
    return sorted(keys, key=lambda key: names.index(key[1]))  # stable: tasks stay in order


def _able(task: Task, names: Sequence[str]) -> list[str]:
    return [name for name in names if task.can_be_done_by(PEERS[name])]


def run(
    tasks: Sequence[Task],
    names: Sequence[str],
    n_threads: int,
    n_rounds: int,
    results: Results[PeerMeasurement],
    console: Console,
) -> list[PeerMeasurement]:
    """Measure what the results lack, and return all that they have of each task, in one."""
    by_name = {task.name: task for task in tasks}
    with Processes(n_threads, console) as processes:
        for what, peer in results.lacking(keys_of(tasks, names)):
            task = by_name[what]
            pair = dict.fromkeys((_able(task, names)[0], peer))
            with console.status(f"{what}: {peer}"):
                row = task.measure(processes.of(list(pair)), n_threads, n_rounds)
            results.add(row)
            for note in row.notes():
                console.print(note)
    kept = [[row for row in results.entries if row.name == task.name] for task in tasks]
    return [merged(rows) for rows in kept if rows]


class Processes:
    """Processes of the peers at hand; those of others are ended."""

    def __init__(self, n_threads: int, console: Console) -> None:
        self._n_threads, self._console = n_threads, console
        self._open: dict[str, PeerProcess] = {}
        self._told: set[str] = set()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.of([])

    def of(self, names: Sequence[str]) -> dict[str, PeerProcess]:
        """Return a process for each of the names, by which their settings are told once."""
        for name in [name for name in self._open if name not in names]:
            self._open.pop(name).close()
        for name in names:
            if name not in self._open:
                self._open[name] = PeerProcess(name, self._n_threads)
                self._tell(name)
        return {name: self._open[name] for name in names}

    def _tell(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            blas = self._open[name].blas
            self._console.print(f"[bold]{name}[/]: {PEERS[name].settings}; BLAS: {blas}")
