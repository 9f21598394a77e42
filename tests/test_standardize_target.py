"""The unit of a regressor's target: what is learnt does not depend on it, what is told is in it."""

from __future__ import annotations

import contextlib
import copy
import pickle
import re

import numpy as np
import pytest
from helpers_custom import half_square, half_square_slope
from helpers_rejection import assert_rejected
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_gamma_deviance

from fastmlp import DivergenceError, MLPRegressor, Predictor, custom_loss
from fastmlp.registry import LOSSES, REGRESSOR_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(5)
X = RNG.normal(size=(120, 3))
REAL = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=120)
AMOUNTS = RNG.gamma(2, np.exp(REAL) / 2)
WEIGHTS = RNG.uniform(0.2, 2, size=120)
INTEGER_WEIGHTS = RNG.randint(0, 4, size=120)

#: y in dollars, which the network must not notice.
SHIFT, SCALE = -2.5e5, 3.7e4
PRICES = 2e5 + 8e4 * REAL

#: Loss → its parameters, and the power of the unit that its values grow with.
ALL_LOSSES = {
    "squared_error": ({}, 2),
    "absolute_error": ({}, 1),
    "huber": ({"huber_delta": 1.5}, 2),
    "smooth_l1": ({"smooth_l1_beta": 0.3}, 1),
    "log_cosh": ({}, 2),
    "pinball": ({"quantiles": (0.1, 0.5, 0.8)}, 1),
    "gaussian_nll": ({}, 0),
    "poisson": ({}, 1),
    "gamma": ({}, 0),
    "tweedie": ({"tweedie_power": 1.3}, 0.7),
}
OF_MEDIAN = ("absolute_error", "huber", "smooth_l1", "log_cosh", "pinball")
each_loss = pytest.mark.parametrize("loss", ALL_LOSSES)
two_backends = pytest.mark.parametrize("backend", ["compiled", "numpy"])


def test_every_loss_is_here():
    assert ALL_LOSSES.keys() == set(REGRESSOR_LOSSES) - {"quantile"}


def is_positive(loss):
    return LOSSES[loss].link == "exp"


def target_of(loss):
    return AMOUNTS if is_positive(loss) else REAL


def in_dollars(loss, y):
    return SCALE * y if is_positive(loss) else SHIFT + SCALE * y


def made_for_dollars(loss, **parameters):
    """Return a model whose parameters with a unit are in dollars."""
    lengths = {"huber_delta", "smooth_l1_beta"} & ALL_LOSSES[loss][0].keys()
    return make(loss, **{name: SCALE * ALL_LOSSES[loss][0][name] for name in lengths}, **parameters)


def make(loss="huber", **parameters):
    defaults = {
        "hidden_layer_sizes": (8,),
        "standardize_target": True,
        "dtype": "float64",
        "random_state": 0,
        "max_iter": 12,
        "learning_rate_init": 0.01,
        "tol": 0.0,
    }
    return MLPRegressor(loss, **{**defaults, **ALL_LOSSES[loss][0], **parameters})


def unit_by_hand(loss, y):
    """Return the center and the scale of y (N,), of all rows alike."""
    if is_positive(loss):
        return 0.0, y.mean()
    if loss in OF_MEDIAN:
        low, middle, high = np.quantile(y, [0.1, 0.5, 0.9], method="inverted_cdf")
        return middle, (high - low) / (norm.ppf(0.9) - norm.ppf(0.1))
    return y.mean(), y.std()


def assert_same_network(one, other, rtol=1e-7):
    pairs = zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True)
    for a, b in pairs:
        assert_allclose(a, b, rtol=rtol, atol=1e-9)


# -- what is learnt does not depend on the unit, and what is told is in it -------------------------


@each_loss
@two_backends
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_same_network_in_every_unit(loss, backend, solver):
    settings = {"backend": backend, "solver": solver, "alpha": 0.1}
    y, degree = target_of(loss), ALL_LOSSES[loss][1]
    dollars, offset = in_dollars(loss, y), np.log(SCALE) if loss == "gaussian_nll" else 0
    plain = make(loss, **settings).fit(X, y, WEIGHTS)
    model = made_for_dollars(loss, **settings).fit(X, dollars, WEIGHTS)
    assert_same_network(model, plain)
    assert_allclose(model.predict(X), in_dollars(loss, plain.predict(X)), rtol=1e-6)
    assert_allclose(model.score(X, dollars, WEIGHTS), plain.score(X, y, WEIGHTS), rtol=1e-6)
    for told, by_unit_of_y in [
        (model.loss_curve_, plain.loss_curve_),
        (model.cost_curve_, plain.cost_curve_),
        (model.best_loss_, plain.best_loss_),
        (model.cost(X, dollars, WEIGHTS), plain.cost(X, y, WEIGHTS)),
        (model.objective(X, dollars, WEIGHTS), plain.objective(X, y, WEIGHTS)),
        (model.loss_per_sample(X, dollars), plain.loss_per_sample(X, y)),
    ]:
        expected = SCALE**degree * np.asarray(by_unit_of_y) + offset
        assert_allclose(told, expected, rtol=1e-6, atol=1e-9 * SCALE**degree)
    if loss == "gaussian_nll":
        assert_allclose(
            model.predict(X, return_std=True)[1],
            SCALE * plain.predict(X, return_std=True)[1],
            rtol=1e-6,
        )


@each_loss
@two_backends
def test_it_is_a_fit_of_the_standardised_target(loss, backend):
    """``huber_delta`` is above the scale and ``smooth_l1_beta`` below: each stays what it is."""
    y = in_dollars(loss, target_of(loss))
    model = made_for_dollars(loss, backend=backend).fit(X, y)
    center, scale = unit_by_hand(loss, y)
    assert_allclose([model.target_center_[0], model.target_scale_[0]], [center, scale], rtol=1e-12)
    by_hand = make(loss, backend=backend, standardize_target=False)
    for name in ("huber_delta", "smooth_l1_beta"):
        by_hand.set_params(**{name: getattr(model, name) / scale})
    by_hand.fit(X, (y - center) / scale)
    assert_same_network(model, by_hand)
    assert_allclose(model.predict(X), center + scale * by_hand.predict(X), rtol=1e-7)
    outputs, expected = Predictor(model)(X), model.predict(X).reshape(120, -1)
    assert_allclose(outputs[:, : expected.shape[1]], expected, rtol=1e-12)


@two_backends
@pytest.mark.parametrize("bend", [0.01, 0.7, 1.4, 100.0])
def test_a_bend_that_suits_no_unit_suits_the_network(bend, backend):
    """One loss, but for a factor: the network sees the form with slopes and curvatures up to 1."""
    y = SHIFT + SCALE * REAL
    scale = unit_by_hand("huber", y)[1]
    huber = make("huber", backend=backend, huber_delta=bend * scale).fit(X, y)
    smooth = make("smooth_l1", backend=backend, smooth_l1_beta=bend * scale).fit(X, y)
    assert_same_network(huber, smooth, rtol=1e-12)
    assert_allclose(huber.loss_curve_, bend * scale * np.array(smooth.loss_curve_), rtol=1e-12)
    name = "huber" if bend > 1 else "smooth_l1"
    bends = {"huber_delta": bend, "smooth_l1_beta": bend}
    z = (y - huber.target_center_) / scale
    by_hand = make(name, backend=backend, standardize_target=False, **bends).fit(X, z)
    assert_same_network(huber, by_hand)


def huber(r, delta):
    return np.where(np.abs(r) < delta, r**2 / 2, delta * (np.abs(r) - delta / 2))


#: Loss → its values (N,) of residuals in dollars and of the network's scale.
FORMULAS = {
    "squared_error": lambda r, scale: r**2 / 2,
    "absolute_error": lambda r, scale: np.abs(r),
    "log_cosh": lambda r, scale: scale**2 * np.log(np.cosh(r / scale)),
    "huber": lambda r, scale: huber(r, 1.5 * SCALE),
    "smooth_l1": lambda r, scale: huber(r, 0.3 * SCALE) / (0.3 * SCALE),
    "pinball": lambda r, scale: np.maximum([0.9, 0.5, 0.2] * r, [-0.1, -0.5, -0.8] * r).mean(1),
}


@pytest.mark.parametrize("loss", FORMULAS)
@two_backends
def test_the_loss_of_each_row_by_its_formula(loss, backend):
    y = SHIFT + SCALE * REAL
    model = made_for_dollars(loss, backend=backend).fit(X, y)
    residuals = (model.predict(X).T - y).T
    expected = FORMULAS[loss](residuals, model.target_scale_[0])
    assert_allclose(model.loss_per_sample(X, y), expected, rtol=1e-7)
    assert_allclose(model.cost(X, y, WEIGHTS), np.average(expected, weights=WEIGHTS), rtol=1e-9)


def test_the_likelihood_and_the_deviance_of_dollars():
    y = SHIFT + SCALE * REAL
    mean, std = (model := make("gaussian_nll").fit(X, y)).predict(X, return_std=True)
    expected = -norm.logpdf(y, mean, std) - np.log(2 * np.pi) / 2
    assert_allclose(model.loss_per_sample(X, y), expected, rtol=1e-9)
    amounts = SCALE * AMOUNTS
    model = make("gamma").fit(X, amounts)
    expected = mean_gamma_deviance(amounts, model.predict(X)) / 2
    assert_allclose(model.cost(X, amounts), expected, rtol=1e-9)


@two_backends
def test_the_objective_is_told_with_its_penalties(backend):
    still = {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1, "batch_size": 120}
    y = SHIFT + SCALE * REAL
    model = make("log_cosh", alpha=0.7, l1=0.2, backend=backend, **still).fit(X, y)
    weights = np.concatenate([w.ravel() for w in model.coefs_])
    penalty = (0.35 * weights @ weights + 0.2 * np.abs(weights).sum()) / 120
    assert_allclose(
        model.objective(X, y) - model.cost(X, y), model.target_scale_[0] ** 2 * penalty, rtol=1e-8
    )
    assert_allclose(model.loss_, model.objective(X, y), rtol=1e-12)


def test_callbacks_and_lines_tell_the_same(capsys):
    records = []
    model = make("huber", huber_delta=SCALE, early_stopping=True, verbose=True)
    model.set_params(callbacks=[records.append]).fit(X, SHIFT + SCALE * REAL)
    assert [record.loss for record in records] == model.loss_curve_
    assert [record.cost for record in records] == model.cost_curve_
    assert [record.validation_score for record in records] == model.validation_scores_
    printed = capsys.readouterr().out
    assert f"Iteration 1, loss = {model.loss_curve_[0]:.8f}" in printed
    assert f"Validation score: {model.validation_scores_[-1]:f}" in printed


# -- "auto" ----------------------------------------------------------------------------------------


@each_loss
def test_auto_is_on_for_what_scikit_learn_lacks(loss):
    model = make(loss, standardize_target="auto", max_iter=2).fit(X, 100 * target_of(loss))
    stays = loss in ("squared_error", "poisson")
    assert (model.target_scale_[0] == 1) == stays
    explicit = make(loss, standardize_target=not stays, max_iter=2).fit(X, 100 * target_of(loss))
    assert_same_network(model, explicit, rtol=0)
    if stays:
        assert_array_equal(model.target_center_, [0])


def test_the_kinds_of_unit():
    y = np.r_[PRICES[:110], np.full(10, 1e9)]
    mean, median = (make("huber", standardize_target=kind).fit(X, y) for kind in ("mean", "median"))
    assert_allclose([mean.target_center_[0], mean.target_scale_[0]], [y.mean(), y.std()])
    assert median.target_scale_[0] < 2e5
    divided = make("gamma", standardize_target="median").fit(X, AMOUNTS)
    assert divided.target_scale_ == np.quantile(AMOUNTS, 0.5, method="inverted_cdf")
    zeros = np.r_[np.zeros(110), np.arange(10.0)]
    assert_allclose(make("huber").fit(X, zeros).target_scale_, zeros.std())
    counts = make("poisson", standardize_target="median").fit(X, zeros)
    assert_allclose(counts.target_scale_, zeros.mean())


def test_a_loss_of_ones_own_keeps_its_unit():
    own = custom_loss(half_square, half_square_slope)
    model = make("squared_error", standardize_target="auto").set_params(loss=own).fit(X, PRICES)
    assert_array_equal(model.target_scale_, [1])
    for wanted in (True, "mean"):
        model = make("huber", standardize_target=wanted).set_params(loss=own)
        text = f"^standardize_target={wanted!r} can't be used with a loss of your own"
        assert_rejected(model, (X, PRICES), ValueError, text)


# -- what a unit is worth --------------------------------------------------------------------------


def california(n=1500):
    """Return eight features of unit size and prices of about 2e5 ± 1e5, 83 % explained."""
    rng = np.random.RandomState(0)
    x = rng.normal(size=(n, 8))
    signal = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.4 * x[:, 3]
    return x, 2e5 + 1e5 * signal + 4.5e4 * rng.normal(size=n)


@pytest.mark.parametrize("loss", ["squared_error", *OF_MEDIAN, "gaussian_nll"])
def test_house_prices_in_dollars(loss):
    """With all defaults, but for the two losses that follow scikit-learn."""
    x, y = california()
    model = MLPRegressor(loss, random_state=0)
    model.set_params(standardize_target=True if loss == "squared_error" else "auto")
    assert model.fit(x, y).score(x, y) > (0.5 if loss == "pinball" else 0.75)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_prices_by_their_deviance(loss):
    x, y = california()
    y = 1e6 * np.exp(y / 2e5)
    model = MLPRegressor(loss, random_state=0, standardize_target=True).fit(x, y)
    assert model.score(x, y) > 0.7


def test_quantiles_of_prices_cover_their_shares():
    x, y = california()
    model = MLPRegressor("pinball", quantiles=(0.05, 0.5, 0.95), random_state=0).fit(x, y)
    below = (y[:, np.newaxis] <= model.predict(x)).mean(axis=0)
    assert_allclose(below, [0.05, 0.5, 0.95], rtol=0, atol=0.03)


@pytest.mark.parametrize("factor", [1e30, 1e-30])
@pytest.mark.parametrize("loss", ["absolute_error", "gaussian_nll", "squared_error", "gamma"])
def test_units_at_the_ends_of_single_precision(factor, loss):
    y = target_of(loss)
    plain = make(loss, dtype="float32").fit(X, y)
    model = make(loss, dtype="float32").fit(X, factor * y)
    assert_allclose(model.predict(X) / factor, plain.predict(X), rtol=1e-4, atol=1e-4)
    degree = ALL_LOSSES[loss][1]
    offset = np.log(factor) if loss == "gaussian_nll" else 0
    assert_allclose(model.loss_, factor**degree * plain.loss_ + offset, rtol=1e-4)
    expected = factor**degree * plain.loss_per_sample(X, y) + offset
    losses = model.loss_per_sample(X, factor * y)
    assert_allclose(losses, expected, rtol=1e-3, atol=1e-5 * factor**degree)
    slopes = model.gradient(X, factor * y).coefs[0]
    expected = factor**degree * plain.gradient(X, y).coefs[0].astype(float)
    assert_allclose(slopes, expected, rtol=1e-2, atol=1e-5 * factor**degree)


def test_a_target_that_is_large_beside_its_deviation():
    """Seconds since 1970, an hour or so around one of them: float32 has steps of two minutes."""
    seconds = 1.7e9 + 3600 * REAL
    model = make("huber", huber_delta=3600, dtype="float32", max_iter=200).fit(X, seconds)
    assert model.score(X, seconds) > 0.85
    assert model.predict(X).dtype == np.float64
    whole = make("huber", huber_delta=3600, dtype="float32", max_iter=200)
    whole.fit(X, seconds.astype(np.int64))
    assert_allclose(whole.predict(X), model.predict(X), rtol=0, atol=60)


# -- where the unit comes from, and how long it stays ----------------------------------------------


@each_loss
def test_weights_are_repetitions(loss):
    y = in_dollars(loss, target_of(loss))
    weighted = make(loss, max_iter=1).fit(X, y, INTEGER_WEIGHTS)
    repeated = make(loss, max_iter=1).fit(
        np.repeat(X, INTEGER_WEIGHTS, axis=0), np.repeat(y, INTEGER_WEIGHTS)
    )
    assert_allclose(weighted.target_center_, repeated.target_center_, rtol=1e-12)
    assert_allclose(weighted.target_scale_, repeated.target_scale_, rtol=1e-12)


@pytest.mark.parametrize(("y", "center"), [(np.full(120, 0.1), 0.1), (np.full(120, 7), 7.0)])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "gaussian_nll", "pinball"])
def test_a_target_that_never_varies_is_centered_only(loss, y, center):
    model = make(loss).fit(X, y)
    assert_array_equal([model.target_center_, model.target_scale_], [[center], [1]])
    assert np.isfinite(model.predict(X)).all()


def test_a_row_that_does_not_count_does_not_vary_it():
    y = np.r_[np.full(119, 3.0), 1e9]
    model = make("huber").fit(X, y, np.r_[np.ones(119), 0.0])
    assert_array_equal([model.target_center_, model.target_scale_], [[3], [1]])


@each_loss
def test_partial_fits_keep_the_unit_of_the_first_batch(loss):
    y = in_dollars(loss, target_of(loss))
    center, scale = unit_by_hand(loss, y[:40])
    model = made_for_dollars(loss).partial_fit(X[:40], y[:40])
    twin = made_for_dollars(loss).partial_fit(X[:40], y[:40])
    model.partial_fit(X[40:], y[40:]).set_params(standardize_target=False).partial_fit(X, y)
    assert_allclose([model.target_center_[0], model.target_scale_[0]], [center, scale])
    twin.partial_fit(X[40:], y[40:])
    for copied in (pickle.loads(pickle.dumps(twin)), copy.deepcopy(twin)):
        assert_array_equal(copied.partial_fit(X, y).predict(X), model.predict(X))
        assert copied.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("loss", ["huber", "squared_error", "gamma"])
def test_a_first_batch_of_one_row(loss):
    alone = pytest.warns(RuntimeWarning, match="The first part has only one value of y")
    with contextlib.nullcontext() if loss == "gamma" else alone:  # gamma's mean tells the scale
        model = make(loss).partial_fit(X[:1], [5.0])
    model.partial_fit(X[1:2], [7.0], sample_weight=[2.0])
    expected = (0, 5) if loss == "gamma" else (5, 1)
    assert_array_equal([model.target_center_[0], model.target_scale_[0]], expected)


def test_a_warm_start_keeps_the_unit_and_earlier_curves():
    model = make("huber", huber_delta=SCALE, warm_start=True).fit(X, SHIFT + SCALE * REAL)
    unit, curve = model.target_scale_, model.loss_curve_
    best = model.best_loss_
    model.set_params(huber_delta=0.01 * SCALE, dtype="float32").fit(X, 3 * SHIFT + SCALE * REAL)
    assert_array_equal(model.target_scale_, unit)
    assert model.loss_curve_[: len(curve)] == curve
    assert model.best_loss_ == min(model.loss_curve_[len(curve) :]) != best
    model.set_params(loss="squared_error", standardize_target=False).fit(X, REAL)
    assert_array_equal(model.target_scale_, unit)


def test_losses_that_cannot_take_the_unit_over():
    own = custom_loss(half_square, half_square_slope)
    model = make("huber", standardize_target="auto", warm_start=True).fit(X, AMOUNTS)
    for loss in ("poisson", "gamma", own):
        text = r"^loss='.*' can't continue a network whose target was standardised"
        trial = copy.deepcopy(model).set_params(loss=loss)
        assert_rejected(trial, (X, AMOUNTS), ValueError, text)
        assert_rejected(trial, (X, AMOUNTS), ValueError, text, method="partial_fit")
    divided = make("gamma", warm_start=True).fit(X, AMOUNTS)
    assert_array_equal(divided.target_center_, [0])
    divided.set_params(loss="huber").fit(X, AMOUNTS)
    make("huber", standardize_target=False, warm_start=True).fit(X, AMOUNTS).set_params(
        loss="gamma"
    ).fit(X, AMOUNTS)


@pytest.mark.parametrize("loss", ["squared_error", "log_cosh", "pinball", "gaussian_nll"])
def test_early_stopping_scores_in_dollars(loss):
    y, seen = SHIFT + SCALE * REAL, {"early_stopping": True, "max_iter": 20}
    center, scale = unit_by_hand(loss, y)
    by_hand = make(loss, standardize_target=False, **seen).fit(X, (y - center) / scale)
    model = make(loss, **seen).fit(X, y)
    assert_same_network(model, by_hand)
    scores = np.array(by_hand.validation_scores_)
    if loss == "log_cosh":
        scores = scale**2 * scores
    if loss == "gaussian_nll":
        scores = scores - np.log(scale)
    assert_allclose(model.validation_scores_, scores, rtol=1e-7)
    assert model.best_validation_score_ == max(model.validation_scores_)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_tol_is_held_against_the_standardised_loss(early_stopping):
    settings = {"tol": 1e-3, "max_iter": 300, "early_stopping": early_stopping}
    epochs = [
        make("log_cosh", **settings).fit(X, factor * REAL).n_iter_ for factor in (1, 2**20, 2**-20)
    ]
    assert epochs[0] == epochs[1] == epochs[2] < 300


# -- several targets -------------------------------------------------------------------------------


@each_loss
@two_backends
def test_several_targets_are_standardised_each_for_itself(loss, backend):
    """Their losses are told in scales, but where a scale only adds a constant."""
    y = np.c_[1e5 * AMOUNTS, 1e-3 * AMOUNTS[::-1], np.full(120, 4.0)]
    units = [unit_by_hand(loss, column) for column in y.T[:2]]
    center, scale = np.array([*units, (0, 4) if is_positive(loss) else (4, 1)]).T
    model = make(loss, backend=backend).fit(X, y)
    assert_allclose([model.target_center_, model.target_scale_], [center, scale], rtol=1e-12)
    z = (y - center) / scale
    by_hand = make(loss, backend=backend, standardize_target=False).fit(X, z)
    assert_same_network(model, by_hand)
    axes = (slice(None), np.newaxis) if loss == "pinball" else (slice(None),)
    predicted = center[axes] + scale[axes] * by_hand.predict(X)
    assert_allclose(model.predict(X), predicted, rtol=1e-7)
    offset = np.log(scale).mean() if loss == "gaussian_nll" else 0
    assert_allclose(model.loss_curve_, offset + np.array(by_hand.loss_curve_), rtol=1e-7)
    assert_allclose(model.cost(X, y), offset + by_hand.cost(X, z), rtol=1e-7)
    outputs = Predictor(model)(X)
    assert_allclose(outputs[:, : predicted[0].size], predicted.reshape(120, -1), rtol=1e-7)
    if loss == "gaussian_nll":
        _, std = model.predict(X, return_std=True)
        assert_allclose(std, scale * by_hand.predict(X, return_std=True)[1], rtol=1e-7)
        assert_allclose(np.sqrt(outputs[:, 3:]), std, rtol=1e-12)


# -- bad input -------------------------------------------------------------------------------------


def test_a_value_too_far_for_the_type():
    y = REAL.copy()
    y[7] = 3e38
    tiny = make("huber", dtype="float32", standardize_target="median").fit(X, 1e-30 * REAL)
    text = r"^y contains 3e\+38 \(column 0, row 7\), which is too far from .* for dtype "
    for method in ("cost", "partial_fit", "loss_per_sample", "gradient"):
        assert_rejected(tiny, (X, y), ValueError, text, method=method)
    assert_rejected(
        make("huber", dtype="float32"), (X, 1e-30 * REAL + (y > 9) * y), ValueError, text
    )


def test_the_least_amount_is_one_of_the_unit():
    """The least normal number is 1.2e-38, times the mean."""
    y = 1e10 * AMOUNTS
    y[7] = 1e-30
    text = r"^loss='gamma' needs every y > 0 \(from 2e-28, for dtype float32\); got 1e-30 "
    assert_rejected(make("gamma", dtype="float32"), (X, y), ValueError, text)
    assert np.isfinite(make("gamma", dtype="float32").fit(X, 1e-40 * AMOUNTS).loss_)


# -- worthless fits are named ----------------------------------------------------------------------

REMEDY = "set standardize_target=True"


def warning_of(model, x, y):
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(x, y)
    return str(caught[0].message)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "pinball", "gaussian_nll"])
def test_a_target_in_dollars_is_named_with_its_remedy(loss):
    x, y = california()
    text = warning_of(MLPRegressor(loss, standardize_target=False, random_state=0), x, y)
    assert "than a constant does" in text
    assert text.endswith(f"y has the mean 2e+05 and the standard deviation 1e+05: {REMEDY}.")


@pytest.mark.parametrize("factor", [0.01, 0.001])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_target_that_hardly_varies_is_named(factor, shift):
    """Training ends by ``tol``, since no loss is left to lower: R² is far below 0."""
    x, y = california()
    y = shift + factor * (y - 2e5) / 1e5
    model = MLPRegressor(random_state=0)
    text = warning_of(model, x, y)
    assert model.score(x, y) < -5
    assert text.startswith("Training loss did not improve")
    assert "worse than a constant does" in text
    assert REMEDY in text


def test_a_density_worse_than_the_constants_is_named_though_its_cost_is_negative():
    x, y = california()
    y = 0.05 * (y - y.mean()) / y.std()
    model = MLPRegressor("gaussian_nll", standardize_target=False, random_state=0, max_iter=18)
    text = warning_of(model, x, y)
    assert model.cost(x, y) > np.log(0.05) + 0.5
    finding = "worse than a constant does: on 1024 of them its cost is -2.43, the constant's -2.53."
    assert finding in text


def test_the_column_is_named():
    x, y = california()
    targets = np.c_[y / 1e5, y]
    assert f"Column 1 of y has the mean 2e+05 and the standard deviation 1e+05: {REMEDY}." in (
        warning_of(MLPRegressor(random_state=0), x, targets)
    )


@pytest.mark.parametrize("loss", ["squared_error", "huber", "gaussian_nll"])
def test_a_feature_out_of_scale_is_named_beside_a_standardised_target(loss):
    x, y = california()
    x[:, 4], x[:, 5] = np.exp(x[:, 4] + 7), np.exp(1.3 * x[:, 5] + 6)
    text = warning_of(MLPRegressor(loss, standardize_target=True, random_state=0), x, y)
    assert re.search("Column [45] of X is about", text)
    assert "StandardScaler" in text
    assert "of y" not in text
    assert REMEDY not in text


def test_divergence_names_what_is_out_of_scale():
    x, y = california()
    x[:, 5] *= 1e4
    with pytest.raises(
        DivergenceError, match=r"Column 5 of X is about .* y has the mean .*: set st"
    ):
        MLPRegressor("poisson", random_state=0).fit(x, np.exp(y / 1e5))


def test_losses_of_ones_own_are_not_sent_to_what_is_not_for_them():
    own = custom_loss(half_square, half_square_slope)
    x, y = california()
    text = warning_of(MLPRegressor(own, random_state=0), x, y)
    assert text.endswith(
        "y has the mean 2e+05 and the standard deviation 1e+05: scale it to about 1."
    )


def test_a_warm_start_far_from_its_unit_is_told_to_begin_anew():
    x, y = california()
    model = MLPRegressor("huber", warm_start=True, random_state=0, max_iter=20).fit(x, y / 1e5)
    text = warning_of(model, x, y)
    assert text.endswith(
        "y is far from the center and scale that the first fit of the network found: fit with "
        "warm_start=False."
    )


def test_a_stream_that_begins_with_one_value_is_remarked_on():
    model = MLPRegressor("huber", (5,), random_state=0)
    with pytest.warns(RuntimeWarning, match="The first part has only one value of y"):
        model.partial_fit(X[:1], [3e5])
    assert_array_equal(model.target_scale_, [1])
    model.partial_fit(X[:2], [1e5, 2e5])  # said once
