"""Which cases ``pytest --quick`` runs: a few of each test, on one backend, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import numpy as np
import pytest

from fastmlp.backends.compiled import available_isas

Case = TypeVar("Case")

#: How many cases of a test are run at most: the first, the last and those evenly between.
N_CASES = 3

#: Files and tests left out because they start processes, wait, compile with Numba or compute long.
SLOW = frozenset(
    {
        "test_accuracy.py",
        "test_benchmarks.py",
        "test_c_sources.py::test_each_file_compiles_alone",
        "test_cli.py",
        "test_concurrent_refit.py",
        "test_custom_activation.py",
        "test_custom_loss.py",
        "test_damaged_pickles.py",
        "test_estimators.py::test_pipeline_search_and_cross_validation",
        "test_examples.py",
        "test_forks.py",
        "test_gallery.py",
        "test_hard_allocations.py",
        "test_hard_endurance.py",
        "test_hard_states.py",
        "test_historic.py::test_every_backend_gives_the_same_bits",
        "test_import.py",
        "test_kernels_information.py::test_error_of_sums",
        "test_kernels_isa.py",
        "test_memory.py",
        "test_minimax.py",
        "test_model_files.py::test_pickles_and_files_work_across_processes",
        "test_model_files_mutated.py",
        "test_numba_backend.py",
        "test_predictor.py::test_it_works_in_another_process",
        "test_quick.py::test_cases_are_chosen_by_the_option",
        "test_refit_in_use.py",
        "test_sklearn_mlp_suite.py",
        "test_threads.py::test_affinity_is_respected",
        "test_threads.py::test_limit_set_before_the_first_fit_counts",
        "test_unaligned.py::test_an_activation_of_the_users_own",
        "test_wrong_parameters.py::test_parameters",
    }
)


class WithoutNumba(dict[str, Any]):
    """The table of backends for tests that loop over it: Numba is found by name only."""

    def __iter__(self) -> Iterator[str]:
        return (name for name in super().__iter__() if name != "numba")


def quick(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the items to run, which are given in the order of collection."""
    for _, cases in groupby(items, lambda item: item.nodeid.partition("[")[0]):
        possible = [case for case in cases if not _is_slow(case)]
        usual = [case for case in possible if is_usual(_parameters(case))]
        yield from spread(usual or possible, N_CASES)


def spread(cases: Sequence[Case], n: int) -> list[Case]:
    """Return the first and the last of the cases and others evenly between, n at most."""
    if len(cases) <= n:
        return list(cases)
    return [cases[i] for i in np.linspace(0, len(cases) - 1, n).round().astype(int)]


def is_usual(parameters: Mapping[str, Any]) -> bool:
    """Return whether a case is of the last instruction set and of float32, if it is of any."""
    *others, _ = (f"compiled-{isa}" for isa in available_isas())
    words = {value for value in parameters.values() if isinstance(value, str)}
    return words.isdisjoint(["numpy", *others]) and parameters.get("dtype") is not np.float64


def _parameters(item: pytest.Item) -> Mapping[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


def _is_slow(item: pytest.Item) -> bool:
    test = f"{item.path.name}::{item.name.partition('[')[0]}"
    return item.path.name in SLOW or test in SLOW or "numba" in item.name
