"""A test that goes through many cases fails for each of them, and says for which."""

from __future__ import annotations

import inspect
from itertools import product

import pytest
from helpers_looped import looped


@looped(("n", "m"), product([1, 2, 3], [5, 6]))
@looped("kind", ["a", "b"])
def goes_on(record, n, m, kind):
    record.append((n, m, kind))
    assert n < 2 or kind == "b"


def test_every_case_runs_and_each_that_fails_is_named():
    record = []
    with pytest.raises(AssertionError) as caught:
        goes_on(record=record)
    assert record == list(product([1, 2, 3], [5, 6], "ab")) == sorted(set(record))
    notes = "\n".join(caught.value.__notes__)
    assert "4 of 6 cases fail" in notes
    assert [line.strip() for line in notes.splitlines() if "n=" in line] == [
        f"n={n}, m={m}" for n, m in product([2, 3], [5, 6])
    ]
    assert "kind=a" in notes
    assert "kind=b" not in notes


def test_pytest_sees_the_other_arguments_only():
    assert list(inspect.signature(goes_on).parameters) == ["record"]


@looped("n", range(3))
def test_a_test_with_fixtures_and_cases(tmp_path, n):
    (tmp_path / str(n)).touch()
    assert len(list(tmp_path.iterdir())) == n + 1


def test_a_loop_over_nothing_is_refused():
    with pytest.raises(ValueError, match="tests nothing"):
        looped("n", [])
