"""A model as an ONNX file predicts what it predicts in Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from helpers_export import X_LEVELS, X, fitted, networks, raw_table, tabular_models
from helpers_onnx import OUTPUT_NAMES, Session
from onnx import checker, defs, helper, shape_inference
from scipy.special import ndtr
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier

from fastmlp import (
    MLPClassifier,
    MLPRegressor,
    TabularClassifier,
    TabularRegressor,
    custom_activation,
)
from fastmlp.backends.reference.activations import ACTIVATION_FUNCTIONS
from fastmlp.export.onnx.functions import activation, share_below
from fastmlp.export.onnx.graph import ELEMENT_TYPES, Graph
from fastmlp.export.onnx.table_nodes import nodes_of
from fastmlp.export.table_steps import FromDeviates, ReadCalendar
from fastmlp.export.values import Value
from fastmlp.registry import ACTIVATIONS
from fastmlp.tables.calendar import PARTS, part
from fastmlp.tabular import Recipe

CASES = {case.name: case for case in (*networks(), *tabular_models())}

#: How far answers may be apart, relative to the scale of float32 and of float64 outputs.
TOLERANCES = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-9}
ROWS = {"none": slice(0, 0), "one": slice(0, 1), "many": slice(None)}


def assert_answers(case, outputs, rows, dtype):
    """Raise unless ONNX Runtime and the model answer alike."""
    program = case.model._program()
    atol = TOLERANCES[np.dtype(dtype)]
    for name, wanted in case.answers.items():
        found = outputs[OUTPUT_NAMES.get(name, name)]
        assert found.dtype == program.answers[name].dtype
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(found, wanted[rows], rtol=0, atol=atol * scale)
    if program.decision is None:
        assert "label" not in outputs
        return
    wanted = case.model.predict(case.rows)[rows]
    numbers = program.values(case.model._raw_values(case.rows))[program.decision.value.name]
    clear = program.decision.margin(numbers[rows, 0]) > 10 * atol
    assert np.count_nonzero(~clear) <= len(clear) // 10
    assert outputs["label"].shape == wanted.shape
    np.testing.assert_array_equal(outputs["label"][clear], wanted[clear])


@pytest.mark.parametrize("name", CASES)
def test_answers_are_those_of_the_model(name):
    case = CASES[name]
    program, session = case.model._program(), Session(case.model.to_onnx())
    rows = case.model._raw_values(case.rows)
    feed = session.feed(program, rows)
    # A model of raw tables is a mean of networks of float32.
    dtype = np.float32 if program.x is None else program.x.dtype
    for some in ROWS.values():
        outputs = session({name: values[some] for name, values in feed.items()})
        assert_answers(case, outputs, some, dtype)


@pytest.mark.parametrize("name", ["classes_pieces", "numbers_quantile", "front_plr_3_True"])
def test_the_newest_operators(name):
    case, newest = CASES[name], defs.onnx_opset_version()
    opset = min(newest, 24)  # ONNX Runtime lags behind
    session = Session(case.model.to_onnx(opset=opset))
    program, rows = case.model._program(), case.model._raw_values(case.rows)
    assert_answers(case, session(session.feed(program, rows)), slice(None), np.float32)
    assert case.model.to_onnx(opset=newest).opset_import[0].version == newest


@pytest.mark.parametrize("name", CASES)
def test_the_model_passes_every_check(name):
    model, program = CASES[name].model.to_onnx(), CASES[name].model._program()
    checker.check_model(model, full_check=True)
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    typed = {each.name: each.type.tensor_type for each in inferred.graph.value_info}
    assert {output for node in model.graph.node for output in node.output} <= {
        *typed, *(each.name for each in model.graph.output)
    }  # fmt: skip
    versions = {each.domain: each.version for each in model.opset_import}
    assert versions.pop("") == 18
    assert set(versions) <= {"ai.onnx.ml"}
    assert model.ir_version == 8
    for each in (*model.graph.input, *model.graph.output):
        assert each.type.tensor_type.shape.dim[0].dim_param == "N"
    names = [node.name for node in model.graph.node]
    assert len({*names}) == len(names)
    assert len(model.graph.input) == (1 if program.x is not None else len(program.columns))


def test_what_a_model_says_of_itself():
    frame = pd.DataFrame(X, columns=["length", "breadth", "höhe", "a b", "c", "d"])
    model = fitted(MLPRegressor, X[:, 0].astype(float), frame).model.to_onnx()
    assert (model.producer_name, model.producer_version) == ("fastmlp", "0.1.0")
    properties = {each.key: each.value for each in model.metadata_props}
    assert properties["description"] == model.doc_string
    assert "MLPRegressor of fastmlp 0.1.0: 6 -> 8 -> 6 -> 1, float32" in model.doc_string
    assert properties["feature_names"] == '["length", "breadth", "höhe", "a b", "c", "d"]'
    table = CASES["classes_plain"].model.to_onnx()
    said = {each.name: each.doc_string for each in table.graph.input}
    assert said["area"] == "area: NaN if missing"
    assert said["lift"] == "lift: 0 or 1; NaN if missing"
    assert "the missing text if missing" in said["district"]
    assert "in the time of Europe/Berlin" in said["sold"]
    kinds = {each.name: each.type.tensor_type.elem_type for each in table.graph.input}
    assert (kinds["district"], kinds["area"], kinds["built"]) == (8, 11, 11)


def test_a_file_is_the_model_and_always_the_same_bytes(tmp_path):
    for name in ("classes_pieces", "two_targets"):
        model, path = CASES[name].model, tmp_path / "m.onnx"
        assert model.to_onnx(path) is None
        first = path.read_bytes()
        assert onnx.load(path) == model.to_onnx()
        model.to_onnx(str(path))
        assert path.read_bytes() == first
    assert os.listdir(tmp_path) == ["m.onnx"]


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "m.onnx").write_bytes(b"before")
    (tmp_path / "m.c").write_bytes(b"before")
    monkeypatch.setattr(os, "replace", _fail)
    model = CASES["two_targets"].model
    with pytest.raises(OSError, match=r"'.*m\.onnx' can't be written: No space left"):
        model.to_onnx(tmp_path / "m.onnx")
    with pytest.raises(OSError, match=r"'.*m\.c' can't be written: No space left"):
        model.to_c(tmp_path / "m.c")
    assert sorted(os.listdir(tmp_path)) == ["m.c", "m.onnx"]
    assert (tmp_path / "m.onnx").read_bytes() == (tmp_path / "m.c").read_bytes() == b"before"


def _fail(*_):
    raise OSError(28, "No space left on device")


ELSEWHERE = """
import sys
sys.modules["fastmlp"] = sys.modules["sklearn"] = None
import numpy as np, onnxruntime, pandas as pd

houses = pd.read_csv("rows.csv", parse_dates=["built"])
session = onnxruntime.InferenceSession("price.onnx", providers=["CPUExecutionProvider"])

def tensor(column, kind):
    if kind == "tensor(string)":
        values = column.fillna("").astype(str).to_numpy(object)
    elif column.dtype.kind == "M":
        values = ((column - pd.Timestamp(0)) / pd.Timedelta("1s")).to_numpy()
    else:
        values = column.to_numpy(np.float64)
    return values.reshape(-1, 1)

feed = {each.name: tensor(houses[each.name], each.type) for each in session.get_inputs()}
(price,) = session.run(["variable"], feed)
np.save("price.npy", price)
"""


def test_a_table_goes_through_one_file_in_a_process_without_fastmlp(tmp_path):
    table, price = raw_table()
    table = table[["area", "rooms", "lift", "district", "built"]]
    table.to_csv(tmp_path / "rows.csv", index=False)
    table = pd.read_csv(tmp_path / "rows.csv", parse_dates=["built"])
    recipe = Recipe(hidden_layer_sizes=(8,), max_iter=2)
    model = TabularRegressor(recipe=recipe, n_folds=2, random_state=0).fit(table, price)
    model.to_onnx(tmp_path / "price.onnx")
    subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=tmp_path, check=True)
    found = np.load(tmp_path / "price.npy")
    np.testing.assert_allclose(found[:, 0], model.predict(table), rtol=1e-5)


# -- texts and labels -----------------------------------------------------------------------------

NASTY = [
    "a\nb",
    "\\",
    "%s%n",
    "käse \u202e\U0001f600",
    "\t\x07\x7f",
    "label",
    "probabilities",
    "/X",
]


def test_names_and_levels_can_be_anything():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice([*NASTY, None], 300) for name in NASTY[:4]})
    for name in [*NASTY[4:], "a b", "label_", " "]:
        frame[name] = rng.normal(size=300)
    y = np.array(NASTY)[np.arange(300) % len(NASTY)]
    recipe = Recipe(hidden_layer_sizes=(4,), max_iter=1)
    model = TabularClassifier(recipe=recipe, n_folds=2, random_state=0).fit(frame, y)
    program, session = model._program(), Session(model.to_onnx())
    names = [each.name for each in session.inputs]
    assert names == [*NASTY[:5], "label_", "probabilities_", "/X", "a b", "label__", " "]
    outputs = session(session.feed(program, model._raw_values(frame)))
    np.testing.assert_allclose(outputs["probabilities"], model.predict_proba(frame), atol=1e-5)
    assert set(outputs["label"]) <= set(NASTY)


def test_a_missing_category_has_a_text_of_its_own():
    table, price = raw_table()
    table = table[["area", "district"]].assign(street=np.where(table["rooms"] > 3, "", "long"))
    recipe = Recipe(hidden_layer_sizes=(8,), max_iter=2)
    model = TabularRegressor(recipe=recipe, n_folds=2, random_state=0).fit(table, price)
    with pytest.raises(
        ValueError, match=r"missing must not be a level.* '' is one of column 'street'"
    ):
        model.to_onnx()
    session = Session(model.to_onnx(missing="?"))
    table.loc[:3, "street"] = None
    feed = session.feed(model._program(), model._raw_values(table), missing="?")
    assert "" in feed["street"]
    assert "?" in feed["street"]
    found = session(feed)["variable"][:, 0]
    np.testing.assert_allclose(found, model.predict(table), rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        ([-(2**63), 10**12], np.int64),
        ([3, 2**64 - 1], np.uint64),
        ([False, True], np.bool_),
        ([-1.0, 3.0], np.float64),
        (["no", "käse"], np.object_),
    ],
)
def test_labels_keep_their_type(labels, dtype):
    y = np.array(labels, np.uint64 if dtype == np.uint64 else None)[np.arange(60) % 2]
    case = fitted(MLPClassifier, y)
    label = Session(case.model.to_onnx())({"X": X})["label"]
    assert label.dtype == dtype
    np.testing.assert_array_equal(label, case.model.predict(X))


def test_a_table_of_one_class():
    frame, recipe = pd.DataFrame(X_LEVELS), Recipe(hidden_layer_sizes=(2,), max_iter=1)
    model = TabularClassifier(recipe=recipe, n_folds=2, random_state=0)
    with pytest.warns(RuntimeWarning, match="one class"):
        model.fit(frame, ["only"] * len(frame))
    session = Session(model.to_onnx())
    outputs = session(session.feed(model._program(), model._raw_values(frame)))
    assert set(outputs["label"]) == {"only"}
    np.testing.assert_array_equal(outputs["probabilities"], model.predict_proba(frame))


# -- functions alone ------------------------------------------------------------------------------


def run_alone(write, x):
    """Return what nodes make of a tensor; ``write`` adds them to a graph."""
    kind, graph = ELEMENT_TYPES[x.dtype], Graph()
    graph.give(write(graph, "x"), "y")
    inputs, outputs = (
        [helper.make_tensor_value_info(name, kind, ["N", width])]
        for name, width in (("x", x.shape[1]), ("y", None))
    )
    made = helper.make_graph(graph.nodes, "g", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", 18)]
    return Session(helper.make_model(made, opset_imports=opsets, ir_version=8))({"x": x})["y"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS.names)
def test_activations_everywhere(name, dtype):
    z = np.concatenate([np.linspace(-30, 30, 4001), [0.0, -0.0, 1e4, -1e4]]).astype(dtype)
    z = z.reshape(-1, 1)
    found = run_alone(lambda graph, x: activation(graph, name, x, np.dtype(dtype)), z)
    with np.errstate(all="ignore"):
        wanted, _ = ACTIVATION_FUNCTIONS[name](z.astype(np.float64))
    far = np.abs(found - wanted) / np.maximum(1, np.abs(z))
    assert far.max() < (1e-6 if dtype == np.float32 else 1e-14)


def test_the_normal_distribution_in_float64():
    x = np.concatenate([np.linspace(-38, 9, 5001), [0.0, -0.0, 1e3, -1e3]]).reshape(-1, 1)
    found = run_alone(lambda graph, x: share_below(graph, x, np.dtype(np.float64)), x)
    np.testing.assert_allclose(found, ndtr(x), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines(dtype):
    x = np.linspace(-np.pi, np.pi, 1001, dtype=dtype).reshape(-1, 1)
    found = run_alone(lambda graph, x: graph.cosine(x, np.dtype(dtype)), x)
    np.testing.assert_allclose(found, np.cos(x), rtol=0, atol=2 * np.finfo(dtype).eps)


def test_float64_has_no_node_of_a_cosine():
    """ONNX Runtime 1.28 still has none; one with it runs nowhere but on the newest."""
    step = ReadCalendar(
        (),
        Value("x", 1, np.dtype(np.float64)),
        part="p",
        column=0,
        parts=("cos_of_day",),
        start=0.0,
    )
    graph = Graph()
    nodes_of(step, graph, "x")
    graph.cosine("x", np.dtype(np.float64))
    kinds = [node.op_type for node in graph.nodes]
    assert kinds.count("Sin") == 2
    assert "Cos" not in kinds


@pytest.mark.parametrize("n_quantiles", [1, 2, 1000])
def test_quantiles_from_deviates(n_quantiles):
    rng = np.random.default_rng(0)
    quantiles = np.sort(rng.lognormal(size=(2, n_quantiles)), axis=1)
    x = np.concatenate([rng.normal(size=(500, 6)), np.linspace(-7, 7, 600).reshape(-1, 6)])
    value = Value("x", 6, np.dtype(np.float64))
    references = np.linspace(0, 1, n_quantiles)
    step = FromDeviates((value,), value, part="p", references=references, quantiles=quantiles)
    found = run_alone(lambda graph, x: nodes_of(step, graph, x), x)
    np.testing.assert_allclose(found, step.run(x[:, np.newaxis])[:, 0], rtol=1e-9)


def test_dates_of_four_hundred_years():
    waves = [f"{wave}_of_{cycle}" for wave in ("sin", "cos") for cycle in ("day", "week", "year")]
    names = (*PARTS, *waves, "days")
    begin = np.datetime64("1796-12-25", "us")
    dates = begin + np.arange(0, 420 * 366, 5) * np.timedelta64(86_400_000_000 + 987_654_321, "us")
    ends = [
        f"{year}-{day}" for year in range(1896, 2005) for day in ("12-31T23:59:59.999999", "01-01")
    ]
    ends += [f"{year}-02-28T23:59:59" for year in range(1896, 2005)]
    dates = np.concatenate([dates, np.array(ends, "datetime64[us]")])
    epoch = np.datetime64("1970-01-01", "us")
    seconds = (dates - epoch) / np.timedelta64(1, "s")
    start = float(seconds[7])
    value = Value("x", len(names), np.dtype(np.float64))
    step = ReadCalendar((), value, part="p", column=0, parts=names, start=start)
    x = np.append(seconds, np.nan).reshape(-1, 1)
    found = run_alone(lambda graph, x: nodes_of(step, graph, x), x)
    assert np.isnan(found[-1]).all()
    for i, name in enumerate(names):
        # Microseconds are more than a float64 of seconds holds in 1796.
        atol = 1e-10 if name in (*waves, "days") else 0
        wanted = part(name, dates, dates[7])
        np.testing.assert_allclose(found[:-1, i], wanted, rtol=0, atol=atol, err_msg=name)


# -- what can't be exported -----------------------------------------------------------------------


def _own(z):
    return z * z


def _slope(z):
    return 2 * z


def test_refusals(tmp_path, monkeypatch):
    with pytest.raises(NotFittedError):
        MLPClassifier().to_onnx()
    model, path = CASES["two_targets"].model, tmp_path / "m.onnx"
    with pytest.raises(TypeError, match=r"the name of a file, such as 'model\.onnx'; got 3"):
        model.to_onnx(3)
    with pytest.raises(FileNotFoundError, match="in a folder that does not exist: make '"):
        model.to_onnx(tmp_path / "nowhere" / "m.onnx")
    with pytest.raises(IsADirectoryError, match=r"give the name of a file in it.*model\.onnx'"):
        model.to_onnx(tmp_path)
    for opset in (17, 0, 10**6):
        with pytest.raises(ValueError, match=rf"opset must be from 18 to \d+.*; got {opset}"):
            model.to_onnx(path, opset=opset)
    for opset in ("18", 18.0, None, True):
        with pytest.raises(TypeError, match="opset must be an integer, such as 18; got"):
            model.to_onnx(path, opset=opset)
    table = CASES["classes_plain"].model
    with pytest.raises(TypeError, match=r"missing must be a string.*; got None"):
        table.to_onnx(path, missing=None)
    with pytest.raises(
        ValueError, match=r"missing must not be a level.*'north' is one of column 'dis"
    ):
        table.to_onnx(path, missing="north")
    own = custom_activation(_own, _slope, name="own")
    model = fitted(MLPRegressor, np.arange(60.0), activation=own).model
    with pytest.raises(ValueError, match="its activation 'own' is a Python function of yours"):
        model.to_onnx(path)
    frame, recipe = pd.DataFrame(X_LEVELS), Recipe(hidden_layer_sizes=(2,), max_iter=1)
    tree = DecisionTreeClassifier(random_state=0)
    model = TabularClassifier(recipe=recipe, partners=[tree], n_folds=2, random_state=0)
    model.fit(frame, frame[0] > 0)
    with pytest.raises(ValueError, match="a partner from another library, DecisionTreeClassifier"):
        model.to_onnx(path)
    model = fitted(MLPClassifier, np.array(["a", "\ud800"])[np.arange(60) % 2]).model
    with pytest.raises(ValueError, match=r"class label '\\ud800' has half a surrogate pair"):
        model.to_onnx(path)
    monkeypatch.setattr("fastmlp.validation.export.LARGEST_MESSAGE", 100)
    with pytest.raises(ValueError, match="GiB of numbers; an ONNX file holds 2 GiB: save it"):
        model.to_onnx(path)
    monkeypatch.setattr("fastmlp.validation.export.find_spec", lambda _: None)
    with pytest.raises(ImportError, match=re.escape("pip install 'fastmlp[onnx]'")):
        model.to_onnx(path)
    assert not path.exists()


@pytest.mark.parametrize("where", ["a level", "a column"])
def test_texts_that_are_no_unicode_are_refused(where):
    words = ["a", "\ud800" if where == "a level" else "b"] * 30
    name = "\udfff" if where == "a column" else "word"
    recipe = Recipe(hidden_layer_sizes=(2,), max_iter=1)
    model = TabularRegressor(recipe=recipe, n_folds=2, random_state=0)
    frame = pd.DataFrame({"x": X[:, 0], "word": pd.Series(words, dtype=object)})
    frame.columns = pd.Index(["x", name], dtype=object)
    model.fit(frame, X[:, 1])
    with pytest.raises(ValueError, match="has half a surrogate pair, which is no Unicode"):
        model.to_onnx()
