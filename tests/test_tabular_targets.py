"""What models of raw tables aim at: losses, quantiles, deviations, transforms, bounds, epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import (
    d2_pinball_score,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_tweedie_deviance,
    r2_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.registry import REGRESSOR_LOSSES
from fastmlp.tabular import Recipe
from fastmlp.tabular.aims import Extent, RealAim, bounds
from fastmlp.tabular.loss_metrics import real_metric
from fastmlp.tabular.portfolio import Portfolio
from fastmlp.tabular.transforms import fit_transform, worth_trying

TINY = Recipe(hidden_layer_sizes=(16,), max_iter=30, learning_rate_init=0.02, batch_size=32)

RNG = np.random.RandomState(0)
N = 240
X = pd.DataFrame({"a": RNG.uniform(-1, 1, N), "b": RNG.choice(["p", "q"], N)})
MEAN = 3 + X["a"].to_numpy() + (X["b"] == "q").to_numpy()
#: Noise of a deviation that grows.
DEVIATION = 0.05 + 0.3 * (X["a"].to_numpy() > 0)
Y = MEAN + DEVIATION * RNG.normal(size=N)
OPTIONS = {"huber_delta": 0.7, "smooth_l1_beta": 0.7, "tweedie_power": 1.3}


def regressor(loss="squared_error", **parameters):
    given = {"recipe": TINY, "n_folds": 1, "random_state": 0, **parameters}
    return TabularRegressor(loss, **given)


# -- losses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [name for name, _ in REGRESSOR_LOSSES.items()])
def test_every_loss_is_learnt_in_the_users_unit(loss):
    model = regressor(loss).fit(X, 1000 * Y)
    assert np.isfinite(model.leaderboard_[0].error)
    assert np.corrcoef(model.predict(X), MEAN)[0, 1] > 0.9
    assert model.predict(X).mean() == pytest.approx(3500, rel=0.05)


@pytest.mark.parametrize("loss", ["huber", "poisson", "pinball", "gaussian_nll"])
def test_several_targets(loss):
    both = np.stack([Y, 100 * (10 - Y)], axis=1)
    model = regressor(loss).fit(X, both)
    assert model.predict(X).shape == (N, 2)
    assert r2_score(both, model.predict(X)) > 0.7


@pytest.mark.parametrize("loss", ["huber", "smooth_l1"])
def test_the_units_of_several_targets_do_not_matter_to_bent_losses(loss):
    """The metric bends where the networks' loss does."""
    errors = [
        regressor(loss, n_folds=1).fit(X, np.c_[Y, factor * Y**2]).leaderboard_[0].error
        for factor in (1, 1024)
    ]
    assert errors[0] == pytest.approx(errors[1])


def test_metrics_of_losses_are_those_of_others():
    truth, values, weights = RNG.rand(30) + 0.5, RNG.rand(30) + 0.5, RNG.rand(30)

    def error(loss, prediction, quantiles=0.5):
        metric = real_metric(None, RealAim.of(Extent.of(truth), loss, quantiles), OPTIONS)
        return metric.error(truth, prediction, weights)

    for loss, function in {
        "poisson": mean_poisson_deviance,
        "gamma": mean_gamma_deviance,
        "tweedie": lambda *a, **k: mean_tweedie_deviance(*a, **k, power=1.3),
        "pinball": lambda *a, **k: mean_pinball_loss(*a, **k, alpha=0.5),
    }.items():
        assert error(loss, values) == pytest.approx(function(truth, values, sample_weight=weights))
    both = np.stack([values, values + 0.2], axis=1)
    wanted = [
        mean_pinball_loss(truth, both[:, i], sample_weight=weights, alpha=level)
        for i, level in enumerate((0.2, 0.7))
    ]
    assert error("pinball", both, (0.2, 0.7)) == pytest.approx(np.mean(wanted))
    size = np.abs(truth - values)
    huber = np.where(size < 0.7, size**2 / 2, 0.7 * (size - 0.35))
    assert error("huber", values) == pytest.approx(np.average(huber, weights=weights))
    assert error("smooth_l1", values) == pytest.approx(np.average(huber / 0.7, weights=weights))
    center, deviation = RealAim.of(Extent.of(truth), "gaussian_nll", None).center, both[:, 1]
    spread = np.stack([values - center, (values - center) ** 2 + deviation**2], axis=1)
    surprise = -norm.logpdf(truth, values, deviation) - np.log(2 * np.pi) / 2
    assert error("gaussian_nll", spread) == pytest.approx(np.average(surprise, weights=weights))


def test_the_metric_goes_with_the_loss():
    for loss, name in {"squared_error": "rmse", "absolute_error": "mae", "gamma": "gamma"}.items():
        assert regressor(loss).fit(X, Y).leaderboard_.metric == name
    assert regressor("gamma", metric="r2").fit(X, Y).leaderboard_.metric == "r2"


# -- quantiles and deviations ----------------------------------------------------------------------


def test_quantiles_in_the_users_unit():
    levels = (0.1, 0.5, 0.9)
    model = regressor("pinball", quantiles=levels, recipe=TINY.with_(max_iter=60)).fit(X, 1000 * Y)
    low, middle, high = model.predict(X).T
    assert ((low <= middle) & (middle <= high)).all()
    assert np.mean((low < 1000 * Y) & (high > 1000 * Y)) == pytest.approx(0.8, abs=0.08)
    wide = DEVIATION > 0.1
    assert (high - low)[wide].mean() > 1.5 * (high - low)[~wide].mean()
    wanted = [
        d2_pinball_score(1000 * Y, q, alpha=a)
        for q, a in zip(model.predict(X).T, levels, strict=False)
    ]
    assert model.score(X, 1000 * Y) == pytest.approx(np.mean(wanted))


@pytest.mark.parametrize(("quantiles", "axes"), [(0.3, ()), ((0.3,), (1,)), ((0.3, 0.6), (2,))])
@pytest.mark.parametrize("y", [Y, np.stack([Y, -Y], axis=1)], ids=["one", "two"])
def test_shapes_of_quantiles(y, quantiles, axes):
    partner = HistGradientBoostingRegressor(max_iter=5)
    model = regressor("pinball", quantiles=quantiles, partners=[partner]).fit(X, y)
    assert model.predict(X).shape == (*y.shape, *axes)
    assert not any(place.remark for place in model.leaderboard_)


def test_partners_predict_quantiles():
    idle = Recipe(hidden_layer_sizes=(2,), max_iter=1, learning_rate_init=1e-9)
    pipe = make_pipeline(StandardScaler(), QuantileRegressor(alpha=0.0))
    for partner in (pipe, HistGradientBoostingRegressor(max_iter=30, min_samples_leaf=10)):
        model = regressor("pinball", quantiles=(0.1, 0.9), recipe=idle, partners=[partner])
        low, high = model.fit(X, Y).predict(X).T
        assert np.mean((low < Y) & (high > Y)) == pytest.approx(0.8, abs=0.1)
        assert (low <= high).all()


def test_deviations_are_those_of_the_mixture(monkeypatch):
    portfolio = Portfolio((TINY.with_(max_iter=60), TINY.with_(max_iter=61)))
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    chosen = lambda *_, **more: np.array([0.25, 0.75])  # noqa: E731
    monkeypatch.setattr("fastmlp.tabular.base.greedy_weights", chosen)
    members = []
    model = regressor("gaussian_nll", recipe=None, callbacks=[members.append]).fit(X, 1000 * Y)
    mean, deviation = model.predict(X, return_std=True)
    assert_array_equal(mean, model.predict(X))
    assert np.corrcoef(deviation, DEVIATION)[0, 1] > 0.8
    assert np.median(deviation / (1000 * DEVIATION)) == pytest.approx(1, abs=0.35)
    table = model._ensemble.reader.transform(X)
    of = [each.learners[0] for each in members]
    pairs = [each.network.predict(each.inputs.matrix(table), return_std=True) for each in of]
    (first_mean, first_std), (second_mean, second_std) = pairs
    first = 0.25 * first_mean + 0.75 * second_mean
    second = 0.25 * (first_mean**2 + first_std**2) + 0.75 * (second_mean**2 + second_std**2)
    assert_allclose(mean, first)
    assert_allclose(deviation, np.sqrt(second - first**2), rtol=1e-6)


# -- bounds ----------------------------------------------------------------------------------------


def test_bounds_of_predictions():
    free = np.array([[-2.0, 1.0, -8.0], [0.0, 5.0, -4.0], [8.0, 11.0, -1.0]])
    low, high = bounds(Extent.of(free))
    assert_allclose(low, [-2.5, 0.5, -8.35])
    assert_allclose(high, [8.5, 11.5, -0.65])
    assert_array_equal(bounds(Extent.of(np.array([0.1, 2.0, 10.0])))[0], 0)
    assert_array_equal(bounds(Extent.of(np.array([-10.0, -0.1])))[1], 0)
    cut_off = np.array([1.0, 3.0, 11.0, 11.0])
    assert_allclose(bounds(Extent.of(cut_off)), [0.5, 11.0])
    assert_allclose(bounds(Extent.of(np.r_[cut_off, np.linspace(2, 10, 500)])), [0.5, 11.5])
    assert_array_equal(bounds(Extent.of(np.full(5, 3.5))), [3.5, 3.5])


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "gaussian_nll", "poisson"])
def test_rows_far_outside_stay_within_the_bounds(loss):
    quantiles = (0.01, 0.99) if loss == "pinball" else 0.5
    model = regressor(loss, quantiles=quantiles).fit(X, Y)
    far = pd.DataFrame({"a": [1e30, -1e30, np.inf, -np.inf, None], "b": list("pqpqr")})
    low, high = bounds(Extent.of(Y))
    assert (low <= model.predict(far)).all()
    assert (model.predict(far) <= high).all()
    if loss == "gaussian_nll":
        assert (model.predict(far, return_std=True)[1] <= 2 * (high - low)).all()


# -- transforms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["log", "quantile"])
@pytest.mark.parametrize("columns", [None, 2])
def test_transforms_go_back(name, columns):
    y = np.exp(Y) if columns is None else np.exp(np.stack([Y, 2 * Y], axis=1))
    transform = fit_transform(name, y)
    learnt = transform.forth(y)
    assert_allclose(transform.back(learnt), y, rtol=1e-6)
    assert (np.diff(learnt[np.argsort(Y)], axis=0) > 0).all()
    several = np.stack([learnt, learnt], axis=-1)
    assert_allclose(transform.back(several)[..., 1], y, rtol=1e-6)
    if name == "quantile":
        assert abs(learnt.mean()) < 0.01
        assert transform.back(learnt + 100).max() == pytest.approx(y.max())


def test_which_transform_is_tried():
    skewed = np.exp(2 * RNG.normal(size=500))
    assert worth_trying(skewed) == "log"
    assert worth_trying(np.stack([skewed, skewed], axis=1)) == "log"
    assert worth_trying(np.r_[0.0, skewed]) == "quantile"
    assert worth_trying(-skewed) is None
    assert worth_trying(skewed - 1) is None
    assert worth_trying(Y) is None
    assert worth_trying(np.ones(9)) is None


def test_held_out_rows_choose_the_transform(monkeypatch):
    portfolio = Portfolio((TINY.with_(max_iter=10), TINY), 1, 1)
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    board = regressor(recipe=None).fit(X, np.exp(3 * MEAN)).leaderboard_
    assert len(board) == 4
    best = TINY.with_(transform="log").summary
    assert [place.recipe for place in board[:2]] == [best, best]
    assert len(regressor(recipe=None).fit(X, MEAN).leaderboard_) == 3
    for parameters in ({"target_transform": None}, {"loss": "gamma"}):
        board = regressor(recipe=None, **parameters).fit(X, np.exp(3 * MEAN)).leaderboard_
        assert not any("transform" in place.recipe for place in board)
    board = regressor(recipe=None, target_transform="quantile").fit(X, MEAN).leaderboard_
    assert all("transform='quantile'" in place.recipe for place in board)


@pytest.mark.parametrize("transform", ["log", "quantile"])
def test_a_transformed_target_is_predicted_in_the_users_unit(transform):
    y = np.exp(2 * MEAN)
    recipe = TINY.with_(transform=transform)
    assert regressor(recipe=recipe).fit(X, y).score(X, y) > 0.9
    model = regressor("pinball", quantiles=(0.2, 0.8), recipe=recipe).fit(X, y)
    assert model.predict(X).shape == (N, 2)
    assert model.score(X, y) > 0.5


# -- epochs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["error", "log_loss", "auc", "brier", "f1_macro"])
def test_a_classifiers_epoch_is_kept_by_the_metric(metric):
    learners = []
    given = {"recipe": TINY, "n_folds": 1, "random_state": 0, "metric": metric}
    keep = lambda member: learners.extend(member.learners)  # noqa: E731
    model = TabularClassifier(callbacks=[keep], **given).fit(X, RNG.permutation(Y) > 3.5)
    network = learners[0].network
    found = -model.leaderboard_[0].error + (metric in ("error", "auc"))
    if metric == "auc":
        found -= 1
    assert max(network.validation_scores_) == pytest.approx(found)
    assert network.scoring is None


@pytest.mark.parametrize(
    ("loss", "metric", "transform"),
    [
        ("squared_error", "mae", None),
        ("squared_error", None, "log"),
        ("gaussian_nll", "rmse", None),
        ("pinball", None, "quantile"),
        ("gamma", "r2", None),
    ],
)
def test_a_regressors_epoch_is_kept_by_the_metric(loss, metric, transform):
    learners = []
    keep = lambda member: learners.extend(member.learners)  # noqa: E731
    recipe = TINY.with_(transform=transform)
    model = regressor(loss, metric=metric, recipe=recipe, callbacks=[keep]).fit(X, Y)
    scores = learners[0].network.validation_scores_
    assert max(scores) == pytest.approx(-model.leaderboard_[0].error)
