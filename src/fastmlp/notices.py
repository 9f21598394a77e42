"""Warnings that point at the line of the user's that led to them."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

__all__ = ["notify"]

_PACKAGE = str(Path(__file__).parent)


def notify(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn on behalf of the first frame outside this package.

    That is the line that called ``fit``, be it the user's or scikit-learn's (in a grid search), so
    ``warnings.filterwarnings(module=...)`` matches the name of that caller, never "fastmlp". A
    filter by category or message works in both cases.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
