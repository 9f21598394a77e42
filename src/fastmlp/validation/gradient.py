"""Check of a gradient that the user wrote, by differences of the function beside a point.

Every element is looked at alone, or, where there are many, some random directions are. A right
gradient costs two calls of the function for each. One that does not look right is compared with
differences over fifteen orders of magnitude, because nobody says on what scale a function changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fastmlp.validation.differences import slopes_beside

__all__ = ["Place", "check_is_gradient"]

#: Elements that are looked at one by one; of larger arrays, so many random directions.
MAX_DIRECTIONS = 10

#: The first step, and those that decide, in units of max(1, |x|).
FIRST_STEP = 1e-6
STEPS = 10.0 ** -np.arange(1, 17)


@dataclass(frozen=True)
class Place:
    """A point of a path, with the function and its gradient there.

    Attributes
    ----------
    name : str
        What an error text calls it.
    f : callable
        x (...) ↦ float; NaN where there is no value, and no exception.
    x : ndarray of float64, shape (...)
    value : float
        f(x), finite.
    gradient : ndarray of float64, shape (...)
        What is to be checked.
    """

    name: str
    f: Callable[[np.ndarray], float]
    x: np.ndarray
    value: float
    gradient: np.ndarray

    def slope_along(self, direction: np.ndarray) -> float:
        """Return the slope that the gradient gives for a direction (...)."""
        return float(np.sum(self.gradient * direction))

    def values_beside(self, direction: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return f below and above x, (2, n), at n steps (n,) along a direction (...)."""
        return np.array(
            [[self.f(self.x + sign * step * direction) for step in steps] for sign in (-1, 1)]
        )


def check_is_gradient(place: Place, is_repeatable: Callable[[], bool]) -> None:
    """Raise ValueError if differences of f contradict the gradient at a place.

    Nothing is said where f has no value beside the place, where differences do not agree with each
    other, or where the functions, called again, return something else.
    """
    with np.errstate(all="ignore"):
        for direction in _directions(place.x):
            found = _contradiction(place, direction)
            if found is None:
                continue
            if is_repeatable():
                _raise_wrong(place, *_narrowed(place, direction, found))
            return


def _directions(x: np.ndarray) -> Iterator[np.ndarray]:
    """Return directions (...) to look along, as long as x (...) makes natural."""
    scale = np.maximum(1.0, np.abs(x))
    if x.size <= MAX_DIRECTIONS:
        for i in range(x.size):
            yield scale * (np.arange(x.size) == i).reshape(x.shape)
        return
    rng = np.random.RandomState(0)
    for _ in range(MAX_DIRECTIONS):
        direction = rng.normal(size=x.shape)
        yield scale * (direction / np.linalg.norm(direction))


def _contradiction(place: Place, direction: np.ndarray) -> float | None:
    """Return the slope along a direction (...) that the gradient does not have, else None."""
    slope = place.slope_along(direction)
    (below,), (above,) = place.values_beside(direction, np.array([FIRST_STEP]))
    least, largest = slopes_beside(below, place.value, above, FIRST_STEP, least_scale=0)
    if least <= slope <= largest or not np.isfinite(slope):
        return None
    found = _slopes_by_differences(place, direction)
    # NaN fails the comparison.
    if found and all(abs(slope - other) > 4 * error + 1e-5 * abs(other) for other, error in found):
        return found[-1][0]
    return None


def _slopes_by_differences(place: Place, direction: np.ndarray) -> list[tuple[float, float]]:
    """Return slopes along a direction (...) and how far each may be off.

    Of central differences with many steps those count which agree best with their neighbours, the
    next smaller and the next larger step: first in absolute terms; then, if they agree to a tenth,
    relatively, as waves much shorter than a step give differences that agree in being nearly 0.
    """
    below, above = place.values_beside(direction, STEPS)
    central = (above - below) / (2 * STEPS)
    beside = np.abs(np.diff(central))
    error = beside[:-1] + beside[1:] + _rounding(place.value, below, above)[1:-1]
    central = central[1:-1]
    found = []
    for measure, limit in ((error, np.inf), (error / np.abs(central), 0.1)):
        best = int(np.argmin(np.nan_to_num(measure, nan=np.inf)))
        if measure[best] < limit:
            found.append((float(central[best]), float(error[best])))
    return found


def _rounding(here: float, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return what rounding may do to differences (n,) of f at x (here) and beside it (n,).

    A function that gives float32, or does not change at all over a step, may compute so.
    """
    values = np.append(np.concatenate([below, above]), here)
    single = np.all(values.astype(np.float32) == values)
    coarse = single | ((below == here) & (above == here))
    eps = np.where(coarse, np.finfo(np.float32).eps, np.finfo(np.float64).eps)
    # x is rounded as well, which moves f by its slope.
    slope = np.abs(above - below) / (2 * STEPS)
    return np.asarray(4 * eps * (abs(here) + slope) / STEPS)


def _narrowed(place: Place, direction: np.ndarray, found: float) -> tuple[np.ndarray, float]:
    """Return a part of a direction (...), if possible one element, with a contradiction."""
    while np.count_nonzero(direction) > 1:
        elements = np.flatnonzero(direction)
        for half in np.array_split(elements, 2):
            part = np.zeros(direction.size)
            part[half] = direction.ravel()[half]
            found_there = _contradiction(place, part.reshape(direction.shape))
            if found_there is not None:
                direction, found = part.reshape(direction.shape), found_there
                break
        else:
            break
    return direction, found


def _raise_wrong(place: Place, direction: np.ndarray, found: float) -> None:
    """Raise ValueError, saying where the gradient is wrong and what it should be."""
    elements = np.argwhere(direction)
    where, unit = place.name, 1.0
    if place.x.ndim == 0:
        where, unit = f"x = {place.x:g}", float(direction)
    elif len(elements) == 1:
        index = tuple(map(int, elements[0]))
        where += f", element {index[0] if len(index) == 1 else index},"
        unit = float(direction[index])
    else:
        where += f", along a direction in {len(elements)} elements,"
    given = place.slope_along(direction) / unit
    raise ValueError(
        f"df is not the gradient of f: at {where} it gives {given:.6g}, but differences of f give "
        f"{found / unit:.6g}. Correct df, or pass check_gradient=False if it is meant to differ."
    )
