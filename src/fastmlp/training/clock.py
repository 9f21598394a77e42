"""The clock that training is timed by: one place, so that tests can give it another."""

from __future__ import annotations

import time

__all__ = ["now"]


def now() -> float:
    """Return seconds since some moment that stays the same for the process."""
    return time.perf_counter()
