"""Pipelines with a network, converted by skl2onnx."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from helpers_export import CLASSES, TARGET, X, fitted
from helpers_onnx import Session
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.adapters.skl2onnx import register

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

register()


def scaled(kind, y, **parameters):
    """Return a pipeline of a scaler and a network."""
    settings = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
    return make_pipeline(StandardScaler(), kind(**{**settings, **parameters})).fit(3 * X + 1, y)


ROWS = 3 * X[:20] + 1
WITHOUT_MAP = {"zipmap": False}


@pytest.mark.parametrize("parameters", [{}, {"dtype": "float64"}, {"n_members": 3}])
@pytest.mark.parametrize("labels", [["a", "b", "c"], [10, -5, 7], ["no", "yes"]])
def test_classifiers(labels, parameters):
    model = scaled(MLPClassifier, np.array(labels)[CLASSES % len(labels)], **parameters)
    converted = to_onnx(model, X[:1], target_opset=18, options={"zipmap": False})
    found = Session(converted)({"X": ROWS})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(ROWS), atol=1e-5)
    np.testing.assert_array_equal(found["label"], model.predict(ROWS))
    # Without the option there is a dictionary for each row, as of scikit-learn's classifiers.
    found = Session(to_onnx(model, X[:1]))({"X": ROWS})
    first = found["output_probability"][0]
    assert set(first) == set(labels)
    wanted = model.predict_proba(ROWS[:1])[0]
    assert [first[each] for each in model.classes_.tolist()] == pytest.approx(wanted, abs=1e-5)


def test_several_labels():
    model = scaled(MLPClassifier, (X[:, :3] > 0).astype(int))
    found = Session(to_onnx(model, X[:1], options=WITHOUT_MAP))({"X": ROWS})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(ROWS), atol=1e-5)
    np.testing.assert_array_equal(found["label"], model.predict(ROWS))


@pytest.mark.parametrize("parameters", [{}, {"loss": "gaussian_nll"}, {"dtype": "float64"}])
def test_regressors(parameters):
    model = scaled(MLPRegressor, TARGET, standardize_target=True, **parameters)
    for rows in (ROWS, ROWS.astype(np.float64)):
        found = Session(to_onnx(model, rows[:1]))({"X": rows})
        assert list(found) == ["variable"]
        np.testing.assert_allclose(found["variable"][:, 0], model.predict(rows), atol=1e-5)


def test_a_table_by_a_column_transformer():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "length": X[:, 0], "breadth": X[:, 1], "colour": rng.choice(["red", "käse"], len(X)),
    })  # fmt: skip
    columns = ColumnTransformer([
        ("numbers", StandardScaler(), ["length", "breadth"]),
        ("levels", OneHotEncoder(handle_unknown="ignore"), ["colour"]),
    ])  # fmt: skip
    network = MLPRegressor(hidden_layer_sizes=(8,), max_iter=2, random_state=0, n_members=2)
    model = make_pipeline(columns, network).fit(frame, TARGET)
    kinds = {"length": FloatTensorType, "breadth": FloatTensorType, "colour": StringTensorType}
    types = [(name, kind([None, 1])) for name, kind in kinds.items()]
    session = Session(to_onnx(model, initial_types=types))
    feed = {each.name: frame[[each.name]].to_numpy() for each in session.inputs}
    feed["colour"] = feed["colour"].astype(object)
    np.testing.assert_allclose(session(feed)["variable"][:, 0], model.predict(frame), atol=1e-5)


def test_inputs_of_several_types_are_joined():
    model = fitted(MLPRegressor, TARGET, np.rint(X)).model
    types = [("a", FloatTensorType([None, 4])), ("b", Int64TensorType([None, 2]))]
    rows = np.rint(X)
    found = Session(to_onnx(model, initial_types=types))(
        {"a": rows[:, :4], "b": rows[:, 4:].astype(np.int64)}
    )
    np.testing.assert_allclose(found["variable"][:, 0], model.predict(rows), atol=1e-5)


def test_refusals():
    model = scaled(MLPClassifier, CLASSES % 2, loss="squared_hinge")
    with pytest.raises(ValueError, match="gives no probabilities for a ZipMap to hold: pass"):
        to_onnx(model, X[:1])
    found = Session(to_onnx(model, X[:1], options=WITHOUT_MAP))({"X": ROWS})
    np.testing.assert_array_equal(found["label"], model.predict(ROWS))
    with pytest.raises(ValueError, match="target_opset must be from 18 to"):
        to_onnx(model, X[:1], target_opset=15, options=WITHOUT_MAP)


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    monkeypatch.delitem(sys.modules, "fastmlp.adapters.skl2onnx")
    with pytest.raises(ModuleNotFoundError, match="with: pip install skl2onnx"):
        __import__("fastmlp.adapters.skl2onnx")
