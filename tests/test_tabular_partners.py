"""Models of other libraries that race beside the networks."""

from __future__ import annotations

import pickle
import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from helpers_clock import slow_clock
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tabular import Recipe
from fastmlp.tabular.partner import Partner
from fastmlp.tabular.race import Race

#: Recipes that learn nothing, so that a partner is better.
IDLE = Recipe(hidden_layer_sizes=(4,), max_iter=1, learning_rate_init=1e-9, batch_size=64)

RNG = np.random.RandomState(0)
N = 120
FRAME = pd.DataFrame(
    {
        "size": np.where(RNG.rand(N) < 0.2, np.nan, RNG.normal(size=N)),
        "colour": RNG.choice(["red", "green", "blue"], N, p=[0.5, 0.3, 0.2]),
    }
)
Y = np.where(FRAME["colour"] == "blue", 5.0, 1.0) + np.nan_to_num(FRAME["size"].to_numpy())
LABELS = np.where(FRAME["colour"] == "blue", "rare", "usual")


def classifier(*partners, **parameters):
    given = {"recipe": IDLE, "n_folds": 1, "random_state": 0, **parameters}
    return TabularClassifier(partners=list(partners), **given)


def regressor(*partners, **parameters):
    given = {"recipe": IDLE, "n_folds": 1, "random_state": 0, **parameters}
    return TabularRegressor(partners=list(partners), **given)


class Means(RegressorMixin, BaseEstimator):
    """Predicts means, and keeps what it was given."""

    seen: ClassVar[list] = []

    def __init__(self, takes_gaps=False):
        self.takes_gaps = takes_gaps

    def fit(self, X, y, sample_weight=None):
        self.mean_ = np.average(y, weights=sample_weight, axis=0)
        self.seen.append((X, y, sample_weight))
        return self

    def predict(self, X):
        self.seen.append((X,))
        return np.full((len(X), *np.shape(self.mean_)), self.mean_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.takes_gaps
        return tags


class MeansByCategories(Means):
    """The same of a model that can be told which columns are categories."""

    def __init__(self, categorical_features=None, max_bins=4):
        super().__init__(takes_gaps=True)
        self.categorical_features = categorical_features
        self.max_bins = max_bins

    def fit(self, X, y, sample_weight=None):
        self.seen.append(self.categorical_features)
        return super().fit(X, y, sample_weight)


class Raises(ClassifierMixin, BaseEstimator):
    """Can't be fitted."""

    def __init__(self, error=ValueError):
        self.error = error

    def fit(self, X, y):
        raise self.error("no,\nthanks")

    def predict(self, X):
        return np.zeros(len(X))

    def predict_proba(self, X):
        return np.ones((len(X), 1))


@pytest.fixture
def seen(monkeypatch):
    monkeypatch.setattr(Means, "seen", [])
    return Means.seen


def test_a_partner_joins_the_choice():
    model = regressor(DecisionTreeRegressor(max_depth=6)).fit(FRAME, Y)
    first, second = model.leaderboard_
    assert (first.recipe, first.epochs) == ("DecisionTreeRegressor(max_depth=6)", 0)
    assert first.weight > 0.8
    assert second.recipe == IDLE.summary
    assert model.score(FRAME, Y) > 0.95
    model = classifier(HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5))
    assert model.fit(FRAME, LABELS).score(FRAME, LABELS) == 1


def test_the_best_recipe_learns_again_and_not_a_partner(monkeypatch):
    from fastmlp.tabular.portfolio import Portfolio

    portfolio = Portfolio((IDLE,), 1, 2)
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    told = []
    regressor(Ridge(), recipe=None, callbacks=[told.append]).fit(FRAME, Y)
    assert [member.name for member in told] == [IDLE.summary, "Ridge()", *[IDLE.summary] * 2]


def test_numbers_come_as_they_are_and_categories_as_columns(seen):
    far = FRAME.assign(size=[1e30, -np.inf, np.inf, *FRAME["size"][3:]])
    regressor(Means()).fit(FRAME, Y).predict(far)
    (X, y, weights), _, (X_far,) = seen
    size, counts = np.unique(X[:, 0], return_counts=True)
    fill = size[counts.argmax()]
    assert counts.max() > 10
    assert abs(np.sum(size < fill) - np.sum(size > fill)) <= 1  # the median
    assert X.shape == (102, 4)
    assert_array_equal(X[:, 1:].sum(axis=1), 1)
    assert weights is None
    assert set(y) <= set(Y)
    assert X_far[0, 0] == X_far[2, 0] == X[:, 0].max()
    assert X_far[1, 0] == X[:, 0].min()


def test_gaps_stay_where_a_partner_takes_them(seen):
    regressor(Means(takes_gaps=True)).fit(FRAME, Y)
    assert np.isnan(seen[0][0]).any()


def test_a_partner_is_told_which_columns_are_categories(seen):
    many = FRAME.assign(colour=[f"level {i % 10}" for i in range(N)])
    regressor(MeansByCategories()).fit(many, Y).predict(FRAME)
    assert_array_equal(seen[0], [False, True])
    assert set(seen[1][0][:, 1]) == {0, 2, 3}  # the least frequent levels are one; none is missing
    assert set(seen[3][0][:, 1]) == {0}  # levels that the fit has not seen


def test_a_category_of_many_levels(seen):
    many = FRAME.assign(colour=[f"level {i // 2}" for i in range(N)])
    partner = HistGradientBoostingRegressor(max_iter=3, max_bins=16)
    board = regressor(partner, Means()).fit(many, Y).leaderboard_
    assert not any(place.remark for place in board)


def test_a_table_of_one_kind_of_columns(seen):
    for names in (["size"], ["colour"]):
        for partner in (Means(), MeansByCategories()):
            assert np.isfinite(regressor(partner).fit(FRAME[names], Y).predict(FRAME[names])).all()
    numbers, codes = seen[0][0], seen[-3][0]
    assert numbers.shape[1] == codes.shape[1] == 1


def test_weights_reach_partners_that_take_them(seen):
    weights = np.where(np.arange(N) % 3 == 0, 0.0, 1.0 + np.arange(N) % 2)
    regressor(Means(), make_pipeline(StandardScaler(), Means())).fit(FRAME, Y, weights)
    for X, _, given in (each for each in seen if len(each) == 3):
        assert set(given) == {1.0, 2.0}
        assert len(X) < 80
    with_weights = classifier(DecisionTreeClassifier(max_depth=1)).fit(FRAME, LABELS, weights)
    assert with_weights.leaderboard_[0].recipe.startswith("Decision")


def test_several_targets():
    both = np.stack([Y, -10 * Y], axis=1)
    partner = HistGradientBoostingRegressor(max_iter=30, min_samples_leaf=5)
    model = regressor(partner, RandomForestRegressor(5)).fit(FRAME, both)
    assert not any(place.remark for place in model.leaderboard_)
    assert model.score(FRAME, both) > 0.8


def test_the_same_seed_gives_the_same_partners():
    partners = [RandomForestRegressor(5), make_pipeline(StandardScaler(), RandomForestRegressor(5))]
    answers = [
        regressor(*partners, n_threads=n, random_state=seed).fit(FRAME, Y).predict(FRAME)
        for n, seed in ((1, 0), (2, 0), (1, 1))
    ]
    assert_array_equal(*answers[:2])
    assert not np.array_equal(answers[0], answers[2])
    assert partners[0].random_state is None


def test_a_class_that_a_partner_has_not_seen():
    y = LABELS.copy()
    y[:2] = "a new one"
    p = (
        classifier(LogisticRegression(), n_folds=2, calibrate=False)
        .fit(FRAME, y)
        .predict_proba(FRAME)
    )
    assert p.shape == (N, 3)
    assert_allclose(p.sum(axis=1), 1)


def test_a_partner_that_raises_is_told_and_left_out():
    text = r"The partner Raises\(\) is left out: ValueError: no, thanks$"
    with pytest.warns(UserWarning, match=text):
        board = classifier(Raises(), LogisticRegression()).fit(FRAME, LABELS).leaderboard_
    assert [place.remark for place in board] == ["", "", "failed"]


class TakesTime(Means):
    """Takes a second for each row."""

    clock = None

    def fit(self, X, y):
        self.clock.time += len(X)
        return super().fit(X, y)


@pytest.mark.parametrize(("limit", "n_learnt"), [(30, 0), (100, 0), (140, 1), (350, 2)])
def test_a_partner_is_not_begun_that_there_is_no_time_for(limit, n_learnt, monkeypatch, seen):
    slow = slow_clock(monkeypatch)
    monkeypatch.setattr(TakesTime, "clock", slow)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        board = regressor(TakesTime(), TakesTime(), time_limit=limit).fit(FRAME, Y).leaderboard_
    text = "time_limit leaves no time for the partner TakesTime(): it is left out."
    assert [str(each.message) for each in told].count(text) == 2 - n_learnt
    assert [place.recipe for place in board].count("TakesTime()") == n_learnt
    assert len([each for each in seen if len(each) == 3]) == 2 + n_learnt
    assert slow.time - 1000 < limit


def test_a_partner_learns_where_there_is_no_time_for_a_network(monkeypatch, seen):
    slow = slow_clock(monkeypatch)
    monkeypatch.setattr(TakesTime, "clock", slow)
    monkeypatch.setattr(
        Race, "_has_time_for", lambda race, recipe: isinstance(recipe, Partner) or not race.members
    )
    model = regressor(TakesTime(), recipe=None, preset="fast", time_limit=1000)
    board = model.fit(FRAME, Y).leaderboard_
    assert len(board) == 2
    assert "TakesTime()" in [place.recipe for place in board]


def test_ctrl_c_in_a_partner_keeps_the_networks():
    with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
        model = classifier(Raises(KeyboardInterrupt)).fit(FRAME, LABELS)
    assert [place.recipe for place in model.leaderboard_] == [IDLE.summary]


def test_partners_in_copies_and_pickles():
    model = classifier(LogisticRegression()).fit(FRAME, LABELS)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))
    twin = clone(model)
    assert twin.partners[0] is not model.partners[0]
    assert_array_equal(twin.fit(FRAME, LABELS).predict_proba(FRAME), model.predict_proba(FRAME))
    assert not hasattr(model.partners[0], "coef_")
