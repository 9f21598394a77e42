"""The clock that training is timed by.

Whoever wants to know the time calls ``clock.now()``, so that tests can put another clock here.
"""

from __future__ import annotations

import time

__all__ = ["now"]


def now() -> float:
    """Return seconds since some moment that stays the same for the process."""
    return time.perf_counter()
