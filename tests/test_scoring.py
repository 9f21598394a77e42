"""``scoring``: held-out rows judged by scikit-learn's scorers, by the user's, and by the loss."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    make_scorer,
    max_error,
    mean_absolute_error,
)

from fastmlp import DivergenceError
from fastmlp.backends import BACKENDS
from fastmlp.registry import CLASSIFIER_LOSSES, REGRESSOR_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(1)
X_VAL = RNG.normal(size=(25, 3))
Y_VAL = X_VAL[:, 0] - X_VAL[:, 1]
LABELS_VAL = np.where(Y_VAL + RNG.normal(size=25) > 0, "up", "down")
THREE = np.arange(40) % 3
WEIGHTS = RNG.uniform(size=25)
JUDGE = {"X_val": X_VAL, "y_val": Y_VAL}
JUDGE_LABELS = {"X_val": X_VAL, "y_val": LABELS_VAL}


#: A metric that takes none.
WITHOUT_WEIGHTS = make_scorer(max_error, greater_is_better=False)


def epochs_of(model, y, **keywords):
    """Fit; return the model as it was after each epoch."""
    kept = []
    model.set_params(random_state=0, callbacks=[lambda record: kept.append(copy.deepcopy(model))])
    model.fit(X, y, **keywords)
    return kept


def own(model, X, y):
    return -float(np.abs(model.predict(X) - y).max())


def own_weighted(model, X, y, *, sample_weight=None):
    return -mean_absolute_error(y, model.predict(X), sample_weight=sample_weight)


# -- what the scores are ---------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    "scoring",
    ["r2", "neg_root_mean_squared_error", WITHOUT_WEIGHTS, own],
    ids=["r2", "rmse", "made", "own"],
)
def test_scores_of_a_regressor(scoring, early_stopping, backend):
    model = regressor(scoring=scoring, early_stopping=early_stopping, backend=backend)
    epochs = epochs_of(model, Y, **JUDGE)
    scorer = get_scorer(scoring)
    assert model.validation_scores_ == [scorer(twin, X_VAL, Y_VAL) for twin in epochs]
    assert model.best_validation_score_ == max(model.validation_scores_)


@pytest.mark.parametrize(
    "scoring",
    [
        "balanced_accuracy",
        "roc_auc",
        "neg_log_loss",
        "f1_macro",
        make_scorer(f1_score, pos_label="up"),
        make_scorer(f1_score, pos_label="down"),
    ],
)
def test_scores_of_a_classifier(scoring):
    model = classifier(scoring=scoring)
    epochs = epochs_of(model, LABELS, **JUDGE_LABELS)
    scorer = get_scorer(scoring)
    assert model.validation_scores_ == [scorer(twin, X_VAL, LABELS_VAL) for twin in epochs]


@pytest.mark.parametrize("scoring", ["r2", own_weighted, WITHOUT_WEIGHTS])
def test_weights_go_to_scorers_that_take_them(scoring):
    scorer = get_scorer(scoring)
    model = regressor(scoring=scoring)
    epochs = epochs_of(model, Y, **JUDGE, sample_weight_val=WEIGHTS)
    keywords = {} if scoring is WITHOUT_WEIGHTS else {"sample_weight": WEIGHTS}
    expected = [scorer(twin, X_VAL, Y_VAL, **keywords) for twin in epochs]
    assert model.validation_scores_ == expected


def test_weights_of_rows_that_are_held_out():
    seen = []

    def scorer(model, X, y, sample_weight):
        seen.append((X, y, sample_weight))
        return model.score(X, y, sample_weight)

    weights = RNG.uniform(size=40)
    rows = np.array([3, 17, 39])
    split = [(np.setdiff1d(np.arange(40), rows), rows)]
    model = classifier(scoring=scorer, early_stopping=True, validation_split=split)
    model.fit(X, LABELS, weights)
    for mine, all_rows in zip(seen[0], (X, LABELS, weights), strict=True):
        assert_array_equal(mine, all_rows[rows])
    assert len(seen) == model.n_iter_


def test_a_score_without_weights_is_not_given_any():
    def scorer(model, X, y, **keywords):
        assert not keywords
        return 0.5

    assert classifier(scoring=scorer).fit(X, LABELS, **JUDGE_LABELS).validation_scores_ == [0.5] * 3


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("scoring", [None, "loss", "r2", own])
def test_the_history_has_the_loss_too(scoring, early_stopping):
    model = regressor(scoring=scoring, early_stopping=early_stopping, dtype="float64")
    epochs = epochs_of(model, Y, **JUDGE, sample_weight_val=WEIGHTS)
    costs = [twin.cost(X_VAL, Y_VAL, WEIGHTS) for twin in epochs]
    assert_allclose(model.history_["validation_loss"], costs)
    assert model.history_["validation_score"] == model.validation_scores_


@pytest.mark.parametrize("loss", CLASSIFIER_LOSSES)
def test_the_loss_of_a_classifier(loss):
    y, y_val = (Y > 0).astype(int), (Y_VAL > 0).astype(int)
    if "distribution" in CLASSIFIER_LOSSES[loss] and "binary" not in CLASSIFIER_LOSSES[loss]:
        y, y_val = np.c_[y, 1 - y].astype(float), np.c_[y_val, 1 - y_val].astype(float)
        y[0], y_val[0] = 0.5, 0.5
    model = classifier(loss=loss, scoring="loss", dtype="float64")
    if loss == "categorical_cross_entropy":
        y, y_val = np.arange(40) % 3, np.arange(25) % 3
    model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=WEIGHTS)
    expected = -model.cost(X_VAL, y_val, WEIGHTS)
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("loss", REGRESSOR_LOSSES)
@pytest.mark.parametrize("standardize", [False, True])
def test_the_loss_of_a_regressor_in_its_unit(loss, standardize):
    y, y_val = np.abs(Y) * 1000 + 1, np.abs(Y_VAL) * 1000 + 1
    model = regressor(loss=loss, standardize_target=standardize, scoring="loss", dtype="float64")
    model.set_params(learning_rate_init=1e-6)
    model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=WEIGHTS)
    expected = -model.cost(X_VAL, y_val, WEIGHTS)
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-9)


def test_names_in_any_spelling():
    scores = [
        regressor(scoring=name, random_state=0).fit(X, Y, **JUDGE).validation_scores_
        for name in ("neg_mean_squared_error", "Neg-Mean-Squared-Error")
    ]
    assert scores[0] == scores[1]


def test_the_model_is_what_it_has_learnt_so_far():
    """Of a refit, too, which other threads don't see; it can be copied, but not fitted."""
    seen = []

    def scorer(model, X, y):
        assert len(model.loss_curve_) == len(seen)  # of the epochs before
        with pytest.raises(RuntimeError, match="fit"):
            model.fit(X, y)
        seen.append(pickle.loads(pickle.dumps(clone(model).set_params(scoring=None))))
        assert copy.deepcopy(model).predict(X).shape == y.shape
        return model.score(X, y)

    model = regressor(random_state=0).fit(X, -Y).set_params(scoring=scorer)
    model.fit(X, Y, **JUDGE)
    assert len(seen) == 3
    assert model.scoring is scorer


# -- when a fit ends, and with what ----------------------------------------------------------------


def test_the_metric_stops_the_fit():
    """By its own numbers, with a ``tol`` in their unit."""
    script = [0.1, 0.5, 0.5, 0.55, 0.3, 0.2, 0.1, 0.0]
    scores = iter(script)
    model = classifier(scoring=lambda *_: next(scores), early_stopping=True, max_iter=50)
    model.set_params(n_iter_no_change=3, tol=0.1)
    epochs = epochs_of(model, LABELS, **JUDGE_LABELS)
    # 0.5 betters 0.1; what follows does not by 0.1, four times in a row.
    assert model.validation_scores_ == script[:6]
    assert model.stop_reason_.startswith("Validation score did not improve more than tol=0.1")
    assert model.best_validation_score_ == 0.55
    assert_array_equal(model.coefs_[0], epochs[3].coefs_[0])


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("normalization", [None, "batch"])
def test_the_best_or_the_last_network(restore_best, normalization):
    scores = iter([0.1, 0.9, 0.9, 0.2])
    model = regressor(scoring=lambda *_: next(scores), early_stopping=True, max_iter=4)
    model.set_params(restore_best=restore_best, normalization=normalization)
    epochs = epochs_of(model, Y, **JUDGE)
    wanted = epochs[1 if restore_best else 3]  # the first of two that are as good
    assert_array_equal(model.predict(X), wanted.predict(X))
    assert not np.array_equal(model.predict(X), epochs[2].predict(X))
    assert model.best_validation_score_ == 0.9
    assert len(model.loss_curve_) == 4


def test_the_last_network_without_early_stopping():
    scores = iter([0.9, 0.1, 0.2])
    model = regressor(scoring=lambda *_: next(scores))
    epochs = epochs_of(model, Y, **JUDGE)
    assert_array_equal(model.predict(X), epochs[2].predict(X))
    assert model.best_validation_score_ == 0.9


def diverging(**parameters):
    """Return a regressor whose weights are made infinite in epoch 2."""
    model = regressor(solver="sgd", early_stopping=True, random_state=0, max_iter=9, **parameters)

    def overflow(record):
        if record.epoch == 2:
            model.coefs_[-1] = np.full((4, 1), np.inf)

    return model.set_params(callbacks=[overflow])


def test_a_divergence_without_a_network_to_go_back_to():
    with pytest.warns(ConvergenceWarning, match="network of the best epoch is kept"):
        diverging().fit(X, Y)
    model = diverging(restore_best=False)
    with pytest.raises(DivergenceError, match="became infinite or NaN in epoch 3"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("scoring", ["r2", own])
def test_a_divergence_is_told_as_one(scoring):
    model = regressor(scoring=scoring, solver="sgd", learning_rate_init=1e38, early_stopping=True)
    model.set_params(max_iter=1, batch_size=36, activation="identity", random_state=0)
    with pytest.raises(DivergenceError, match="became infinite or NaN in epoch 1"):
        model.fit(X * 1e3, Y * 1e3)


# -- scorers that have no score --------------------------------------------------------------------


def test_a_metric_without_a_value():
    """R² of one row."""
    text = r"^scoring='r2' gave nan for the held-out rows in epoch 1, though the network's outputs"
    model = regressor(scoring="r2", early_stopping=True, random_state=0)
    keywords = {"X_val": X_VAL[:1], "y_val": Y_VAL[:1]}
    for state in (model, copy.deepcopy(model).fit(X, Y)):
        with pytest.warns(UndefinedMetricWarning):
            assert_rejected(state, (X, Y), DivergenceError, text, **keywords)
    model.set_params(early_stopping=False)  # has no say in it
    with pytest.warns(UndefinedMetricWarning):
        model.fit(X, Y, **keywords)
    assert_array_equal(np.isnan(model.validation_scores_), [True] * 3)
    assert model.best_validation_score_ == -np.inf


def test_a_metric_that_loses_its_value_leaves_the_best_network():
    scores = iter([0.5, 0.6, np.inf])
    model = regressor(scoring=lambda *_: next(scores), early_stopping=True, max_iter=9)
    model.set_params(random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"gave inf for the held-out rows in epoch 3"):
        model.fit(X, Y)
    assert model.best_validation_score_ == 0.6
    assert model.n_iter_ == 3


def test_what_a_scorer_raises_ends_the_fit():
    def broken(model, X, y):
        raise KeyError("mine")

    for state in (regressor(), regressor(random_state=0).fit(X, Y)):
        state.set_params(scoring=broken, early_stopping=True)
        assert_rejected(state, (X, Y), KeyError, "mine")


@pytest.mark.parametrize(
    ("scoring", "text"),
    [
        ("accuracy", "^scoring='accuracy' can't judge the held-out rows: it compares labels"),
        ("roc_auc", "^scoring='roc_auc' needs decision_function or predict_proba, which MLPReg"),
        (
            "neg_log_loss",
            "^scoring='neg_log_loss' needs predict_proba, which MLPRegressor with loss='sq",
        ),
        ("neg_mean_squared_log_error", "^scoring='neg_mean_squared_log_error' can't judge"),
    ],
)
def test_metrics_of_another_kind(scoring, text):
    model = regressor(scoring=scoring)
    assert_rejected(model, (X, Y), ValueError, text, **JUDGE)


@pytest.mark.parametrize("answer", [None, "0.5", {"a": 0.5}, [0.5], np.ones(2), 1j])
def test_an_answer_that_is_no_number(answer):
    model = regressor(scoring=lambda *_: answer, early_stopping=True)
    with pytest.raises(TypeError, match=r"^scoring=.* must give a number; got"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("answer", [np.float32(0.5), np.array(0.5), True, 1, np.int8(1)])
def test_an_answer_that_is_a_number(answer):
    model = regressor(scoring=lambda *_: answer, early_stopping=True).fit(X, Y)
    assert model.validation_scores_ == [float(answer)] * 3
    assert type(model.validation_scores_[0]) is float


@pytest.mark.parametrize("loss", ["multi_margin", "squared_hinge"])
def test_probabilities_of_a_loss_that_has_none(loss):
    """Told before anything is trained: no callback is called."""

    def called(record):
        raise AssertionError

    model = classifier(loss=loss, early_stopping=True, callbacks=[called])
    for scoring in ("neg_log_loss", make_scorer(f1_score, response_method="predict_proba")):
        model.set_params(scoring=scoring)
        text = f"needs predict_proba, which MLPClassifier with loss='{loss}' does not have"
        with pytest.raises(ValueError, match=text):
            model.fit(X, LABELS)
        assert not hasattr(model, "classes_")
    model.set_params(scoring="roc_auc", callbacks=None)  # takes decision_function
    model.fit(X, LABELS, **JUDGE_LABELS)
    assert model.validation_scores_[-1] > 0


# -- values of the parameter -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scoring", "error", "text"),
    [
        ("acuracy", ValueError, r"^scoring must be None, 'loss', .*Did you mean 'accuracy'\?"),
        ("los", ValueError, r"got 'los'\. Did you mean 'loss'\?"),
        ("mse", ValueError, r"got 'mse'\. Did you mean 'neg_mean_squared_error'\?$"),
        ("mae", ValueError, r"Did you mean 'neg_mean_absolute_error'\?$"),
        ("rmse", ValueError, r"Did you mean 'neg_root_mean_squared_error'\?$"),
        ("mean_squared_error", ValueError, r"Did you mean 'neg_mean_squared_error'\?$"),
        ("r2_score", ValueError, r"Did you mean 'r2'\?$"),
        ("f1_score", ValueError, r"Did you mean 'f1'\?$"),
        ("log_loss", ValueError, r"Did you mean 'neg_log_loss'\?$"),
        (
            accuracy_score,
            ValueError,
            r"^scoring looks like it is a metric function, .*: write make_"
            r"scorer\(accuracy_score\)\.$",
        ),
        (mean_absolute_error, ValueError, r"make_scorer\(mean_absolute_error, greater_is_better=F"),
        (["accuracy"], TypeError, "^scoring must be None, .*; got "),
    ],
)
def test_what_is_refused(scoring, error, text):
    assert_rejected(regressor(scoring=scoring), (X, Y), error, text)


@pytest.mark.parametrize(
    ("model", "y", "text"),
    [
        (
            classifier(scoring="f1"),
            LABELS,
            r"use 'f1_macro', or make_scorer\(f1_score, pos_l",
        ),
        (
            classifier(scoring="roc_auc"),
            np.arange(40) % 3,
            "it works for two classes only: use 'roc_auc_ovr'",
        ),
        (
            classifier(scoring="recall"),
            np.arange(40) % 3,
            "it works for two classes only: use 'recall_macro'",
        ),
        (regressor(scoring="accuracy"), Y, "use a metric for numbers, such as 'r2'"),
    ],
)
def test_scorers_that_can_not_judge(model, y, text):
    model.set_params(early_stopping=True, validation_fraction=0.5)
    with pytest.raises(
        ValueError, match=f"^scoring='.*' can't judge the held-out rows: .*{text}"
    ) as c:
        model.fit(X, y)
    assert c.value.__suppress_context__


def test_what_is_not_used_without_rows_to_judge_by():
    split = [(np.arange(30), np.arange(30, 40))]
    text = "^scoring and validation_split are not used: there are no validation rows without early"
    with pytest.warns(UserWarning, match=text):
        regressor(scoring="r2", validation_split=split).fit(X, Y)
    regressor(scoring="r2", validation_split=split).fit(X, Y, **JUDGE)
    regressor(scoring="r2", validation_split=split, early_stopping=True).fit(X, Y)
    regressor(scoring="r2", validation_split=split).partial_fit(X, Y)


def test_every_name_is_known():
    model = regressor(random_state=0)
    for name in get_scorer_names():  # read by a fit, but not needed without rows to judge by
        with pytest.warns(UserWarning, match="^scoring is not used: there are no validation rows"):
            model.set_params(scoring=name, max_iter=1).fit(X, Y)


def test_a_search_sets_it():
    model = classifier(scoring="f1_macro", restore_best=False)
    assert re.search("scoring='f1_macro'", repr(model))
    twin = clone(model)
    assert (twin.scoring, twin.restore_best) == ("f1_macro", False)
    assert_allclose(
        twin.set_params(random_state=0).fit(X, LABELS, **JUDGE_LABELS).best_validation_score_,
        max(twin.validation_scores_),
    )
