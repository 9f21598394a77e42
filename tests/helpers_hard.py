"""How long the hard tests are: seconds in the suite, minutes in ``make hard``."""

from __future__ import annotations

import os

#: ``make hard`` sets it.
HARD = os.environ.get("FASTMLP_HARD") == "1"


def so_many(in_the_suite: int, in_make_hard: int) -> int:
    """Return the number of repetitions."""
    return in_make_hard if HARD else in_the_suite
