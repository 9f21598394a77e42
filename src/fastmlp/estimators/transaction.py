"""A fit is all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["AllOrNothing"]


class AllOrNothing:
    """An object whose attributes survive a method that raises."""

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Put all attributes back if the block raises."""
        before = self.__dict__.copy()
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
