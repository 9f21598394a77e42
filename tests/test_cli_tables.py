"""The commands on tables: train, predict, evaluate, inspect, export."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from helpers_tables import N_ROWS, as_arrow, as_text, houses
from pyarrow import feather, ipc, parquet

import fastmlp
from fastmlp.cli.app import commands
from fastmlp.cli.tables.dialect import Dialect
from fastmlp.cli.tables.reading import read_table
from fastmlp.tabular import Recipe
from fastmlp.tabular.portfolio import Portfolio

COLUMNS = houses()
INPUTS = {name: COLUMNS[name] for name in ("area", "town", "built")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, where fits take no time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    small = Portfolio((Recipe(hidden_layer_sizes=(8,), max_iter=3),))
    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda preset, n_rows: small)
    monkeypatch.setattr("fastmlp.tabular.base.FOLDS_OF_FEW", 2)
    (tmp_path / "houses.csv").write_text(as_text(COLUMNS))
    return tmp_path


def run(*words, stdin=None):
    """Run a command; a warning of Python's fails the test, as everywhere."""
    return CliRunner().invoke(commands, [str(word) for word in words], input=stdin)


def trained(*words, data="houses.csv", target="price"):
    """Train, and return what JSON says of it."""
    words = ("--target", target, "--json", "--quiet", "--overwrite", *words)
    result = run("train", data, *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def predicted(*words, stdin=None):
    """Predict to standard output, and return rows of texts, the heading first."""
    result = run("predict", *words, "--quiet", stdin=stdin)
    assert result.exit_code == 0, result.output
    return list(csv.reader(io.StringIO(result.stdout)))


# -- train --------------------------------------------------------------------------------------


def test_train_writes_a_model_that_python_loads(folder):
    result = run("train", "houses.csv", "--target", "price", "--drop", "kind")
    assert result.exit_code == 0, result.output
    assert "houses.csv: 80 rows, 5 columns (delimiter ',')" in result.stderr
    assert (
        "target price: regression, because the target holds numbers with fractions" in result.stderr
    )
    assert "64 rows to learn from, 16 to judge the model by" in result.stderr
    assert "price, on 16 rows that the model has not seen" in result.stdout
    model = fastmlp.load("model.fastmlp")
    assert isinstance(model, fastmlp.TabularRegressor)
    assert [each.taken_for for each in model.columns_] == [
        "number",
        "category",
        "number",
        "dropped",
    ]
    assert model.columns_["area"].missing > 0


def test_train_learns(tmp_path, monkeypatch):
    """A real preset, on rows that it has not seen."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "houses.csv").write_text(as_text(houses(300)))
    told = trained("--preset", "fast", "--drop", "kind", "--seed", 3)
    assert told["figures"]["r2"]["value"] > 0.8
    assert told["figures"]["rmse"]["value"] < 0.5 * told["figures"]["rmse"]["constant"]
    counts = list(told["importances"]["increases"])
    assert counts[0] == "area"
    assert counts[-1] == "built"


def test_figures_are_those_of_rows_that_were_not_learnt_from(folder):
    told = trained("--seed", 4, "--test-size", 0.25)
    assert (told["rows"], told["held_out"]) == (60, 20)
    (folder / "test.csv").write_text(as_text(houses(30, seed=1)))
    own = trained("--test", "test.csv")
    assert (own["rows"], own["held_out"]) == (N_ROWS, 30)
    model = fastmlp.load("model.fastmlp")
    test = houses(30, seed=1)
    truth = np.array(test.pop("price"))
    error = model.predict(as_arrow(test)) - truth
    assert own["figures"]["mae"]["value"] == pytest.approx(np.abs(error).mean())
    assert own["figures"]["bias"]["value"] == pytest.approx(error.mean())
    none = trained("--test-size", 0)
    assert (none["rows"], none["held_out"], none["figures"]) == (N_ROWS, 0, None)


def test_the_same_seed_gives_the_same_model(folder):
    for name, words in (("a", ()), ("b", ("--threads", 2)), ("c", ("--seed", 1))):
        trained("--out", f"{name}.fastmlp", "--seed", 0, *words)
    rows = {name: predicted(f"{name}.fastmlp", "houses.csv") for name in "abc"}
    assert rows["a"] == rows["b"]
    assert rows["a"] != rows["c"]


def test_json_is_all_there_is_on_standard_output(folder):
    result = run("train", "houses.csv", "--target", "kind", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["task"] == "classification"
    assert told["model"] == "model.fastmlp"
    assert told["columns"][0]["name"] == "area"
    assert "rows to learn from" in result.stderr
    quiet = run("train", "houses.csv", "--target", "kind", "--json", "--quiet", "--overwrite")
    assert quiet.stderr == ""


def test_options_reach_the_model(folder):
    trained("--time-limit", 50, "--metric", "mae", "--category", "built", "--threads", 1)
    model = fastmlp.load("model.fastmlp")
    assert (model.time_limit, model.metric, model.n_threads) == (50, "mae", 1)
    assert model.columns_["built"].taken_for == "category"
    assert model.leaderboard_.metric == "mae"


WHOLE = {"a": list(range(60)), "b": [i % 7 for i in range(60)]}


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["yes", "no"] * 30, "classification"),
        (["true", "false"] * 30, "classification"),
        ([0, 1, 2] * 20, "classification"),
        ([0.0, 1.0] * 30, "classification"),
        (["1", ""] * 30, None),
        ([0.5, 1.0] * 30, "regression"),
        (list(range(60)), "regression"),
        ([i % 20 for i in range(60)], "regression"),  # three rows of each
        ([f"{i}" for i in range(60)], "regression"),
        ([f"a{i}" for i in range(60)], None),
        (["2024-01-01", "2024-01-02"] * 30, None),
    ],
)
def test_the_task_is_found(folder, values, task):
    (folder / "t.csv").write_text(as_text(WHOLE | {"y": values}))
    result = run("train", "t.csv", "--target", "y", "--json", "--quiet")
    if task is None:
        assert result.exit_code in (1, 2)
        assert len(result.stderr.splitlines()) == 1
    else:
        assert json.loads(result.stdout)["task"] == task


def test_the_task_can_be_forced(folder):
    (folder / "t.csv").write_text(as_text(WHOLE | {"y": [0, 1, 2] * 20}))
    assert trained("--task", "regression", data="t.csv", target="y")["task"] == "regression"
    (folder / "model.fastmlp").unlink()
    result = run("train", "houses.csv", "--target", "price", "--task", "classification")
    assert result.exit_code == 2
    assert "--task classification: column 'price' of houses.csv holds numbers" in result.stderr
    result = run("train", "houses.csv", "--target", "town", "--task", "regression")
    assert result.exit_code == 2
    assert "--task regression: column 'town' of houses.csv holds text, such as" in result.stderr
    assert "in line 2, not numbers" in result.stderr


def test_rows_without_a_target_are_left_out_and_told(folder):
    prices = [None if i < 5 else each for i, each in enumerate(COLUMNS["price"])]
    (folder / "t.csv").write_text(as_text(COLUMNS | {"price": prices}))
    told = trained(data="t.csv")
    assert told["rows"] + told["held_out"] == N_ROWS - 5
    assert "5 rows without a value of 'price' are left out" in told["warnings"]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"id": list(range(N_ROWS))},
            "column 'id' numbers the rows: leave it out",
        ),
        ({"nothing": [None] * N_ROWS}, "Column 'nothing' has no values and is left out."),
        ({"one": [7] * N_ROWS}, "column 'one' has the same value in all rows: left out"),
        ({"same": COLUMNS["price"]}, "column 'same' repeats the target"),
        ({"name": [f"n{i}" for i in range(N_ROWS)]}, "column 'name' has 80 different texts"),
        (
            {"day": ["2024-01-02", "2024-03-01"] * 40},
            "column 'day' holds dates: the rows",
        ),
        (
            {"odd": ["7", "8", "x", "9"] * 20},
            "column 'odd' is read as text: 75 % of its cells are",
        ),
        ({"gap": [None, None, None, 1] * 20}, "column 'gap' has more gaps than values"),
    ],
)
def test_warnings_about_the_data(folder, more, text):
    (folder / "t.csv").write_text(as_text(COLUMNS | more))
    told = trained(data="t.csv")
    assert any(text in line for line in told["warnings"]), told["warnings"]
    result = run("train", "t.csv", "--target", "price", "--overwrite")
    assert f"Warning: {text}" in result.stderr


def test_help_lists_the_usual_commands_first(folder):
    lines = run("--help").stdout.split("Commands:\n")[1].splitlines()
    names = [line.split()[0] for line in lines]
    assert names[:5] == ["train", "predict", "evaluate", "inspect", "export"]
    assert not [line for line in lines if line.endswith("...")]


def test_the_commands_of_the_page_run(folder):
    """Those of docs/command_line.rst, word for word."""
    page = Path(__file__).parents[1] / "docs" / "command_line.rst"
    [block] = re.findall(r"code-block:: sh\n\n((?:   .*\n)+)", page.read_text(encoding="utf-8"))
    for name in ("new.csv", "labelled.csv"):
        (folder / name).write_text(as_text(houses(30, seed=2)))
    commands = [line.split() for line in block.splitlines()]
    assert [words[1] for words in commands] == ["train", "predict", "evaluate", "inspect", "export"]
    for words in commands:
        result = run(*words[1:])
        assert result.exit_code == 0, result.output
    for name in ("model.fastmlp", "report.html", "predictions.csv", "model.c"):
        assert (folder / name).stat().st_size > 100


# -- predict ------------------------------------------------------------------------------------


def test_predict_is_what_the_model_says(folder):
    trained("--drop", "kind")
    model = fastmlp.load("model.fastmlp")
    expected = model.predict(as_arrow(INPUTS))
    (folder / "new.csv").write_text(as_text(INPUTS))
    rows = predicted("model.fastmlp", "new.csv")
    assert rows[0] == ["prediction"]
    np.testing.assert_array_equal([float(row[0]) for row in rows[1:]], expected)


def test_predict_classes_with_probabilities_and_columns_taken_along(folder):
    trained(target="kind")
    model = fastmlp.load("model.fastmlp")
    rows = predicted("model.fastmlp", "houses.csv", "--proba", "--keep", "town", "--keep", "area")
    assert rows[0] == ["town", "area", "prediction", "probability_large", "probability_small"]
    assert [row[0] for row in rows[1:]] == COLUMNS["town"]
    assert [row[1] for row in rows[1:]] == ["" if a is None else str(a) for a in COLUMNS["area"]]
    p = model.predict_proba(as_arrow({n: each for n, each in COLUMNS.items() if n != "kind"}))
    np.testing.assert_array_equal([[float(each) for each in row[3:]] for row in rows[1:]], p)
    assert [row[2] for row in rows[1:]] == model.classes_[p.argmax(axis=1)].tolist()


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".arrow", ".feather", ".npz"])
def test_predict_writes_files_that_are_read_again(folder, ending):
    trained(target="kind")
    first = predicted("model.fastmlp", "houses.csv", "--keep", "town")
    result = run("predict", "model.fastmlp", "houses.csv", "--keep", "town", "--out", f"p{ending}")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert f"80 predictions written to p{ending}" in result.stderr
    table = read_table(f"p{ending}", Dialect())
    assert table.names == ["town", "prediction"]
    assert table.columns["prediction"].to_pylist() == [row[1] for row in first[1:]]


def test_predict_as_json(folder):
    trained(target="kind")
    result = run("predict", "model.fastmlp", "houses.csv", "--json", "--quiet", "--proba")
    told = json.loads(result.stdout)
    assert told["rows"] == N_ROWS
    assert set(told["columns"]) == {"prediction", "probability_large", "probability_small"}
    result = run("predict", "model.fastmlp", "houses.csv", "--json", "--quiet", "--out", "p.csv")
    assert json.loads(result.stdout) == {"rows": N_ROWS, "out": "p.csv", "warnings": []}


def test_columns_are_read_as_the_model_took_them(folder):
    """A later table of few rows looks otherwise: codes are numbers, numbers are whole."""
    codes = ["007", "A12"] * 40
    (folder / "t.csv").write_text(as_text(COLUMNS | {"code": codes}))
    trained(data="t.csv")
    model = fastmlp.load("model.fastmlp")
    assert model.columns_["code"].taken_for == "category"
    row = {name: [each[1]] for name, each in COLUMNS.items() if name != "price"}
    row |= {"code": ["007"], "area": ["60"]}
    (folder / "one.csv").write_text(as_text(row))
    expected = model.predict(as_arrow(row | {"area": [60.0]}))
    assert float(predicted("model.fastmlp", "one.csv")[1][0]) == expected[0]


def test_standard_input_and_output(folder):
    text = as_text(COLUMNS)
    result = run("train", "-", "--target", "price", stdin=text)
    assert result.exit_code == 0, result.output
    assert "standard input: 80 rows" in result.stderr
    assert len(predicted("model.fastmlp", "-", stdin=text)) == N_ROWS + 1


# -- kinds of files -----------------------------------------------------------------------------


def written(folder, name, kind):
    """Write the table as a kind of file."""
    path, table = folder / name, as_arrow(COLUMNS)
    if kind == "gz":
        path.write_bytes(gzip.compress(as_text(COLUMNS).encode()))
    elif kind == "parquet":
        parquet.write_table(table, path)
    elif kind == "pandas":
        table.to_pandas().iloc[::-1].to_parquet(path)
    elif kind == "feather":
        feather.write_feather(table, path)
    elif kind == "stream":
        with pa.OSFile(str(path), "wb") as sink, ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    elif kind == "npz":
        arrays = {name: np.array(each) for name, each in COLUMNS.items()}
        arrays["area"] = arrays["area"].astype(float)  # None is NaN
        with path.open("wb") as file:
            np.savez(file, **arrays)
    else:
        text = {
            "semicolon": as_text(COLUMNS, ";"),
            "tab": as_text(COLUMNS, "\t"),
            "pipe": as_text(COLUMNS, "|"),
            "comma": as_text(COLUMNS, ";", ","),
            "blanks": as_text(COLUMNS, ", ", missing="?"),
            "quoted": as_text({n: [f'"{v}"' for v in each] for n, each in COLUMNS.items()}),
        }[kind]
        path.write_text(text.replace('"None"', ""))
    return path


@pytest.mark.parametrize(
    "kind",
    [
        *("gz", "parquet", "pandas", "feather", "stream", "npz"),
        *("semicolon", "tab", "pipe", "comma", "blanks", "quoted"),
    ],
)
def test_all_kinds_of_files_give_the_same_model(folder, kind):
    """The file is told by its content: its name may say anything."""
    words = ("--drop", "kind", "--test-size", 0)
    trained(*words)
    expected = predicted("model.fastmlp", "houses.csv")
    path = written(folder, "other.dat", kind)
    told = trained(*words, "--out", "other.fastmlp", data=path)
    assert told["columns"][0]["missing"] == pytest.approx(9 / 80)
    if kind == "pandas":  # rows are the other way round
        assert len(told["columns"]) == 4  # the index is no column
        return
    assert predicted("other.fastmlp", "houses.csv") == expected
    assert len(predicted("model.fastmlp", path)) == N_ROWS + 1


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", ()),
        ("utf-8-sig", ()),
        ("utf-8-sig", ("--encoding", "utf-8")),
        ("utf-16", ()),
        ("cp1252", ("--encoding", "cp1252")),
        ("latin-1", ("--encoding", "latin-1")),
    ],
)
def test_encodings(folder, encoding, words):
    text = as_text(COLUMNS).replace("Oslo", "Tromsø").replace("town", "örtlich", 1)
    (folder / "t.csv").write_text(text, encoding=encoding)
    told = trained(*words, data="t.csv", target="price")
    assert told["columns"][1]["name"] == "örtlich"
    assert told["columns"][0]["name"] == "area"


def test_predictions_are_written_as_the_table_was(folder):
    (folder / "t.csv").write_text(as_text(COLUMNS, ";", ","))
    trained(data="t.csv")
    result = run("predict", "model.fastmlp", "t.csv", "--keep", "price", "--quiet")
    lines = result.stdout.splitlines()
    assert lines[0] == "price;prediction"
    assert lines[1].split(";")[0] == str(COLUMNS["price"][0]).replace(".", ",")
    assert "," in lines[1].split(";")[1]


def test_a_table_without_a_heading(folder):
    (folder / "t.csv").write_text(as_text(COLUMNS, heading=False))
    told = trained("--no-header", data="t.csv", target="column4")
    assert [each["name"] for each in told["columns"]] == [
        "column1",
        "column2",
        "column3",
        "column5",
    ]
    assert told["rows"] + told["held_out"] == N_ROWS


def test_cells_with_delimiters_quotes_and_line_breaks(folder):
    towns = ['"a, ""b"""' if i % 2 else '"two\nlines"' for i in range(N_ROWS)]
    (folder / "t.csv").write_text(as_text(COLUMNS | {"town": towns}))
    told = trained(data="t.csv")
    assert told["columns"][1]["levels"] == 2
    assert predicted("model.fastmlp", "t.csv", "--keep", "town")[2][0] == 'a, "b"'


# -- evaluate, inspect, export ------------------------------------------------------------------


def test_evaluate_knows_the_target(folder):
    trained(target="kind")
    result = run("evaluate", "model.fastmlp", "houses.csv", "--json", "--quiet")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["target"] == "kind"
    model = fastmlp.load("model.fastmlp")
    table = as_arrow({n: each for n, each in COLUMNS.items() if n != "kind"})
    right = model.predict(table) == np.array(COLUMNS["kind"])
    assert told["figures"]["accuracy"]["value"] == right.mean()
    assert "accuracy" in run("evaluate", "model.fastmlp", "houses.csv").stdout


def test_a_model_of_python_is_evaluated_by_a_target_that_is_named(folder):
    X = {n: each for n, each in COLUMNS.items() if n != "price"}
    fastmlp.TabularRegressor().fit(as_arrow(X), COLUMNS["price"]).save("own.fastmlp")
    result = run("evaluate", "own.fastmlp", "houses.csv")
    assert result.exit_code == 2
    assert "name that column with --target" in result.stderr
    assert run("evaluate", "own.fastmlp", "houses.csv", "--target", "price").exit_code == 0


def test_inspect(folder):
    trained(target="kind")
    result = run("inspect", "model.fastmlp")
    assert result.exit_code == 0, result.output
    for text in ("TabularClassifier", "kind", "large, small", "64 rows of houses.csv", "accuracy"):
        assert text in result.stdout
    told = json.loads(run("inspect", "model.fastmlp", "--json").stdout)
    assert told["written_by_fastmlp"] == fastmlp.__version__
    assert told["bytes"] == (folder / "model.fastmlp").stat().st_size
    assert [each["name"] for each in told["columns"]] == ["area", "town", "built", "price"]
    assert told["networks"] == 2


def test_export_to_c(folder):
    trained()
    result = run("export", "model.fastmlp", "house.c", "--name", "house", "--weights", "int16")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("written to house.c (")
    assert "house_predict" in (folder / "house.c").read_text()


def test_export_to_onnx(folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    trained(target="kind")
    result = run("export", "model.fastmlp", "house.onnx")
    assert result.exit_code == 0, result.output
    session = onnxruntime.InferenceSession("house.onnx", providers=["CPUExecutionProvider"])
    assert {each.name for each in session.get_outputs()} == {"label", "probabilities"}
    result = run("export", "model.fastmlp", "other.onnx", "--name", "house")
    assert result.exit_code == 2
    assert "--name is only for files that end with .c" in result.stderr
