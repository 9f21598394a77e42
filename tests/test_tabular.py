"""Models of raw tables: what they learn, of which tables, rows, weights and metrics."""

from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers_tabular import (
    ALL_INPUTS,
    EMBEDDED,
    FRAME,
    GREEN,
    LABELS,
    TINY,
    N,
    Y,
    classifier,
    racing,
    regressor,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import (
    f1_score,
    log_loss,
    make_scorer,
    max_error,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from fastmlp import TabularRegressor
from fastmlp.tabular.metrics import metric_of
from fastmlp.tabular.split import folds, hold_out

# -- learning --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [1, 3])
def test_raw_columns_are_learnt(n_folds):
    model = classifier(recipe=TINY.with_(max_iter=40), n_folds=n_folds).fit(FRAME, LABELS)
    assert model.score(FRAME, LABELS) > 0.85
    model = regressor(recipe=TINY.with_(max_iter=40), n_folds=n_folds).fit(FRAME, Y)
    assert model.score(FRAME, Y) > 0.85


def test_several_targets_are_learnt_in_their_own_units():
    both = np.stack([Y, -1000 * Y], axis=1)
    model = regressor(recipe=TINY.with_(max_iter=40)).fit(FRAME, both)
    assert model.predict(FRAME).shape == (N, 2)
    assert model.score(FRAME, both) > 0.8


@pytest.mark.parametrize("n_folds", [1, 2])
@pytest.mark.parametrize(("make", "y"), [(classifier, LABELS), (regressor, Y)])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(make, y, n_folds):
    ask = "predict_proba" if make is classifier else "predict"
    answers = [
        getattr(make(n_threads=n, n_folds=n_folds, recipe=ALL_INPUTS).fit(FRAME, y), ask)(FRAME)
        for n in (1, 2, 3)
    ]
    assert_array_equal(answers[0], answers[1])
    assert_array_equal(answers[0], answers[2])


def test_other_seeds_give_other_networks():
    answers = [regressor(random_state=seed).fit(FRAME, Y).predict(FRAME) for seed in (0, 1)]
    assert not np.array_equal(*answers)


def test_a_copy_a_clone_and_a_pickle():
    model = classifier(recipe=ALL_INPUTS).fit(FRAME, LABELS)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))
    assert repr(again.leaderboard_) == repr(model.leaderboard_)
    twin = clone(model)
    assert not hasattr(twin, "leaderboard_")
    assert_array_equal(twin.fit(FRAME, LABELS).predict_proba(FRAME), model.predict_proba(FRAME))


def test_searches_and_pipelines():
    pipe = make_pipeline(FunctionTransformer(), classifier())
    grid = {"tabularclassifier__recipe": [TINY, TINY.with_(max_iter=2)]}
    search = GridSearchCV(pipe, grid, cv=2).fit(FRAME, LABELS)
    assert set(search.predict(FRAME)) == {"dear", "cheap"}
    search = GridSearchCV(classifier(), {"metric": ["error", "log_loss"]}, cv=2)
    assert search.fit(FRAME, LABELS).best_params_["metric"] in ("error", "log_loss")


def test_a_step_before_that_gives_data_frames():
    numbers = FRAME[["size", "lon"]]
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), regressor())
    pipe.fit(numbers, Y)
    assert pipe[-1].feature_names_in_.tolist() == ["size", "lon"]
    assert pipe.predict(numbers).shape == (N,)


# -- raw tables ------------------------------------------------------------------------------------


def test_what_is_known_of_the_columns():
    with pytest.warns(UserWarning, match="^Column 'empty' has no values and is left out.$"):
        model = regressor().fit(FRAME.assign(same=1, empty=np.nan), Y)
    assert model.n_features_in_ == 7
    assert model.feature_names_in_.tolist() == [*FRAME.columns, "same", "empty"]
    taken = [model.columns_[name].taken_for for name in ("size", "colour", "day", "same", "empty")]
    assert taken == ["number", "category", "date", "dropped", "dropped"]
    assert not hasattr(regressor().fit(FRAME[["lon"]].to_numpy(), Y), "feature_names_in_")


def test_columns_are_found_by_name():
    model = regressor(drop=["lat"]).fit(FRAME.assign(same=1), Y)
    wanted = model.predict(FRAME.assign(same=1))
    others = FRAME[FRAME.columns[::-1]].drop(columns="lat").assign(new="?")
    assert_array_equal(model.predict(others), wanted)


def test_unseen_levels_and_gaps_at_prediction():
    model = classifier().fit(FRAME.fillna({"size": 0.0}), LABELS)
    odd = FRAME.assign(colour="mauve", size=None, day=pd.NaT)
    assert np.isfinite(model.predict_proba(odd)).all()


@pytest.mark.parametrize("size", [1e30, -1e300, np.inf, -np.inf])
@pytest.mark.parametrize("recipe", [ALL_INPUTS, ALL_INPUTS.with_(transform="log")])
def test_rows_far_outside_give_numbers_within_those_of_the_fit(size, recipe):
    far = FRAME.assign(size=size, lon=size, day=pd.Timestamp("2200-01-01"))
    values = regressor(recipe=recipe).fit(FRAME, Y).predict(far)
    margin = 0.05 * np.ptp(Y)
    assert Y.min() - margin <= values.min() <= values.max() <= Y.max() + margin
    p = classifier(recipe=ALL_INPUTS).fit(FRAME, LABELS).predict_proba(far)
    assert_allclose(p.sum(axis=1), 1)


def test_infinities_in_fit():
    model = regressor(recipe=ALL_INPUTS).fit(FRAME.assign(lon=np.inf, lat=np.inf * FRAME.lat), Y)
    assert np.isfinite(model.predict(FRAME)).all()


@pytest.mark.parametrize("table", [pl.from_pandas, pa.Table.from_pandas])
def test_tables_of_other_libraries(table):
    frame = FRAME[["size", "colour", "lon"]]
    wanted = classifier().fit(frame, LABELS).predict_proba(frame)
    model = classifier().fit(table(frame), LABELS)
    assert_array_equal(model.predict_proba(table(frame)), wanted)


@pytest.mark.parametrize(
    "kind",
    ["object", "category", "string", "bool", "boolean", "Int64", "float32", "polars", "list"],
)
def test_labels_of_any_kind(kind):
    y, converted = GREEN, {"polars": pl.Series, "list": list}.get(kind)
    if kind in ("object", "category", "string"):
        y = LABELS
    y = pd.Series(y).astype(kind) if converted is None else converted(y)
    model = classifier().fit(FRAME, y)
    assert_array_equal(model.classes_, np.unique(np.asarray(y)))
    assert model.score(FRAME, y) > 0.7


@pytest.mark.parametrize("kind", ["boolean", "bool[pyarrow]", "Int64", "uint8[pyarrow]"])
def test_labels_of_nullable_types_stay_what_they_are(kind):
    y = pd.Series(GREEN).astype(kind)
    model = classifier().fit(FRAME, y)
    assert model.classes_.dtype.kind == {"b": "b", "I": "i", "u": "u"}[kind[0]]
    assert model.classes_.dtype == model.predict(FRAME).dtype


DECIMALS = [Decimal(round(value)) for value in Y]


@pytest.mark.parametrize(
    "y",
    [
        DECIMALS,
        pl.Series(DECIMALS),
        pa.array(DECIMALS),
        pd.Series(DECIMALS, dtype=pd.ArrowDtype(pa.decimal128(9, 2))),
        pl.DataFrame({"y": DECIMALS}),
        pd.Series(Y.round()).astype("Int64"),
    ],
    ids=["list", "polars", "pyarrow", "pandas", "frame", "Int64"],
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_numbers_of_any_kind(y):
    wanted = regressor().fit(FRAME, Y.round()).predict(FRAME)
    assert_array_equal(regressor().fit(FRAME, y).predict(FRAME), wanted)


def test_a_table_of_many_columns_has_fewer_inputs_of_each(monkeypatch):
    monkeypatch.setattr("fastmlp.tabular.member.MOST_INPUTS", 30)
    rng = np.random.RandomState(0)
    X = pd.DataFrame({f"n{i}": rng.rand(N) for i in range(10)})
    X = X.assign(**{f"c{i}": rng.choice(list("abcdefgh"), N) for i in range(5)})
    learners = []
    keep = lambda member: learners.extend(member.learners)  # noqa: E731
    pieces = TINY.with_(inputs=("pieces",))
    for n_columns in (15, 10):
        regressor(recipe=pieces, callbacks=[keep]).fit(X.iloc[:, :n_columns], Y)
    # Each number, 3 bins of it, and 6 levels.
    assert [len(each.inputs.names) for each in learners] == [10 + 30 + 30, 10 + 30]


@pytest.mark.parametrize(("make", "y"), [(classifier, LABELS), (regressor, Y)])
def test_what_is_learnt_does_not_depend_on_where_inputs_are(make, y, monkeypatch):
    """Sparse inputs, and predictions of a few rows at a time, are a matter of memory only."""
    ask = "predict_proba" if make is classifier else "predict"
    wanted = getattr(make().fit(FRAME, y), ask)(FRAME)
    for name, value in (("tables.inputs.LARGE", 0), ("tables.inputs.SPARSE", 0)):
        monkeypatch.setattr(f"fastmlp.{name}", value)
    monkeypatch.setattr("fastmlp.tabular.member.MOST_ENTRIES", 100)
    assert_array_equal(getattr(make().fit(FRAME, y), ask)(FRAME), wanted)


# -- few rows --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:y has only one class")
@pytest.mark.parametrize("n_folds", [None, 1, 2, 10])
@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_few_rows(n_rows, n_folds):
    X = [[float(i), "ab"[i % 2]] for i in range(n_rows)]
    for model, y in ((regressor(), range(n_rows)), (classifier(), [0, 0, 1, 1, 0][:n_rows])):
        model.set_params(n_folds=n_folds)
        answer = model.fit(X, y).predict(X)
        assert np.isfinite(answer).all()


@pytest.mark.parametrize("n_folds", [1, 2, 5])
def test_a_class_of_one_row(n_folds):
    y = LABELS.copy()
    y[7] = "unique"
    p = classifier(n_folds=n_folds, calibrate=False).fit(FRAME, y).predict_proba(FRAME)
    assert p.shape == (N, 3)
    assert p[7, 2] > 0


def test_one_class():
    with pytest.warns(RuntimeWarning, match="y has only one class"):
        model = classifier().fit(FRAME, ["all"] * N)
    assert_array_equal(model.predict_proba(FRAME), np.ones((N, 1)))
    assert set(model.predict(FRAME)) == {"all"}


def test_a_constant_target():
    assert_array_equal(regressor().fit(FRAME, [3.5] * N).predict(FRAME), [3.5] * N)


@pytest.mark.parametrize("n_folds", [2, 3, 7])
def test_folds_hold_every_row_out_once_but_the_only_one_of_its_class(n_folds):
    strata = np.array([0] * 20 + [1] * 2 + [2])
    splits = folds(23, n_folds, strata, np.random.RandomState(0))
    held = np.concatenate([split.held for split in splits])
    assert sorted(held) == list(range(22))
    for split in splits:
        assert set(strata[split.train]) == {0, 1, 2}
        assert not set(split.train) & set(split.held)
        assert len(split.train) + len(split.held) == 23


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.99])
def test_a_held_out_part_leaves_each_class_a_row(fraction):
    strata = np.array([0] * 50 + [1] * 3 + [2] * 2 + [3])
    for classes in (strata, strata[-3:], strata[50:53]):
        [split] = hold_out(len(classes), fraction, classes, np.random.RandomState(0))
        assert len(split.held) > 0
        assert set(classes[split.train]) == set(classes)
    [split] = hold_out(10, fraction, None, np.random.RandomState(0))
    assert len(split.held) == {0.01: 1, 0.3: 3, 0.99: 9}[fraction]


# -- weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [1, 3])
def test_rows_of_weight_0_do_not_matter(n_folds):
    weights = np.where(np.arange(N) % 4 == 0, 0.0, 1.0 + np.arange(N) % 3)
    for make, y, ask in ((regressor, Y, "predict"), (classifier, LABELS, "predict_proba")):
        other = y.copy()
        other[weights == 0] = np.roll(y, 1)[weights == 0]
        answers = [
            getattr(make(n_folds=n_folds).fit(FRAME, each, weights), ask)(FRAME)
            for each in (y, other)
        ]
        assert_array_equal(*answers)


def test_weights_count_in_what_is_learnt():
    model = regressor(recipe=TINY.with_(max_iter=40))
    twice = pd.concat([FRAME, FRAME])
    y, weights = np.concatenate([Y, Y + 500]), np.repeat([1.0, 1e-6], N)
    assert abs(np.mean(model.fit(twice, y, weights).predict(FRAME) - Y)) < 20
    assert abs(np.mean(model.fit(twice, y, 1.000001 - weights).predict(FRAME) - Y - 500)) < 20


def test_class_weights_are_weights_of_rows():
    by_class = {"dear": 3.0, "cheap": 0.5}
    weights = np.array([by_class[label] for label in LABELS])
    wanted = classifier().fit(FRAME, LABELS, weights).predict_proba(FRAME)
    model = classifier(class_weight=by_class).fit(FRAME, LABELS)
    assert_array_equal(model.predict_proba(FRAME), wanted)
    rare = np.random.RandomState(1).rand(N) < 0.15  # no column tells of it
    balanced = classifier(class_weight="balanced", calibrate=False).fit(FRAME, rare)
    plain = classifier(calibrate=False).fit(FRAME, rare)
    p, q = (each.predict_proba(FRAME)[:, 1].mean() for each in (balanced, plain))
    assert p > q + 0.1


def test_a_class_of_weight_0_is_known_but_never_predicted():
    y = np.where(np.arange(N) % 5 == 0, "left out", LABELS)
    model = classifier(class_weight={"left out": 0, "dear": 1, "cheap": 1}).fit(FRAME, y)
    assert model.classes_.tolist() == ["cheap", "dear", "left out"]
    assert_array_equal(model.predict_proba(FRAME)[:, 2], 0)


# -- metrics ---------------------------------------------------------------------------------------


def test_metrics_are_those_of_scikit_learn():
    rng = np.random.RandomState(0)
    truth, weights = rng.randint(0, 3, 50), rng.rand(50)
    p = rng.dirichlet([1, 1, 1], 50)
    metrics = {name: metric_of(name, np.arange(3)) for name in ("error", "log_loss", "auc")}
    found = {name: metric.error(truth, p, weights) for name, metric in metrics.items()}
    assert found["error"] == pytest.approx(np.average(p.argmax(1) != truth, weights=weights))
    assert found["log_loss"] == pytest.approx(log_loss(truth, p, sample_weight=weights))
    area = [roc_auc_score(truth == k, p[:, k], sample_weight=weights) for k in range(3)]
    assert found["auc"] == pytest.approx(1 - np.mean(area))
    values = truth + rng.normal(size=50)
    names = {"rmse": "neg_root_mean_squared_error", "mae": "neg_mean_absolute_error"}
    for own, scorer in names.items():
        errors = [metric_of(name, None).error(truth, values, weights) for name in (own, scorer)]
        assert errors[0] == pytest.approx(errors[1])


def test_scorers_see_the_labels():
    truth, p = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    labels = np.array(["no", "yes"])

    def own(model, X, y):
        return f1_score(y, model.predict(X), pos_label="yes")

    for scorer in (make_scorer(f1_score, pos_label="yes"), own):
        assert metric_of(scorer, labels).error(truth, p, None) == pytest.approx(-2 / 3)
    assert metric_of("roc_auc", labels).error(truth, p, None) == pytest.approx(-1)
    assert metric_of("neg_log_loss", labels).of_probabilities


@pytest.mark.parametrize("metric", ["log_loss", "auc", "brier", "accuracy", "roc_auc", "f1_macro"])
def test_a_classifier_is_chosen_by_any_metric(metric):
    board = classifier(metric=metric).fit(FRAME, LABELS).leaderboard_
    assert board.metric == metric
    assert np.isfinite(board[0].error)


@pytest.mark.parametrize(
    "metric",
    ["mae", "r2", pytest.param(make_scorer(max_error, greater_is_better=False), id="scorer")],
)
def test_a_regressor_is_chosen_by_any_metric(metric):
    weights = np.ones(N)  # which not every scorer takes
    assert np.isfinite(regressor(metric=metric).fit(FRAME, Y, weights).leaderboard_[0].error)


@pytest.mark.parametrize("metric", ["auc", "roc_auc"])
def test_a_metric_without_a_value_leaves_all_candidates_alike(metric, monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    y = np.zeros(N, int)
    y[5] = 1  # which is not held out, being alone
    with pytest.warns(UserWarning, match=f"metric='{metric}' is not finite"):
        model = classifier(metric=metric, **given).fit(FRAME, y)
    assert [place.weight for place in model.leaderboard_] == [0.5, 0.5]
    assert all(np.isnan(place.error) for place in model.leaderboard_)


def test_embeddings_of_too_many_columns_are_left_out():
    # A first layer of 100,000 embedded columns by 256 units would take gigabytes.
    recipe = EMBEDDED.with_(hidden_layer_sizes=(2,), max_iter=1)
    for n_columns, wanted in ((8, "pbld"), (5000, None)):
        X = np.random.RandomState(0).normal(size=(12, n_columns))
        model = TabularRegressor(recipe=recipe, n_folds=1, refit=True).fit(X, X[:, 0])
        [learner] = model._ensemble.members[0].learners
        assert learner.network.numeric_embedding == wanted


@pytest.mark.parametrize("embedding", ["pbld", "plr", "piecewise_linear"])
def test_a_recipe_with_embeddings(embedding):
    model = classifier(recipe=EMBEDDED.with_(embedding=embedding)).fit(FRAME, LABELS)
    assert model.score(FRAME, LABELS) > 0.8
    unseen = FRAME.assign(colour="violet", size=1e9)
    assert np.isfinite(model.predict_proba(unseen)).all()
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))
