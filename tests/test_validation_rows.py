"""Rows of the user's own to judge a fit by: ``X_val``, ``y_val`` and ``sample_weight_val``."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import sklearn
from helpers_rejection import FRAME, LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score, d2_absolute_error_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPRegressor
from fastmlp.backends import BACKENDS
from fastmlp.registry import REGRESSOR_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_backend = pytest.mark.parametrize("backend", BACKENDS)

RNG = np.random.RandomState(1)
X_VAL = RNG.normal(size=(25, 3))
Y_VAL = X_VAL[:, 0] - X_VAL[:, 1]
LABELS_VAL = np.where(Y_VAL > 0, "up", "down")
WEIGHTS = RNG.uniform(size=25)
BOTH = [(classifier, LABELS, LABELS_VAL), (regressor, Y, Y_VAL)]
each_task = pytest.mark.parametrize(("make", "y", "y_val"), BOTH)


def judged(make, y, y_val, sample_weight=None, weights=None, **parameters):
    """Return a model that has been judged by the rows above."""
    model = make(**{"random_state": 0, "dtype": "float64", **parameters})
    return model.fit(X, y, sample_weight, X_val=X_VAL, y_val=y_val, sample_weight_val=weights)


def assert_same_network(model, other):
    both = model.coefs_ + model.intercepts_, other.coefs_ + other.intercepts_
    for mine, theirs in zip(*both, strict=True):
        assert_array_equal(mine, theirs)


# -- judged only -----------------------------------------------------------------------------------


@each_task
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_they_change_nothing_but_the_scores(make, y, y_val, solver):
    model = judged(make, y, y_val, solver=solver, max_iter=6)
    plain = make(random_state=0, dtype="float64", solver=solver, max_iter=6).fit(X, y)
    assert_same_network(model, plain)
    assert (model.loss_curve_, model.best_loss_) == (plain.loss_curve_, plain.best_loss_)
    assert model.stop_reason_ == plain.stop_reason_
    assert len(model.validation_scores_) == model.n_iter_
    assert model.validation_scores_[-1] == pytest.approx(model.score(X_VAL, y_val))
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert plain.validation_scores_ is plain.best_validation_score_ is None


@every_backend
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_every_epoch_is_judged(solver, backend):
    kept = []
    model = regressor(solver=solver, backend=backend, max_iter=4, random_state=0)
    model.set_params(callbacks=[lambda record: kept.append((record, copy.deepcopy(model)))])
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    scores = [twin.score(X_VAL, Y_VAL) for _, twin in kept]
    assert_allclose(model.validation_scores_, scores, rtol=1e-5)
    assert [record.validation_score for record, _ in kept] == model.validation_scores_
    assert [twin.best_validation_score_ for _, twin in kept] == list(
        np.maximum.accumulate(model.validation_scores_)
    )


@pytest.mark.parametrize("loss", REGRESSOR_LOSSES)
def test_the_score_is_of_the_loss_in_the_users_unit(loss):
    y, y_val = np.abs(Y) * 1000 + 1, np.abs(Y_VAL) * 1000 + 1
    model = judged(regressor, y, y_val, weights=WEIGHTS, loss=loss, max_iter=2)
    if loss in ("squared_error", "pinball"):
        expected = model.score(X_VAL, y_val, WEIGHTS)
    elif loss == "absolute_error":
        predicted = model.predict(X_VAL)
        expected = d2_absolute_error_score(y_val, predicted, sample_weight=WEIGHTS)
    else:
        expected = -model.cost(X_VAL, y_val, WEIGHTS)
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-9)


def test_weights_count_in_the_score():
    model = judged(classifier, LABELS, LABELS_VAL, weights=WEIGHTS)
    right = model.predict(X_VAL) == LABELS_VAL
    assert model.validation_scores_[-1] == pytest.approx(WEIGHTS @ right / WEIGHTS.sum())
    repeated = judged(classifier, LABELS, LABELS_VAL, weights=np.full(25, 3.0))
    assert repeated.validation_scores_[-1] == pytest.approx(model.score(X_VAL, LABELS_VAL))


def test_they_are_printed(capsys):
    model = judged(classifier, LABELS, LABELS_VAL, verbose=True, max_iter=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1::2] == [f"Validation score: {s:f}" for s in model.validation_scores_]


# -- with early stopping ---------------------------------------------------------------------------


@every_backend
@each_task
def test_they_stop_as_rows_that_were_held_out_would(make, y, y_val, backend):
    """The same rows in X, and held out by a split, give the same fit to the last bit."""
    settings = {"early_stopping": True, "max_iter": 60, "n_iter_no_change": 3, "tol": 0.003}
    settings.update(learning_rate_init=0.01, backend=backend, batch_size=10)
    model = judged(make, y, y_val, weights=WEIGHTS, sample_weight=np.ones(40), **settings)
    split = [(np.arange(40), np.arange(40, 65))]
    other = make(random_state=0, dtype="float64", validation_split=split, **settings)
    other.fit(np.r_[X, X_VAL], np.r_[y, y_val], np.r_[np.ones(40), WEIGHTS])
    assert_same_network(model, other)
    assert model.validation_scores_ == other.validation_scores_
    assert model.stop_reason_ == other.stop_reason_
    assert model.n_iter_ < 60
    assert model.t_ == 40 * model.n_iter_
    assert model.best_loss_ is None


@each_task
def test_the_best_network_is_put_back(make, y, y_val):
    model = judged(make, y, y_val, early_stopping=True, max_iter=30, learning_rate_init=0.3)
    best = int(np.argmax(model.validation_scores_)) + 1
    assert best < 30  # steps are so large that later epochs are worse
    assert_same_network(model, judged(make, y, y_val, max_iter=best, learning_rate_init=0.3))
    assert model.score(X_VAL, y_val) == pytest.approx(model.best_validation_score_)


def test_no_row_of_X_is_needed():
    """Two rows could not be held out."""
    with pytest.raises(ValueError, match="The validation set is too small"):
        regressor(early_stopping=True).fit(X[:2], Y[:2])
    model = regressor(early_stopping=True, random_state=0)
    model.fit(X[:2], Y[:2], X_val=X_VAL[:1], y_val=Y_VAL[:1])
    assert model.t_ == 2 * model.n_iter_


def test_a_target_that_is_constant():
    text = "^y_val is the same in all rows, so early stopping can't judge what is learnt of it"
    model = regressor(early_stopping=True)
    with pytest.warns(UserWarning, match=text):
        model.fit(X, Y, X_val=X_VAL, y_val=np.ones(25))
    assert model.validation_scores_[-1] < 0
    model.set_params(early_stopping=False).fit(X, Y, X_val=X_VAL, y_val=np.ones(25))
    model.set_params(early_stopping=True).fit(X, np.ones(40), X_val=X_VAL, y_val=np.ones(25))


# -- going on --------------------------------------------------------------------------------------


def test_curves_of_fits_with_and_without_them():
    model = regressor(warm_start=True, random_state=0).fit(X, Y)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert_array_equal(np.isnan(model.validation_scores_), [True] * 3 + [False] * 3)
    assert model.best_validation_score_ == max(model.validation_scores_[3:])
    model.fit(X, Y)
    assert model.validation_scores_ is model.best_validation_score_ is None
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL).partial_fit(X, Y)
    assert model.validation_scores_ is None


# -- kinds of data ---------------------------------------------------------------------------------


def test_several_labels_and_soft_ones():
    several, several_val = (np.c_[y > 0, y < 0.5].astype(int) for y in (Y, Y_VAL))
    model = judged(classifier, several, several_val)
    assert model.validation_scores_[-1] == pytest.approx(
        accuracy_score(several_val, model.predict(X_VAL))
    )
    soft, soft_val = (np.c_[s, 1 - s] for s in (1 / (1 + np.exp(-Y)), 1 / (1 + np.exp(-Y_VAL))))
    model = judged(classifier, soft, soft_val)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X_VAL, soft_val))


def test_rows_of_another_type_and_order():
    model = judged(regressor, Y, Y_VAL)
    for other in (np.asfortranarray(X_VAL), X_VAL.tolist(), pd.DataFrame(X_VAL)):
        twin = clone(model).fit(X, Y, X_val=other, y_val=list(Y_VAL))
        assert twin.validation_scores_ == model.validation_scores_
    whole = np.round(X_VAL * 10).astype(np.int64)
    twin = clone(model).fit(X, Y, X_val=whole, y_val=Y_VAL)
    assert twin.validation_scores_[-1] == pytest.approx(twin.score(whole, Y_VAL))


def test_names_of_columns():
    frame = pd.DataFrame(X_VAL, columns=FRAME.columns)
    model = regressor(random_state=0).fit(FRAME, Y, X_val=frame, y_val=Y_VAL)
    assert model.validation_scores_[-1] == pytest.approx(model.score(frame, Y_VAL))
    for scoring in ("r2", lambda model, X, y: model.score(X, y)):  # no warning of names
        other = clone(model).set_params(scoring=scoring).fit(FRAME, Y, X_val=frame, y_val=Y_VAL)
        assert_allclose(other.validation_scores_, model.validation_scores_, rtol=1e-6)
        assert_array_equal(other.feature_names_in_, frame.columns)


# -- with the rest of scikit-learn -----------------------------------------------------------------


def test_in_a_pipeline():
    """Its steps don't change X_val, so that it must come scaled."""
    scaler = StandardScaler().fit(X)
    pipeline = make_pipeline(StandardScaler(), regressor(random_state=0))
    keywords = {"X_val": scaler.transform(X_VAL), "y_val": Y_VAL}
    pipeline.fit(X, Y, **{f"mlpregressor__{name}": each for name, each in keywords.items()})
    alone = regressor(random_state=0).fit(scaler.transform(X), Y, **keywords)
    assert pipeline[-1].validation_scores_ == alone.validation_scores_
    pipeline = make_pipeline(StandardScaler(), regressor(random_state=0), transform_input=["X_val"])
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline[-1].set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
        pipeline.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert pipeline[-1].validation_scores_ == alone.validation_scores_


@pytest.mark.parametrize("routing", [False, True])
def test_in_a_search(routing):
    model = regressor(random_state=0, early_stopping=True)
    with sklearn.config_context(enable_metadata_routing=routing):
        if routing:
            model.set_fit_request(X_val=True, y_val=True)
        search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2)
        search.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    best = search.best_estimator_
    assert best.t_ == 40 * best.n_iter_
    alone = clone(best).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert alone.validation_scores_ == best.validation_scores_


# -- what is refused -------------------------------------------------------------------------------

NAN = np.where(np.arange(75).reshape(25, 3) == 7, np.nan, X_VAL)
REFUSED = [
    ({"X_val": X_VAL}, "^y_val is missing, but X_val is given: give both"),
    ({"y_val": Y_VAL}, "^X_val is missing, but y_val is given: give both"),
    ({"sample_weight_val": WEIGHTS}, "^sample_weight_val is given without X_val and y_val"),
    ({"X_val": X_VAL[:, :2], "y_val": Y_VAL}, "^X_val has 2 features, but .* expecting 3"),
    ({"X_val": X_VAL[:9], "y_val": Y_VAL}, "^X_val and y_val must have the same number of rows; "),
    ({"X_val": X_VAL[0], "y_val": Y_VAL}, r"^X_val must have two dim.*X_val\.reshape\(1, -1\)"),
    ({"X_val": NAN, "y_val": Y_VAL}, r"^Input X_val contains NaN \(column 1, row 2\)"),
    ({"X_val": X_VAL[:0], "y_val": Y_VAL[:0]}, r"^(X_val: )?Found array with 0 sample"),
    ({"X_val": X_VAL, "y_val": [Y_VAL]}, "^X_val and y_val must have the same number of rows"),
    ({"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": -WEIGHTS}, "^sample_weight_val must no"),
    ({"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": [1]}, "^sample_weight_val must have sh"),
    ({"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": 0 * WEIGHTS}, "^sample_weight_val is z"),
]  # fmt: skip


@pytest.mark.parametrize(("keywords", "text"), REFUSED)
def test_what_is_refused(keywords, text):
    assert_rejected(regressor(), (X, Y), ValueError, text, **keywords)
    fitted = regressor(random_state=0, early_stopping=True).fit(X, Y)
    assert_rejected(fitted, (X, Y), ValueError, text, **keywords)


def test_targets_that_are_refused():
    y_val = np.where(LABELS_VAL == "up", "y", LABELS_VAL)  # a label that is called like a target
    text = r"^y_val has labels that are not in classes \['down', 'up'\]: \['y'\]\."
    assert_rejected(classifier(), (X, LABELS), ValueError, text, X_val=X_VAL, y_val=y_val)
    keywords = {"X_val": X_VAL, "y_val": -np.abs(Y_VAL)}
    model = regressor(loss="poisson")
    text = "^loss='poisson' needs every y_val ≥ 0; got -"
    assert_rejected(model, (X, np.abs(Y)), ValueError, text, **keywords)
    text = "^y_val has 2 columns, but the network was made for 1"
    assert_rejected(regressor(), (X, Y), ValueError, text, X_val=X_VAL, y_val=np.c_[Y_VAL, Y_VAL])
    several = np.c_[Y > 0, Y < 0].astype(int)
    text = "^y_val must be an indicator matrix with 2 columns"
    assert_rejected(classifier(), (X, several), ValueError, text, X_val=X_VAL, y_val=LABELS_VAL)


def test_columns_in_another_order():
    frame = pd.DataFrame(X_VAL, columns=FRAME.columns)[["weight", "age", "height"]]
    text = "^X_val: The feature names should match those that were passed during fit"
    assert_rejected(regressor(), (FRAME, Y), ValueError, text, X_val=frame, y_val=Y_VAL)


def test_rows_that_a_pipeline_has_not_scaled():
    frame = pd.DataFrame(X_VAL, columns=FRAME.columns)
    text = (
        r"^X_val has column names and X has none: a step before the model changed X only\. Pass "
        r"X_val as that step transforms it \(pipe\[:-1\]\.transform\(X_val\)\)\.$"
    )
    assert_rejected(regressor(), (X, Y), ValueError, text, X_val=frame, y_val=Y_VAL)
    pipeline = make_pipeline(StandardScaler(), regressor())
    with pytest.raises(ValueError, match=text):
        pipeline.fit(FRAME, Y, mlpregressor__X_val=frame, mlpregressor__y_val=Y_VAL)
    pipeline.set_output(transform="pandas")
    pipeline.fit(FRAME, Y, mlpregressor__X_val=frame, mlpregressor__y_val=Y_VAL)


@pytest.mark.parametrize("texts", [list(LABELS_VAL), LABELS_VAL, pd.Series(LABELS_VAL)])
def test_texts_that_a_pipeline_has_not_read(texts):
    text = "^X_val holds a text for each sample and X does not: a step before the model changed X o"
    assert_rejected(regressor(), (X, Y), ValueError, text, X_val=texts, y_val=Y_VAL)


def test_rows_in_another_unit():
    far = X_VAL + np.array([0, 5000, 0])
    text = r"^Column {} of X_val has the mean 5e\+03, which is \d\.\de\+03 standard deviations away"
    for X_train, rows, column in [
        (X, far, "1"),
        (FRAME, pd.DataFrame(far, columns=FRAME.columns), "'height'"),
    ]:
        with pytest.warns(UserWarning, match=text.format(column)):
            regressor().fit(X_train, Y, X_val=rows, y_val=Y_VAL)
    constant = np.c_[X, np.full(len(X), 0.1)]
    regressor().fit(constant, Y, X_val=np.c_[X_VAL, np.full(25, 0.1)], y_val=Y_VAL)
    regressor().fit(X, Y, X_val=X_VAL + np.array([0, 500, 0]), y_val=Y_VAL)


def test_a_split_beside_them():
    model = regressor(early_stopping=True, validation_split=[([0, 1], [2, 3])])
    text = "^X_val and y_val are given as well as validation_split"
    assert_rejected(model, (X, Y), ValueError, text, X_val=X_VAL, y_val=Y_VAL)
    clone(model).set_params(solver="lbfgs").fit(X, Y, X_val=X_VAL, y_val=Y_VAL)  # splits nothing
    model.set_params(early_stopping=False).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)


def test_other_arguments_are_by_name_only():
    with pytest.raises(TypeError, match="positional argument"):
        MLPRegressor().fit(X, Y, None, X_VAL, Y_VAL)
