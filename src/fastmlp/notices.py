"""Warnings that point at the user's line that caused them."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

__all__ = ["notify", "notify_once", "quietly"]

#: Ends with a separator, so that no other directory's name begins with it.
_PACKAGE = f"{Path(__file__).parent}{os.sep}"


#: Beginnings of the texts that are not worth a warning now; None where all are.
_NOT_WORTH_IT: ContextVar[tuple[str, ...] | None] = ContextVar("_NOT_WORTH_IT", default=None)


@contextmanager
def quietly(*beginnings: str) -> Iterator[None]:
    """Leave out this thread's own UserWarnings, and warnings whose texts begin so.

    ``warnings.catch_warnings`` changes the filters of all threads, and two that overlap leave them
    changed for good.
    """
    before = _NOT_WORTH_IT.get()
    try:
        _NOT_WORTH_IT.set(beginnings)  # within, as Ctrl-C may come at once
        yield
    finally:
        _NOT_WORTH_IT.set(before)


def notify(message: str, category: type[Warning] = UserWarning) -> bool:
    """Warn on behalf of the first frame outside this package.

    That is the line that called ``fit``, be it the user's or scikit-learn's (in a grid search), so
    ``warnings.filterwarnings(module=...)`` matches the name of that caller, never "fastmlp". A
    filter by category or message works in both cases. Returns whether the warning is worth it.
    """
    beginnings = _NOT_WORTH_IT.get()
    if beginnings is not None and (
        issubclass(category, UserWarning) or message.startswith(beginnings)
    ):
        return False
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
    return True


#: What has been said once and for all.
_SAID: set[str] = set()


def notify_once(message: str) -> None:
    """Warn as ``notify`` does, the first time in this process that it is worth a warning."""
    if message not in _SAID and notify(message):
        _SAID.add(message)
