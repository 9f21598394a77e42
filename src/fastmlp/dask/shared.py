"""Memory that ranks on one machine read from each other, where the system lets them.

Each rank has memory of its own, in which nobody else writes. What it sends then is the place of an
array; the array stays where it is. A place travels by a socket within the machine, on which the
thread that computes waits itself, and which ends with either process, however that ends.

Neither memory nor sockets have a name among the files, so that nothing is left of those that are
killed.
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from fastmlp.plan.parameters import aligned_zeros

__all__ = ["CAN_SHARE", "Door", "Memory", "Message", "Neighbour", "visit"]

#: Whether this system has what is needed: memory and addresses without names, and who is there.
CAN_SHARE = all(
    hasattr(*each)
    for each in (
        (os, "memfd_create"),
        (socket, "AF_UNIX"),
        (socket, "SO_PEERCRED"),
        (socket, "SOCK_SEQPACKET"),
    )
)

#: Bytes of the longest place, with its tag and its numbers.
_LONGEST = 1 << 16

#: Seconds to wait at a door.
_PATIENCE = 1.0

#: Seconds for which a rank looks for a message before it sleeps.
_LOOKING = 2e-4

#: Process, user and group at the other end of a socket.
_CREDENTIALS = struct.Struct("3i")


class Message(NamedTuple):
    """What one rank tells another: ``tag`` says when, ``numbers`` and ``array`` what."""

    tag: tuple[int, ...]
    numbers: tuple[float, ...]
    array: np.ndarray


class Memory:
    """Arrays of a rank that its neighbours read.

    Attributes
    ----------
    neighbours : list of Neighbour
        Who sees all arrays that are made from now on.
    """

    def __init__(self) -> None:
        self.neighbours: list[Neighbour] = []
        self._pieces: list[np.ndarray] = []

    def zeros(self, n: int, dtype: np.dtype) -> np.ndarray:
        """Return zeros (n,) that neighbours see; they begin at a cache line."""
        if not self.neighbours:
            return aligned_zeros(n, dtype)
        n_bytes = max(n * np.dtype(dtype).itemsize, 1)
        file = os.memfd_create("fastmlp")
        try:
            os.ftruncate(file, n_bytes)
            piece = _mapped(file, n_bytes, writable=True)
            for neighbour in self.neighbours:
                neighbour.show(file, n_bytes)
        finally:
            os.close(file)
        self._pieces.append(piece)
        return piece[: n * np.dtype(dtype).itemsize].view(dtype)

    def place(self, array: np.ndarray) -> tuple[int, int]:
        """Return which piece an array lies in, and how many bytes behind its beginning."""
        address = array.ctypes.data
        for number, piece in enumerate(self._pieces):
            begin = address - piece.ctypes.data
            if 0 <= begin <= len(piece) - array.nbytes:
                return number, begin
        raise LookupError("the array is not in memory that others can read")


def _mapped(file: int, n_bytes: int, *, writable: bool) -> np.ndarray:
    """Return the bytes of a file, which live as long as arrays of them."""
    access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
    return np.frombuffer(mmap.mmap(file, n_bytes, access=access), np.uint8)


class Neighbour:
    """A rank in another process of this machine, each of which reads the other one's memory."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)
        self._used = threading.Lock()  # no other thread may get the socket's number meanwhile
        self._pieces: list[np.ndarray] = []

    def show(self, file: int, n_bytes: int) -> None:
        """Let the other rank read a file."""
        with self._used, suppress(OSError):  # whoever is gone is noticed by ``receive``
            socket.send_fds(self._end, [json.dumps(n_bytes).encode()], [file])

    def send(self, message: Message, place: tuple[int, int]) -> None:
        """Tell the other rank a message, whose array lies at a place of this rank's memory."""
        tag, numbers, array = message
        where = *place, array.nbytes, array.dtype.str
        with self._used, suppress(OSError):
            self._end.send(json.dumps((tag, numbers, where)).encode())

    def receive(self) -> Message | None:
        """Wait for the next message; None if there will be none."""
        while True:
            with self._used:
                try:
                    self._look()
                    said, files, _, _ = socket.recv_fds(self._end, _LONGEST, 1)
                except OSError:
                    return None
            if not said:
                return None
            if not files:
                return self._read(*json.loads(said))
            self._pieces.append(_mapped(files[0], json.loads(said), writable=False))
            os.close(files[0])

    def _look(self) -> None:
        """Return once something has come, or soon: to sleep and to be woken takes long."""
        end = time.perf_counter() + _LOOKING
        while not self._poll.poll(0) and time.perf_counter() < end:
            os.sched_yield()

    def _read(self, tag: list[int], numbers: list[float], where: list[Any]) -> Message:
        number, begin, n_bytes, dtype = where
        array = self._pieces[number][begin : begin + n_bytes].view(dtype)
        return Message(tuple(tag), tuple(numbers), array)

    def close(self) -> None:
        """End the connection: both ranks notice, also while they wait."""
        with suppress(OSError):  # it has ended
            self._end.shutdown(socket.SHUT_RDWR)  # which wakes a thread of this process
        with self._used:
            self._end.close()


class Door:
    """Where a neighbour comes in, once it has been told the name.

    Parameters
    ----------
    opens : bool
        Whether anybody shall.

    Attributes
    ----------
    name : bytes
        Empty if nobody can.
    """

    def __init__(self, *, opens: bool) -> None:
        self.name = b""
        self._listening: socket.socket | None = None
        if opens and CAN_SHARE:
            with suppress(OSError):
                self._open(b"\0fastmlp-" + secrets.token_hex(16).encode())

    def _open(self, name: bytes) -> None:
        os.close(os.memfd_create("fastmlp"))  # some containers forbid it
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(name)
        self._listening.listen()
        self._listening.setblocking(False)
        self.name = name

    def let_in(self) -> Neighbour | None:
        """Return who stands outside; None if nobody does whom this process may trust."""
        assert self._listening is not None
        with suppress(OSError):
            while True:
                neighbour = _trusted(self._listening.accept()[0])
                if neighbour is not None:
                    return neighbour
        return None

    def close(self) -> None:
        """Let nobody in any more."""
        if self._listening is not None:
            self._listening.close()


def visit(name: bytes) -> Neighbour | None:
    """Return who opened a door; None if there is none that can be reached from here."""
    if not name or not CAN_SHARE:
        return None
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.settimeout(_PATIENCE)
    try:
        os.close(os.memfd_create("fastmlp"))
        end.connect(name)
    except OSError:
        end.close()
        return None
    return _trusted(end)


def _trusted(end: socket.socket) -> Neighbour | None:
    """Return who is at the other end, if that process is of the same user."""
    end.setblocking(True)
    known = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    if _CREDENTIALS.unpack(known)[1] == os.geteuid():
        return Neighbour(end)
    end.close()
    return None
