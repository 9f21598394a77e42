"""Raw tables on workers: a race on a sample, then all rows where they are."""

from __future__ import annotations

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from helpers_dask import cluster_of
from numpy.testing import assert_array_equal
from sklearn.base import clone

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.dask import DaskTabularClassifier, DaskTabularRegressor
from fastmlp.tabular import Recipe

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
}


@pytest.fixture(scope="module", autouse=True)
def client():
    with cluster_of(2) as client:
        yield client


@pytest.fixture(autouse=True)
def _few_rows_race(monkeypatch):
    monkeypatch.setattr("fastmlp.tabular.whole.FEWEST_DRAWN", N_DRAWN)
    monkeypatch.setattr("fastmlp.tabular.whole.MOST_DRAWN", N_DRAWN)


def frame():
    return dd.from_pandas(FRAME, npartitions=4)


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


def test_what_is_no_collection():
    with pytest.raises(TypeError, match=r"X must be a dask array.*TabularRegressor learns"):
        DaskTabularRegressor(**GIVEN).fit(FRAME[COLUMNS], FRAME["price"])
