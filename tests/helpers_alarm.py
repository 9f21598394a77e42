"""A limit for tests that could wait for ever."""

from __future__ import annotations

import signal
from contextlib import contextmanager


@contextmanager
def within(seconds):
    """Let what takes longer fail, in the main thread."""

    def over(*_):
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
