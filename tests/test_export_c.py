"""A model as a file of C predicts what it predicts in Python."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from helpers_c import compile_c, compilers, library_of, run
from helpers_export import X_LEVELS, fitted, networks, raw_table, tabular_models
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier
from test_export_program import assert_close

from fastmlp import (
    MLPClassifier,
    MLPRegressor,
    TabularClassifier,
    TabularRegressor,
    custom_activation,
)
from fastmlp.backends.reference.activations import ACTIVATION_FUNCTIONS
from fastmlp.export.c.helpers import functions
from fastmlp.registry import ACTIVATIONS
from fastmlp.tables.calendar import part
from fastmlp.tabular import Recipe

COMPILERS = compilers()
CASES = {case.name: case for case in (*networks(), *tabular_models())}


@pytest.fixture(scope="module", params=COMPILERS)
def compiler(request):
    return request.param


@pytest.fixture(scope="module")
def library(compiler, tmp_path_factory):
    models = {name: case.model for name, case in CASES.items()}
    return library_of(compiler, models, tmp_path_factory.mktemp("c"))


@pytest.mark.parametrize("name", CASES)
def test_answers_are_those_of_the_model(library, name):
    case, exported = CASES[name], library[name]
    rows = case.model._raw_values(case.rows)
    answers = exported.answers(rows)
    assert set(answers) == set(case.answers)
    dtype = np.float32 if exported.program.x is None else exported.program.x.dtype
    for each, wanted in case.answers.items():
        assert_close(answers[each], wanted, dtype)
    if hasattr(case.model, "classes_"):
        chosen, wanted = exported.classes(rows), case.model.predict(case.rows)
        several = exported.program.decision.several
        np.testing.assert_array_equal(chosen if several else case.model.classes_[chosen], wanted)


@pytest.mark.parametrize("weights", ["int16", "int8"])
def test_the_error_of_integers_is_what_the_file_says(compiler, weights, tmp_path):
    names = [
        "two_targets",
        "front_plr_3_True",
        "focal_several_1",
        "layer_float64",
        "independent_True",
    ]
    models = {name: CASES[name].model for name in names}
    table = CASES["classes_embedded"]
    for name, exported in library_of(compiler, models, tmp_path, weights=weights).items():
        rows = CASES[name].rows
        CASES[name].model.to_c(tmp_path / "stated.c", name=name, weights=weights, X=rows)
        assert_stated(exported, CASES[name], rows, tmp_path / "stated.c", weights)
    other = tmp_path / "table"
    other.mkdir()
    exported = library_of(compiler, {"table": table.model}, other, weights=weights)["table"]
    table.model.to_c(tmp_path / "stated.c", weights=weights, X=table.rows)
    rows = table.model._raw_values(table.rows)
    assert_stated(exported, table, rows, tmp_path / "stated.c", weights)


def assert_stated(exported, case, rows, file, weights):
    """Raise unless a file states how far answers with integers are from those of the model."""
    stated = dict(re.findall(r"(\w+): by ([\d.e+-]+) at most", file.read_text()))
    for answer, found in exported.answers(rows).items():
        far = np.abs(found.astype(np.float64) - case.answers[answer]).max()
        assert far == pytest.approx(float(stated[answer]), rel=0.06, abs=1e-6)
        assert 0 < far < {"int16": 1e-3, "int8": 0.2}[weights]


@pytest.mark.parametrize("weights", ["float", "int8"])
@pytest.mark.parametrize(
    "name",
    ["classes_pieces", "deviations", "focal_several_1", "cross_entropy_three_3", "two_targets"],
)
def test_self_test(compiler, name, weights, tmp_path):
    file = tmp_path / "m.c"
    CASES[name].model.to_c(file, name="m", weights=weights)
    compile_c(compiler, "-DM_SELF_TEST", file, "-o", tmp_path / "ok")
    assert "m_predict" in run(tmp_path / "ok")
    # One wrong constant must not pass.
    text = file.read_text()
    wrong = re.sub(r"(b_z0\w*\[\] = \{\n    )[^,]+", r"\g<1>7.0", text, count=1)
    assert wrong != text
    file.write_text(wrong)
    compile_c(compiler, "-DM_SELF_TEST", file, "-o", tmp_path / "wrong")
    with pytest.raises(AssertionError):
        run(tmp_path / "wrong")


NASTY = [
    '"; int evil; "', "*/ int evil; /*", "??/", "??/\n#error evil", "a\nb", "\\", "%s%n", "//",
    "käse \u202e\U0001f600", "\t\x07\x7f", "??'", "é*/", "\\u002a/",
]  # fmt: skip


def test_names_and_labels_can_be_anything(compiler, tmp_path):
    rng = np.random.default_rng(0)
    names = [*NASTY, "int", "linux", "a b", "A_B", "column_3"]
    frame = pd.DataFrame({name: rng.choice([*NASTY, None], 300) for name in names[:3]})
    for name in names[3:]:
        frame[name] = rng.normal(size=300)
    labels = [*NASTY, "\ud800", "x" * 4095]
    y = np.array(labels)[np.arange(300) % len(labels)]
    recipe = Recipe(hidden_layer_sizes=(4,), max_iter=1)
    model = TabularClassifier(recipe=recipe, n_folds=2, random_state=0).fit(frame, y)
    exported = library_of(compiler, {"nasty": model}, tmp_path)["nasty"]
    text = (tmp_path / "nasty.c").read_bytes()
    assert text.isascii()
    kind = ctypes.c_char_p * len(model.classes_)
    found = list(kind.in_dll(exported._library, "nasty_labels"))
    assert found == [label.encode(errors="surrogatepass") for label in model.classes_]
    rows = [column[:30] for column in model._raw_values(frame)]
    wanted = exported.program.run(rows, "probabilities")
    assert_close(exported.answers(rows)["probabilities"], wanted, np.float32)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([-(2**63), 10**12], ctypes.c_longlong),
        ([3, 2**64 - 1], ctypes.c_ulonglong),
        ([-7, 2**31 - 1], ctypes.c_int),
        ([False, True], ctypes.c_int),
        ([-1.0, 3.0], ctypes.c_double),
    ],
)
def test_labels_that_are_numbers(compiler, labels, kind, tmp_path):
    frame = pd.DataFrame(X_LEVELS[:, :5], columns=NASTY[:5])  # which become comments
    y = np.array(labels, np.uint64 if labels[1] >= 2**63 else None)[np.arange(60) % 2]
    model = fitted(MLPClassifier, y, frame).model
    exported = library_of(compiler, {"m": model}, tmp_path)["m"]
    assert list((kind * 2).in_dll(exported._library, "m_labels")) == labels


def test_a_table_of_one_class(compiler, tmp_path):
    frame, recipe = pd.DataFrame(X_LEVELS), Recipe(hidden_layer_sizes=(2,), max_iter=1)
    model = TabularClassifier(recipe=recipe, n_folds=2, random_state=0)
    with pytest.warns(RuntimeWarning, match="one class"):
        model.fit(frame, ["only"] * len(frame))
    exported = library_of(compiler, {"m": model}, tmp_path)["m"]
    rows = model._raw_values(frame)
    assert (exported.classes(rows) == 0).all()
    assert (exported.answers(rows)["probabilities"] == model.predict_proba(frame)).all()


def test_other_files_include_it_for_its_declarations(compiler, tmp_path):
    CASES["cross_entropy_two_1"].model.to_c(tmp_path / "iris.c", name="iris")
    main = """
    #include <stdio.h>
    #define IRIS_DECLARATIONS
    #include "iris.c"
    #include "iris.c"
    int main(void)
    {
        float x[IRIS_N_INPUTS] = {0}, p[IRIS_N_CLASSES];
        iris_predict_proba(x, p);
        puts(iris_labels[iris_predict(x)]);
        return !(p[0] + p[1] > 0.999f);
    }\n"""
    (tmp_path / "main.c").write_text(main)
    compile_c(compiler, tmp_path / "main.c", tmp_path / "iris.c", "-o", tmp_path / "main")
    model = CASES["cross_entropy_two_1"].model
    assert run(tmp_path / "main").strip() == model.predict(np.zeros((1, 6)))[0]


def test_the_program_of_the_guide(compiler, tmp_path):
    iris = load_iris()
    model = MLPClassifier(hidden_layer_sizes=(16,), solver="lbfgs", random_state=0)
    model.fit(iris.data, iris.target_names[iris.target]).to_c(tmp_path / "iris.c", name="iris")
    page = (Path(__file__).parents[1] / "docs" / "export.rst").read_text()
    blocks = re.findall(r"\.\. code-block:: (?:c|text)\n\n((?:   .*\n|\n)+)", page)
    main, shown = (dedent(block) for block in blocks)
    (tmp_path / "main.c").write_text(main + "\n")
    compile_c(compiler, tmp_path / "main.c", tmp_path / "iris.c", "-o", tmp_path / "iris")
    assert run(tmp_path / "iris").strip() == shown.strip()


def test_two_exports_are_the_same_bytes(tmp_path):
    for name in ("classes_pieces", "two_targets"):
        for file in ("one.c", "other.c"):
            CASES[name].model.to_c(tmp_path / file)
        assert (tmp_path / "one.c").read_bytes() == (tmp_path / "other.c").read_bytes()


# -- helpers alone --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helpers(compiler, tmp_path_factory):
    """Return a library of all activations and of what is made of dates."""
    folder = tmp_path_factory.mktemp("helpers")
    names = [name for name in ACTIVATIONS.names if name != "identity"]
    lines = ["#include <math.h>", "#include <stddef.h>"]
    for real in ("float", "double"):
        lines += functions(names, f"{real}_", real)
        lines += [
            f"void {real}_{name}_all(size_t n, const {real} *z, {real} *h);\n"
            f"void {real}_{name}_all(size_t n, const {real} *z, {real} *h)\n"
            f"{{ for (size_t i = 0; i < n; i++) h[i] = {real}_{name}(z[i]); }}"
            for name in names
        ]
    lines += functions(["date"], "t_", "double")
    lines += ["t_date t_all(double seconds);", "t_date t_all(double s) { return t_date_of(s); }"]
    (folder / "h.c").write_text("\n".join(lines) + "\n")
    compile_c(compiler, "-O1", "-shared", "-fPIC", folder / "h.c", "-o", folder / "h.so")
    return ctypes.CDLL(str(folder / "h.so"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS.names if name != "identity"])
def test_activations_everywhere(helpers, name, dtype):
    large = float(np.finfo(dtype).max)
    odd = [0.0, -0.0, np.inf, -np.inf, np.nan, large, -large, 1e-30, -1e-30]
    z = np.concatenate([np.linspace(-30, 30, 4001), odd]).astype(dtype)
    h = np.empty_like(z)
    real = "float" if dtype == np.float32 else "double"
    pointers = (each.ctypes.data_as(ctypes.c_void_p) for each in (z, h))
    helpers[f"{real}_{name}_all"](ctypes.c_size_t(len(z)), *pointers)
    with np.errstate(all="ignore"):
        wanted, _ = ACTIVATION_FUNCTIONS[name](z.astype(np.float64))
        wanted = wanted.astype(dtype)
    # 8 units in the last place of the number, or of the smaller ones that z's own rounding moves.
    scale = np.maximum(np.abs(wanted), np.minimum(np.abs(z), 1) * 0.01)
    with np.errstate(invalid="ignore"):
        close = np.abs(h - wanted) <= 8 * np.finfo(dtype).eps * scale
    same = (h == wanted) | (np.isnan(h) & np.isnan(wanted))
    assert (close | same).all(), z[~(close | same)]


def test_dates_of_four_hundred_years(helpers):
    kinds = ("year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "second")
    cycles = ("day", "week", "year")
    names = [*kinds, *(f"angle_of_{cycle}" for cycle in cycles)]

    class Date(ctypes.Structure):
        _fields_ = tuple((name, ctypes.c_double) for name in names)

    helpers.t_all.restype = Date
    helpers.t_all.argtypes = [ctypes.c_double]
    begin = np.datetime64("1796-12-25", "us")
    dates = begin + np.arange(0, 420 * 366, 5) * np.timedelta64(86_400_000_000 + 987_654_321, "us")
    start = np.datetime64("1970-01-01", "us")
    seconds = (dates - start) / np.timedelta64(1, "s")
    made = [helpers.t_all(each) for each in seconds]
    for name in kinds:
        found = [getattr(each, name) for each in made]
        np.testing.assert_array_equal(found, part(name, dates, start), err_msg=name)
    for cycle in cycles:
        found = np.sin([getattr(each, f"angle_of_{cycle}") for each in made])
        np.testing.assert_allclose(found, part(f"sin_of_{cycle}", dates, start), rtol=0, atol=1e-9)


# -- what can't be exported -----------------------------------------------------------------------


def _own(z):
    return z * z


def _slope(z):
    return 2 * z


def test_refusals(tmp_path):
    with pytest.raises(NotFittedError):
        MLPClassifier().to_c(tmp_path / "m.c")
    model = CASES["two_targets"].model
    path = tmp_path / "m.c"
    for name in ("", "1a", "a-b", "käse", "a b", "_a", "a" * 64, "a*/"):
        with pytest.raises(ValueError, match="name must be a C identifier"):
            model.to_c(path, name=name)
    with pytest.raises(TypeError, match="name must be a string"):
        model.to_c(path, name=1)
    with pytest.raises(ValueError, match="weights must be one of 'float', 'int16', 'int8'"):
        model.to_c(path, weights="int4")
    with pytest.raises(TypeError, match=r"the name of a file, such as 'model\.c'; got 3"):
        model.to_c(3)
    with pytest.raises(FileNotFoundError, match="in a folder that does not exist: make '"):
        model.to_c(tmp_path / "nowhere" / "m.c")
    with pytest.raises(IsADirectoryError, match=r"a file in it, such as '.*net\.c'"):
        model.to_c(tmp_path, name="net")
    with pytest.raises(ValueError, match="X has 5 features"):
        model.to_c(path, X=np.zeros((2, 5)))
    own = custom_activation(_own, _slope, name="own")
    model = fitted(MLPRegressor, np.arange(60.0), activation=own).model
    with pytest.raises(ValueError, match="its activation 'own' is a Python function of yours"):
        model.to_c(path)
    frame, recipe = pd.DataFrame(X_LEVELS), Recipe(hidden_layer_sizes=(2,), max_iter=1)
    tree = DecisionTreeClassifier(random_state=0)
    model = TabularClassifier(recipe=recipe, partners=[tree], n_folds=2, random_state=0)
    model.fit(frame, frame[0] > 0)
    with pytest.raises(ValueError, match="a partner from another library, DecisionTreeClassifier"):
        model.to_c(path)
    model = fitted(MLPClassifier, np.array(["a", "b\0c"])[np.arange(60) % 2]).model
    with pytest.raises(ValueError, match="holds a NUL character, which ends a C string"):
        model.to_c(path)
    model = fitted(MLPClassifier, np.array(["a", "é" * 2048])[np.arange(60) % 2]).model
    with pytest.raises(ValueError, match="has 4096 bytes; C allows at most 4095"):
        model.to_c(path)
    assert not path.exists()


def test_rows_of_another_kind_are_refused_as_by_predict(tmp_path):
    table, price = raw_table(60)
    table = table[["area", "district"]]
    recipe = Recipe(hidden_layer_sizes=(2,), max_iter=1)
    model = TabularRegressor(recipe=recipe, n_folds=2, random_state=0).fit(table, price)
    with pytest.raises(TypeError, match=r"'area'.* texts") as refused:
        model.predict(table.assign(area="much"))
    with pytest.raises(TypeError, match=re.escape(str(refused.value))):
        model.to_c(tmp_path / "m.c", X=table.assign(area="much"))
