"""Gradient descent on a function of your own, which keeps every point on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastmlp.validation.descent import (
    check_descent,
    check_functions,
    check_gradient_array,
    check_start,
    check_value,
    raise_not_finite,
)
from fastmlp.validation.gradient import Place, check_is_gradient

__all__ = ["Descent", "gradient_descent"]

Function = Callable[[Any], Any]

#: Without a tolerance a descent counts as converged once the gradient is this share of the first.
VANISHED = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, repr=False)
class Descent:
    """The path of a gradient descent of n steps from x₀, and how it ended.

    Attributes
    ----------
    x : ndarray of float64, shape (n + 1, ...)
        The points, beginning with x₀.
    f : ndarray of float64, shape (n + 1,)
        The value of the function at each point.
    gradient : ndarray of float64, shape (n + 1, ...)
        The gradient at each point.
    learning_rate : float
    overflowed : bool
        Whether the next point, or f or its gradient there, was infinite or NaN. The path ends
        before that point.
    tol : float
        Largest element of the gradient at which the descent counts as converged.
    """

    x: np.ndarray
    f: np.ndarray
    gradient: np.ndarray
    learning_rate: float
    overflowed: bool
    tol: float

    @property
    def n_steps(self) -> int:
        """Number of steps that were made."""
        return len(self.f) - 1

    @property
    def converged(self) -> bool:
        """Whether no element of the last gradient exceeds ``tol``."""
        return not self.overflowed and _largest(self.gradient[-1]) <= self.tol

    @property
    def diverged(self) -> bool:
        """Whether the path overflowed, or ended higher than it began without having converged."""
        return self.overflowed or (not self.converged and bool(self.f[-1] > self.f[0]))

    @property
    def status(self) -> str:
        """Return "converged", "diverged" or, if neither is true, "under way"."""
        if self.diverged:
            return "diverged"
        return "converged" if self.converged else "under way"

    def __repr__(self) -> str:
        points = " → ".join(np.array2string(self.x[i], precision=6) for i in (0, -1))
        values = f"{self.f[0]:.6g} → {self.f[-1]:.6g}"
        status = f"{self.status} by overflow" if self.overflowed else self.status
        return f"<Descent: {status} after {self.n_steps} steps, x: {points}, f: {values}>"


def gradient_descent(
    f: Function,
    df: Function,
    x0: npt.ArrayLike,
    learning_rate: float = 0.1,
    n_steps: int = 100,
    *,
    momentum: float = 0.0,
    tol: float | None = None,
    check_gradient: bool = True,
) -> Descent:
    """Descend along the gradient of a function: x ← x − learning_rate · f'(x).

    With momentum μ the step is v ← μ v − learning_rate · f'(x), x ← x + v (Polyak 1964).

    Parameters
    ----------
    f : callable
        Function of x that returns one number. x is a number, or an array shaped like ``x0``.
    df : callable
        Its gradient, shaped like x.
    x0 : array-like of float, any shape
        Where to start. Pass a number for a function of one variable.
    learning_rate : float, default=0.1
        Size of the steps. It must be positive.
    n_steps : int, default=100
        Maximum number of steps.
    momentum : float, default=0.0
        Share of the last step that the next one keeps, in [0, 1).
    tol : float or None, default=None
        Stop when no element of the gradient exceeds this. With None, all steps are made, and the
        path counts as converged if the gradient has fallen to 1.5e-8 of the first one.
    check_gradient : bool, default=True
        Whether to compare df with differences of f beside ``x0`` and beside the next point, as the
        notes describe. Pass False if the gradient is meant to be that of another function, or if
        calls of f are expensive.

    Returns
    -------
    Descent
        The path ``x``, the values ``f``, and ``converged``, ``diverged`` and ``status``. A path
        that overflows ends with its last finite point, and ``overflowed`` is True; there is no
        warning.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, f or df return something else than above, or df is not the
        gradient of f.

    Notes
    -----
    The check calls f twice for each element of x, at distances of about 1e-6. If x has more than
    ten elements, it calls f twice along each of ten random directions. If df looks wrong, it calls
    f some dozens of times more before it says so. At a kink, any slope between those of the two
    sides is right. If f raises an exception beside the path, it counts as having no value there.
    Nothing is compared where f has no value, where its differences do not agree with each other, or
    where f or df return something else when they are called again, as functions with noise do.

    Examples
    --------
    >>> from fastmlp import gradient_descent
    >>> gradient_descent(lambda x: 4 * x**2, lambda x: 8 * x, 2.0, learning_rate=1.0, n_steps=2)
    <Descent: diverged after 2 steps, x: 2. → 98., f: 16 → 38416>
    >>> path = gradient_descent(lambda x: 4 * x**2, lambda x: 8 * x, 2.0, learning_rate=0.1)
    >>> path.x[:3].round(2), path.status
    (array([2.  , 0.4 , 0.08]), 'converged')
    """
    check_functions(f=f, df=df)
    given = {"learning_rate": learning_rate, "momentum": momentum, "tol": tol}
    n_steps, numbers = check_descent(n_steps, check_gradient, given)
    start = _point(f, df, check_start(x0))
    if start is None:
        raise_not_finite(x0)
    if check_gradient:
        _require_gradient(f, df, start, "x0")
    points, overflowed = [start], False
    for _, point in zip(range(n_steps), _steps(f, df, start, **numbers), strict=False):
        if point is None:
            overflowed = True
            break
        if check_gradient and len(points) == 1:
            _require_gradient(f, df, point, "the point after x0")
        points.append(point)
    tolerance = VANISHED * _largest(start.gradient) if tol is None else numbers["tol"]
    x, values, gradient = (np.array(column) for column in zip(*points, strict=True))
    return Descent(x, values, gradient, numbers["learning_rate"], overflowed, tolerance)


class _Point(NamedTuple):
    """What is kept of a point of the path."""

    x: np.ndarray
    f: float
    gradient: np.ndarray


def _steps(
    f: Function,
    df: Function,
    last: _Point,
    learning_rate: float,
    momentum: float,
    tol: float | None,
) -> Iterator[_Point | None]:
    """Return the points after ``last``, up to the tolerance; None after the last finite one."""
    velocity = np.zeros_like(last.x)
    while tol is None or _largest(last.gradient) > tol:
        with np.errstate(all="ignore"):
            velocity = momentum * velocity - learning_rate * last.gradient
            point = _point(f, df, last.x + velocity)
        yield point
        if point is None:
            return
        last = point


def _point(f: Function, df: Function, x: np.ndarray) -> _Point | None:
    """Evaluate f and df at copies of x, so that neither can move it; None if anything overflows."""
    if not np.isfinite(x).all():
        return None
    value = check_value(_evaluate(f, x))
    if not np.isfinite(value):
        return None
    gradient = _evaluate(df, x)
    if gradient is _OVERFLOW:
        return None
    point = _Point(x, value, check_gradient_array(gradient, x.shape))
    return point if np.isfinite(point.gradient).all() else None


def _require_gradient(f: Function, df: Function, point: _Point, name: str) -> None:
    """Raise ValueError if differences of f beside a point of the path show that df is wrong."""

    def beside(x: np.ndarray) -> float:
        try:
            return check_value(_evaluate(f, x))
        except Exception:  # whatever f raises where the path does not lead
            return np.nan

    def is_repeatable() -> bool:
        again = _point(f, df, point.x)
        if again is None or again.f != point.f:
            return False
        return np.array_equal(again.gradient, point.gradient)

    check_is_gradient(Place(name, beside, *point), is_repeatable)


#: In the place of a value that Python's own numbers cannot hold.
_OVERFLOW = float("inf")


def _evaluate(function: Function, x: np.ndarray) -> Any:
    """Return function(x), in silence where NumPy overflows; x (...) is a number for shape ()."""
    with np.errstate(all="ignore"):
        try:
            return function(x.copy()[()])
        except OverflowError:  # ``math`` raises where NumPy gives inf
            return _OVERFLOW


def _largest(gradient: np.ndarray) -> float:
    return float(np.max(np.abs(gradient), initial=0.0))
