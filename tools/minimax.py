"""Print the polynomials of the kernels: ``python tools/minimax.py > csrc/base/series.inc``.

Each is the polynomial of its degree whose largest error, as a part of the function that it stands
for, is least: Remez' exchange (1934) on a grid, with 50 digits, then rounded. The largest error
before rounding stands beside it, in units of the type's eps. The Numba backend holds a copy of the
tail's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

__all__ = ["CASES", "DIGITS", "Case", "c_source", "coefficients_of", "polynomial"]

DIGITS = 50
N_POINTS = 601  # odd, so that no inner point has the weight 0
MAX_EXCHANGES = 30
REALS = (np.float32, np.float64)


@dataclass(frozen=True)
class Case:
    """A function, the interval, and how many coefficients each type takes.

    Attributes
    ----------
    function : callable
        What the polynomial stands for.
    weight : callable
        What an error of 1 in the polynomial counts.
    interval : callable
        The type's interval.
    n_terms : dict
        Type → number of coefficients.
    """

    function: Callable[[Any], Any]
    weight: Callable[[Any], Any]
    interval: Callable[[type], tuple[Any, Any]]
    n_terms: dict[type, int]


def expm1_rest(r: Any) -> Any:
    """Return (exp(r) - 1 - r) / r²."""
    return mpmath.fsum(r**k / mpmath.factorial(k + 2) for k in range(40))


def artanh_rest(t: Any) -> Any:
    """Return (artanh(s) - s) / s³ at t = s²."""
    return mpmath.fsum(t**k / (2 * k + 3) for k in range(60))


def artanh_share(t: Any) -> Any:
    """Return how much of artanh(s) an error of 1 in its rest is: s³ / artanh(s) at t = s²."""
    s = mpmath.sqrt(t)
    return s**3 / mpmath.atanh(s) if t else mpmath.mpf(0)


#: The tail is a polynomial in y = (a - c)/(a + c) for a from 0 to where Φ(-a) is 0.
TAIL_CENTRE = 5
TAIL_ENDS = {np.float32: 14.5, np.float64: 39.0}


def scaled_tail(y: Any) -> Any:
    """Return (a + c) exp(a²/2) Φ(-a) at a = c (1 + y)/(1 - y)."""
    a = TAIL_CENTRE * (1 + y) / (1 - y)
    return (a + TAIL_CENTRE) * mpmath.erfc(a / mpmath.sqrt(2)) * mpmath.exp(a * a / 2) / 2


def tail_interval(real: type) -> tuple[Any, Any]:
    """Return the y of a = 0 and of the last a that counts."""
    last = mpmath.mpf(TAIL_ENDS[real])
    return mpmath.mpf(-1), (last - TAIL_CENTRE) / (last + TAIL_CENTRE)


def half_ln2(_: type) -> tuple[Any, Any]:
    """Return what is left of an exponent when the nearest power of two is taken out."""
    return -mpmath.ln2 / 2, mpmath.ln2 / 2


def sine_rest(t: Any) -> Any:
    """Return sin(2πr) / r at t = r²."""
    r = mpmath.sqrt(t)
    return mpmath.sin(2 * mpmath.pi * r) / r if t else 2 * mpmath.pi


def cosine_rest(t: Any) -> Any:
    """Return (cos(2πr) - 1) / r² at t = r²."""
    return -2 * mpmath.sin(mpmath.pi * mpmath.sqrt(t)) ** 2 / t if t else -2 * mpmath.pi**2


def eighth_turn(_: type) -> tuple[Any, Any]:
    """Return the r² of what is left of turns when the nearest quarter is taken out."""
    return mpmath.mpf(0), mpmath.mpf(1) / 64


CASES = {
    "expm1_series": Case(
        expm1_rest,
        lambda r: abs(r**2 / mpmath.expm1(r)),
        half_ln2,
        {np.float32: 5, np.float64: 10},
    ),
    "artanh_series": Case(  # u/(2 + u) of a u up to 1
        artanh_rest,
        artanh_share,
        lambda _: (mpmath.mpf(0), mpmath.mpf(1) / 9),
        {np.float32: 4, np.float64: 10},
    ),
    "artanh_near_series": Case(  # (m - 1)/(m + 1) of an m from √½ to √2
        artanh_rest,
        artanh_share,
        lambda _: (mpmath.mpf(0), (3 - 2 * mpmath.sqrt(2)) ** 2),
        {np.float32: 3, np.float64: 7},
    ),
    "turn_sine_series": Case(
        sine_rest,
        lambda t: 1 / sine_rest(t),
        eighth_turn,
        {np.float32: 4, np.float64: 7},
    ),
    "turn_cosine_series": Case(
        cosine_rest,
        lambda t: t / mpmath.cos(2 * mpmath.pi * mpmath.sqrt(t)),
        eighth_turn,
        {np.float32: 4, np.float64: 7},
    ),
    "tail_series": Case(
        scaled_tail,
        lambda y: 1 / scaled_tail(y),
        tail_interval,
        {np.float32: 10, np.float64: 22},
    ),
}


def coefficients_of(case: Case, real: type) -> tuple[list[Any], float]:
    """Return a case's rounded coefficients, lowest power first, and the largest error, in eps."""
    low, high = case.interval(real)
    exact, error = remez(case, low, high, case.n_terms[real])
    return [real(float(value)) for value in exact], float(error / float(np.finfo(real).eps))


def remez(case: Case, low: Any, high: Any, n_terms: int) -> tuple[list[Any], Any]:
    """Return the best coefficients on a grid of Chebyshev points, and the largest error."""
    angles = [mpmath.pi * k / N_POINTS for k in range(N_POINTS + 1)]
    grid = [(low + high - (high - low) * mpmath.cos(angle)) / 2 for angle in angles]
    values, weights = list(map(case.function, grid)), list(map(case.weight, grid))
    extremes = [round(N_POINTS * (k + 0.5) / (n_terms + 1)) for k in range(n_terms + 1)]
    for _ in range(MAX_EXCHANGES):
        coefficients = levelled(extremes, grid, values, weights, n_terms)
        errors = [
            weight * (polynomial(coefficients, x) - value)
            for x, value, weight in zip(grid, values, weights, strict=True)
        ]
        exchanged = extremes_of(errors, n_terms + 1)
        if exchanged == extremes:
            break
        extremes = exchanged
    return coefficients, max(map(abs, errors))


def polynomial(coefficients: list, x: Any) -> Any:
    """Return the polynomial with these coefficients, lowest power first, at x."""
    return mpmath.fsum(value * x**power for power, value in enumerate(coefficients))


def levelled(extremes: list[int], grid: list, values: list, weights: list, n_terms: int) -> list:
    """Return the polynomial whose weighted errors at the extremes are ±E by turns."""
    rows = mpmath.matrix(
        [
            [weights[i] * grid[i] ** k for k in range(n_terms)] + [(-1) ** turn]
            for turn, i in enumerate(extremes)
        ]
    )
    right = mpmath.matrix([weights[i] * values[i] for i in extremes])
    return list(mpmath.lu_solve(rows, right))[:n_terms]


def extremes_of(errors: list[Any], n_wanted: int) -> list[int]:
    """Return where the error is largest in each stretch of one sign."""
    stretches: list[list[int]] = [[0]]
    for i in range(1, len(errors)):
        if errors[i] * errors[stretches[-1][-1]] < 0:
            stretches.append([])
        stretches[-1].append(i)
    found = [max(stretch, key=lambda i: abs(errors[i])) for stretch in stretches]
    while len(found) > n_wanted:
        found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
    return found


def c_source() -> str:
    """Return the text of ``csrc/base/series.inc``."""
    lines = [
        "/* Minimax polynomials, found by tools/minimax.py, which names the functions. The",
        " * constant term stands first. The number beside a name is the largest relative error,",
        " * in eps, before rounding. */",
        "#ifndef FASTMLP_SERIES_INC",
        "#define FASTMLP_SERIES_INC",
        "",
        '#include "base/vector.inc"',
        "",
    ]
    for real, directive in ((np.float64, "#if FASTMLP_DOUBLE"), (np.float32, "#else")):
        lines.append(directive)
        for name, case in CASES.items():
            values, error = coefficients_of(case, real)
            lines.append(f"static const real {name}[] = {{ /* {error:.3f} */")
            lines += [f"    {hexadecimal(value)}," for value in values]
            lines.append("};")
    return "\n".join([*lines, "#endif", "", "#endif", ""])


def hexadecimal(value: Any) -> str:
    """Return the C literal of a float32 or float64."""
    digits, exponent = float(value).hex().split("p")
    return f"{digits.rstrip('0').rstrip('.')}p{exponent}" + ("f" if value.itemsize == 4 else "")


if __name__ == "__main__":
    with mpmath.workdps(DIGITS):
        print(c_source(), end="")
