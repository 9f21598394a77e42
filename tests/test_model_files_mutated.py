"""A changed model file is an error: it never ends the process, hangs, or goes unnoticed."""

from __future__ import annotations

import json
import os

import pytest
from helpers_process import run_python

#: ``FASTMLP_MUTATIONS=100000`` is the full run; the same number gives the same files.
MUTATIONS = int(os.environ.get("FASTMLP_MUTATIONS", "600"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_changed_file_is_refused_or_harmless():
    code = f"from helpers_mutations import report; report({MUTATIONS}, seed={MUTATIONS})"
    found = json.loads(run_python(code, timeout=None))  # its children have limits of their own
    print(found["outcomes"], found["crashes"])
    assert not found["crashes"]
    assert not found["unnoticed"]
    outcomes = found["outcomes"]
    assert sum(sum(counts.values()) for counts in outcomes.values()) == MUTATIONS
    # The checksum finds what has been changed; behind it, most changes make no model.
    assert outcomes["bytes"].get("refused", 0) > 0.9 * sum(outcomes["bytes"].values())
    assert outcomes["signed"]["refused"] > sum(outcomes["signed"].values()) / 3
