"""Print the coefficients of the Gaussian tail, for C and Python: ``python tools/gaussian_tail.py``.

R(a) = exp(a²/2) Φ(−a), Φ the normal distribution. (a + 5) R(a) as a function of
y = (a − 5)/(a + 5) is interpolated at Chebyshev's points of the interval that becomes of
a = 0 … ``last``. The largest relative errors of the polynomials, found with 50 digits, are printed
beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

DIGITS = 50
CENTRE = 5
#: Type → the largest a for which Φ(−a) is not 0, and the degree.
CASES = {np.float32: (14.5, 10), np.float64: (39.0, 23)}


def scaled(y: Any) -> Any:
    """Return (a + 5) R(a) at a = 5 (1 + y)/(1 − y)."""
    a = CENTRE * (1 + y) / (1 - y)
    return (a + CENTRE) * mpmath.erfc(a / mpmath.sqrt(2)) * mpmath.exp(a * a / 2) / 2


def interpolate(function: Callable[[Any], Any], low: Any, high: Any, degree: int) -> list[Any]:
    """Return the interpolant at Chebyshev's points of [low, high]: coefficients, of y⁰ first."""
    angles = [mpmath.pi * (2 * j + 1) / (2 * degree + 2) for j in range(degree + 1)]
    points = [(low + high + (high - low) * mpmath.cos(angle)) / 2 for angle in angles]
    powers = mpmath.matrix([[y**k for k in range(degree + 1)] for y in points])
    return list(mpmath.lu_solve(powers, mpmath.matrix([function(y) for y in points])))


def largest_error(coefficients: list[Any], low: Any, high: Any, n_points: int = 500) -> float:
    """Return the largest relative error of the polynomial, not counting how it is evaluated."""

    def error(y: Any) -> Any:
        polynomial = mpmath.fsum(value * y**power for power, value in enumerate(coefficients))
        return abs(polynomial / scaled(y) - 1)

    return float(max(map(error, mpmath.linspace(low, high, n_points))))


def coefficients_of(real: type) -> tuple[list[Any], float]:
    """Return the rounded coefficients for a type, and the largest error before rounding, in ulp."""
    last, degree = CASES[real]
    low, high = mpmath.mpf(-1), mpmath.mpf(last - CENTRE) / (last + CENTRE)
    exact = interpolate(scaled, low, high, degree)
    error = largest_error(exact, low, high) / float(np.finfo(real).eps)
    return [real(float(value)) for value in exact], error


def main() -> None:
    """Print the tables."""
    with mpmath.workdps(DIGITS):
        for real in CASES:
            values, error = coefficients_of(real)
            print(f"{real.__name__}: {error:.4f} ulp")
            print("  C      ", ", ".join(float(value).hex() for value in values))
            print("  Python ", ", ".join(repr(float(value)) for value in values))


if __name__ == "__main__":
    main()
