"""A program as one file of C99."""

from fastmlp.export.c.file import written

__all__ = ["written"]
