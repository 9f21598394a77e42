"""Early stopping keeps the network that is best by its own loss, and says so if there is none."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_custom import half_square, half_square_slope
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score, r2_score
from sklearn.model_selection import train_test_split

from fastmlp import DivergenceError, MLPClassifier, MLPRegressor, custom_loss
from fastmlp.backends import BACKENDS
from fastmlp.registry import REGRESSOR_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_backend = pytest.mark.parametrize("backend", BACKENDS)

RNG = np.random.RandomState(0)
LINE = RNG.uniform(-1, 1, size=(3000, 1))
SKEWED = LINE.ravel() + RNG.exponential(size=3000)


def stopping(loss, y=SKEWED, **parameters):
    """Return a regressor fitted with early stopping."""
    defaults = {"learning_rate_init": 0.003, "random_state": 0, "early_stopping": True}
    return MLPRegressor(loss, (32,), **{**defaults, **parameters}).fit(LINE, y)


def held_out(y):
    """Return the rows that a first fit with ``random_state=0`` and given weights holds out."""
    rng = np.random.RandomState(0)
    _, rows = train_test_split(np.arange(len(y)), test_size=0.1, random_state=rng)
    return rows


# -- what is judged --------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_a_quantile_covers_its_share(level):
    model = stopping("pinball", quantiles=level)
    # Of 3,000 rows with a share of 1/2 at most, ± 0.027 is three standard deviations.
    assert np.mean(model.predict(LINE) >= SKEWED) == pytest.approx(level, abs=0.027)
    listed = stopping("pinball", quantiles=[level])
    assert_array_equal(listed.predict(LINE).ravel(), model.predict(LINE))
    assert listed.validation_scores_ == model.validation_scores_


def test_a_standard_deviation_is_learnt_to_the_end():
    noise = np.where(LINE.ravel() > 0, 0.5, 0.1)
    y = noise * np.random.RandomState(1).normal(size=3000)  # the mean is right from the start
    model = stopping("gaussian_nll", y, learning_rate_init=0.001)
    _, std = model.predict([[-0.6], [0.6]], return_std=True)
    assert_allclose(std, [0.1, 0.5], rtol=0.2)


def first_score(loss, y, **parameters):
    """Return the score of a network that stays as it began, and what it is a score of."""
    still = {"init": initial, "solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}
    model = stopping(loss, y, dtype="float64", **still, **parameters)
    rows = held_out(y)
    return model, model.validation_scores_[0], LINE[rows], y[rows]


def initial(fan_in, fan_out, rng):
    """Draw nothing, so that the held-out rows are the first thing that is drawn."""
    return np.linspace(-0.4, 0.5, fan_in * fan_out).reshape(fan_in, fan_out)


def by_formula(loss, model, rows, y):
    if loss == "squared_error":
        return r2_score(y, model.predict(rows))
    if loss == "absolute_error":
        return d2_absolute_error_score(y, model.predict(rows))
    if loss in ("pinball", "quantile"):
        return d2_pinball_score(y, model.predict(rows), alpha=0.5)
    if loss == "gaussian_nll":
        return norm.logpdf(y, *model.predict(rows, return_std=True)).mean() + np.log(2 * np.pi) / 2
    return -model.cost(rows, y)


@every_backend
@pytest.mark.parametrize("loss", REGRESSOR_LOSSES)
def test_the_score_is_of_the_loss(loss, backend):
    model, score, rows, y = first_score(loss, np.abs(SKEWED) + 0.1, backend=backend)
    assert_allclose(score, by_formula(loss, model, rows, y), rtol=1e-9)


@every_backend
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "gaussian_nll"])
def test_the_score_of_several_targets(loss, backend):
    y = np.c_[SKEWED, -SKEWED, LINE]
    model, score, rows, y = first_score(loss, y, backend=backend)
    assert_allclose(score, by_formula(loss, model, rows, y), rtol=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "huber"])
def test_weights_count_in_the_score(loss):
    y = SKEWED
    weights = np.random.RandomState(2).uniform(size=3000)
    model = MLPRegressor(
        loss, (8,), early_stopping=True, max_iter=1, dtype="float64", init=initial, random_state=0
    ).set_params(solver="sgd", learning_rate_init=1e-300)
    score = model.fit(LINE, y, weights).validation_scores_[0]
    rows = held_out(y)
    judged = LINE[rows], y[rows], weights[rows]
    expected = -model.cost(*judged) if loss == "huber" else model.score(*judged)
    assert_allclose(score, expected, rtol=1e-9)


def test_a_loss_of_the_users_own_is_judged_by_itself():
    """Its name is that of a built-in loss, by which it must not be taken for it."""
    own = custom_loss(half_square, half_square_slope, name="squared_error")
    model, score, rows, y = first_score(own, SKEWED)
    assert_allclose(score, -model.cost(rows, y), rtol=1e-9)


# -- overflow --------------------------------------------------------------------------------------


@every_backend
@pytest.mark.parametrize("loss", ["squared_error", "huber", "pinball", "gaussian_nll"])
def test_an_overflow_is_a_divergence(loss, backend):
    model = MLPRegressor(loss, (8,), solver="sgd", learning_rate_init=1e30, backend=backend)
    model.set_params(early_stopping=True, random_state=0)
    with pytest.raises(DivergenceError, match=r"infinite or NaN in epoch 1\. Try a smaller"):
        model.fit(LINE, SKEWED)
    assert not hasattr(model, "coefs_")


@every_backend
def test_an_overflow_of_a_classifier_is_a_divergence(backend):
    model = MLPClassifier((8,), solver="sgd", learning_rate_init=1e38, backend=backend)
    model.set_params(early_stopping=True, random_state=0, batch_size=2700)
    with pytest.raises(DivergenceError, match="became infinite or NaN in epoch"):
        model.fit(LINE, SKEWED > 0)


@every_backend
def test_an_overflow_on_the_held_out_rows_alone_is_a_divergence(backend):
    """One update of the whole batch: the loss before it is finite, the network after it isn't."""
    model = MLPRegressor("squared_error", (8,), solver="sgd", learning_rate_init=1e38)
    model.set_params(backend=backend, early_stopping=True, batch_size=2700, max_iter=1)
    with pytest.raises(DivergenceError, match="validation score became infinite or NaN in epoch 1"):
        model.set_params(random_state=0).fit(LINE, SKEWED)


# -- rows without weight ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [classifier, regressor])
def test_training_rows_without_weight(make):
    model = make(early_stopping=True, random_state=0, init=initial)
    y = LABELS if make is classifier else Y
    strata = {"stratify": LABELS} if make is classifier else {}
    rng = np.random.RandomState(0)
    _, rows = train_test_split(np.arange(40), test_size=0.1, random_state=rng, **strata)
    weights = np.zeros(40)
    weights[rows] = 1
    text = "^sample_weight is zero for every row that early stopping leaves to train on"
    assert_rejected(model, (X, y), ValueError, text, sample_weight=weights)


# -- going on --------------------------------------------------------------------------------------


def test_curves_have_the_same_epochs_when_early_stopping_begins_late():
    model = regressor(warm_start=True, random_state=0).fit(X, Y)
    model.set_params(early_stopping=True).fit(X, Y)
    assert len(model.loss_curve_) == len(model.validation_scores_) == 6
    assert_array_equal(np.isnan(model.validation_scores_), [True] * 3 + [False] * 3)
    assert model.best_validation_score_ == max(model.validation_scores_[3:])
    model.set_params(early_stopping=False).fit(X, Y)
    assert model.validation_scores_ is None
    assert len(model.loss_curve_) == 9
