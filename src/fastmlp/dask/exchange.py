"""Messages between the workers of a fit, over Dask's own connections.

A plugin on each worker accepts streams of messages and keeps them until they are asked for. Those
who train together are a group. Each rank of it has one stream to each other rank; a stream that
breaks is how a rank learns that another one is gone.

Where two ranks are in processes of one machine, they show each other where their arrays are, if the
system lets them; all else is as it is with messages.

A rank lives as long as Dask keeps the result of its last task, by that task's key. So it ends with
the task's cancellation, with the release of its result, with its client, or with its worker.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from distributed import Worker, WorkerPlugin
from distributed.comm import Comm, CommClosedError, connect
from distributed.core import Status
from distributed.protocol import to_serialize

from fastmlp.dask.shared import Door, Memory, Message, Neighbour, visit

__all__ = ["NAME", "Box", "Exchange", "Member", "Message", "PeerLostError"]

logger = logging.getLogger("fastmlp.dask")

#: Of the plugin, and of the workers' handler.
NAME = "fastmlp-exchange"
_OPERATION = "fastmlp_exchange"

#: How the keys of tasks begin that have a rank.
KEY_PREFIX = "fastmlp-round"

#: States of a task after which nobody waits for what it does.
_ENDED = frozenset({"cancelled", "released", "forgotten", "error"})


class PeerLostError(Exception):
    """A rank can't go on, since another one is gone or nobody waits for it any more."""


class Member:
    """A rank of a group.

    What is sent may still be on its way when ``send`` returns: its array must not be changed
    before the other rank is known to have read it.

    Attributes
    ----------
    rank : int
    addresses : tuple of str
        Of the workers of all ranks.
    n_bytes : int
        Of all arrays that were sent.
    kept : object
        What the rank keeps from one task to the next.
    """

    def __init__(self, exchange: Exchange, group: str, rank: int, addresses: tuple[str, ...]):
        self.group, self.rank, self.addresses = group, rank, addresses
        self.n_bytes = 0
        self.kept: Any = None
        self._exchange = exchange
        self._comms: dict[int, tuple[Comm, asyncio.Lock]] = {}
        self._over = threading.Event()
        self._here = addresses[rank]
        self._memory = Memory()
        self._scratch: dict[tuple[int, np.dtype], np.ndarray] = {}
        self._boxes = {other: exchange.box(group, rank, other) for other in self.others}
        for box in self._boxes.values():
            box.is_claimed = True

    @property
    def others(self) -> list[int]:
        """All ranks but this one, beginning behind it."""
        n = len(self.addresses)
        return [(self.rank + i) % n for i in range(1, n)]

    @property
    def n_neighbours(self) -> int:
        """Ranks in other processes that read this one's memory, and let it read theirs."""
        return len(self._memory.neighbours)

    def zeros(self, n: int, dtype: np.dtype) -> np.ndarray:
        """Return zeros (n,) that can be sent, by a rank that has joined; no other arrays can."""
        return self._memory.zeros(n, dtype)

    def scratch(self, n: int, dtype: np.dtype) -> np.ndarray:
        """Return an array (n,) that can be sent, the same one for each size."""
        key = n, dtype
        if key not in self._scratch:
            self._scratch[key] = self.zeros(n, dtype)
        return self._scratch[key]

    def join(self) -> None:
        """Open a stream to each rank on another worker.

        Raises
        ------
        PeerLostError
            If one of them can't be reached.
        """
        away = [other for other in self.others if self.addresses[other] != self._here]
        if away:
            asyncio.run_coroutine_threadsafe(self._connect(away), self._exchange.loop)
            for other in away:
                self._take(self._boxes[other].opened)
            host = _host(self._here)
            self._meet([other for other in away if _host(self.addresses[other]) == host])
            self.n_bytes = 0
            logger.info("rank %d shares memory with %d ranks", self.rank, self.n_neighbours)

    def _meet(self, near: Iterable[int]) -> None:
        """Let ranks on this machine read this one's memory, and read theirs, where that can be."""
        shares = self._exchange.shares_memory
        doors = {other: Door(opens=shares) for other in near if other > self.rank}
        try:
            self.send((other, _said(door.name)) for other, door in doors.items())
            for other in near:
                if other < self.rank:
                    name = self.receive(other, ()).array.tobytes()
                    neighbour = visit(name) if shares else None
                    self.send([(other, _said(b"" if neighbour is None else name))])
                    if neighbour is not None:
                        self._take_in(other, neighbour)
            for other, door in doors.items():
                if self.receive(other, ()).array.size:
                    self._take_in(other, door.let_in())
        finally:
            for door in doors.values():
                door.close()

    def _take_in(self, other: int, neighbour: Neighbour | None) -> None:
        if neighbour is None:
            raise PeerLostError(f"rank {other} came, and is gone again")
        self._boxes[other].meet(neighbour)
        self._memory.neighbours.append(neighbour)

    async def _connect(self, away: Iterable[int]) -> None:
        await asyncio.gather(*map(self._connect_to, away))

    async def _connect_to(self, other: int) -> None:
        box = self._boxes[other]
        try:
            address, arguments = self.addresses[other], self._exchange.worker.connection_args
            comm = await connect(address, **arguments)
            about = {"group": self.group, "sender": self.rank, "receiver": other}
            self._comms[other] = comm, asyncio.Lock()
            await comm.write({"op": _OPERATION, "reply": False, **about})
        except Exception as error:
            box.lose(f"rank {other} can't be reached: {error!r}")
        else:
            box.opened.put(None)
            if self._over.is_set():
                comm.abort()

    def send(self, messages: Iterable[tuple[int, Message]]) -> None:
        """Send each message to the rank beside it."""
        away = []
        for other, message in messages:
            self.n_bytes += message.array.nbytes
            neighbour = self._boxes[other].neighbour
            if neighbour is not None:
                neighbour.send(message, self._memory.place(message.array))
            elif self.addresses[other] == self._here:
                self._exchange.box(self.group, other, self.rank).put(message)
            else:
                away.append((other, message))
        if away:
            self._exchange.loop.call_soon_threadsafe(self._write_all, away)

    def _write_all(self, away: list[tuple[int, Message]]) -> None:
        for other, message in away:
            self._exchange.begin(self._write(other, message))

    async def _write(self, other: int, message: Message) -> None:
        comm, lock = self._comms[other]
        try:
            async with lock:  # a large message is made ready in a thread: none may overtake it
                await comm.write(
                    {"tag": message.tag, "of": message.numbers, "a": to_serialize(message.array)}
                )
        except Exception as error:
            self._boxes[other].lose(f"rank {other} does not listen: {error!r}")

    def receive(self, other: int, tag: tuple[int, ...]) -> Message:
        """Wait for the next message of a rank.

        Raises
        ------
        PeerLostError
            If none will come.
        """
        message = self._next(self._boxes[other], other)
        if message.tag != tag:
            raise PeerLostError(f"rank {other} is at {message.tag}, not at {tag}")
        return message

    def _next(self, box: Box, other: int) -> Message:
        if box.neighbour is not None:
            shown = box.neighbour.receive()
            if shown is not None:
                return shown
            box.lose(f"rank {other} is gone")
        message: Message = self._take(box.messages)
        return message

    def _take(self, queue: SimpleQueue[Any]) -> Any:
        self.check()
        answer = queue.get()
        if isinstance(answer, PeerLostError):
            queue.put(answer)  # for all who ask after this
            raise answer
        return answer

    def check(self) -> None:
        """Raise PeerLostError if nobody waits for what this rank does."""
        if self._over.is_set():
            raise PeerLostError("the task has been called off")

    def close(self, why: str = "the task has been called off") -> None:
        """Close all streams; whoever waits for a message gets PeerLostError."""
        self._over.set()
        for other, box in self._boxes.items():
            box.lose(why)
            self._exchange.forget(self.group, self.rank, other)
            if self.addresses[other] == self._here:
                self._exchange.leave(self.group, other, self.rank)
        self._exchange.call_soon(self._abort_comms)

    def _abort_comms(self) -> None:
        for comm, _ in self._comms.values():
            comm.abort()


def _host(address: str) -> str | None:
    """Return the name or number of a worker's machine."""
    return urlsplit(address).hostname


def _said(name: bytes) -> Message:
    """Return a message that has only a name, or none."""
    return Message((), (), np.array(bytearray(name), np.uint8))


class Box:
    """What one rank has received from another and not read yet; two messages at most.

    Attributes
    ----------
    neighbour : Neighbour or None
        By whom all comes instead, once the two ranks have met.
    """

    def __init__(self) -> None:
        self.messages: SimpleQueue[Message | PeerLostError] = SimpleQueue()
        self.opened: SimpleQueue[PeerLostError | None] = SimpleQueue()
        self.has_stream = self.is_claimed = self.is_lost = False
        self.put = self.messages.put
        self.neighbour: Neighbour | None = None

    def meet(self, neighbour: Neighbour) -> None:
        """Let a neighbour tell where messages are from now on."""
        self.neighbour = neighbour
        if self.is_lost:  # which another thread may have noticed meanwhile
            neighbour.close()

    def lose(self, why: str) -> None:
        """Let nobody wait."""
        self.messages.put(PeerLostError(why))
        self.opened.put(PeerLostError(why))
        self.is_lost = True
        if self.neighbour is not None:
            self.neighbour.close()


class Exchange(WorkerPlugin):
    """The plugin of each worker: its ranks, and what has come for them."""

    name = NAME
    shares_memory = True  # with ranks in other processes of this machine
    idempotent = True  # a second registration must not end the fits of the first one

    def setup(self, worker: Worker) -> None:
        """Begin to accept streams."""
        self.worker = worker
        self.loop: asyncio.AbstractEventLoop = worker.loop.asyncio_loop
        self._lock = threading.RLock()
        self._boxes: dict[tuple[str, int, int], Box] = {}
        self._members: dict[str, Member | None] = {}
        self._writing: set[asyncio.Task[None]] = set()
        worker.handlers[_OPERATION] = self._accept

    def teardown(self, worker: Worker) -> None:
        """End all ranks."""
        with self._lock:
            members, self._members = list(self._members.values()), {}
        for member in members:
            if member is not None:
                member.close("the worker is closing")

    @classmethod
    def of(cls, worker: Worker) -> Exchange:
        """Return a worker's own."""
        plugin: Exchange = worker.plugins[NAME]
        return plugin

    # -- ranks ----------------------------------------------------------------------------------

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """End the rank of a task that nobody waits for, or whose result is released."""
        if not str(key).startswith(KEY_PREFIX):
            return
        with self._lock:
            if finish in _ENDED:
                member = self._members.pop(key, None)
            else:
                self._members.setdefault(key, None)
                return
        if member is not None:
            member.close()

    def found(self, key: str, group: str, rank: int, addresses: tuple[str, ...]) -> Member:
        """Return a new rank, which lives as long as the task ``key`` or its result."""
        member = Member(self, group, rank, addresses)
        self._give(key, member)
        return member

    def take_over(self, key: str, earlier: str) -> Member:
        """Return the rank that an earlier task has left.

        Raises
        ------
        PeerLostError
            If there is none.
        """
        with self._lock:
            member = self._members.get(earlier)
            if member is None:
                raise PeerLostError("this worker has no rank of an earlier round")
            self._members[earlier] = None
        self._give(key, member)
        return member

    def _give(self, key: str, member: Member) -> None:
        with self._lock:
            wanted = key in self._members
            if wanted:
                self._members[key] = member
        if not wanted:
            member.close()

    # -- messages -------------------------------------------------------------------------------

    def box(self, group: str, receiver: int, sender: int) -> Box:
        """Return where messages wait for a rank."""
        with self._lock:
            return self._boxes.setdefault((group, receiver, sender), Box())

    def leave(self, group: str, receiver: int, sender: int) -> None:
        """Tell a rank on this worker, if it has begun, that another one here is gone."""
        with self._lock:
            box = self._boxes.get((group, receiver, sender))
            if box is not None and not box.is_claimed:
                del self._boxes[group, receiver, sender]
        if box is not None:
            box.lose(f"rank {sender} is gone")

    def forget(self, group: str, receiver: int, sender: int) -> None:
        """Drop what waits for a rank."""
        with self._lock:
            self._boxes.pop((group, receiver, sender), None)

    async def _accept(self, comm: Comm, group: str, sender: int, receiver: int) -> Any:
        """Put what comes by a stream into its box, until it breaks."""
        box = self.box(group, receiver, sender)
        second, box.has_stream = box.has_stream, True
        try:
            while not second:
                message = await comm.read()
                self.deliver(
                    box, Message(tuple(message["tag"]), tuple(message["of"]), message["a"])
                )
        except (CommClosedError, OSError):
            pass
        finally:
            # A rank that comes a second time has been started anew: the first one is gone.
            box.lose(f"rank {sender} has been started anew" if second else f"rank {sender} is gone")
            self.forget(group, receiver, sender)
            comm.abort()
        return Status.dont_reply

    def deliver(self, box: Box, message: Message) -> None:
        """Put a message that has come from another worker into a box."""
        box.put(message)

    def begin(self, writing: Any) -> None:
        """Start a coroutine on the worker's loop, which this is called on."""
        task = self.loop.create_task(writing)
        self._writing.add(task)  # a loop alone does not keep its tasks alive
        task.add_done_callback(self._writing.discard)

    def call_soon(self, callback: Any) -> None:
        """Call on the worker's loop, if that still runs."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(callback)
