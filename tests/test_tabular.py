"""Models of raw tables: what they learn, how they choose, and what they show of it."""

from __future__ import annotations

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers_clock import slow_clock
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import (
    brier_score_loss,
    f1_score,
    log_loss,
    make_scorer,
    max_error,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.notices import notify, quietly
from fastmlp.tabular import Leaderboard, Recipe
from fastmlp.tabular.calibration import best_temperature, tempered
from fastmlp.tabular.leaderboard import Place
from fastmlp.tabular.metrics import metric_of
from fastmlp.tabular.portfolio import Portfolio
from fastmlp.tabular.selection import greedy_weights
from fastmlp.tabular.split import folds, hold_out
from fastmlp.training.divergence import DivergenceError

TINY = Recipe(hidden_layer_sizes=(16,), max_iter=15, learning_rate_init=0.02, batch_size=32)
EMBEDDED = TINY.with_(
    embedding="pbld", scaling_layer=True, parametric_activation=True, init="data_driven"
)
ALL_INPUTS = TINY.with_(inputs=("pieces", "places", "pairs"), n_pairs=4)

RNG = np.random.RandomState(0)
N = 160
FRAME = pd.DataFrame(
    {
        "size": np.where(RNG.rand(N) < 0.1, np.nan, RNG.normal(size=N)),
        "colour": RNG.choice(["red", "green", None], N),
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.randint(0, 900, N), "D"),
        "lon": RNG.uniform(-1, 1, N),
        "lat": RNG.uniform(-1, 1, N),
    }
)
GREEN = (FRAME["colour"] == "green").to_numpy()
Y = 100 + 20 * np.nan_to_num(FRAME["size"].to_numpy()) + 30 * GREEN
LABELS = np.where(Y > 110, "dear", "cheap")


def classifier(**parameters):
    return TabularClassifier(**{"recipe": TINY, "n_folds": 1, "random_state": 0, **parameters})


def regressor(**parameters):
    return TabularRegressor(**{"recipe": TINY, "n_folds": 1, "random_state": 0, **parameters})


def racing(monkeypatch, *entrants, n_winners=0, n_further=0):
    """Let these recipes race, whatever the preset."""
    portfolio = Portfolio(entrants, n_winners, n_further)
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: portfolio)
    return {"recipe": None}


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


@pytest.mark.filterwarnings("ignore:y has one class only")
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
    with pytest.warns(RuntimeWarning, match="y has one class only"):
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
    with pytest.warns(UserWarning, match=f"metric='{metric}' has no finite value"):
        model = classifier(metric=metric, **given).fit(FRAME, y)
    assert [place.weight for place in model.leaderboard_] == [0.5, 0.5]
    assert all(np.isnan(place.error) for place in model.leaderboard_)


# -- choosing --------------------------------------------------------------------------------------


def test_greedy_weights_take_what_helps():
    truth = np.arange(4.0)
    error = lambda p: float(np.abs(p - truth).mean())  # noqa: E731
    assert_array_equal(greedy_weights([truth + 5, truth], error), [0, 1])
    assert_array_equal(greedy_weights([truth + 3, truth - 1], error, 4), [0.25, 0.75])
    assert_array_equal(greedy_weights([truth], lambda p: np.nan), [1])


def test_greedy_weights_of_errors_that_are_no_numbers():
    models = [np.array([1.0]), np.array([2.0])]
    assert_array_equal(greedy_weights(models, lambda p: np.nan), [0.5, 0.5])
    assert_array_equal(greedy_weights(models, lambda p: np.inf), [0.5, 0.5])
    of_second = lambda p: 1.0 if p[0] == 2 else np.nan  # noqa: E731
    assert_array_equal(greedy_weights(models, of_second), [0, 1])


@pytest.mark.parametrize("metric", ["error", "accuracy", "log_loss"])
def test_wrong_classes_are_too_coarse_to_weigh_by(metric, monkeypatch):
    seen = []

    def watched(predictions, error, **more):
        seen.append(error(predictions[0]))
        return greedy_weights(predictions, error, **more)

    monkeypatch.setattr("fastmlp.tabular.base.greedy_weights", watched)
    members = []
    model = classifier(metric=metric, callbacks=[members.append])
    model.fit(FRAME, GREEN, X_val=FRAME[:50], y_val=GREEN[:50])
    brier = 2 * brier_score_loss(GREEN[:50], members[0].held_out[:, 1])
    assert seen == [pytest.approx(members[0].error if metric == "log_loss" else brier)]


def test_the_best_learn_again(monkeypatch):
    slow = TINY.with_(learning_rate_init=1e-6)
    given = racing(monkeypatch, slow, TINY, n_winners=1, n_further=2)
    told = []
    model = regressor(callbacks=[told.append], **given).fit(FRAME, Y)
    assert [member.recipe for member in told] == [slow, TINY, TINY, TINY]
    assert len({member.error for member in told}) == 4
    weights = [place.weight for place in model.leaderboard_]
    assert sum(weights) == pytest.approx(1)
    assert weights[-1] == 0
    assert model.leaderboard_[-1].recipe == slow.summary


def test_the_mean_of_the_members_predicts(monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0), TINY.with_(max_iter=30))
    members = []
    model = classifier(callbacks=[members.append], metric="log_loss", **given).fit(FRAME, LABELS)
    weight = {place.recipe: place.weight for place in model.leaderboard_}
    table = model._ensemble.reader.transform(FRAME)
    mean = sum(weight[each.name] * each.predict(table) for each in members)
    p = model.predict_proba(FRAME)
    raw = model.set_params(calibrate=False).fit(FRAME, LABELS).predict_proba(FRAME)
    assert_allclose(raw, mean)
    assert_array_equal(p.argmax(axis=1), raw.argmax(axis=1))


def test_temperatures_make_probabilities_as_sure_as_they_are_right():
    rng = np.random.RandomState(0)
    logits = rng.normal(size=(20000, 3))
    p = softmax(logits, axis=1)
    truth = (rng.rand(20000, 1) > p.cumsum(axis=1)).sum(axis=1)
    for factor in (0.5, 1.0, 3.0):
        found = best_temperature(softmax(factor * logits, axis=1), truth, None)
        assert found == pytest.approx(factor, rel=0.05)
        assert_allclose(tempered(softmax(factor * logits, axis=1), factor), p)
    weights = np.repeat([1.0, 0.0], 10000)
    sharp = np.concatenate([softmax(2 * logits[:10000], axis=1), p[10000:]])
    assert best_temperature(sharp, truth, weights) == pytest.approx(2, rel=0.07)


def test_few_rows_make_no_certainty():
    p, truth = np.array([[0.9, 0.1], [0.2, 0.8], [0.85, 0.15]] * 8), np.array([0, 1, 0] * 8)
    surest = tempered(p, best_temperature(p, truth, None)).max()
    assert 0.95 < surest < 0.995


# -- what goes wrong on the way --------------------------------------------------------------------


def diverging(monkeypatch, *wrong):
    """Let recipes of these activations diverge."""
    from fastmlp.tabular import member, race

    train = member.train

    def trial(problem, recipe, *more):
        if recipe.activation in wrong:
            raise DivergenceError("gone")
        return train(problem, recipe, *more)

    monkeypatch.setattr(race, "train", trial)


def test_a_candidate_that_diverges_is_told_and_left_out(monkeypatch):
    diverging(monkeypatch, "relu")
    given = racing(monkeypatch, TINY.with_(activation="relu"), TINY)
    model = regressor(**given).fit(FRAME, Y)
    assert [place.weight for place in model.leaderboard_] == [1, 0]
    assert np.isnan(model.leaderboard_[1].error)
    assert repr(model.leaderboard_).endswith("(diverged)")
    assert "activation='relu'" in repr(model.leaderboard_)


def test_a_fit_of_which_all_candidates_diverge_changes_nothing(monkeypatch):
    model = regressor().fit(FRAME, Y)
    before = model.predict(FRAME)
    diverging(monkeypatch, "gelu", "relu")
    given = racing(monkeypatch, TINY, TINY.with_(activation="relu"))
    with pytest.raises(DivergenceError, match="gone"):
        model.set_params(**given).fit(FRAME, Y)
    assert_array_equal(model.predict(FRAME), before)


def test_a_network_that_leaves_the_finite_numbers_is_such_a_candidate(monkeypatch):
    given = racing(monkeypatch, TINY.with_(learning_rate_init=1e37, activation="relu"), TINY)
    board = regressor(**given).fit(FRAME, Y).leaderboard_
    assert [place.remark for place in board] == ["", "diverged"]


def test_predictions_that_are_not_finite_are_such_too(monkeypatch):
    from fastmlp.tabular import member

    monkeypatch.setattr(member.Learner, "predict", lambda self, table: np.full(len(table), np.nan))
    with pytest.raises(DivergenceError, match="predictions for held-out rows"):
        regressor().fit(FRAME, Y)


def ctrl_c(_):
    raise KeyboardInterrupt


def test_ctrl_c_keeps_the_members_that_there_are(monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
        model = regressor(callbacks=[ctrl_c], **given).fit(FRAME, Y)
    assert len(model.leaderboard_) == 1


@pytest.mark.parametrize(("n_folds", "at", "kept"), [(1, 3, True), (2, 3, False), (2, 18, True)])
def test_ctrl_c_in_a_training(n_folds, at, kept, monkeypatch):
    from fastmlp.training.recorder import Recorder

    epochs, epoch_ended = [], Recorder.epoch_ended

    def pressed(self, state):
        epochs.append(state.epoch)
        if len(epochs) == at:
            raise KeyboardInterrupt
        epoch_ended(self, state)

    monkeypatch.setattr(Recorder, "epoch_ended", pressed)
    given = racing(monkeypatch, TINY, TINY)
    model = regressor(n_folds=n_folds, **given)
    if kept:
        with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
            model.fit(FRAME, Y)
        assert len(model.leaderboard_) == 1
        assert len(epochs) == at
    else:
        with pytest.raises(KeyboardInterrupt):
            model.fit(FRAME, Y)
        assert not hasattr(model, "leaderboard_")


@pytest.mark.parametrize("answer", [True, 1, None])
def test_a_callback_that_returns_true_ends_the_race(answer, monkeypatch):
    given = racing(monkeypatch, TINY, TINY)
    model = regressor(callbacks=[lambda member: answer], **given).fit(FRAME, Y)
    assert len(model.leaderboard_) == (1 if answer is True else 2)


def test_what_a_callback_raises_ends_the_fit():
    model = regressor().fit(FRAME, Y)
    before = model.predict(FRAME)
    with pytest.raises(ZeroDivisionError):
        model.set_params(callbacks=[lambda member: 1 / 0]).fit(FRAME, 2 * Y)
    assert_array_equal(model.predict(FRAME), before)


def test_a_refit_does_not_change_a_prediction_that_has_begun(monkeypatch):
    from fastmlp.tabular.base import Ensemble

    predict = Ensemble.predict
    for model, first, second in (
        (classifier(), LABELS, np.where(GREEN, 7, 8)),
        (regressor(), Y, Y - 1000),
    ):
        wanted = model.fit(FRAME, first).predict(FRAME)

        def meanwhile(self, X, model=model, second=second):
            answer = predict(self, X)
            model.fit(FRAME, second)
            return answer

        with monkeypatch.context() as context:
            context.setattr(Ensemble, "predict", meanwhile)
            assert_array_equal(model.predict(FRAME), wanted)


def test_fits_in_threads_do_not_disturb_each_other():
    models = [classifier(random_state=0), classifier(random_state=1)]
    wanted = [model.fit(FRAME, LABELS).predict_proba(FRAME) for model in models]
    filters = warnings.filters[:]
    with ThreadPoolExecutor(4) as pool:
        fits = pool.map(lambda model: clone(model).fit(FRAME, LABELS), models * 3)
        for p, model in zip(wanted * 3, fits, strict=True):
            assert_array_equal(model.predict_proba(FRAME), p)
    assert warnings.filters == filters


def test_what_one_thread_leaves_out_another_one_warns_of():
    """A fit of networks is silent about their ends; a fit in another thread need not be."""
    with quietly("odd"), ThreadPoolExecutor(1) as pool:
        notify("of this thread")
        notify("odd things of this thread", RuntimeWarning)
        with pytest.raises(UserWarning, match="of another thread"):
            pool.submit(notify, "of another thread").result()


# -- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [1, 4])
@pytest.mark.parametrize("limit", [20.0, 77.7])
def test_a_fit_takes_as_long_as_it_may(limit, n_folds, monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained, slow.predicted = 4e-3, 1e-3
    long = TINY.with_(max_iter=10**4, batch_size=4)
    began = slow.time
    model = regressor(time_limit=limit, recipe=long, n_folds=n_folds).fit(FRAME, Y)
    assert 0.92 * limit <= slow.time - began <= 1.05 * limit
    assert len(model.leaderboard_) == 1


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("n_folds", [1, 3])
def test_a_candidate_with_little_time_learns_its_whole_course(n_folds, refit, monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained, slow.predicted = 4e-3, 1e-3
    given = {"time_limit": 30.0, "recipe": TINY.with_(max_iter=500), "n_folds": n_folds}
    began = slow.time
    model = regressor(refit=refit, **given).fit(FRAME, Y)
    assert slow.time - began <= 1.05 * 30
    [member] = model._published.ensemble.members
    assert len(member.learners) == n_folds
    for learner in member.learners:
        rates = np.array(learner.network.history_["learning_rate"])
        assert 5 < len(rates) < 60
        assert rates.max() > 0.8 * TINY.learning_rate_init
        assert len(rates) <= learner.network.max_iter
        if not refit:
            assert rates[-1] < 0.05 * TINY.learning_rate_init


def test_a_race_ends_when_its_time_is_over(monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained = 4e-3  # 8 seconds for 15 epochs of 136 rows
    given = racing(monkeypatch, *[TINY.with_(n_pieces=i + 1) for i in range(9)])
    began = slow.time
    model = regressor(time_limit=30.0, **given).fit(FRAME, Y)
    assert len(model.leaderboard_) == 4  # of which the last had less time
    assert [place.epochs for place in model.leaderboard_].count(15) == 3
    assert slow.time - began <= 1.05 * 30


def test_a_race_does_not_begin_what_it_has_hardly_time_for(monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained = 4e-3
    given = racing(monkeypatch, *[TINY.with_(n_pieces=i + 1) for i in range(9)])
    assert len(regressor(time_limit=11.0, **given).fit(FRAME, Y).leaderboard_) == 1


def test_a_limit_that_is_over_at_once_gives_a_model_all_the_same():
    assert np.isfinite(regressor(time_limit=1e-9).fit(FRAME, Y).predict(FRAME)).all()


def test_the_choice_ends_in_time(monkeypatch):
    slow = slow_clock(monkeypatch)
    rounds = []

    def error(prediction):
        slow.time += 1
        rounds.append(prediction)
        return float(np.abs(prediction).sum())

    greedy_weights([np.ones(3), -np.ones(3)], error, deadline=slow.time + 5)
    assert len(rounds) == 6


# -- what is shown ---------------------------------------------------------------------------------


def test_the_leaderboard_is_a_table():
    board = Leaderboard(
        "rmse",
        [
            Place("slow", 2.0, 0.25, 10, 3.25),
            Place("gone", np.nan, 0.0, 0, 0.5, "diverged"),
            Place("quick", 1.0, 0.75, 7, 1.0),
        ],
    )
    assert repr(board).splitlines() == [
        "rmse  weight  epochs  seconds  recipe",
        "   1    0.75       7      1.0  quick",
        "   2    0.25      10      3.2  slow",
        " nan    0.00       0      0.5  gone (diverged)",
    ]
    frame = pd.DataFrame(board)
    assert frame["recipe"].tolist() == ["quick", "slow", "gone"]
    assert frame.columns.tolist() == ["recipe", "error", "weight", "epochs", "seconds", "remark"]
    assert board[0].recipe == "quick"
    assert [place.recipe for place in board[1:]] == ["slow", "gone"]


def test_the_leaderboard_of_a_fit(monkeypatch, capsys):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    model = regressor(verbose=True, **given).fit(FRAME, Y)
    assert capsys.readouterr().out.count("\n") == 2
    board = model.leaderboard_
    assert [place.epochs for place in board] == [15, 15]
    assert board[0].error <= board[1].error
    assert all(place.seconds > 0 for place in board)


def test_recipes_print_as_the_list_of_their_settings():
    recipe = TINY.with_(activation="mish")
    lines = str(recipe).splitlines()
    assert len(lines) == len(vars(recipe))
    assert ["activation", "'mish'"] in [line.split() for line in lines]
    assert recipe.summary.startswith("plain, ")
    assert "activation='mish'" in recipe.summary
    assert eval(repr(recipe), {"Recipe": Recipe}) == recipe
    assert hash(recipe) == hash(TINY.with_(activation="mish"))


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
