"""A child that is forked while another thread works finds every lock open, and BLAS as it was."""

from __future__ import annotations

import os

import pytest
from helpers_process import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

#: ``working()`` goes on in another thread; children are forked, and each must do ``in_child()``.
PROGRAM = """
import faulthandler, os, sys, threading, time, warnings
warnings.simplefilter("ignore")  # of forking while there are threads, which is what is tested
import numpy as np
began, end = threading.Event(), threading.Event()
{}
thread = threading.Thread(target=working, daemon=True)
thread.start()
began.wait()
for number in range({}):
    time.sleep(0.003 * (number % 4))
    if (pid := os.fork()) == 0:
        faulthandler.dump_traceback_later(20, exit=True)  # it hangs
        in_child()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
end.set()
thread.join()
"""

WORK = {
    "a property that is worked out": """
from fastmlp.kept import kept_property
class Slow:
    @kept_property
    def value(self):
        began.set()
        if threading.current_thread() is not threading.main_thread():
            end.wait()
        return 1
def working(): Slow().value
def in_child(): Slow().value
""",
    "a lock": """
from fastmlp.threads import OwnLock
lock = OwnLock()
def waiting():
    began.set()
    end.wait()
def working(): lock.during(waiting)
def in_child(): lock.during(time.time)
""",
    "a search by SciPy": """
import scipy.optimize
from threadpoolctl import threadpool_info, threadpool_limits
from fastmlp.threads import one_blas_thread
threadpool_limits(2, user_api="blas")
def blas_threads():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
before = blas_threads()
def working():
    with one_blas_thread():
        began.set()
        end.wait()
def in_child():
    assert blas_threads() == before
    with one_blas_thread():
        assert blas_threads() <= {1}
    assert blas_threads() == before
""",
}

SHUFFLE = """
from fastmlp.training.shuffling import shuffle
order = np.arange(1_000_000)
def working():
    while not end.is_set():
        began.set()
        shuffle(np.random.mtrand._rand, order)
def in_child(): np.random.rand()
"""


@pytest.mark.parametrize("work", WORK)
def test_a_fork_during(work):
    run_python(PROGRAM.format(WORK[work], 1))


def test_a_fork_while_an_epoch_is_shuffled():
    """By NumPy's global state, whose lock the child needs for any random number."""
    run_python(PROGRAM.format(SHUFFLE, 30))
