"""Processes of their own, each with the environment that suits its library best."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

__all__ = ["FREE_CHOICE", "start_process"]

#: Libraries choose their kernels and threads themselves, whatever the calling shell says.
FREE_CHOICE = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None, "XLA_FLAGS": None}

#: How libraries are told the number of their threads; NPROC is XLA's.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")


def start_process(environment: Mapping[str, str | None], n_threads: int) -> ProcessPoolExecutor:
    """Start a process with variables of its own; None removes one."""
    threads = dict.fromkeys(THREAD_VARIABLES, str(n_threads))
    with _environment({**environment, **threads}):
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        pool.submit(int).result()  # it starts with its first task
    return pool


@contextmanager
def _environment(changes: dict[str, str | None]) -> Iterator[None]:
    """Change environment variables for the processes that start inside the block."""
    before = {name: os.environ.get(name) for name in changes}
    _set_environment(changes)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
