"""Memory that ranks on one machine share: the bits of messages, and nothing that outlives it."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from helpers_alarm import within
from helpers_dask import cluster_of
from numpy.testing import assert_array_equal

from fastmlp.dask import DaskMLPRegressor
from fastmlp.dask.exchange import NAME, Exchange
from fastmlp.dask.shared import CAN_SHARE, Door, Memory, Message, visit

resource = pytest.importorskip("resource")

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(not CAN_SHARE, reason="this system has no such memory or sockets"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(480, 5)).astype(np.float32)
Y = np.sin(X[:, 0]) + X[:, 1]
WAYS = {
    "synchronous": {"exchange": "synchronous"},
    "local": {"exchange": "local", "local_steps": 3},
}


def fits(n_workers, n_shards, *, shares_memory):
    """Return what fits in each way have learnt, and the neighbours that their ranks had."""
    exchange, found, seen = Exchange(), {}, set()
    exchange.shares_memory = shares_memory

    def look(record):
        members = client.run(
            lambda dask_worker: [
                each.n_neighbours for each in dask_worker.plugins[NAME]._members.values() if each
            ]
        )
        seen.update(n for of_worker in members.values() for n in of_worker)

    with cluster_of(n_workers) as client, within(150):
        client.register_plugin(exchange)
        for way, given in WAYS.items():
            model = DaskMLPRegressor(
                hidden_layer_sizes=(16,),
                client=client,
                n_shards=n_shards,
                batch_size=48,
                max_iter=4,
                dropout=0.1,
                normalization="batch",
                random_state=0,
                callbacks=[look],
                **given,
            )
            found[way] = model.fit(da.from_array(X, (40, -1)), da.from_array(Y, 40))
    return found, sorted(seen)


@pytest.mark.parametrize(
    ("n_workers", "n_shards", "expected"), [(2, 2, [1]), (2, 3, [1, 2]), (4, 4, [3])]
)
def test_bits_are_those_of_messages(n_workers, n_shards, expected):
    shared, seen = fits(n_workers, n_shards, shares_memory=True)
    by_messages, none = fits(n_workers, n_shards, shares_memory=False)
    assert (seen, none) == (expected, [0])
    for way, model in shared.items():
        assert model.loss_curve_ == by_messages[way].loss_curve_
        for mine, theirs in (
            (model._learnt.network.parameters, by_messages[way]._learnt.network.parameters),
            (model._learnt.network.moments, by_messages[way]._learnt.network.moments),
        ):
            assert_array_equal(mine, theirs)


def met():
    """Return two neighbours who see each other."""
    door = Door(opens=True)
    visitor = visit(door.name)
    host = door.let_in()
    door.close()
    return host, visitor


def is_shared_memory_open():
    gc.collect()
    return "memfd:fastmlp" in Path("/proc/self/maps").read_text()


def test_a_neighbour_reads_what_was_written_after_it_was_shown():
    host, visitor = met()
    memory = Memory()
    memory.neighbours.append(host)
    first, second = memory.zeros(5, np.float64), memory.zeros(3, np.float32)
    first[...], second[...] = np.arange(5), [7, 8, 9]
    for array in (first[2:4], second, first[5:]):
        host.send(Message((3, 4), (0.1, np.inf), array), memory.place(array))
    for expected in ([2, 3], [7, 8, 9], []):
        tag, numbers, array = visitor.receive()
        assert (tag, numbers) == ((3, 4), (0.1, np.inf))
        assert_array_equal(array, expected)
        assert not array.flags.writeable
    with pytest.raises(LookupError, match="not in memory"):
        memory.place(np.zeros(3))
    host.close()
    assert visitor.receive() is None
    visitor.close()


def test_a_rank_that_waits_is_woken_by_its_own_process():
    """As by a task that is cancelled, or a worker that closes."""
    host, visitor = met()
    found = []
    thread = threading.Thread(target=lambda: found.append(visitor.receive()))
    thread.start()
    while not visitor._used.locked():
        time.sleep(0.001)
    visitor.close()
    thread.join(10)
    assert found == [None]
    assert host.receive() is None
    host.close()


@pytest.mark.parametrize("what", ["piece", "place"])
def test_what_can_not_be_told_ends_the_connection(what, monkeypatch):
    """Else the other rank would wait for ever, or read another piece than was meant."""
    host, visitor = met()
    memory = Memory()
    memory.neighbours.append(host)

    def refuse(*_):
        raise OSError(errno.ETOOMANYREFS, "too many files are on their way")

    if what == "piece":
        with monkeypatch.context() as context:
            context.setattr(socket, "send_fds", refuse)
            memory.zeros(3, np.float32)
    array = memory.zeros(3, np.float32)
    numbers = (0.1,) * (1 if what == "piece" else 100_000)  # more than a packet holds
    host.send(Message((), numbers, array), memory.place(array))
    for rank in (host, visitor):
        assert rank._poll.poll(0)  # which notices that there is something, be it the end
        assert rank.receive() is None
        rank.close()


def test_a_rank_that_may_open_no_more_files_is_lost():
    host, visitor = met()
    memory = Memory()
    memory.neighbours.append(host)
    memory.zeros(3, np.float32)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, limits[1]))  # but 0, which is open
    try:
        assert visitor.receive() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    host.close()
    visitor.close()


SHOWING = """
import signal, sys
import numpy as np
from fastmlp.dask.shared import Memory, Message, visit
memory, host = Memory(), visit(bytes.fromhex(sys.argv[1]))
memory.neighbours.append(host)
array = memory.zeros(1000, np.float32)
array[...] = 5
host.send(Message((), (), array), memory.place(array))
signal.pause()
"""


def test_a_rank_that_waits_is_woken_by_the_death_of_the_other_process():
    door, host = Door(opens=True), None
    other = subprocess.Popen([sys.executable, "-c", SHOWING, door.name.hex()])
    with within(300):
        while host is None:
            time.sleep(0.01)
            host = door.let_in()
        array = host.receive().array
        killer = threading.Timer(0.1, other.kill)
        killer.start()
        assert host.receive() is None
        killer.join()
    assert other.wait(10) == -signal.SIGKILL
    assert (array == 5).all()  # what was shown stays until nobody reads it
    host.close()
    door.close()
    assert is_shared_memory_open()
    del array, host
    assert not is_shared_memory_open()
    assert not [name for name in os.listdir("/dev/shm") if "fastmlp" in name]
    assert door.name.decode().strip("\0") not in Path("/proc/net/unix").read_text()


def test_who_can_not_come_in_is_told_so():
    assert visit(b"") is None
    assert visit(b"\0fastmlp-nobody") is None
    assert Door(opens=False).name == b""
    door = Door(opens=True)
    assert door.let_in() is None
    door.close()


def test_strangers_stay_outside(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    door = Door(opens=True)
    assert visit(door.name) is None
    assert door.let_in() is None
    door.close()
