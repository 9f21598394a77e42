"""Raw tables on workers: a race on a sample, then all rows where they are."""

from __future__ import annotations

import os
import signal
import warnings

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client
from helpers_alarm import within
from helpers_dask import cluster_of
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeRegressor

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.dask import DaskTabularClassifier, DaskTabularRegressor
from fastmlp.dask.cluster import Cluster
from fastmlp.data import from_parquet
from fastmlp.tabular import Recipe
from fastmlp.tabular.teaching import ALL_ROWS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

RNG = np.random.default_rng(0)
N, N_DRAWN, COLUMNS = 2000, 400, ["size", "town", "rooms"]
TABLE = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "town": RNG.choice(["north", "park", "harbour"], N),
        "rooms": RNG.integers(1, 9, N).astype(float),
    }
)
PRICE = TABLE["size"] + 2 * (TABLE["town"] == "park") + TABLE["rooms"] / 4
FRAME = TABLE.assign(price=PRICE, dear=np.where(PRICE > 2, "dear", "cheap"))
FRAME.loc[::17, "rooms"] = np.nan
GIVEN = {
    "recipe": Recipe(hidden_layer_sizes=(16,), max_iter=12, learning_rate_init=0.02),
    "n_members": 1,
    "random_state": 0,
    "exchange": "synchronous",
    "n_shards": 2,
    "verbose": True,  # what a failed test shows of the race and of what came of it
}


@pytest.fixture(scope="module")
def shared():
    """Two workers, whose nannies start them again."""
    with cluster_of(2) as client:
        yield client


@pytest.fixture(autouse=True)
def client(shared):
    shared.wait_for_workers(2, timeout=300)
    with within(300):
        yield shared


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two files of two row groups, which have the rows of the frame's partitions."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(2):
        rows = FRAME.iloc[1000 * number : 1000 * number + 1000]
        rows.to_parquet(folder / f"{number}.parquet", row_group_size=500, index=False)
    return str(folder / "*.parquet")


def _draw_few(patch):
    patch.setattr("fastmlp.tabular.whole.FEWEST_DRAWN", N_DRAWN)
    patch.setattr("fastmlp.tabular.whole.MOST_DRAWN", N_DRAWN)


@pytest.fixture(autouse=True)
def _few_rows_race(monkeypatch):
    _draw_few(monkeypatch)


def frame(rows=FRAME):
    return dd.from_pandas(rows, npartitions=4)


def regressor(**given):
    return DaskTabularRegressor(**{**GIVEN, **given})


def network_of(model):
    """Return the only network of a model."""
    (member,) = model._ensemble.members
    (learner,) = member.learners
    return learner.network


def has_learnt_all(model):
    return [member.name.endswith(ALL_ROWS) for member in model._ensemble.members] == [True]


def assert_same(model, other):
    assert_array_equal(network_of(model).coefs_[0], network_of(other).coefs_[0])
    assert network_of(model).loss_curve_ == network_of(other).loss_curve_


def test_networks_learn_from_all_rows():
    x, y = frame()[COLUMNS], frame()["price"]
    model = DaskTabularRegressor(**GIVEN).fit(x, y)
    (member,) = model._ensemble.members
    assert member.name.endswith(", all rows")
    (learner,) = member.learners
    n_epochs = learner.network.n_iter_
    n_seen = learner.network._learnt.history.n_samples_seen / n_epochs
    assert N - N_DRAWN < n_seen < N  # all but those that judge
    local = model.to_local()
    assert type(local) is TabularRegressor
    assert local.score(FRAME[COLUMNS], FRAME["price"]) > 0.8
    wanted = local.score(FRAME[COLUMNS], FRAME["price"])
    assert model.score(x, y) == pytest.approx(wanted, abs=1e-6)
    found = model.predict(x)
    assert found.dtype == found.compute().dtype
    assert_array_equal(found.compute(), local.predict(FRAME[COLUMNS]))


def test_classes():
    x = frame()[COLUMNS]
    model = DaskTabularClassifier(**GIVEN).fit(frame()[[*COLUMNS, "dear"]], "dear")
    local = model.to_local()
    assert type(local) is TabularClassifier
    assert_array_equal(model.classes_, ["cheap", "dear"])
    assert local.score(FRAME[COLUMNS], FRAME["dear"]) > 0.85
    assert_array_equal(model.predict(x).compute(), local.predict(FRAME[COLUMNS]))
    wanted = local.score(FRAME[COLUMNS], FRAME["dear"])
    assert model.score(x, frame()["dear"]) == pytest.approx(wanted)
    assert clone(model).get_params() == model.get_params()
    chances = model.predict_proba(x)
    assert list(chances.columns) == ["cheap", "dear"]
    assert_array_equal(chances.compute(), local.predict_proba(FRAME[COLUMNS]))


@pytest.fixture(scope="module")
def undisturbed(shared):
    with pytest.MonkeyPatch.context() as patch:
        _draw_few(patch)
        return regressor().fit(frame()[COLUMNS], frame()["price"])


# -- files -----------------------------------------------------------------------------------------


def test_workers_read_files_themselves(path, undisturbed, monkeypatch):
    def refuse(*_):
        raise AssertionError("the client has read rows")

    monkeypatch.setattr("fastmlp.data.arrow._DatasetSource.read", refuse)
    model = regressor().fit(from_parquet(path, target="price", columns=COLUMNS))
    assert has_learnt_all(model)
    assert_same(model, undisturbed)
    local = model.to_local()
    assert_array_equal(model.predict(path).compute(), local.predict(FRAME[COLUMNS]))
    wanted = local.score(FRAME[COLUMNS], FRAME["price"])
    assert model.score(path, "price") == pytest.approx(wanted, abs=1e-6)


def test_classes_and_weights_in_files(path, tmp_path):
    rows = FRAME.assign(w=np.where(FRAME.index % 2, 1.0, 0.0)).drop(columns="price")
    rows.to_parquet(tmp_path / "all.parquet", row_group_size=500, index=False)
    model = DaskTabularClassifier(**GIVEN).fit(tmp_path / "all.parquet", "dear", "w")
    assert has_learnt_all(model)
    network = network_of(model)
    n_seen = network._learnt.history.n_samples_seen / network.n_iter_
    assert n_seen < N / 2
    local = model.to_local()
    assert_array_equal(
        model.predict_proba(tmp_path / "all.parquet").compute(), local.predict_proba(FRAME[COLUMNS])
    )


def test_a_source_says_how_many_rows_race(path):
    """The rows that are drawn are those that a fit on one machine draws of the same files."""
    source = from_parquet(path, target="price", columns=COLUMNS, sample_rows=300)
    races = []
    for model in (regressor(), TabularRegressor(**{k: GIVEN[k] for k in list(GIVEN)[:3]})):
        told = []
        model.set_params(callbacks=[told.append]).fit(source)
        races.append(told[0])
    assert_array_equal(races[0].held_out, races[1].held_out)
    assert len(races[0].held_out) < 100


# -- what is learnt --------------------------------------------------------------------------------


def test_a_refit_learns_from_rows_that_judged_too():
    model = regressor(refit=True).fit(frame()[COLUMNS], frame()["price"])
    network = network_of(model)
    assert has_learnt_all(model)
    assert network._learnt.history.n_samples_seen == N * network.n_iter_
    assert model.to_local().score(FRAME[COLUMNS], FRAME["price"]) > 0.8


def test_a_time_limit_ends_what_learns_from_all_rows():
    long = GIVEN["recipe"].with_(max_iter=100_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a slow machine has no time for some parts
        model = regressor(recipe=long, time_limit=4.0).fit(frame()[COLUMNS], frame()["price"])
    network = network_of(model)
    assert network.n_iter_ < 100_000
    assert "time_limit" in network.stop_reason_
    assert np.isfinite(model.predict(FRAME[COLUMNS])).all()


def test_a_worker_that_dies_while_networks_learn_from_all_rows_costs_no_bit(
    client, undisturbed, monkeypatch
):
    original, victims = Cluster.run, []

    def run(self, *about):
        answer = original(self, *about)
        victims.append(None)
        if len(victims) == 3:
            victims[0] = sorted(client.run(os.getpid).values())[0]
            os.kill(victims[0], signal.SIGKILL)
        return answer

    monkeypatch.setattr(Cluster, "run", run)
    model = regressor().fit(frame()[COLUMNS], frame()["price"])
    assert victims[0] not in client.run(os.getpid).values()
    assert has_learnt_all(model)
    assert_same(model, undisturbed)


def test_rows_of_ones_own_judge_wherever_they_are():
    x, y, own = frame()[COLUMNS], frame()["price"], FRAME.iloc[:100]
    races = []
    for rows in (own, dd.from_pandas(own, npartitions=2)):
        told = []
        model = regressor(callbacks=[told.append])
        model.fit(x, y, X_val=rows[COLUMNS], y_val=rows["price"])
        races.append(told)
    for here, there in zip(*races, strict=True):
        assert_array_equal(here.held_out, there.held_out)
        assert (here.error, len(here.held_out)) == (there.error, 100)


def test_partners_stay_as_they_raced():
    tree = DecisionTreeRegressor(max_leaf_nodes=30)
    model = regressor(partners=[tree]).fit(frame()[COLUMNS], frame()["price"])
    assert len(model.leaderboard_) == 2
    assert model.score(frame()[COLUMNS], frame()["price"]) > 0.8


@pytest.mark.parametrize("form", ["texts", "categories"])
def test_categories_that_only_the_last_partition_has(form):
    late = FRAME.copy()
    late.loc[1900:, "town"] = "island"
    late.loc[1950, "town"] = "moor"  # nobody draws it
    if form == "texts":
        table = frame(late)
    else:  # each partition has categories of its own
        cut = [late.iloc[begin : begin + 500] for begin in range(0, N, 500)]
        parts = [part.assign(town=part["town"].astype("category")) for part in cut]
        meta = late.iloc[:0].assign(town=pd.Series([], dtype="category"))
        table = dd.from_delayed(list(map(dask.delayed, parts)), meta=meta, verify_meta=False)
    model = regressor().fit(table[COLUMNS], table["price"])
    assert has_learnt_all(model)
    found = model.predict(table[COLUMNS]).compute()
    assert_array_equal(found, model.to_local().predict(late[COLUMNS]))
    assert np.isfinite(found).all()


# -- what is wrong ---------------------------------------------------------------------------------


def refused(error, text, *data, **given):
    with pytest.raises(error, match=text):
        regressor(**given).fit(*data)


def test_what_is_no_collection(path):
    x, y = frame()[COLUMNS], frame()["price"]
    text = r"X must be a dask array.*TabularRegressor learns"
    refused(TypeError, text, FRAME[COLUMNS], FRAME["price"])
    refused(TypeError, "y must come in parts as X does", x, FRAME["price"])
    refused(TypeError, "y is missing", x)
    refused(ValueError, "X has 4 partitions, but y has 3", x, dd.from_pandas(FRAME["price"], 3))
    refused(ValueError, "y: there is no column 'cost'; the columns are size", frame(), "cost")
    refused(ValueError, "target: there is no column 'cost'", path, "cost")
    refused(ValueError, "^partition [0-3]: .*class labels", x, frame()["dear"])
    refused(ValueError, "^partition [0-3]: .*must not be negative", x, y, frame()["size"])


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"n_shards": 0}, ValueError, "n_shards must be a whole number from 1 up, or None"),
        ({"n_shards": "two"}, TypeError, "n_shards must be a whole number from 1 up, or None"),
        ({"exchange": "fast"}, ValueError, "exchange must be one of auto, synchronous, local"),
        ({"local_steps": 0}, ValueError, "local_steps must be a whole number .* or 'auto'"),
        ({"client": "tcp://127.0.0.1"}, TypeError, "client must be a dask.distributed.Client"),
        ({"drop": ["rent"]}, ValueError, "drop: X has no such column: 'rent'"),
        ({"recipe": 3}, TypeError, "recipe must be None or a fastmlp.tabular.Recipe"),
        ({"time_limit": -1}, ValueError, "time_limit must be"),
    ],
)
def test_wrong_parameters(given, error, text):
    refused(error, text, frame()[COLUMNS], frame()["price"], **given)


def test_a_target_without_a_value_is_told_with_its_place():
    bad = FRAME.copy()
    bad.loc[N - 1, "price"] = np.nan
    table = frame(bad)
    refused(ValueError, r"^partition 3: .*NaN \(row 499\)", table[COLUMNS], table["price"])


def test_a_client_of_a_closed_cluster(client):
    other = Client(client.scheduler.address, set_as_default=False)
    other.close()
    refused(ValueError, "client is closed", frame()[COLUMNS], frame()["price"], client=other)


def test_predictions_that_can_t_be_made(undisturbed):
    x = frame()[COLUMNS]
    for wrong in (x[["size", "town"]], x.rename(columns={"rooms": "floors"})):
        with pytest.raises(ValueError, match="'rooms' is missing"):
            undisturbed.predict(wrong).compute()
    with pytest.raises(TypeError, match="y is missing"):
        undisturbed.score(x)
    with pytest.raises(ValueError, match="y: there is no column 'cost'"):
        undisturbed.score(frame(), "cost")
    for ask in (regressor().predict, DaskTabularClassifier(**GIVEN).predict_proba):
        with pytest.raises(NotFittedError):
            ask(x)
