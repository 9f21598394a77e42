"""Which rows judge models of raw tables, and which they learn from in the end."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from helpers_clock import slow_clock
from numpy.testing import assert_array_equal
from sklearn.tree import DecisionTreeRegressor

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tabular import Recipe
from fastmlp.tabular.portfolio import Portfolio
from fastmlp.training.divergence import DivergenceError

TINY = Recipe(hidden_layer_sizes=(16,), max_iter=15, learning_rate_init=0.02, batch_size=32)

RNG = np.random.RandomState(0)
N = 120
X = pd.DataFrame({"a": RNG.uniform(-1, 1, N), "b": RNG.choice(["p", "q"], N)})
Y = 3 + X["a"].to_numpy() + (X["b"] == "q").to_numpy()
LABELS = np.where(Y > 3.5, "dear", "cheap")
OWN = pd.DataFrame({"b": ["p", "q", "new", None] * 10, "a": np.linspace(-1, 1, 40)})
Y_OWN = 3 + OWN["a"].to_numpy() + (OWN["b"] == "q").to_numpy()
LABELS_OWN = np.where(Y_OWN > 3.5, "dear", "cheap")


def classifier(**parameters):
    return TabularClassifier(**{"recipe": TINY, "random_state": 0, **parameters})


def regressor(**parameters):
    return TabularRegressor(**{"recipe": TINY, "random_state": 0, **parameters})


def racing(monkeypatch, *entrants):
    portfolio = Portfolio(entrants)
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    return {"recipe": None}


# -- rows of one's own -----------------------------------------------------------------------------


def test_own_rows_judge_and_all_others_are_learnt_from():
    members = []
    model = regressor(callbacks=[members.append]).fit(X, Y, X_val=OWN, y_val=Y_OWN)
    error = np.sqrt(np.mean((model.predict(OWN) - Y_OWN) ** 2))
    assert model.leaderboard_[0].error == pytest.approx(error)
    assert len(members[0].learners) == 1
    weights = np.r_[np.ones(30), np.zeros(10)]
    model.fit(X, Y, X_val=OWN, y_val=Y_OWN, sample_weight_val=weights)
    error = np.sqrt(np.mean((model.predict(OWN) - Y_OWN)[:30] ** 2))
    assert model.leaderboard_[0].error == pytest.approx(error)


def test_own_rows_of_classes():
    model = classifier(metric="log_loss", calibrate=False, class_weight={"dear": 3})
    model.fit(X, LABELS, X_val=OWN, y_val=LABELS_OWN)
    p = model.predict_proba(OWN)[np.arange(40), (LABELS_OWN == "dear").astype(int)]
    counts = np.where(LABELS_OWN == "dear", 3.0, 1.0)
    assert model.leaderboard_[0].error == pytest.approx(np.average(-np.log(p), weights=counts))
    one_class = classifier(metric="auc").fit  # a metric that has no value then
    with pytest.warns(UserWarning, match="metric='auc' is not finite"):
        model = one_class(X, LABELS, X_val=OWN[:3], y_val=LABELS_OWN[:3])
    assert model.score(X, LABELS) > 0.8  # of the last epoch, all being alike


def test_own_rows_of_a_class_that_is_not_learnt():
    weights = 1.0 * (LABELS == "dear")
    given = {"X_val": OWN, "y_val": LABELS_OWN}
    with pytest.warns(RuntimeWarning), pytest.raises(ValueError, match=r"y_val has.*\['cheap'\]"):
        classifier().fit(X, LABELS, weights, **given)
    weights_val = 1.0 * (LABELS_OWN == "dear")
    with pytest.warns(RuntimeWarning):
        model = classifier().fit(X, LABELS, weights, **given, sample_weight_val=weights_val)
    assert model.leaderboard_[0].error == 0


@pytest.mark.parametrize("make", [classifier, regressor])
def test_own_rows_that_are_wrong_are_named(make):
    y, y_own = (LABELS, LABELS_OWN) if make is classifier else (Y, Y_OWN)
    model = make().fit(X, y)
    published = model._published
    gaps = y_own.astype(object)
    gaps[2] = None
    cases = [
        ({"X_val": OWN}, ValueError, "y_val is missing, but X_val is given"),
        ({"y_val": y_own}, ValueError, "X_val is missing, but y_val is given"),
        ({"sample_weight_val": np.ones(40)}, ValueError, "sample_weight_val is given without"),
        ({"X_val": OWN[["a"]], "y_val": y_own}, ValueError, "X_val must have the columns that it"),
        ({"X_val": OWN.assign(a="w"), "y_val": y_own}, TypeError, "X_val, column 'a', held numb"),
        ({"X_val": OWN, "y_val": y_own[:9]}, ValueError, "X_val and y_val must have the same"),
        ({"X_val": OWN, "y_val": gaps}, ValueError, "y_val"),
        (
            {"X_val": OWN, "y_val": y_own, "sample_weight_val": np.zeros(40)},
            ValueError,
            "sample_weight_val is zero for every row",
        ),
    ]
    for rows, error, text in cases:
        with pytest.raises(error) as caught:
            model.fit(X, y, **rows)
        assert text in str(caught.value)
    with pytest.raises(ValueError, match="X_val is given as well as n_folds=5"):
        model.set_params(n_folds=5).fit(X, y, X_val=OWN, y_val=y_own)
    assert model._published is published


def test_own_targets_that_can_not_be():
    with pytest.raises(ValueError, match="y_val has labels that are not in classes"):
        classifier().fit(X, LABELS, X_val=OWN[:2], y_val=["dear", "other"])
    with pytest.raises(ValueError, match="y_val"):
        regressor().fit(X, Y, X_val=OWN[:2], y_val=[[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="needs every y_val > 0"):
        regressor(loss="gamma").fit(X, Y, X_val=OWN[:2], y_val=[1, -1])
    with pytest.raises(ValueError, match="the smallest y_val is -1"):
        regressor(target_transform="log").fit(X, Y, X_val=OWN[:2], y_val=[1, -1])


# -- all rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [1, 3])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_refit_learns_from_all_rows_for_the_best_number_of_epochs(make, n_folds, monkeypatch):
    from fastmlp.tabular import refit

    y, seen = LABELS if make is classifier else Y, []
    learn_all = refit.learn_all

    def watched(problem, *more):
        seen.append((len(problem.table), learn_all(problem, *more)))
        return seen[-1][1]

    monkeypatch.setattr(refit, "learn_all", watched)
    members = []
    given = {"n_folds": n_folds, "callbacks": [members.append]}
    plain = make(**given).fit(X, y)
    model = make(refit=True, **given).fit(X, y)
    assert repr(model.leaderboard_)[:60] == repr(plain.leaderboard_)[:60]
    assert [n_rows for n_rows, _ in seen] == [N] * n_folds
    scores = [np.array(each.network.validation_scores_) for each in members[0].learners]
    best = [np.flatnonzero(each == each.max())[-1] + 1 for each in scores]
    assert {each.n_epochs for _, each in seen} == {round(np.median(best))}
    [member] = model._ensemble.members
    assert member.learners == tuple(each for _, each in seen)
    assert model.score(X, y) > 0.8
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    twice = make(refit=True, n_threads=2, **given).fit(X, y)
    assert_array_equal(twice.predict(X), model.predict(X))


def test_no_two_networks_of_a_refit_are_the_same(monkeypatch):
    def all_alike(predictions, *_, **__):
        return np.full(len(predictions), 1 / len(predictions))

    monkeypatch.setattr("fastmlp.tabular.base.greedy_weights", all_alike)
    model = regressor(recipe=TINY.with_(max_iter=2), refit=True, n_folds=2, n_members=2).fit(X, Y)
    members = model._ensemble.members
    weights = [each.network.coefs_[0] for member in members for each in member.learners]
    assert len({each.tobytes() for each in weights}) == len(weights) == 4


def test_partners_learn_from_all_rows_too():
    partner = DecisionTreeRegressor(min_samples_leaf=3)
    idle = TINY.with_(learning_rate_init=1e-9)
    model = regressor(partners=[partner], recipe=idle, refit=True, n_folds=2).fit(X, Y)
    trees = [
        each.estimators[0]
        for member in model._ensemble.members
        for each in member.learners
        if hasattr(each, "estimators")
    ]
    assert [tree.tree_.n_node_samples[0] for tree in trees] == [N]


def refit_failing(monkeypatch, error):
    from fastmlp.tabular import refit

    def raising(*_):
        raise error

    monkeypatch.setattr(refit, "learn_all", raising)


def test_a_refit_that_fails_leaves_the_networks_of_the_race(monkeypatch):
    wanted = regressor().fit(X, Y).predict(X)
    refit_failing(monkeypatch, DivergenceError("gone"))
    with pytest.warns(UserWarning, match=r"could not learn from all rows.*in the race: gone$"):
        model = regressor(refit=True).fit(X, Y)
    assert_array_equal(model.predict(X), wanted)
    refit_failing(monkeypatch, KeyboardInterrupt)
    with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
        model = regressor(refit=True).fit(X, Y)
    assert_array_equal(model.predict(X), wanted)


@pytest.mark.parametrize("limit", [4.0, 30.0])
def test_a_refit_keeps_to_the_time(limit, monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained = 4e-3  # 7 seconds for 15 epochs
    long = TINY.with_(max_iter=200) if limit == 30 else TINY
    given = racing(monkeypatch, *[long.with_(n_pieces=i + 1) for i in range(4)])
    began = slow.time
    model = regressor(time_limit=limit, refit=True, n_folds=1, **given).fit(X, Y)
    assert slow.time - began <= 1.05 * limit
    assert np.isfinite(model.predict(X)).all()


# -- how often and what is shown -------------------------------------------------------------------


def test_the_best_recipe_learns_so_often(monkeypatch):
    assert len(regressor(n_members=3, n_folds=1).fit(X, Y).leaderboard_) == 3
    slow = TINY.with_(learning_rate_init=1e-6)
    given = racing(monkeypatch, slow, TINY)
    board = regressor(n_members=4, n_folds=1, **given).fit(X, Y).leaderboard_
    assert [place.recipe for place in board] == [TINY.summary] * 4 + [slow.summary]
    assert len({place.error for place in board}) == 5
    large = slow.with_(hidden_layer_sizes=(64, 64), max_iter=1)
    small = TINY.with_(hidden_layer_sizes=(8, 8))
    portfolio = Portfolio((large, small), n_winners=1, n_further=1, n_of_small=3)
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    board = regressor(n_members=2, n_folds=1, recipe=None).fit(X, Y).leaderboard_
    assert sorted(place.recipe == small.summary for place in board) == [False, True, True]


@pytest.fixture
def drawn(monkeypatch):
    """Return what bars are drawn on."""
    from rich.console import Console

    from fastmlp.tabular import showing

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(showing, "console_to_draw_on", lambda: console)
    return out


def test_a_bar_is_full_where_a_race_has_ended_early(drawn, monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    model = regressor(verbose="bar", n_folds=1, callbacks=[lambda place: True], **given).fit(X, Y)
    n_epochs = TINY.max_iter
    assert len(model.leaderboard_) == 1
    assert f"{n_epochs}/{n_epochs} " in drawn.getvalue()


def test_a_bar_shows_how_far_the_race_has_come(drawn, monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    model = regressor(verbose="bar", n_folds=2, n_members=2, refit=True, **given).fit(X, Y)
    shown = drawn.getvalue()
    assert "90/90" in shown
    for place in model.leaderboard_:
        assert f"{place.error:.5g}  " in shown
    assert all(each.network.callbacks is None for each in model._ensemble.members[0].learners)
