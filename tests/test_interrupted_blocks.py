"""Ctrl-C within a block, at its beginning or at its end: whatever was changed is as before.

Python hands on a signal where a function of its own begins, and after a call of C. A profiler is
told of both, so that one that raises stands for Ctrl-C at each of these moments in turn.
"""

from __future__ import annotations

import signal
import sys
from itertools import count

import pytest
from helpers_alarm import within
from threadpoolctl import threadpool_info, threadpool_limits

from fastmlp import notices
from fastmlp.estimators import learnt
from fastmlp.threads import OwnLock, one_blas_thread

LOCK = OwnLock()


def blas_threads():
    return {entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads():
    import scipy.optimize  # noqa: F401 - which brings a BLAS of its own

    with threadpool_limits(2, user_api="blas"):
        yield


def through(block):
    with block:
        pass


#: Ways through blocks, each with what the block changes.
BLOCKS = {
    "a lock": (lambda: LOCK.during(LOCK.is_closed), LOCK.is_closed),
    "one thread for BLAS": (lambda: through(one_blas_thread()), blas_threads),
    "without warnings": (lambda: through(notices.quietly()), notices._NOT_WORTH_IT.get),
    "a model that is shown": (
        lambda: through(learnt.shown_as(LOCK, None)),
        learnt._IN_TRAINING.get,
    ),
}


def is_interrupted(go, number):
    """Go through a block; return whether Ctrl-C came, at the moment of this number."""
    moments = count(1)

    def ring(frame, event, argument):
        if event in ("call", "c_return") and next(moments) == number:
            raise KeyboardInterrupt

    sys.setprofile(ring)
    try:
        go()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_that_ctrl_c_breaks_off_leaves_all_as_it_was(name, two_blas_threads):
    go, state = BLOCKS[name]
    with within(20):  # a lock that stays closed is waited for without end
        go()
        before, numbers = state(), count(1)
        for number in numbers:
            interrupted = is_interrupted(go, number)
            assert state() == before, number
            if not interrupted:
                break
        assert next(numbers) > 4
