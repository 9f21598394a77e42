"""Models that learn on a cluster, from a user's chair: what they learn, predict and become."""

from __future__ import annotations

import pickle
import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client
from helpers_dask import cluster_of
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.dask import DaskMLPClassifier, DaskMLPRegressor
from fastmlp.data import from_parquet
from fastmlp.schedules import Cosine, Scaled

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

RNG = np.random.default_rng(0)
N, NAMES, PART = 200, ["a", "b", "c"], 50
X = RNG.normal(size=(N, 3))
Y = X[:, 0] - X[:, 1]
LABELS = np.where(Y > 0.5, "high", np.where(Y < -0.5, "low", "middle"))
WEIGHTS = RNG.uniform(0.5, 2, N)
GIVEN = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0, "batch_size": 40, "tol": 0}
SYNCHRONOUS = {**GIVEN, "exchange": "synchronous"}

#: Rows in the order in which two ranks take them, of 100 rows each, 20 for each update.
OF_TWO = np.concatenate([np.r_[u : u + 20, 100 + u : 120 + u] for u in range(0, 100, 20)])


@pytest.fixture(scope="module", autouse=True)
def client():
    with cluster_of(2) as client:
        yield client


def arrays(*values):
    return [da.from_array(value, chunks=(PART, *value.shape[1:])) for value in values]


def frame():
    return dd.from_pandas(pd.DataFrame(X, columns=NAMES, index=np.arange(N) * 3), npartitions=3)


@pytest.fixture(scope="module")
def classifier(client):
    return DaskMLPClassifier(**SYNCHRONOUS).fit(*arrays(X, LABELS))


@pytest.fixture(scope="module")
def regressor(client):
    both = np.column_stack([Y, -Y])
    return DaskMLPRegressor(**SYNCHRONOUS).fit(*arrays(X, both))


# -- what is learnt --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"class_weight": {"low": 3.0, "middle": 1.0, "high": 0.5}}]
)
def test_updates_are_those_of_one_machine(options):
    wanted = MLPClassifier(**GIVEN, **options, shuffle=False)
    wanted.fit(X[OF_TWO], LABELS[OF_TWO], WEIGHTS[OF_TWO])
    model = DaskMLPClassifier(**SYNCHRONOUS, **options, shuffle=False)
    model.fit(*arrays(X, LABELS, WEIGHTS))
    assert_allclose(
        model._learnt.network.parameters, wanted._learnt.network.parameters, rtol=1e-4, atol=1e-5
    )
    assert_allclose(model.loss_curve_, wanted.loss_curve_, rtol=1e-5)


def test_several_targets_are_learnt_as_on_one_machine():
    both = np.column_stack([Y, -2 * Y])
    wanted = MLPRegressor(**GIVEN, shuffle=False).fit(X[OF_TWO], both[OF_TWO])
    model = DaskMLPRegressor(**SYNCHRONOUS, shuffle=False).fit(*arrays(X, both))
    assert_allclose(
        model._learnt.network.parameters, wanted._learnt.network.parameters, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("exchange", ["synchronous", "local"])
def test_digits_are_read_as_well_as_on_one_machine(exchange):
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    learn, test = order[:1200], order[1200:]
    given = {
        "hidden_layer_sizes": (32,),
        "max_iter": 10,
        "learning_rate_init": 0.01,
        "batch_size": 64,
    }
    x = x / 16
    seeds = range(2)
    alone = [
        MLPClassifier(**given, random_state=seed).fit(x[learn], y[learn]).score(x[test], y[test])
        for seed in seeds
    ]
    blocks = da.from_array(x[learn], chunks=(300, 64)), da.from_array(y[learn], chunks=300)
    together = [
        DaskMLPClassifier(**given, exchange=exchange, local_steps=4, random_state=seed)
        .fit(*blocks)
        .score(x[test], y[test])
        for seed in seeds
    ]
    assert min(alone) > 0.93
    assert np.mean(together) > np.mean(alone) - 0.015


@pytest.mark.parametrize("target", [LABELS, Y, np.column_stack([WEIGHTS, Y])])
def test_rows_that_are_sorted_by_their_target_are_not_learnt_from_apart(target):
    kind = DaskMLPClassifier if target is LABELS else DaskMLPRegressor
    order = np.argsort(target if target.ndim == 1 else target[:, 1], kind="stable")
    in_order = arrays(X[order], target[order])
    assert kind(**GIVEN).fit(*in_order).exchange_ == "synchronous"
    apart = kind(**GIVEN, exchange="local", local_steps=2)
    with pytest.warns(UserWarning, match="Shards have rows of different targets"):
        apart.fit(*in_order)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        apart.fit(*arrays(X, target))


def test_early_stopping_holds_rows_out():
    model = DaskMLPClassifier(**{**SYNCHRONOUS, "max_iter": 4}, early_stopping=True)
    model.fit(*arrays(X, LABELS))
    assert len(model.validation_scores_) == model.n_iter_
    assert model._learnt.history.n_samples_seen == model.n_iter_ * (N - 20)


def test_rows_of_ones_own_judge():
    model = DaskMLPClassifier(**SYNCHRONOUS, early_stopping=True)
    x, y = arrays(X, LABELS)
    in_memory = model.fit(x, y, X_val=X[:60], y_val=LABELS[:60]).validation_scores_
    assert model._learnt.history.n_samples_seen == model.n_iter_ * N
    assert model.fit(x, y, X_val=x[:60], y_val=y[:60]).validation_scores_ == in_memory


def test_a_warm_start_goes_on():
    x, y = arrays(X, LABELS)
    model = DaskMLPClassifier(**SYNCHRONOUS, warm_start=True).fit(x, y)
    first = model.loss_
    model.fit(x, y)
    assert len(model.loss_curve_) == 6
    assert model.loss_ < first


def test_callbacks_run_where_fit_was_called():
    seen = []
    model = DaskMLPClassifier(**SYNCHRONOUS, callbacks=[lambda record: seen.append(record.epoch)])
    model.fit(*arrays(X, LABELS))
    assert seen == [1, 2, 3]
    assert len(model.predict(arrays(X)[0]).compute()) == N  # the callback can't go to a worker


def test_a_fit_that_fails_leaves_the_model_as_it_was(classifier):
    model = pickle.loads(pickle.dumps(classifier))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(*arrays(np.full_like(X, np.nan), LABELS))
    assert_array_equal(model.predict(X), classifier.predict(X))


# -- predictions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_predictions_of_arrays(classifier, method):
    x = da.from_array(X, chunks=(PART, 2))
    wanted = getattr(classifier.to_local(), method)(X)
    lazy = getattr(classifier, method)(x)
    assert isinstance(lazy, da.Array)
    assert (lazy.dtype, lazy.shape) == (wanted.dtype, wanted.shape)
    assert lazy.chunks[0] == x.chunks[0]
    assert lazy._meta.dtype == wanted.dtype
    assert_array_equal(lazy.compute(), wanted)
    assert_array_equal(getattr(classifier, method)(X), wanted)


def test_predictions_of_two_classes_and_of_one_target(client):
    x, y = arrays(X, LABELS == "low")
    model = DaskMLPClassifier(**SYNCHRONOUS).fit(x, y)
    assert model.predict(x).dtype == bool
    assert model.predict_proba(x).shape == (N, 2)
    assert model.decision_function(x).shape == (N,)
    assert_array_equal(model.predict_proba(x).compute(), model.predict_proba(X))


def test_predictions_of_frames(classifier, regressor):
    x = frame()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # arrays were learnt from, without names
        found = classifier.predict(x)
        chances, both = classifier.predict_proba(x), regressor.predict(x)
        assert isinstance(found, dd.Series)
        for lazy in (found, chances, both):
            assert lazy.npartitions == x.npartitions
            assert_array_equal(lazy.compute().index, np.arange(N) * 3)
        assert list(chances.columns) == ["high", "low", "middle"]
        assert (chances.dtypes == np.float32).all()
        assert found.dtype == found.compute().dtype
        assert_array_equal(found.compute(), classifier.predict(X))
        assert_array_equal(chances.compute(), classifier.predict_proba(X))
        assert_array_equal(both.compute(), regressor.predict(X))
        whole = x.assign(found=classifier.predict(x)).compute()
    assert_array_equal(whole["found"], classifier.predict(X))


def test_predictions_of_files_and_lists(regressor, tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame(X).rename(columns=str).to_parquet(path, row_group_size=60, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        wanted = regressor.predict(X)
        for x in (str(path), from_parquet(path)):
            lazy = regressor.predict(x)
            assert (lazy.numblocks, lazy.dtype) == ((4, 1), wanted.dtype)
            assert_array_equal(lazy.compute(), wanted)
    parts = [dask.delayed(part) for part in np.split(X, 4)]
    assert_array_equal(np.concatenate(dask.compute(*regressor.predict(parts))), wanted)


def test_deviations_are_lazy_too():
    x, y = arrays(X, Y)
    model = DaskMLPRegressor(loss="gaussian_nll", **SYNCHRONOUS).fit(x, y)
    mean, std = model.predict(x, return_std=True)
    wanted = model.to_local().predict(X, return_std=True)
    assert_array_equal(dask.compute(mean, std), wanted)


def test_quantiles_are_lazy_too():
    x, y = arrays(X, Y)
    model = DaskMLPRegressor(loss="pinball", quantiles=[0.1, 0.5, 0.9], **SYNCHRONOUS).fit(x, y)
    assert_array_equal(model.predict(x).compute(), model.to_local().predict(X))
    with pytest.raises(ValueError, match="score can't add up"):
        model.score(x, y)


def test_rows_that_do_not_fit_are_refused(classifier):
    with pytest.raises(ValueError, match="2 features"):
        classifier.predict(da.from_array(X[:, :2])).compute()
    with pytest.raises(NotFittedError):
        DaskMLPClassifier().predict(arrays(X)[0])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_scores(classifier, regressor, weights):
    for model, y in ((classifier, LABELS), (regressor, np.column_stack([Y, -Y]))):
        x, *rest = arrays(X, y, *([] if weights is None else [weights]))
        assert model.score(x, *rest) == pytest.approx(model.score(X, y, weights), abs=1e-6)


def test_a_wrong_target_to_score_is_told_with_its_place(regressor):
    with pytest.raises(ValueError, match=r"^partition \d: y has 1 columns"):
        regressor.score(*arrays(X, Y))


# -- as an estimator -------------------------------------------------------------------------------


def test_parameters_are_those_of_the_sibling_and_of_the_cluster():
    for model, sibling in (
        (DaskMLPClassifier(), MLPClassifier()),
        (DaskMLPRegressor(), MLPRegressor()),
    ):
        own = {"client": None, "exchange": "auto", "n_shards": None, "local_steps": "auto"}
        assert model.get_params() == {**sibling.get_params(), **own}
        model.set_params(alpha=0.5, n_shards=3)
        assert (model.alpha, model.n_shards) == (0.5, 3)
        assert is_classifier(model) == is_classifier(sibling)
        with pytest.raises(ValueError, match="n_workers"):
            model.set_params(n_workers=3)
        with pytest.raises(TypeError, match="n_workers"):
            type(model)(n_workers=3)


def test_clones_and_pickles(client, classifier):
    model = DaskMLPClassifier(client=client, **SYNCHRONOUS)
    assert clone(model).client is client
    assert clone(model).get_params() == model.get_params()
    assert pickle.loads(pickle.dumps(model)).client is None
    again = pickle.loads(pickle.dumps(classifier))
    assert_array_equal(again.predict(X), classifier.predict(X))
    assert again.exchange_ == "synchronous"


def test_there_is_no_partial_fit(classifier):
    assert not hasattr(classifier, "partial_fit")
    with pytest.raises(AttributeError) as error:
        classifier.partial_fit(X, LABELS)
    assert "warm_start=True" in str(error.value.__cause__)


def test_a_client_is_needed(client):
    x, y = arrays(X, LABELS)
    other = Client(client.scheduler.address, set_as_default=False)
    other.close()
    with pytest.raises(ValueError, match="client is closed"):
        DaskMLPClassifier(client=other).fit(x, y)
    assert DaskMLPClassifier(client=client).client_ is client
    assert DaskMLPClassifier().client_ is client


def test_what_was_learnt_is_a_local_model(classifier, regressor, tmp_path):
    local = classifier.to_local()
    assert type(local) is MLPClassifier
    assert type(regressor.to_local()) is MLPRegressor
    assert_array_equal(local.predict(X), classifier.predict(X))
    assert local.alpha == classifier.alpha
    classifier.save(tmp_path / "model.fastmlp")
    loaded = fastmlp.load(tmp_path / "model.fastmlp")
    assert type(loaded) is MLPClassifier
    assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    with pytest.raises(NotFittedError):
        DaskMLPClassifier().to_local()


def test_onnx(classifier):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(classifier.to_onnx().SerializeToString())
    _, chances = session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})
    assert_allclose(chances, classifier.predict_proba(X), atol=1e-5)


# -- scikit-learn's searches -----------------------------------------------------------------------


def test_a_grid_search_runs_on_the_same_cluster(client):
    search = GridSearchCV(
        MLPClassifier(**GIVEN), {"alpha": [1e-4, 1.0], "hidden_layer_sizes": [(4,), (8,)]}, cv=3
    )
    wanted = clone(search).fit(X, LABELS)
    with joblib.parallel_config("dask"):
        found = clone(search).set_params(n_jobs=-1).fit(X, LABELS)
    assert found.best_params_ == wanted.best_params_
    assert_array_equal(found.cv_results_["mean_test_score"], wanted.cv_results_["mean_test_score"])
    again = DaskMLPClassifier(**SYNCHRONOUS).fit(*arrays(X, LABELS))
    assert again.exchange_ == "synchronous"


def test_a_client_that_is_not_the_default_one(client):
    with Client(client.cluster, set_as_default=False) as other:
        x, y = arrays(X, Y)
        with client.as_current():
            model = DaskMLPRegressor(client=other, **SYNCHRONOUS)
            model.fit(other.persist(x), y, X_val=other.persist(x), y_val=y)
            expected = DaskMLPRegressor(client=client, **SYNCHRONOUS).fit(x, y)
    assert_array_equal(model.coefs_[0], expected.coefs_[0])


def test_rows_that_do_not_count_may_hold_anything():
    labels, weights, targets = LABELS.astype(object), np.ones(N), Y.copy()
    labels[10], weights[10], targets[10] = "none", 0.0, np.nan
    x, y, t, w = arrays(X, labels.astype(str), targets, weights)
    model = DaskMLPClassifier(**SYNCHRONOUS).fit(x, y, w)
    assert list(model.classes_) == ["high", "low", "middle"]
    assert np.isfinite(DaskMLPRegressor(**SYNCHRONOUS).fit(x, t, w).loss_)


def test_a_class_may_count_nothing_in_a_part_of_its_own():
    order = np.argsort(LABELS)
    x, y = arrays(X[order], LABELS[order])
    given = {"high": 0.0, "low": 1.0, "middle": 1.0}
    model = DaskMLPClassifier(**SYNCHRONOUS, class_weight=given).fit(x, y)
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize("n_shards", [1, 2])
def test_schedules_of_dropout_are_followed(n_shards):
    x, y = arrays(X, LABELS)
    given = {**GIVEN, "max_iter": 6, "n_shards": n_shards, "exchange": "auto", "local_steps": 2}
    curves = [
        DaskMLPClassifier(**given, dropout=dropout).fit(x, y).loss_curve_
        for dropout in (0.5, Scaled(0.5, Cosine()))
    ]
    assert curves[0] != curves[1]
