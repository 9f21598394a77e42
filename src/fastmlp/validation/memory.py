"""What to blame when memory cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["blaming"]


@contextmanager
def blaming(what: str) -> Iterator[None]:
    """Say in a MemoryError what asked for the memory, such as "fan_in=5 makes 10 weights".

    Where Python cannot even count the bytes, OverflowError becomes MemoryError.
    """
    try:
        yield
    except (MemoryError, OverflowError) as error:
        raise MemoryError(f"{what}, for which there is not enough memory.") from error
