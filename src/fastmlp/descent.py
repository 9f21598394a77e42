"""Gradient descent on a function of one's own, with every point on the way kept for a look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastmlp.validation.descent import (
    check_descent,
    check_gradient,
    check_start,
    check_value,
    raise_not_finite,
)

__all__ = ["Descent", "gradient_descent"]

#: Without a tolerance a descent counts as converged once the gradient is this share of the first.
VANISHED = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, repr=False)
class Descent:
    """The path of a gradient descent of n steps from x₀, and what became of it.

    Attributes
    ----------
    x : ndarray of float64, shape (n + 1, ...)
        The points, x₀ first.
    f : ndarray of float64, shape (n + 1,)
        The function's value at each.
    gradient : ndarray of float64, shape (n + 1, ...)
        Its gradient at each.
    learning_rate : float
    overflowed : bool
        The next point, or f or its gradient there, was infinite or NaN. The path ends before it.
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
        """Steps made."""
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
        """Return "converged", "diverged" or, when neither can be said, "under way"."""
        if self.diverged:
            return "diverged"
        return "converged" if self.converged else "under way"

    def __repr__(self) -> str:
        points = " → ".join(np.array2string(self.x[i], precision=6) for i in (0, -1))
        values = f"{self.f[0]:.6g} → {self.f[-1]:.6g}"
        status = f"{self.status} by overflow" if self.overflowed else self.status
        return f"<Descent: {status} after {self.n_steps} steps, x: {points}, f: {values}>"


def gradient_descent(
    f: Callable[[Any], Any],
    df: Callable[[Any], Any],
    x0: npt.ArrayLike,
    learning_rate: float = 0.1,
    n_steps: int = 100,
    *,
    momentum: float = 0.0,
    tol: float | None = None,
) -> Descent:
    """Descend along the gradient of a function: x ← x − learning_rate · f'(x).

    With momentum μ the step is v ← μ v − learning_rate · f'(x), x ← x + v (Polyak 1964).

    Parameters
    ----------
    f : callable
        Function of x, a number or an array shaped like ``x0``, that returns one number.
    df : callable
        Its gradient, shaped like x.
    x0 : array-like of float, any shape
        Where to start; a number for functions of one variable.
    learning_rate : float, default=0.1
        Positive.
    n_steps : int, default=100
        Most steps.
    momentum : float, default=0.0
        In [0, 1).
    tol : float or None, default=None
        Stop when no element of the gradient exceeds this. With None all steps are made, and the
        path counts as converged if the gradient is 1.5e-8 of the first one by then.

    Returns
    -------
    Descent
        The path ``x``, the values ``f``, and ``converged``, ``diverged`` and ``status``. A path
        that overflows ends with its last finite point and ``overflowed`` set; no warning is given.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as it must be, or f or df return something else.

    Examples
    --------
    >>> from fastmlp import gradient_descent
    >>> gradient_descent(lambda x: 4 * x**2, lambda x: 8 * x, 2.0, learning_rate=1.0, n_steps=2)
    <Descent: diverged after 2 steps, x: 2. → 98., f: 16 → 38416>
    >>> path = gradient_descent(lambda x: 4 * x**2, lambda x: 8 * x, 2.0, learning_rate=0.1)
    >>> path.x[:3].round(2), path.status
    (array([2.  , 0.4 , 0.08]), 'converged')
    """
    learning_rate, n_steps, momentum, tol = check_descent(
        {"f": f, "df": df},
        {
            "learning_rate": learning_rate,
            "n_steps": n_steps,
            "momentum": momentum,
            "tol": tol,
        },
    )
    start = _point(f, df, check_start(x0))
    if start is None:
        raise_not_finite(x0)
    tolerance = VANISHED * _largest(start.gradient) if tol is None else tol
    points, velocity, overflowed = [start], np.zeros_like(start.x), False
    for _ in range(n_steps):
        last = points[-1]
        if tol is not None and _largest(last.gradient) <= tol:
            break
        with np.errstate(all="ignore"):
            velocity = momentum * velocity - learning_rate * last.gradient
            point = _point(f, df, last.x + velocity)
        if point is None:
            overflowed = True
            break
        points.append(point)
    x, values, gradient = (np.array(column) for column in zip(*points, strict=True))
    return Descent(x, values, gradient, float(learning_rate), overflowed, float(tolerance))


class _Point(NamedTuple):
    """What is kept of a point of the path."""

    x: np.ndarray
    f: float
    gradient: np.ndarray


def _point(f: Callable[[Any], Any], df: Callable[[Any], Any], x: np.ndarray) -> _Point | None:
    """Evaluate f and df at copies of x, so that neither can move it; None if anything overflows."""
    if not np.isfinite(x).all():
        return None
    value = _evaluate(f, x)
    check_value(value)
    if not np.isfinite(value):
        return None
    gradient = _evaluate(df, x)
    if gradient is _OVERFLOW:
        return None
    check_gradient(gradient, x.shape)
    point = _Point(x, float(value), np.array(gradient, dtype=np.float64))
    return point if np.isfinite(point.gradient).all() else None


#: In the place of a value that Python's own numbers cannot hold.
_OVERFLOW = float("inf")


def _evaluate(function: Callable[[Any], Any], x: np.ndarray) -> Any:
    """Return function(x), in silence where NumPy overflows; x (...) is a number for shape ()."""
    with np.errstate(all="ignore"):
        try:
            return function(x.copy()[()])
        except OverflowError:  # ``math`` raises where NumPy gives inf
            return _OVERFLOW


def _largest(gradient: np.ndarray) -> float:
    return float(np.max(np.abs(gradient), initial=0.0))
