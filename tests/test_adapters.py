"""A model of raw tables does what AutoGluon asks of its models."""

from __future__ import annotations

import pickle
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from helpers_autogluon import adapter
from numpy.testing import assert_array_equal

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.tabular import Recipe

N = 200
SMALL = {"recipe": Recipe(hidden_layer_sizes=(8,), max_iter=4), "n_folds": 1}
KINDS = {
    "binary": TabularClassifier,
    "multiclass": TabularClassifier,
    "regression": TabularRegressor,
    "quantile": TabularRegressor,
}


@pytest.fixture
def module(monkeypatch):
    return adapter(monkeypatch)


@pytest.fixture
def table():
    """A frame (N, 3) as AutoGluon hands it over, and a target (N,) for each kind of problem."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=N),
            "gaps": rng.normal(size=N),
            "level": pd.Categorical(rng.choice(list("abc"), N)),
        },
        index=np.arange(N)[::-1],  # of rows of a larger table
    )
    score = frame["number"] + 2 * (frame["level"] == "a")
    frame.loc[frame.index[::7], "gaps"] = np.nan
    thirds = pd.qcut(score, 3, labels=False).astype(int)
    return frame, {
        "binary": (score > 1).astype(int),
        "multiclass": thirds,
        "regression": 100 * score,
        "quantile": 100 * score,
    }


def learnt(module, tmp_path, table, problem, hyperparameters=SMALL, **arguments):
    """Return a model that has learnt from three quarters of the table."""
    frame, targets = table
    quantiles = {"ag.quantile_levels": [0.1, 0.5, 0.9]} if problem == "quantile" else {}
    metric = arguments.pop("eval_metric", None)
    model = module.FastMLPModel(
        path=str(tmp_path),
        name="ours",
        problem_type=problem,
        eval_metric=metric,
        hyperparameters={**hyperparameters, **quantiles},
    )
    arguments = {"num_cpus": 1, "num_gpus": 0, **arguments}
    return model.fit(X=frame[:150], y=targets[problem][:150], **arguments)


@pytest.mark.parametrize("problem", KINDS)
def test_problems_and_what_is_predicted(module, tmp_path, table, problem):
    assert problem in module.FastMLPModel.supported_problem_types()
    model = learnt(module, tmp_path, table, problem)
    assert type(model.model) is KINDS[problem]
    rows = table[0][150:]
    expected = {"multiclass": (50, 3), "quantile": (50, 3)}.get(problem, (50,))
    proba = model.predict_proba(rows)
    assert proba.shape == expected
    assert_array_equal(model.predict_proba(rows.iloc[:, ::-1]), proba)
    if problem == "multiclass":
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    if problem == "quantile":
        assert model.model.quantiles == [0.1, 0.5, 0.9]
        assert np.all(np.diff(proba, axis=1) >= 0)
    if problem == "binary":
        assert_array_equal(model.predict(rows), (proba >= 0.5).astype(int))


def test_autogluon_decides_seed_threads_time_and_measure(module, tmp_path, table):
    model = learnt(
        module,
        tmp_path,
        table,
        "binary",
        eval_metric="roc_auc",
        num_cpus=2,
        time_limit=50.0,
        random_seed=7,
    ).model
    assert model.random_state == 7
    assert model.n_threads == 2
    assert 0 < model.time_limit <= 50
    assert model.metric == "auc"
    assert model.recipe == SMALL["recipe"]


def test_measures_that_are_not_ours_leave_the_default(module, tmp_path, table):
    assert learnt(module, tmp_path, table, "binary", eval_metric="f1").model.metric == "error"
    unknown = learnt(module, tmp_path, table, "regression", eval_metric="median_absolute_error")
    assert unknown.model.metric is None
    own = learnt(module, tmp_path, table, "binary", {**SMALL, "metric": "brier"})
    assert own.model.metric == "brier"


def test_autogluons_rows_and_weights_judge_and_teach(module, tmp_path, table):
    frame, targets = table
    y, weights = targets["regression"], pd.Series(np.arange(N) % 3 + 1.0, index=frame.index)
    model = learnt(
        module,
        tmp_path,
        table,
        "regression",
        X_val=frame[150:],
        y_val=y[150:],
        sample_weight=weights[:150],
        sample_weight_val=weights[150:],
    )
    expected = TabularRegressor(**SMALL, metric="rmse", random_state=0, n_threads=1).fit(
        frame[:150],
        y[:150],
        weights[:150],
        X_val=frame[150:],
        y_val=y[150:],
        sample_weight_val=weights[150:],
    )
    prediction = model.predict(frame[150:])  # AutoGluon makes float32 of it
    assert_array_equal(prediction, expected.predict(frame[150:]).astype(prediction.dtype))


def test_models_are_kept_as_pickles(module, tmp_path, table):
    model = learnt(module, tmp_path, table, "regression").model
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(table[0]), model.predict(table[0]))


@pytest.mark.skipif(find_spec("autogluon") is not None, reason="AutoGluon is installed")
def test_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "fastmlp.adapters.autogluon", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install autogluon\.tabular"):
        __import__("fastmlp.adapters.autogluon")
