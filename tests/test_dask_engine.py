"""What a cluster computes: the formulas, and bits that do not depend on who has which rows."""

from __future__ import annotations

import logging

import dask.array as da
import numpy as np
import pytest
from helpers_alarm import within
from helpers_dask import cluster_of
from numpy.testing import assert_allclose, assert_array_equal

from fastmlp import MLPRegressor
from fastmlp.dask import DaskMLPClassifier, DaskMLPRegressor, cluster
from fastmlp.dask.link import LOCAL, SYNCHRONOUS, decide
from fastmlp.dask.placing import placed
from fastmlp.dask.rounds import OUTER_MOMENTUM, OUTER_RATE
from fastmlp.dask.run import Distribution
from fastmlp.dask.sums import bytes_of_sum, weighted_sum
from fastmlp.dask.waiting import fetched
from fastmlp.schedules import Cosine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N, BATCH = 600, 60
X = RNG.normal(size=(N, 5))
Y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
WEIGHTS = RNG.uniform(0.5, 2, N)
WAYS = {
    "synchronous": {"exchange": "synchronous"},
    "local": {"exchange": "local", "local_steps": 5},
}
GIVEN = {
    "hidden_layer_sizes": (12,),
    "batch_size": BATCH,
    "max_iter": 4,
    "n_iter_no_change": 100,
    "tol": 0.0,
    "random_state": 0,
    "dtype": "float64",
}
#: Rows of the two shards: parts of 100 rows, as evenly as may be.
SHARDS = [np.arange(300), np.arange(300, 600)]


@pytest.fixture(scope="module")
def shared():
    with cluster_of(2) as client:
        yield client


@pytest.fixture
def client(shared):
    with within(300):
        yield shared


def on_cluster(client, way="synchronous", weights=None, **parameters):
    given = {**GIVEN, "n_shards": 2, **WAYS[way], **parameters}
    model = DaskMLPRegressor(client=client, **given)
    rows = [None if each is None else da.from_array(each, 100) for each in (Y, weights)]
    return model.fit(da.from_array(X, (100, -1)), *rows)


def batches(n_updates=N // BATCH):
    """Return the rows of each update by its shards, without a shuffle."""
    return [
        [rows[len(rows) * u // n_updates : len(rows) * (u + 1) // n_updates] for rows in SHARDS]
        for u in range(n_updates)
    ]


@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw", "lion"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_sums_of_gradients_are_the_batches_of_one_machine(client, solver, weights):
    order = np.concatenate([np.concatenate(each) for each in batches()])
    parameters = {"shuffle": False, "solver": solver, "alpha": 0.1, "clip_norm": 1.0}
    alone = MLPRegressor(**GIVEN, **parameters)
    alone.fit(X[order], Y[order], None if weights is None else weights[order])
    together = on_cluster(client, weights=weights, **parameters)
    for ours, theirs in zip(together.coefs_, alone.coefs_, strict=True):
        assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)
    assert_allclose(together.loss_curve_, alone.loss_curve_, rtol=1e-8)


def rounds(n_epochs, n_steps):
    """Yield the updates between two averages, of each epoch: never more than there were before."""
    updates, made = batches(), 0
    for _ in range(n_epochs):
        first = 0
        while first < len(updates):
            chosen = updates[first : first + min(n_steps, max(1, made))]
            yield chosen
            first += len(chosen)
            made += len(chosen)


def local_oracle(start, n_epochs, n_steps, rate):
    """Return weights and biases after local SGD with an outer step, written down by its formula."""

    def state(model):
        return [*model.coefs_, *model.intercepts_]

    model = start
    theta = [each.copy() for each in state(model)]
    velocity = [np.zeros_like(each) for each in theta]
    for chosen in rounds(n_epochs, n_steps):
        ends = []
        for rank in range(2):
            own = [each.copy() for each in theta]
            for update in chosen:
                for there, value in zip(state(model), own, strict=True):
                    there[...] = value
                gradient = model.gradient(X[update[rank]], Y[update[rank]])
                slopes = [*gradient.coefs, *gradient.intercepts]
                own = [w - rate * g for w, g in zip(own, slopes, strict=True)]
            ends.append(own)
        for i, before in enumerate(theta):
            difference = before - (ends[0][i] + ends[1][i]) / 2
            velocity[i] = OUTER_MOMENTUM * velocity[i] + difference
            theta[i] = before - OUTER_RATE * (OUTER_MOMENTUM * velocity[i] + difference)
    return theta


def test_local_updates_are_those_of_the_formula(client):
    parameters = {"shuffle": False, "solver": "sgd", "momentum": 0.0, "alpha": 0.0}
    start = on_cluster(client, "local", **parameters, learning_rate_init=1e-300, max_iter=1)
    together = on_cluster(client, "local", **parameters, learning_rate_init=0.05, max_iter=2)
    expected = local_oracle(start.to_local(), 2, 5, 0.05)
    found = [*together.coefs_, *together.intercepts_]
    for ours, theirs in zip(found, expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


def adam_oracle(start, n_epochs, n_steps, rate, betas, eps=1e-8):
    """Return weights and biases after local Adam, whose v is that of both ranks together."""

    def state(model):
        return [*model.coefs_, *model.intercepts_]

    def numbers(values):
        return np.concatenate([each.ravel() for each in values])

    def gradient_of(values, rows):
        model_values = np.split(values, np.cumsum([each.size for each in state(start)])[:-1])
        for there, value in zip(state(start), model_values, strict=True):
            there[...] = value.reshape(there.shape)
        slopes = start.gradient(X[rows], Y[rows])
        return numbers([*slopes.coefs, *slopes.intercepts])

    theta = numbers(state(start))
    velocity, m, v = np.zeros((3, len(theta)))
    (beta_1, beta_2), t = betas, 0
    for chosen in rounds(n_epochs, n_steps):
        h, ends = len(chosen), []
        for rank in range(2):
            own, m_own, v_own, squares = theta.copy(), m.copy(), v.copy(), np.zeros_like(v)
            for step, update in enumerate(chosen, t + 1):
                g = gradient_of(own, update[rank])
                m_own = beta_1 * m_own + (1 - beta_1) * g
                v_own = beta_2 * v_own + (1 - beta_2) * g**2 / (1 if step == 1 else 2)
                squares = beta_2 * squares + (1 - beta_2) * g**2
                root = np.sqrt(1 - beta_2**step)
                own = own - rate * root / (1 - beta_1**step) * m_own / (np.sqrt(v_own) + eps)
            ends.append((own, m_own, squares))
        own, m_mean, squares = (sum(each) / 2 for each in zip(*ends, strict=True))
        t += h
        weights = beta_1 ** np.arange(h)
        kappa = np.sum(weights**2) / np.sum(weights) ** 2
        slope = (m_mean - beta_1**h * m) / (1 - beta_1**h)
        noise = (squares / (1 - beta_2**h) - slope**2) / (2 - kappa)
        v = beta_2**h * v + (1 - beta_2**h) * (slope**2 + (1 - kappa) * noise)
        m, difference = m_mean, theta - own
        velocity = OUTER_MOMENTUM * velocity + difference
        theta = theta - OUTER_RATE * (OUTER_MOMENTUM * velocity + difference)
    return theta


def test_local_updates_by_adam_are_those_of_the_formula(client):
    parameters = {"shuffle": False, "alpha": 0.0, "beta_2": 0.9}
    start = on_cluster(client, "local", **parameters, learning_rate_init=1e-300, max_iter=1)
    together = on_cluster(client, "local", **parameters, learning_rate_init=0.01, max_iter=2)
    expected = adam_oracle(start.to_local(), 2, 5, 0.01, (0.9, 0.9))
    found = np.concatenate([np.ravel(w) for w in (*together.coefs_, *together.intercepts_)])
    assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_many_ranks_learn_as_much_by_local_updates_as_by_sums(client, solver):
    parameters = {"n_shards": 6, "solver": solver, "max_iter": 8, "batch_size": 30}
    if solver == "sgd":
        parameters["learning_rate_init"] = 0.005
    costs = [on_cluster(client, way, **parameters).loss_curve_[-1] for way in WAYS]
    assert costs[1] < 1.05 * costs[0]


@pytest.mark.parametrize("way", WAYS)
def test_one_shard_learns_as_well_as_one_machine(client, way):
    alone = MLPRegressor(**{**GIVEN, "max_iter": 40}).fit(X, Y)
    model = on_cluster(client, way, n_shards=1, max_iter=40)
    assert model.to_local().score(X, Y) > alone.score(X, Y) - 0.1


def test_bits_do_not_depend_on_who_has_the_rows():
    found = {way: [] for way in WAYS}
    with cluster_of(1) as client, within(300):
        for n_workers in (1, 2, 3):
            client.cluster.scale(n_workers)
            client.wait_for_workers(n_workers, timeout=120)
            for way, models in found.items():
                more = {"n_shards": 3, "dropout": 0.2, "normalization": "batch"}
                models.append(on_cluster(client, way, **more, dtype="float32"))
    for first, *others in found.values():
        for other in others:
            assert first.loss_curve_ == other.loss_curve_
            assert_array_equal(first._learnt.network.parameters, other._learnt.network.parameters)
            assert_array_equal(first._learnt.network.moments, other._learnt.network.moments)


@pytest.mark.parametrize("n_shards", [1, 2, 3])
@pytest.mark.parametrize("way", WAYS)
def test_bytes_of_rounds(client, monkeypatch, way, n_shards):
    """A sum costs 2 (W − 1)/W times what is summed; averages sum moments too."""
    kept = []

    class Kept(Distribution):
        def __init__(self, *given):
            super().__init__(*given)
            kept.append(self)

    monkeypatch.setattr("fastmlp.dask.learning.Distribution", Kept)
    model = on_cluster(client, way, n_shards=n_shards, n_iter_no_change=9)
    network, n_updates = model._learnt.network, GIVEN["max_iter"] * N // BATCH
    n_bytes, n_sums = network.parameters.nbytes, n_updates
    if way == "local":
        # Moments begin at a cache line, which 16 numbers fill at most.
        begin = -(-len(network.parameters) // 16) * 16
        n_bytes = 8 * (begin + network.moments.size)
        n_sums = len(list(rounds(GIVEN["max_iter"], 5)))
    expected = n_sums * n_shards * bytes_of_sum(n_bytes, n_shards)
    assert kept[0].cluster.n_bytes == pytest.approx(expected, rel=1e-12)


def test_a_sum_is_made_in_the_order_of_the_ranks():
    parts = [np.array([1e8, 1.0], np.float32), np.array([1.0, 2.0], np.float32)]
    parts.append(np.array([-1e8, 3.0], np.float32))
    out = np.empty(2, np.float32)
    weighted_sum(parts, [1.0, 1.0, 1.0], out)
    expected = (parts[0] + parts[1]) + parts[2]
    assert_array_equal(out, expected)
    assert out[0] != (parts[2] + parts[0] + parts[1])[0]
    weighted_sum(parts, [1.0, 0.5, 0.25], out)
    assert_array_equal(out, (parts[0] + np.float32(0.5) * parts[1]) + np.float32(0.25) * parts[2])


@pytest.mark.parametrize("way", WAYS)
def test_early_stopping_callbacks_and_schedules_are_the_clients(client, way):
    seen = []
    model = on_cluster(
        client,
        way,
        early_stopping=True,
        n_iter_no_change=2,
        tol=10.0,
        max_iter=50,
        learning_rate=Cosine(),
        callbacks=[lambda record: seen.append(record.learning_rate)],
    )
    assert model.n_iter_ == 4
    assert len(model.validation_scores_) == 4
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 4
    stopped = on_cluster(client, way, callbacks=[lambda record: record.epoch == 2])
    assert stopped.n_iter_ == 2


def watch_alignment():
    """Return what puts a watch on the compiled core of a worker, and what ends that and tells.

    Both travel as they are: workers can't import this file.
    """

    def begin():
        import numpy as np

        from fastmlp.backends import Rows, compiled

        compiled.seen, compiled.unwatched = [], []

        def watched(name, method):
            def call(self, *arguments, **named):
                parts = [p for a in arguments for p in (a if isinstance(a, Rows) else (a,))]
                aligned = [p.flags.aligned for p in parts if isinstance(p, np.ndarray)]
                compiled.seen.append((name, all(aligned)))
                return method(self, *arguments, **named)

            return call

        for cls in (compiled.CompiledBackend, compiled.CompiledExecutor):
            for name, method in list(vars(cls).items()):
                if callable(method) and not name.startswith("_"):
                    compiled.unwatched.append((cls, name, method))
                    setattr(cls, name, watched(name, method))

    def end():
        from fastmlp.backends import compiled

        for cls, name, method in compiled.unwatched:
            setattr(cls, name, method)
        return compiled.seen

    return begin, end


@pytest.mark.parametrize(("way", "name"), [("synchronous", "gradient"), ("local", "train")])
def test_rows_that_went_to_another_worker_begin_where_the_core_can_read(
    client, monkeypatch, way, name
):
    """Arrays that come with a message begin at any byte, which the core may not read from."""
    expected = on_cluster(client, way, WEIGHTS)
    begin, end = watch_alignment()
    client.run(begin)

    def crossed(workers, holders, present):
        return tuple(present) or placed(workers, holders, present)[::-1]

    monkeypatch.setattr(cluster, "placed", crossed)
    model = on_cluster(client, way, WEIGHTS)
    model.predict(da.from_array(X, (100, -1))).compute()
    seen = [each for of_worker in client.run(end).values() for each in of_worker]
    assert name in dict(seen)
    assert [each for each in seen if not each[1]] == []
    assert_array_equal(model.coefs_[0], expected.coefs_[0])


def test_a_timeout_of_dasks_own_ends_the_wait_for_results(client, monkeypatch):
    async def late(*_, **__):
        raise TimeoutError("of Dask's own")

    monkeypatch.setattr(client, "gather", late)
    with within(20), pytest.raises(TimeoutError, match="of Dask's own"):
        fetched(client, [], lambda: None)


def test_a_callback_may_change_the_network(client):
    def clear(record):
        if record.epoch == 4:
            for each in model.coefs_:
                each[...] = 0

    model = DaskMLPRegressor(client=client, **{**GIVEN, "max_iter": 4}, exchange="synchronous")
    model.set_params(callbacks=[clear]).fit(da.from_array(X, (100, -1)), da.from_array(Y, 100))
    assert not model.coefs_[0].any()


def test_a_time_limit_ends_the_fit(client):
    model = on_cluster(client, max_iter=100_000, time_limit=1.0)
    assert 0 < model.n_iter_ < 100_000
    assert "time" in model.stop_reason_


def test_auto_measures_the_link_and_says_so(client, caplog):
    model = DaskMLPClassifier(client=client, max_iter=2, random_state=0)
    with caplog.at_level(logging.INFO, "fastmlp.dask"):
        model.fit(da.from_array(X, (100, -1)), da.from_array(Y > 0, 100))
    assert model.exchange_ in WAYS
    assert "ms of computing" in caplog.text
    assert "ms of exchange" in caplog.text


@pytest.mark.parametrize(
    ("exchanging", "steps", "is_free", "expected"),
    [
        (0.009, None, True, (SYNCHRONOUS, 1)),
        (0.1, None, True, (LOCAL, 64)),  # 50 would make it a fiftieth
        (0.012, None, True, (LOCAL, 8)),
        (100.0, None, True, (LOCAL, 256)),
        (100.0, 3, True, (LOCAL, 3)),
        (0.0, None, False, (LOCAL, 8)),
    ],
)
def test_the_way_follows_from_what_was_measured(exchanging, steps, is_free, expected):
    chosen = decide(0.1, exchanging, 1, is_free=is_free, steps=steps)
    assert (chosen.way, chosen.local_steps) == expected
    assert f"{1e3 * exchanging:.1f} ms of exchange" in chosen.why
