"""Small tables, recipes and models of raw tables that several files try."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tabular import Recipe
from fastmlp.tabular.portfolio import Portfolio

TINY = Recipe(hidden_layer_sizes=(16,), max_iter=15, learning_rate_init=0.02, batch_size=32)
EMBEDDED = TINY.with_(
    embedding="pbld", scaling_layer=True, parametric_activation=True, init="data_driven"
)
ALL_INPUTS = TINY.with_(inputs=("pieces", "places", "pairs"), n_pairs=4)

RNG = np.random.RandomState(0)
N = 160
FRAME = pd.DataFrame(
    {
        "size": np.where(RNG.rand(N) < 0.1, np.nan, RNG.normal(size=N)),
        "colour": RNG.choice(["red", "green", None], N),
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.randint(0, 900, N), "D"),
        "lon": RNG.uniform(-1, 1, N),
        "lat": RNG.uniform(-1, 1, N),
    }
)
GREEN = (FRAME["colour"] == "green").to_numpy()
Y = 100 + 20 * np.nan_to_num(FRAME["size"].to_numpy()) + 30 * GREEN
LABELS = np.where(Y > 110, "dear", "cheap")


def classifier(**parameters):
    return TabularClassifier(**{"recipe": TINY, "n_folds": 1, "random_state": 0, **parameters})


def regressor(**parameters):
    return TabularRegressor(**{"recipe": TINY, "n_folds": 1, "random_state": 0, **parameters})


def racing(monkeypatch, *entrants, n_winners=0, n_further=0):
    """Let these recipes race, whatever the preset."""
    portfolio = Portfolio(entrants, n_winners, n_further)
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    return {"recipe": None}
