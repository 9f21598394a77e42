"""Numbers of a date: its parts in the calendar, where it is in their cycles, and days passed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

__all__ = ["DAYS", "PARTS", "part", "varying"]

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


#: Cycle → the parts that say where in it a date is. It is told of only if one of these varies.
CYCLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"day": ("hour", "minute"), "week": ("day_of_week",), "year": ("day_of_year",)}
)

#: Smaller differences between sines are errors of rounding.
LEAST_DIFFERENCE = 1e-9


def varying(dates: np.ndarray) -> tuple[str, ...]:
    """Return the names of the parts that differ among dates (N,), none of which is NaT.

    Whole numbers come first. A network learns what happens every day or year in fewer epochs from
    sines and cosines beside them, and midnight is next to midnight there.
    """
    parts = [name for name in PARTS if np.ptp(PARTS[name](dates)) > 0]
    cycles = [cycle for cycle, among in CYCLES.items() if not set(among).isdisjoint(parts)]
    sines = [f"{wave}_of_{cycle}" for cycle in cycles for wave in _WAVES]
    return (*parts, *(name for name in sines if np.ptp(_wave(name, dates)) > LEAST_DIFFERENCE))


def part(name: str, dates: np.ndarray, start: np.datetime64) -> np.ndarray:
    """Return a part, a sine or cosine, or ``DAYS`` since ``start``, of dates (N,); NaN for NaT."""
    if name == DAYS:
        days: np.ndarray = (dates - start) / np.timedelta64(1, "D")
        return days
    values = PARTS[name](dates) if name in PARTS else _wave(name, dates)
    return np.where(np.isnat(dates), np.nan, values)


_WAVES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {"sin": np.sin, "cos": np.cos}
)


def _wave(name: str, dates: np.ndarray) -> np.ndarray:
    """Return a sine or cosine (N,) by its name, such as "sin_of_day"."""
    wave, cycle = name.split("_of_")
    return _WAVES[wave](_angle(dates, cycle))


def _angle(dates: np.ndarray, cycle: str) -> np.ndarray:
    """Return how much of the present day, week or year has passed, as an angle (N,)."""
    if cycle == "year":
        begin = _in(dates, "Y")
        share = (dates - begin) / (_in(begin + np.timedelta64(1, "Y"), "us") - _in(begin, "us"))
    else:
        share = (dates - _in(dates, "D")) / np.timedelta64(1, "D")
        if cycle == "week":
            share = (PARTS["day_of_week"](dates) + share) / 7
    angle: np.ndarray = 2 * np.pi * share
    return angle
