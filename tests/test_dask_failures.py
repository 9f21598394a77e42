"""Workers that die, leave and come while a fit is under way: real processes and real signals.

A fit that has lost workers ends with the same bits as one that has not.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from functools import partial

import dask
import dask.array as da
import numpy as np
import pytest
from helpers_alarm import within
from helpers_dask import cluster_of
from numpy.testing import assert_array_equal

from fastmlp import DivergenceError
from fastmlp.dask import DaskMLPClassifier, DaskMLPRegressor, cluster
from fastmlp.dask.run import Distribution

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there are no such signals here"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2400, 12)).astype(np.float32)
Y = X[:, :3].sum(axis=1) > 0
WAYS = {
    "synchronous": {"exchange": "synchronous"},
    "local": {"exchange": "local", "local_steps": 5},
}


def rows(n_parts=4):
    return da.from_array(X, chunks=(len(X) // n_parts, -1)), da.from_array(Y, len(X) // n_parts)


def fitted(client, way="synchronous", *callbacks, **parameters):
    given = {
        "hidden_layer_sizes": (24,),
        "batch_size": 60,
        "max_iter": 6,
        "n_iter_no_change": 100,
        "random_state": 0,
        "n_shards": 2,
        "callbacks": list(callbacks) or None,
    }
    model = DaskMLPClassifier(client=client, **{**given, **WAYS[way], **parameters})
    return model.fit(*rows())


def assert_same(model, other):
    assert model.loss_curve_ == other.loss_curve_
    assert_array_equal(model.coefs_[0], other.coefs_[0])
    assert_array_equal(model.intercepts_[-1], other.intercepts_[-1])


def pids(client):
    return list(client.run(os.getpid).values())


class At:
    """A callback that does something once, after an epoch."""

    def __init__(self, epoch, act):
        self.epoch, self.act, self.done = epoch, act, 0

    def __call__(self, record):
        if record.epoch == self.epoch:
            self.done += 1
            return self.act()
        return None


@pytest.fixture(scope="module")
def shared():
    """Two workers, whose nannies start them again."""
    with cluster_of(2) as client:
        yield client


@pytest.fixture
def client(shared):
    shared.wait_for_workers(2, timeout=120)
    with within(300):
        yield shared


def kill(pid):
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_dies_between_rounds_costs_no_bit(client, way):
    expected = fitted(client, way)
    at = At(3, lambda: kill(pids(client)[0]))
    assert_same(fitted(client, way, at), expected)
    assert at.done == 1


def test_early_stopping_goes_on_as_if_no_worker_had_died(client):
    given = {"early_stopping": True, "n_iter_no_change": 3, "tol": 5e-3, "max_iter": 60}
    expected = fitted(client, **given)
    at = At(2, lambda: kill(pids(client)[0]))
    model = fitted(client, "synchronous", at, **given)
    assert_same(model, expected)
    assert model.validation_scores_ == expected.validation_scores_
    assert 2 < model.n_iter_ < 60
    assert at.done == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_dies_in_the_middle_of_a_round_costs_no_bit(client, way):
    expected = fitted(client, way, max_iter=30)
    victim = pids(client)[1]
    timer = threading.Timer(0.02, kill, (victim,))
    assert_same(fitted(client, way, At(2, timer.start), max_iter=30), expected)
    timer.join()
    assert victim not in pids(client)


def test_a_worker_that_dies_before_it_has_handed_over_its_result(client, monkeypatch):
    expected, original, killed = fitted(client), cluster.fetched, []

    def first_kill(of, futures, check):
        if not killed and len(futures) == 2:
            (address,) = of.who_has(futures[:1])[futures[0].key]
            killed.append(of.run(os.getpid)[address])
            kill(killed[0])
        return original(of, futures, check)

    monkeypatch.setattr(cluster, "fetched", first_kill)
    assert_same(fitted(client), expected)
    assert killed


def test_all_workers_die_and_are_started_again(client):
    expected = fitted(client)
    at = At(2, lambda: [kill(pid) for pid in pids(client)] and None)
    assert_same(fitted(client, "synchronous", at), expected)
    assert at.done == 1


def test_two_fits_at_once_on_workers_of_one_thread(client):
    expected = [fitted(client, way) for way in WAYS]
    found = {}
    threads = [
        threading.Thread(target=lambda way=way: found.update({way: fitted(client, way)}))
        for way in WAYS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    for way, model in zip(WAYS, expected, strict=True):
        assert_same(found[way], model)


def test_a_callback_that_raises_leaves_the_cluster_free(client):
    def fail():
        raise LookupError("of the user's")

    with pytest.raises(LookupError, match="of the user's"):
        fitted(client, "synchronous", At(2, fail))
    assert fitted(client).n_iter_ == 6


def test_a_divergence_leaves_the_cluster_free(client):
    model = DaskMLPRegressor(client=client, solver="sgd", learning_rate_init=1e6, n_shards=2)
    table, _ = rows()
    with pytest.raises(DivergenceError):
        model.fit(table, 1e3 * table[:, 0])
    assert fitted(client).n_iter_ == 6


def test_ctrl_c_keeps_what_was_learnt(client):
    press = At(2, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.warns(UserWarning, match="interrupted"):
        model = fitted(client, "synchronous", press, max_iter=1000)
    assert 2 <= model.n_iter_ < 1000
    assert "interrupted" in model.stop_reason_
    assert fitted(client).n_iter_ == 6


def test_rows_that_come_out_otherwise_end_the_fit(client, tmp_path):
    """A file that has lost rows would else be learnt from in silence."""
    for number, part in enumerate(np.split(X, 4)):
        np.save(tmp_path / f"{number}.npy", part)

    def change():
        for number in range(4):
            np.save(tmp_path / f"{number}.npy", X[:599])
        for pid in pids(client):
            kill(pid)

    parts = [dask.delayed(np.load)(str(tmp_path / f"{number}.npy")) for number in range(4)]
    table = da.concatenate([da.from_delayed(each, (600, 12), X.dtype) for each in parts])
    model = DaskMLPRegressor(client=client, max_iter=50, n_shards=2, callbacks=[At(2, change)])
    with pytest.raises(ValueError, match="600 rows"):
        model.fit(table, table[:, 0])


def test_nobody_comes(monkeypatch):
    """Without workers a fit waits for some time, and then says so."""
    monkeypatch.setattr(
        "fastmlp.dask.learning.Distribution", partial(Distribution, worker_timeout=1.0)
    )
    with cluster_of(1) as client, within(300):
        leave = At(2, lambda: client.cluster.scale(0))
        with pytest.raises(RuntimeError, match="no workers, and none came within 1 seconds"):
            fitted(client, "synchronous", leave, max_iter=200)


def test_nobody_is_there_when_the_fit_begins(monkeypatch):
    monkeypatch.setattr("fastmlp.dask.waiting.WORKER_TIMEOUT", 1.0)
    with cluster_of(1) as client, within(300):
        client.cluster.scale(0)
        with pytest.raises(RuntimeError, match="no workers, and none came within 1 seconds"):
            fitted(client)


def test_a_scheduler_that_is_gone():
    with cluster_of(1) as client, within(300):
        leave = At(2, client.cluster.close)
        with pytest.raises(RuntimeError, match="connection to Dask's scheduler is lost"):
            fitted(client, "synchronous", leave, max_iter=200)


def test_workers_leave_and_come(request):
    """The cluster shrinks to one worker that was told to go, and grows again to three."""
    with cluster_of(2) as client, within(300):
        expected = fitted(client, n_shards=3)

        def retire():
            client.retire_workers([sorted(client.scheduler_info()["workers"])[0]])

        def grow():
            client.cluster.scale(4)  # which counts the one that was told to go
            client.wait_for_workers(3, timeout=120)

        seen, caplog = [], request.getfixturevalue("caplog")
        caplog.set_level(logging.INFO, "fastmlp.dask")

        def look(record):
            seen.append(len(client.scheduler_info()["workers"]))

        model = fitted(client, "synchronous", At(2, retire), At(4, grow), look, n_shards=3)
    assert_same(model, expected)
    assert min(seen) == 1
    assert max(seen) == 3
    places = [line for line in caplog.messages if line.startswith("ranks are on")]
    assert len(set(places[-1].removeprefix("ranks are on ").split(", "))) == 3


def test_a_cluster_that_adapts_itself():
    """Dask's own rule stops workers between rounds, and starts others."""
    with cluster_of(3) as client, within(300):
        expected, seen, asked = fitted(client, n_shards=3), [], []

        def adapt(n_workers):
            if n_workers not in asked:
                asked.append(n_workers)
                client.cluster.adapt(
                    minimum=n_workers, maximum=n_workers, interval="200ms", wait_count=1
                )

        def look(record):
            time.sleep(0.5)
            seen.append(len(client.scheduler_info()["workers"]))
            if record.epoch > 1:
                adapt(1)
            if min(seen) < 2:
                adapt(3)
            return record.epoch > 6 and len(asked) == 2 and seen[-1] == 3

        model = fitted(client, "synchronous", look, n_shards=3, max_iter=200, n_iter_no_change=200)
    assert min(seen) < 2
    assert seen[-1] == 3
    assert model.loss_curve_[:6] == expected.loss_curve_


def test_rows_scattered_to_a_worker_that_dies_end_the_fit():
    """Dask can't make again what a user has put on a worker: that is said, and nothing is lost."""
    with cluster_of(2) as client, within(300):
        futures = [client.scatter(part) for part in np.split(X, 4)]
        parts = [da.from_delayed(each, (600, 12), X.dtype) for each in futures]
        holders = {place for places in client.who_has(futures).values() for place in places}
        owners = client.run(os.getpid)
        model = DaskMLPClassifier(
            (24,), client=client, exchange="synchronous", max_iter=500, n_shards=2, random_state=0
        )
        at = At(2, lambda: [kill(owners[each]) for each in holders] and None)
        with pytest.raises(RuntimeError, match="Give collections that Dask can compute anew"):
            model.set_params(callbacks=[at]).fit(da.concatenate(parts), da.from_array(Y, 600))
