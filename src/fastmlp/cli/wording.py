"""Numbers as people read them."""

from __future__ import annotations

import math

__all__ = ["number", "size"]


def number(value: float | str, digits: int = 4) -> str:
    """Return a number with so many digits that count; whole ones of less than 10¹⁵ in full.

    Examples
    --------
    >>> number(0.84211), number(48211.7), number(1e-7), number(float("nan")), number("a")
    ('0.8421', '48,212', '1e-07', '–', 'a')
    """
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "–" if math.isnan(value) else str(value)
    if abs(value) >= 10 ** (digits - 1) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if value == int(value) and abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def size(n_bytes: int) -> str:
    """Return a number of bytes.

    Examples
    --------
    >>> size(812), size(3_400_000)
    ('812 B', '3.4 MB')
    """
    for unit, factor in (("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes} B"
