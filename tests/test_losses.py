"""Losses as users meet them: what estimators learn, predict and report with each."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers_tolerances import eps
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, rel_entr, softmax
from scipy.stats import norm
from sklearn.metrics import (
    d2_pinball_score,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_tweedie_deviance,
    r2_score,
)

from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.backends import BACKENDS
from fastmlp.registry import CLASSIFIER_LOSSES, LOSSES, REGRESSOR_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(3)
X = RNG.normal(size=(150, 4))
SIGNAL = X[:, 0] - 0.5 * X[:, 1] ** 2
COUNTS = RNG.poisson(np.exp(0.8 * SIGNAL)).astype(float)
AMOUNTS = RNG.gamma(2, np.exp(0.8 * SIGNAL) / 2)
REAL = SIGNAL + 0.1 * RNG.normal(size=150)
BINARY = np.where(SIGNAL > -0.4, "yes", "no")
CLASSES = np.array(["ash", "elm", "oak"])[np.digitize(SIGNAL, [-1, 0.3])]
INDICATORS = np.c_[SIGNAL > 0, X[:, 2] > 0, X[:, 3] > 1].astype(int)
SHARES = softmax(np.c_[SIGNAL, X[:, 2], -SIGNAL], axis=1)

TARGETS = {
    "binary": BINARY,
    "multiclass": CLASSES,
    "multilabel": INDICATORS,
    "distribution": SHARES,
}
CLASSIFICATIONS = [
    pytest.param(loss, kind, id=f"{loss}-{kind}")
    for loss, kinds in CLASSIFIER_LOSSES.items()
    for kind in kinds
]
REGRESSIONS = {
    **{name: {"loss": name} for name in REGRESSOR_LOSSES},
    "tweedie-1.2": {"loss": "tweedie", "tweedie_power": 1.2},
    "pinball-0.9": {"loss": "pinball", "quantiles": 0.9},
    "pinball-3": {"loss": "pinball", "quantiles": (0.1, 0.5, 0.9)},
}
every_regression = pytest.mark.parametrize("losing", REGRESSIONS.values(), ids=REGRESSIONS)


@pytest.fixture(params=BACKENDS)
def backend_name(request):
    return request.param


def target_of(losing, n_targets=1):
    """Return y (N,), or (N, n_targets), that fits a regressor's loss."""
    row = LOSSES[REGRESSOR_LOSSES[losing["loss"]]]
    y = {"real": REAL, "non_negative": COUNTS, "positive": AMOUNTS}[row.target]
    return y if n_targets == 1 else np.c_[y, y[::-1], y + 1][:, :n_targets]


def classifier(**parameters):
    return MLPClassifier((12,), **{"random_state": 0, "learning_rate_init": 0.02, **parameters})


def regressor(**parameters):
    return MLPRegressor(
        hidden_layer_sizes=(12,), **{"random_state": 0, "learning_rate_init": 0.02, **parameters}
    )


def labels_of(kind):
    return SHARES.argmax(axis=1) if kind == "distribution" else TARGETS[kind]


# -- every loss ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "kind"), CLASSIFICATIONS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_classifier_learns(loss, kind, solver, backend_name):
    y = TARGETS[kind]
    model = classifier(loss=loss, solver=solver, backend=backend_name, max_iter=60).fit(X, y)
    assert model.score(X, y) > (0.6 if kind == "multilabel" else 0.8)
    assert_array_equal(model.predict(X).shape, labels_of(kind).shape)
    assert np.mean(model.predict(X) == labels_of(kind)) >= model.score(X, y) - 1e-12
    assert model.loss_curve_[-1] < model.loss_curve_[0]


@every_regression
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("n_targets", [1, 3])
def test_a_regressor_learns(losing, solver, n_targets, backend_name):
    y = target_of(losing, n_targets)
    model = regressor(**losing, solver=solver, backend=backend_name, max_iter=80).fit(X, y)
    levels = np.shape(losing.get("quantiles", 0.5))
    assert model.predict(X).shape == y.shape + levels
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert_allclose(model.cost(X, y), np.mean(model.loss_per_sample(X, y)), rtol=1e-6)
    if n_targets == 1 and losing.get("quantiles") is None:
        assert model.score(X, y) > 0.2


@pytest.mark.parametrize(("loss", "kind"), CLASSIFICATIONS)
def test_the_ways_to_train_a_classifier(loss, kind):
    y = TARGETS[kind]
    stopping = classifier(loss=loss, early_stopping=True, max_iter=40).fit(X, y)
    assert len(stopping.validation_scores_) == stopping.n_iter_
    assert max(stopping.validation_scores_) > 0.3
    warm = classifier(loss=loss, warm_start=True, max_iter=3).fit(X, y).fit(X, y)
    assert len(warm.loss_curve_) == 6
    step = classifier(loss=loss).partial_fit(X, y, classes=None if y.ndim == 2 else np.unique(y))
    assert step.partial_fit(X[:40], y[:40]).n_iter_ == 1
    for twin in (pickle.loads(pickle.dumps(step)), copy.deepcopy(step)):
        assert_array_equal(twin.decision_function(X), step.decision_function(X))
        assert_array_equal(
            twin.partial_fit(X, y).coefs_[0], copy.deepcopy(step).partial_fit(X, y).coefs_[0]
        )


@every_regression
def test_the_ways_to_train_a_regressor(losing):
    y = target_of(losing)
    stopping = regressor(**losing, early_stopping=True, max_iter=8).fit(X, y)
    assert len(stopping.validation_scores_) == stopping.n_iter_
    warm = regressor(**losing, warm_start=True, max_iter=3).fit(X, y).fit(X, y)
    assert len(warm.loss_curve_) == 6
    step = regressor(**losing).partial_fit(X, y).partial_fit(X[:40], y[:40])
    twin = pickle.loads(pickle.dumps(step))
    assert_array_equal(twin.predict(X), step.predict(X))
    assert_array_equal(twin.partial_fit(X, y).coefs_[0], step.partial_fit(X, y).coefs_[0])


@pytest.mark.parametrize(("loss", "kind"), CLASSIFICATIONS)
def test_a_classifiers_predictor(loss, kind):
    model = classifier(loss=loss, max_iter=3).fit(X, TARGETS[kind])
    if hasattr(model, "predict_proba"):
        expected = model.predict_proba(X)
    else:
        expected = model._forward(model._learnt, X, apply_link=False)
    assert_array_equal(Predictor(model)(X), expected)


@every_regression
@pytest.mark.parametrize("n_targets", [1, 3])
def test_a_regressors_predictor(losing, n_targets):
    model = regressor(**losing, max_iter=3).fit(X, target_of(losing, n_targets))
    outputs = Predictor(model)(X)
    expected = model.predict(X).reshape(len(X), -1)
    assert_array_equal(outputs[:, : expected.shape[1]], expected)
    if losing["loss"] == "gaussian_nll":
        _, std = model.predict(X, return_std=True)
        assert_array_equal(np.sqrt(outputs[:, n_targets:]), std.reshape(len(X), -1))


# -- the values that are reported ------------------------------------------------------------------


def fitted_double(losing, n_targets, backend):
    y = target_of(losing, n_targets)
    model = regressor(**losing, max_iter=15, dtype="float64", backend=backend).fit(X, y)
    return model, model.predict(X), y


@pytest.mark.parametrize("n_targets", [1, 3])
def test_deviances_are_half_of_scikit_learns_and_summed(n_targets, backend_name):
    for name, deviance in [
        ("poisson", mean_poisson_deviance),
        ("gamma", mean_gamma_deviance),
        ("tweedie", lambda y, mean: mean_tweedie_deviance(y, mean, power=1.5)),
    ]:
        model, mean, y = fitted_double({"loss": name}, n_targets, backend_name)
        columns = zip(y.reshape(len(X), -1).T, mean.reshape(len(X), -1).T, strict=True)
        expected = sum(deviance(*pair) for pair in columns) / 2
        assert_allclose(model.cost(X, y), expected, rtol=1e-10)


@pytest.mark.parametrize("n_targets", [1, 3])
def test_residual_losses_are_means_over_targets(n_targets, backend_name):
    def huber(r):
        return np.where(np.abs(r) < 0.3, r**2 / 2, 0.3 * (np.abs(r) - 0.15))

    for losing, value in [
        ({"loss": "absolute_error"}, np.abs),
        ({"loss": "huber", "huber_delta": 0.3}, huber),
        ({"loss": "smooth_l1", "smooth_l1_beta": 0.3}, lambda r: huber(r) / 0.3),
        ({"loss": "log_cosh"}, lambda r: np.log(np.cosh(r))),
    ]:
        model, predicted, y = fitted_double(losing, n_targets, backend_name)
        residuals = (predicted - y).reshape(len(X), -1)
        expected = value(residuals).mean(axis=1)
        assert_allclose(model.loss_per_sample(X, y), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("n_targets", [1, 3])
def test_quantiles(n_targets, backend_name):
    levels = (0.1, 0.5, 0.8)
    losing = {"loss": "pinball", "quantiles": levels}
    model, quantiles, y = fitted_double(losing, n_targets, backend_name)
    assert np.all(np.diff(quantiles, axis=-1) >= 0)
    pairs = [(quantiles[..., q], level) for q, level in enumerate(levels)]
    expected = np.mean([mean_pinball_loss(y, each, alpha=level) for each, level in pairs])
    assert_allclose(model.cost(X, y), expected, rtol=1e-10)
    weights = np.linspace(0, 2, len(X))
    expected = np.mean([
        d2_pinball_score(y, each, alpha=level, sample_weight=weights) for each, level in pairs
    ])  # fmt: skip
    assert_allclose(model.score(X, y, weights), expected, rtol=1e-10)


@pytest.mark.parametrize("quantiles", [0.3, (0.3,), [0.1, 0.3]])
def test_early_stopping_scores_as_score_does(quantiles):
    y = target_of({"loss": "pinball"})
    model = regressor(loss="pinball", quantiles=quantiles, early_stopping=True, max_iter=1)
    model.fit(np.r_[X, X[:20]], np.r_[y, y[:20]])
    assert model.validation_scores_[0] < 1
    held_out = model.score(X, y)
    assert abs(held_out - model.validation_scores_[0]) < 1  # the same kind of number


def test_a_quantile_covers_its_share():
    rng = np.random.RandomState(0)
    x = rng.uniform(-1, 1, size=(4000, 1))
    y = x.ravel() + (0.2 + 0.3 * (x.ravel() > 0)) * rng.normal(size=4000)
    model = regressor(loss="quantile", quantiles=[0.1, 0.5, 0.9], learning_rate_init=0.003)
    model.fit(x, y)
    below = np.mean(y[:, np.newaxis] <= model.predict(x), axis=0)
    assert_allclose(below, [0.1, 0.5, 0.9], rtol=0, atol=0.03)
    narrow, wide = (np.ptp(model.predict([[at]])) for at in (-0.5, 0.5))
    assert wide > 1.7 * narrow


def test_a_single_level_drops_the_axis_unless_it_is_a_sequence():
    one = regressor(loss="pinball", quantiles=0.3, max_iter=2).fit(X, REAL)
    listed = regressor(loss="pinball", quantiles=[0.3], max_iter=2).fit(X, REAL)
    assert one.predict(X).shape == (150,)
    assert listed.predict(X).shape == (150, 1)
    assert_array_equal(listed.predict(X)[:, 0], one.predict(X))
    for model in (one, listed):
        expected = d2_pinball_score(REAL, one.predict(X), alpha=0.3)
        assert_allclose(model.score(X, REAL), expected, rtol=1e-6)


@pytest.mark.parametrize("n_targets", [1, 3])
def test_mean_and_standard_deviation(n_targets, backend_name):
    model, mean, y = fitted_double({"loss": "gaussian_nll"}, n_targets, backend_name)
    again, std = model.predict(X, return_std=True)
    assert_array_equal(again, mean)
    assert std.shape == y.shape
    assert std.min() >= 1e-3
    likelihood = norm.logpdf(y, mean, std).reshape(len(X), -1)
    expected = -likelihood.mean(axis=1) - np.log(2 * np.pi) / 2
    assert_allclose(model.loss_per_sample(X, y), expected, rtol=1e-8, atol=1e-12)
    assert_allclose(model.score(X, y), r2_score(y, mean))


def test_the_standard_deviation_follows_the_noise():
    rng = np.random.RandomState(0)
    x = rng.uniform(-1, 1, size=(4000, 1))
    noise = np.where(x.ravel() > 0, 0.5, 0.1)
    y = x.ravel() + noise * rng.normal(size=4000)
    model = regressor(loss="gaussian_nll", max_iter=100).fit(x, y)
    _, std = model.predict([[-0.6], [0.6]], return_std=True)
    assert_allclose(std, [0.1, 0.5], rtol=0.25)


@pytest.mark.parametrize(
    ("power", "name"), [(1, "poisson"), (1 + 1e-8, "poisson"), (2 - 1e-9, "gamma"), (2.0, "gamma")]
)
def test_tweedie_ends_in_poisson_and_gamma(power, name, backend_name):
    """In single precision 1 + 1e-8 is 1."""
    y, settings = AMOUNTS, {"max_iter": 4, "backend": backend_name}
    by_power = regressor(loss="tweedie", tweedie_power=power, **settings).fit(X, y)
    by_name = regressor(loss=name, **settings).fit(X, y)
    assert_array_equal(by_power.predict(X), by_name.predict(X))
    assert by_power.loss_ == by_name.loss_


# -- classification --------------------------------------------------------------------------------


def as_distribution(y, classes):
    return (y[:, np.newaxis] == classes).astype(float)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_label_smoothing_is_a_mixture_with_even_odds(smoothing, backend_name):
    settings = {"label_smoothing": smoothing, "dtype": "float64", "backend": backend_name}
    model = classifier(**settings, max_iter=10).fit(X, CLASSES)
    p = (1 - smoothing) * as_distribution(CLASSES, model.classes_) + smoothing / 3
    expected = -(p * log_softmax(model.decision_function(X), axis=1)).sum(axis=1)
    assert_allclose(model.loss_per_sample(X, CLASSES), expected, rtol=1e-10)

    binary = classifier(**settings, max_iter=10).fit(X, BINARY)
    p = (1 - smoothing) * (BINARY == "yes") + smoothing / 2
    q = expit(binary.decision_function(X))
    expected = -(p * np.log(q) + (1 - p) * np.log1p(-q))
    assert_allclose(binary.loss_per_sample(X, BINARY), expected, rtol=1e-10)


@pytest.mark.parametrize("y", [BINARY, CLASSES, INDICATORS], ids=["binary", "classes", "labels"])
def test_label_smoothing_tempers_certainty(y):
    hard, soft = (
        classifier(label_smoothing=s, max_iter=200).fit(X, y).predict_proba(X) for s in (0, 0.4)
    )
    assert np.abs(soft - 0.5).mean() < np.abs(hard - 0.5).mean() - 0.05


@pytest.mark.parametrize("y", [BINARY, CLASSES, INDICATORS], ids=["binary", "classes", "labels"])
def test_smoothed_labels_are_scored_as_labels(y):
    model = classifier(label_smoothing=0.2, early_stopping=True, max_iter=20).fit(X, y)
    assert model.best_validation_score_ > 0.4


@pytest.mark.parametrize("backend", BACKENDS)
def test_certain_distributions_are_labels(backend):
    settings = {"dtype": "float64", "max_iter": 8, "backend": backend}
    labels = classifier(**settings).fit(X, CLASSES)
    shares = as_distribution(CLASSES, labels.classes_)
    shares[0, shares[0] == 1] -= 1e-12  # without a fraction it would be an indicator matrix
    certain = classifier(**settings).fit(X, shares)
    assert_allclose(certain.predict_proba(X), labels.predict_proba(X), rtol=1e-8)
    assert_array_equal(certain.classes_, [0, 1, 2])
    assert_array_equal(labels.classes_[certain.predict(X)], labels.predict(X))


def test_kl_divergence_is_the_cross_entropy_less_the_entropy(backend_name):
    settings = {"dtype": "float64", "max_iter": 8, "backend": backend_name}
    p = SHARES.copy()
    p[::3] = [0, 0.25, 0.75]
    soft = classifier(**settings).fit(X, p)
    relative = classifier(loss="kl_divergence", **settings).fit(X, p)
    assert_allclose(relative.predict_proba(X), soft.predict_proba(X), rtol=1e-9)
    divergence = rel_entr(p, relative.predict_proba(X)).sum(axis=1)
    assert_allclose(relative.loss_per_sample(X, p), divergence, rtol=1e-8, atol=1e-12)
    entropy = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)
    assert_allclose(soft.loss_per_sample(X, p), divergence + entropy, rtol=1e-8)


def test_kl_divergence_takes_ones_and_zeros_as_distributions():
    certain = as_distribution(CLASSES, np.unique(CLASSES)).astype(int)
    model = classifier(loss="kl_divergence", max_iter=60).fit(X, certain)
    assert model.score(X, certain) == model.score(X, certain.argmax(axis=1)) > 0.8
    assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_rounded_distributions_are_made_to_sum_to_one():
    rounded = SHARES.round(4)
    model = classifier(dtype="float64", max_iter=2).fit(X, rounded)
    exact = rounded / rounded.sum(axis=1, keepdims=True)
    again = classifier(dtype="float64", max_iter=2).fit(X, exact)
    assert_allclose(model.predict_proba(X), again.predict_proba(X), rtol=1e-12)


@pytest.mark.parametrize("y", [BINARY, CLASSES, INDICATORS], ids=["binary", "classes", "labels"])
def test_focal_loss_without_focus_is_the_cross_entropy(y, backend_name):
    settings = {"dtype": "float64", "max_iter": 5, "backend": backend_name}
    focal = classifier(loss="focal", focal_gamma=0.0, **settings).fit(X, y)
    plain = classifier(**settings).fit(X, y)
    assert_allclose(focal.predict_proba(X), plain.predict_proba(X), rtol=1e-8)
    sharp = classifier(loss="focal", **settings).fit(X, y)
    if y.ndim == 1:
        q = sharp.predict_proba(X)[np.arange(len(X)), np.searchsorted(sharp.classes_, y)]
        assert_allclose(sharp.loss_per_sample(X, y), -((1 - q) ** 2) * np.log(q), rtol=1e-8)


@pytest.mark.parametrize("y", [BINARY, CLASSES], ids=["binary", "classes"])
def test_multi_margin(y, backend_name):
    model = classifier(loss="multi_margin", dtype="float64", backend=backend_name, max_iter=30)
    z = model.fit(X, y)._forward(model._learnt, X, apply_link=False)
    label = np.searchsorted(model.classes_, y)[:, np.newaxis]
    margins = np.maximum(0, 1 - np.take_along_axis(z, label, axis=1) + z)
    np.put_along_axis(margins, label, 0, axis=1)
    assert_allclose(model.loss_per_sample(X, y), margins.mean(axis=1), rtol=1e-10, atol=1e-15)
    decision = model.decision_function(X)
    if y is BINARY:
        assert_array_equal(decision, z[:, 1] - z[:, 0])
        assert_array_equal(model.predict(X), np.where(decision > 0, "yes", "no"))
    else:
        assert_array_equal(decision, z)


@pytest.mark.parametrize("y", [BINARY, CLASSES, INDICATORS], ids=["binary", "classes", "labels"])
def test_squared_hinge(y, backend_name):
    model = classifier(loss="squared_hinge", dtype="float64", backend=backend_name, max_iter=30)
    z = model.fit(X, y)._forward(model._learnt, X, apply_link=False)
    assert z.shape[1] == (1 if y is BINARY else 3)
    truth = y if y.ndim == 2 else as_distribution(y, model.classes_[-z.shape[1] :])
    expected = (np.maximum(0, 1 - (2 * truth - 1) * z) ** 2).sum(axis=1)
    assert_allclose(model.loss_per_sample(X, y), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
def test_probabilities_only_where_the_loss_has_some(loss):
    kind = next(iter(CLASSIFIER_LOSSES[loss]))
    model = classifier(loss=loss, max_iter=2)
    margins = loss in ("multi_margin", "squared_hinge")
    for each in (model, copy.deepcopy(model).fit(X, TARGETS[kind])):
        for name in ("predict_proba", "predict_log_proba"):
            assert hasattr(each, name) != margins
        if margins:
            with pytest.raises(AttributeError, match="has no attribute 'predict_proba'"):
                each.predict_proba(X)
    fitted = model.fit(X, TARGETS[kind]).set_params(loss="multi_margin" if not margins else "focal")
    assert hasattr(fitted, "predict_proba") != margins  # it is the network that counts


@pytest.mark.parametrize("y", [BINARY, CLASSES, INDICATORS, SHARES], ids=TARGETS)
def test_decision_function_and_probabilities_agree(y):
    model = classifier(max_iter=5, dtype="float64").fit(X, y)
    logits, q = model.decision_function(X), model.predict_proba(X)
    if y is BINARY:
        assert_allclose(expit(logits), q[:, 1], rtol=1e-12)
    else:
        assert_allclose(expit(logits) if y is INDICATORS else softmax(logits, axis=1), q, rtol=1e-9)
    expected = np.where(q > 0, np.log(q), 0)
    assert_allclose(model.predict_log_proba(X), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "alias"), [("cross_entropy", "log_loss"), ("pinball", "quantile")]
)
def test_aliases(name, alias):
    make, y = (classifier, BINARY) if alias == "log_loss" else (regressor, REAL)
    first, second = (make(loss=each, max_iter=3).fit(X, y) for each in (name, alias))
    assert_array_equal(first.coefs_[0], second.coefs_[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_regression
def test_double_and_single_precision_agree(losing, dtype):
    y = target_of(losing)
    model = regressor(**losing, dtype=dtype, max_iter=2, solver="sgd", learning_rate_init=1e-3)
    wide = regressor(**losing, dtype="float64", max_iter=2, solver="sgd", learning_rate_init=1e-3)
    expected = wide.fit(X, y).predict(X)
    tolerance = 200 * eps(np.dtype(dtype))
    assert_allclose(model.fit(X, y).predict(X), expected, rtol=tolerance, atol=tolerance)
