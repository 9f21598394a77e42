"""A model may be read by one thread while another fits it anew: the old or the new, no mixture."""

from __future__ import annotations

import json

from helpers_process import run_python

#: So many in any case, and more until both answers have been given often enough.
REFITS, ENOUGH = 100, 50


def test_predictions_during_refits_are_right_or_refused():
    """In a process of its own: a mixture of two networks may end it."""
    printed = run_python(f"from helpers_refit import report; report({REFITS}, {ENOUGH})")
    for name, counts in json.loads(printed).items():
        assert set(counts) <= {"right", "refused"}, (name, counts)
        assert min(counts.get("right", 0), counts.get("refused", 0)) >= ENOUGH, (name, counts)
