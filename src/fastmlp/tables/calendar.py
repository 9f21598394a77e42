"""Numbers of a date: its parts in the calendar, and the days that have passed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

__all__ = ["DAYS", "PARTS", "part"]

#: The name of the number of days since the first date of the fit.
DAYS = "days"


def _in(dates: np.ndarray, unit: str) -> np.ndarray:
    return np.asarray(dates.astype(f"datetime64[{unit}]"))


def _count(dates: np.ndarray, unit: str, within: str) -> np.ndarray:
    """Return how many whole units (N,) have passed since the last begin of a larger one."""
    passed = _in(dates, unit) - _in(dates, within).astype(f"datetime64[{unit}]")
    return np.asarray(passed, np.int64)


#: Name → the part of dates (N,), each a datetime64[us] in its zone's own time. NaT gives nonsense.
PARTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "year": lambda dates: _in(dates, "Y").astype(np.int64) + 1970,
        "month": lambda dates: _count(dates, "M", "Y") + 1,
        "day": lambda dates: _count(dates, "D", "M") + 1,
        "day_of_week": lambda dates: (_in(dates, "D").astype(np.int64) + 3) % 7,  # 0 is Monday
        "day_of_year": lambda dates: _count(dates, "D", "Y") + 1,
        "hour": lambda dates: _count(dates, "h", "D"),
        "minute": lambda dates: _count(dates, "m", "h"),
        "second": lambda dates: _count(dates, "s", "m"),
    }
)


def part(name: str, dates: np.ndarray, start: np.datetime64) -> np.ndarray:
    """Return a part, or ``DAYS`` since ``start``, of dates (N,); NaN for NaT."""
    if name == DAYS:
        days: np.ndarray = (dates - start) / np.timedelta64(1, "D")
        return days
    return np.where(np.isnat(dates), np.nan, PARTS[name](dates))
