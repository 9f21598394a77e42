"""Work in forked children, which may crash or hang: what they wrote, and how they ended."""

from __future__ import annotations

import faulthandler
import os
import re
import select
import signal
import tempfile
import traceback
from collections.abc import Callable

from helpers_process import cpu_ticks

#: A silent child is looked at so often: one that stands still meanwhile hangs.
SECONDS_OF_SILENCE = 20.0
#: One that has computed for so long since it was heard is not to be interrupted: it hangs too.
SECONDS_OF_SILENT_WORK = 20.0


def listen(pipe: int, pid: int) -> bytes:
    """Return what a child wrote before its end; end it when it hangs."""
    heard, when_heard, when_looked_at = b"", cpu_ticks(pid), cpu_ticks(pid)
    while True:
        if select.select([pipe], [], [], SECONDS_OF_SILENCE)[0]:
            news = os.read(pipe, 1 << 16)
            if not news:
                return heard
            heard += news
            when_heard = when_looked_at = cpu_ticks(pid)
        else:
            now = cpu_ticks(pid)
            if hangs(when_heard, when_looked_at, now):
                os.kill(pid, signal.SIGKILL)
            when_looked_at = now


def hangs(heard: int | None, looked_at: int | None, now: int | None) -> bool:
    """Return whether a silent child stands still or works without end, by its ticks of work.

    They are those when it was heard, when it was looked at last and now; where the system does not
    tell them, silence is enough. A child that gets little of a busy machine does neither.
    """
    if heard is None or looked_at is None or now is None:
        return True
    return now == looked_at or now - heard > SECONDS_OF_SILENT_WORK * os.sysconf("SC_CLK_TCK")


def run_child(work: Callable[[int], object]) -> tuple[bytes, str, str]:
    """Fork and work there; return what was written, how it ended and its innermost frame.

    The work takes the end of a pipe to write into. How it ended is "" when well, and the frame is
    that of a crash.
    """
    read, write = os.pipe()
    with tempfile.TemporaryFile() as trace:
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                faulthandler.enable(trace)
                work(write)
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        os.close(write)
        heard = listen(read, pid)
        os.close(read)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        trace.seek(0)
        frame = re.search(r'File "(.*)", line (\d+) in (\S+)', trace.read().decode())
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}" if code else ""
    return heard, how, ":".join(frame.groups()) if frame else ""
