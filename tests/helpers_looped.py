"""Many small cases in one test."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

Test = Callable[..., None]


def looped(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Return what ``pytest.mark.parametrize`` would, but for one test that goes through all cases.

    It is for cases that take less time than pytest needs for a test of its own. All of them run,
    and a failure names every case that fails. They share the test's fixtures.
    """
    of_each = [_arguments(names, case) for case in cases]
    if not of_each:
        raise ValueError("a loop over no cases tests nothing")

    def decorate(test: Test) -> Test:
        @wraps(test)
        def test_all(**fixtures: Any) -> None:
            failures = []
            for arguments in of_each:
                try:
                    test(**fixtures, **arguments)
                except Exception as error:
                    failures.append((arguments, error))
            if failures:
                raise _named(failures, len(of_each))

        signature = inspect.signature(test)
        kept = [p for p in signature.parameters.values() if p.name not in of_each[0]]
        test_all.__signature__ = signature.replace(parameters=kept)
        return test_all

    return decorate


def _arguments(names: str | tuple[str, ...], case: Any) -> dict[str, Any]:
    return {names: case} if isinstance(names, str) else dict(zip(names, case, strict=True))


def _named(failures: list[tuple[dict[str, Any], Exception]], n_cases: int) -> Exception:
    """Return the first of the exceptions, with a note of the cases that failed."""
    error = failures[0][1]
    error.add_note(f"{len(failures)} of {n_cases} cases fail, the first as above:")
    for arguments, _ in failures:
        error.add_note("    " + ", ".join(f"{name}={value}" for name, value in arguments.items()))
    return error
