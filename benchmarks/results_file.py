"""Figures in a file that is written after each of them, so that a run can be cut into slices."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import click
import numpy as np
from rich.console import Console

from fastmlp.config import config_dict

__all__ = ["UNFINISHED", "Entry", "Results", "Slice", "circumstances"]

#: Exit status of a run that ended at ``--stop-after`` before it had everything.
UNFINISHED = 3


class Entry(Protocol):
    """What is kept of one measurement."""

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What is measured once: the second part, if any, says who was measured."""

    def as_dict(self) -> dict[str, Any]:
        """Return what the file keeps."""


E = TypeVar("E", bound=Entry)
K = TypeVar("K", bound=tuple[Hashable, ...])


class Slice(NamedTuple):
    """What a run takes over from the file, and when it begins nothing new.

    Attributes
    ----------
    resume : bool
        Whether it measures only what the file lacks.
    stop_after : float or None
        Seconds after which it begins no other measurement.
    again : tuple of str
        Those that are measured anew all the same, as their code has changed.
    """

    resume: bool = False
    stop_after: float | None = None
    again: tuple[str, ...] = ()


class Results(Generic[E]):
    """Entries in a file.

    Parameters
    ----------
    path : Path
    circumstances : dict
        What the figures depend on beside what is measured; it must be the same in a continued run.
    restored : callable
        From an entry's dict to the entry.
    """

    def __init__(
        self, path: Path, circumstances: dict[str, Any], restored: Callable[[dict[str, Any]], E]
    ) -> None:
        self.path, self.circumstances, self._restored = path, circumstances, restored
        self.entries: list[E] = []
        self._start = perf_counter()
        self._slice = Slice()

    def continued(self, cut: Slice) -> Results[E]:
        """Take the file's entries over if the run resumes."""
        self._slice = cut
        if not (cut.resume and self.path.is_file()):
            return self
        document = json.loads(self.path.read_text())
        for name, value in self.circumstances.items():
            if document.get(name) != value:
                raise click.UsageError(
                    f"{self.path} was measured with another {name}: {document.get(name)}; now "
                    f"{value}. Name another file by --json, or leave --resume out to start over."
                )
        entries = [self._restored(row) for row in document["rows"]]
        self.entries = [each for each in entries if not set(each.key[1:2]) & set(cut.again)]
        return self

    def add(self, entry: E) -> None:
        """Keep an entry, in the file too."""
        self.entries.append(entry)
        rows = [each.as_dict() for each in self.entries]
        partial = self.path.with_name(self.path.name + ".part")
        partial.write_text(json.dumps({**self.circumstances, "rows": rows}, indent=1) + "\n")
        partial.replace(self.path)

    def __contains__(self, key: object) -> bool:
        return any(each.key == key for each in self.entries)

    def lacking(self, keys: Iterable[K]) -> Iterator[K]:
        """Yield each key without an entry: at least one, but none once the time is over."""
        end = self._start + (np.inf if self._slice.stop_after is None else self._slice.stop_after)
        for number, key in enumerate(key for key in keys if key not in self):
            if number and perf_counter() >= end:
                return
            yield key

    def end(self, keys: Sequence[tuple[Hashable, ...]], console: Console) -> None:
        """End the process with ``UNFINISHED``, and say so, if some keys have no entry."""
        left = sum(key not in self for key in keys)
        if left:
            console.print(f"{left} of {len(keys)} still to be measured: continue by --resume")
            click.get_current_context().exit(UNFINISHED)


def circumstances(n_threads: int, libraries: Iterable[str]) -> dict[str, Any]:
    """Return what figures depend on beside what is measured: machine, threads, versions."""
    versions = {name: _version(name) for name in libraries}
    installed = {name: version for name, version in versions.items() if version}
    return {
        "config": {**config_dict(), **installed},
        "processor": _processor(),
        "n_threads": n_threads,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's name, as Linux tells it, or what Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
