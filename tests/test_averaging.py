"""``averaging``: an average of the weights is judged, predicts and stays; which epoch is kept."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, parameters_of, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score

from fastmlp.averaging import EMA, SWA

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = {"dtype": "float64", "random_state": 0, "max_iter": 8, "learning_rate_init": 0.05}
#: Averages of float64 numbers near 1, taken in another order.
ROUNDING = {"rtol": 1e-12, "atol": 1e-14}


def weights_of_epochs(model, **keywords):
    """Fit; return the numbers (P,) that callbacks saw after each epoch."""
    seen = []
    model.set_params(callbacks=[lambda record: seen.append(parameters_of(model))])
    model.fit(X, Y, **keywords)
    return np.array(seen)


@pytest.mark.parametrize("normalization", [None, "batch"])
def test_the_mean_of_the_last_epochs(normalization):
    model = regressor(normalization=normalization, batch_size=16, **SETTINGS)
    epochs = weights_of_epochs(model)
    averaging = clone(model).set_params(averaging=SWA(start=0.5))
    seen = weights_of_epochs(averaging)
    assert_array_equal(seen[:4], epochs[:4])  # before it begins
    wanted = [epochs[4:end].mean(axis=0) for end in range(5, 9)]
    assert_allclose(seen[4:], wanted, **ROUNDING)
    assert_array_equal(parameters_of(averaging), seen[-1])
    assert averaging.loss_curve_ == model.loss_curve_  # the solver's own weights go on
    if normalization:
        assert np.all(averaging.running_variances_[0] != model.running_variances_[0])


def test_the_exponential_average():
    """One update an epoch, so that each of them is seen."""
    model = regressor(batch_size=40, **{**SETTINGS, "max_iter": 40})
    epochs = weights_of_epochs(model)
    seen = weights_of_epochs(clone(model).set_params(averaging=EMA(decay=0.7)))
    mean = np.zeros(epochs.shape[1])
    for t, (weights, average) in enumerate(zip(epochs, seen, strict=True)):
        kept = min(0.7, t / (t + 9))
        mean = kept * mean + (1 - kept) * weights
        assert_allclose(average, mean, **ROUNDING)
    assert 39 / (39 + 9) > 0.7  # both bounds were met


def test_updates_that_are_taken_in_together_count_as_one_by_one():
    average = EMA(decay=0.9)
    one_by_one = np.prod([1 - average.share(t, 1, 0.0) for t in range(5, 21)])
    assert_allclose(1 - average.share(5, 16, 0.0), one_by_one, rtol=1e-12)


def test_the_weights_are_looked_at_within_epochs():
    """Batches of one row: after 16, 32 and 40 updates of an epoch, and not only after the last."""
    model = regressor(batch_size=1, averaging=EMA(), **{**SETTINGS, "max_iter": 1}).fit(X, Y)
    last = clone(model).set_params(averaging=None).fit(X, Y)
    assert not np.array_equal(parameters_of(model), parameters_of(last))
    # Among 40 updates, those before the last nine or so hardly count: the average is near.
    first = clone(last).set_params(learning_rate_init=1e-300).fit(X, Y)
    moved = np.linalg.norm(parameters_of(last) - parameters_of(first))
    assert 0 < np.linalg.norm(parameters_of(model) - parameters_of(last)) < moved / 2


@pytest.mark.parametrize("scoring", [None, "r2"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_average_is_judged(scoring, early_stopping):
    scores, rows = [], {"X_val": X[:15], "y_val": Y[:15]}
    model = regressor(averaging="ema", scoring=scoring, early_stopping=early_stopping, **SETTINGS)
    note = lambda record: scores.append(r2_score(Y[:15], model.predict(X[:15])))  # noqa: E731
    model.set_params(callbacks=[note]).fit(X[15:], Y[15:], **rows)
    assert_allclose(model.validation_scores_, scores, rtol=1e-9)
    best = max(scores) if early_stopping else scores[-1]
    assert_allclose(r2_score(Y[:15], model.predict(X[:15])), best, rtol=1e-9)
    alone = clone(model).set_params(averaging=None, callbacks=None).fit(X[15:], Y[15:], **rows)
    assert np.all(np.abs(np.subtract(alone.validation_scores_, scores)[1:]) > 1e-6)


def test_a_fit_that_ends_before_the_average_begins():
    model = regressor(averaging=SWA(start=0.5), **SETTINGS)
    model.set_params(callbacks=[lambda record: record.epoch == 3]).fit(X, Y)
    alone = clone(model).set_params(averaging=None).fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(alone))


def test_a_warm_start_goes_on_from_the_average():
    model = regressor(averaging=SWA(start=0.0), warm_start=True, **SETTINGS).fit(X, Y)
    before = parameters_of(model)
    model.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, Y)
    assert_array_equal(parameters_of(model), before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_and_numbers_of_threads(dtype):
    """No backend knows of it, so two of them say as much as all, and none must be compiled."""
    settings = {**SETTINGS, "dtype": dtype}
    model = classifier(averaging="ema", early_stopping=True, batch_size=7, **settings)
    found = {
        name: clone(model).set_params(backend=name).fit(X, LABELS) for name in ("compiled", "numpy")
    }
    tolerance = 1e-4 if dtype == "float32" else 1e-11
    assert_allclose(*map(parameters_of, found.values()), atol=tolerance)
    alone = clone(model).set_params(n_threads=1).fit(X, LABELS)
    together = clone(model).set_params(n_threads=3).fit(X, LABELS)
    assert_array_equal(parameters_of(alone), parameters_of(together))
    copied = pickle.loads(pickle.dumps(together))
    assert_array_equal(copied.predict_proba(X), alone.predict_proba(X))


def test_a_divergence_keeps_the_best_average():
    model = regressor(averaging="ema", early_stopping=True, **SETTINGS)
    seen = []

    def overflow(record):
        seen.append(parameters_of(model))
        if record.epoch == 3:
            record.set_learning_rate(1e308)

    model.set_params(callbacks=[overflow], validation_fraction=0.2, solver="sgd")
    with pytest.warns(ConvergenceWarning, match="network of the best epoch is kept"):
        model.fit(X, Y)
    assert any(np.array_equal(parameters_of(model), each) for each in seen)


def test_options():
    model = regressor(averaging="Stochastic Weight-Averaging", **SETTINGS).fit(X, Y)
    same = clone(model).set_params(averaging=SWA()).fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(same))
    assert same.set_params(averaging__start=0.25).averaging == SWA(0.25)
    assert clone(same).averaging == SWA(0.25)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ("mean", ValueError, "averaging must be one of ema, swa, an object of fastmlp.averaging"),
        (EMA, ValueError, "averaging must be one of"),
        (EMA(decay=1.0), ValueError, "averaging.decay must be"),
        (SWA(start="late"), TypeError, "averaging.start must be a number"),
    ],
    ids=["name", "class", "decay", "start"],
)
def test_no_average(value, error, text):
    assert_rejected(regressor(averaging=value), (X, Y), error, text)


def test_where_there_is_none():
    text = "partial_fit does not average the weights"
    assert_rejected(regressor(averaging="ema"), (X, Y), ValueError, text, method="partial_fit")
    text = "solver='lbfgs' needs a smooth, fixed objective .* set averaging=None"
    assert_rejected(regressor(averaging="ema", solver="lbfgs"), (X, Y), ValueError, text)


@pytest.mark.parametrize("averaging", [None, "ema"])
@pytest.mark.parametrize(("restore_best", "kept"), [(True, 1), ("last", 3)])
def test_which_of_several_best_epochs(restore_best, kept, averaging):
    scores, epochs = iter([0.1, 0.9, 0.2, 0.9, 0.3]), []
    model = regressor(scoring=lambda *_: next(scores), early_stopping=True, averaging=averaging)
    keep = lambda record: epochs.append(copy.deepcopy(model))  # noqa: E731
    model.set_params(callbacks=[keep], restore_best=restore_best, **{**SETTINGS, "max_iter": 5})
    model.fit(X, Y)
    assert_array_equal(parameters_of(model), parameters_of(epochs[kept]))
    assert model.best_validation_score_ == 0.9
