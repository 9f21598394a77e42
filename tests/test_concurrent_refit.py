"""A model may be read by one thread while another fits it anew: the old or the new, no mixture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REFITS = 100


def test_predictions_during_refits_are_right_or_refused():
    """In a process of its own: a mixture of two networks may end it."""
    done = subprocess.run(
        [sys.executable, "-c", f"from helpers_refit import report; report({REFITS})"],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    for name, counts in json.loads(done.stdout).items():
        assert set(counts) <= {"right", "refused"}, (name, counts)
        assert min(counts.get("right", 0), counts.get("refused", 0)) > 10, (name, counts)
