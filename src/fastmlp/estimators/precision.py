"""Tells users when a network's products can't run at the precision that they asked for."""

from __future__ import annotations

import numpy as np

from fastmlp.backends import Backend
from fastmlp.notices import notify_once
from fastmlp.validation import runs_as_highest

__all__ = ["say_what_runs"]


def say_what_runs(backend: Backend, precision: str, dtype: np.dtype) -> None:
    """Warn once in this process if products are made at a higher precision than was asked for."""
    if precision == "highest" or backend.runs_as(precision, dtype) == precision:
        return
    notify_once(runs_as_highest(precision, backend.name, dtype))
