"""What commands write: files that are there already, and JSON whose keys are documented."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers_tables import as_text, houses
from test_cli_tables import COLUMNS, folder, run, trained

from fastmlp.cli.app import commands
from fastmlp.config import config_dict

__all__ = ["folder"]

PAGE = Path(__file__).parents[1] / "docs" / "command_line.rst"

#: Commands, and the files that they write, by the options that name them.
WRITING = {
    "train": (["train", "houses.csv", "--target", "price"], {"--out": "model.fastmlp"}),
    "report": (["train", "houses.csv", "--target", "price", "--out", "o"], {"--report": "r.html"}),
    "predict": (["predict", "m.fastmlp", "houses.csv"], {"--out": "p.csv"}),
    "evaluate": (["evaluate", "m.fastmlp", "houses.csv"], {"--report": "r.html"}),
    "export": (["export", "m.fastmlp"], {"FILE": "m.c"}),
    "demo": (["demo", "--epochs", "1", "--hidden", "4"], {"--output": "demo.png"}),
    "bench": (["bench", "--quick"], {"--output": "bench.png"}),
    "figures": (["bench", "--quick"], {"--json": "b.json"}),
}


def words_of(name):
    """Return the words of a command, all of its files being named, and these files."""
    words, files = WRITING[name]
    words = list(words)
    for option, file in files.items():
        words += [file] if option == "FILE" else [option, file]
    return words, files


@pytest.mark.parametrize("name", WRITING)
def test_no_file_is_replaced_unless_asked_for(folder, name):
    trained("--out", "m.fastmlp")
    words, files = words_of(name)
    [(option, file)] = files.items()
    (folder / file).write_text("mine")
    result = run(*words)
    assert result.exit_code == 2
    line = result.stderr.splitlines()[-1]
    assert line.startswith(f"Error: {option}: {file} already exists; name another file")
    assert "--overwrite" in line
    assert (folder / file).read_text() == "mine"
    if name in ("bench", "figures"):  # which take their time
        return
    assert run(*words, "--overwrite").exit_code == 0
    assert (folder / file).read_bytes() != b"mine"


def test_a_default_name_replaces_nothing(folder):
    (folder / "model.fastmlp").write_text("mine")
    result = run("train", "houses.csv", "--target", "price")
    assert result.exit_code == 2
    assert "--out: model.fastmlp already exists" in result.stderr
    assert "rows" not in result.stderr  # before the work
    assert (folder / "model.fastmlp").read_text() == "mine"


def test_what_is_read_is_never_replaced(folder):
    trained()
    words = ("predict", "model.fastmlp", "houses.csv", "--out", "houses.csv", "--overwrite")
    result = run(*words)
    assert result.exit_code == 2
    assert "--out would overwrite houses.csv, which is read: name another file" in result.stderr


# -- JSON -------------------------------------------------------------------------------------


def documented():
    """Return the keys that the page lists, by command."""
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("* - command\n") : text.index("Exit status")]
    rows = [re.findall(r"``([a-z_ ]+)``", row) for row in table.split("* - ``".rstrip("`"))]
    return {row[0]: set(row[1:]) for row in rows if row}


def told_by(*words):
    """Return what a command says as JSON."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_keys_of_json_are_documented(folder):
    keys = documented()
    told = {"train": told_by("train", "houses.csv", "--target", "kind", "--report", "r.html")}
    told["predict"] = told_by("predict", "model.fastmlp", "houses.csv")
    told["evaluate"] = told_by("evaluate", "model.fastmlp", "houses.csv")
    told["inspect"] = told_by("inspect", "model.fastmlp")
    told["export"] = told_by("export", "model.fastmlp", "m.c")
    told["demo"] = told_by("demo", "--epochs", 1, "--hidden", 4)
    assert told_by("info") == config_dict()
    for name, found in told.items():
        assert set(found) == keys[name], name
    parameters = {name: each.params for name, each in commands.commands.items()}
    able = {name for name, given in parameters.items() if "as_json" in [p.name for p in given]}
    assert able == {*told, "info"}


WRONG = {
    "option": (["train", "houses.csv", "--target", "price", "--task", "x"], 2),
    "no option": (["train", "houses.csv"], 2),
    "column": (["train", "houses.csv", "--target", "pirce"], 2),
    "file": (["train", "nowhere.csv", "--target", "price"], 1),
    "model": (["predict", "houses.csv", "houses.csv"], 1),
    "there": (["export", "houses.csv", "houses.csv"], 2),
    "inspect": (["inspect", "nowhere"], 1),
    "demo": (["demo", "--data", "nowhere.npz"], 2),
    "info": (["info", "more"], 2),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_json_as_well(folder, name):
    words, status = WRONG[name]
    result = run(*words, "--json")
    assert result.exit_code == status
    told = json.loads(result.stdout)
    assert set(told) == documented()["an error"]
    assert told["status"] == status
    assert result.stderr.splitlines()[-1] == f"Error: {told['error']}"


def test_a_defect_and_ctrl_c_are_json_as_well(folder, monkeypatch):
    for error, status in ((KeyError("x"), 3), (KeyboardInterrupt(), 130)):

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr("fastmlp.cli.train.read_table", fail)
        result = run("train", "houses.csv", "--target", "price", "--json")
        assert result.exit_code == status
        assert json.loads(result.stdout)["status"] == status


# -- levels that a model does not know ------------------------------------------------------------


def new_towns(folder, towns):
    columns = houses(len(towns), seed=3)
    (folder / "new.csv").write_text(as_text(columns | {"town": towns}))


def test_levels_that_the_model_does_not_know_are_told(folder):
    trained("--drop", "kind")
    new_towns(folder, ["Oslo", "Paris", "Paris", "Lima", "", "Kiev", "Bonn", "Rome"])
    text = (
        "5 rows have a value of 'town' that the model has seen at most once: 'Paris', 'Lima', "
        "'Kiev' and 1 other; such values count as rare"
    )
    for command in ("predict", "evaluate"):
        result = run(command, "model.fastmlp", "new.csv", "--json")
        assert f"Warning: {text}" in result.stderr
        assert text in json.loads(result.stdout)["warnings"]
    told = trained("--drop", "kind", "--test", "new.csv")
    assert text in told["warnings"]


def test_levels_that_it_knows_are_not(folder):
    trained("--drop", "kind")
    assert run("predict", "model.fastmlp", "houses.csv", "--out", "p.csv").stderr.count("\n") == 2
    new_towns(folder, ["Paris"])
    line = run("predict", "model.fastmlp", "new.csv").stderr.splitlines()[-1]
    assert line.startswith("Warning: 1 row has a value of 'town' that the model has seen at most")


def test_numbers_agree_with_their_nouns(folder):
    """A table of one row is no table of "1 rows"."""
    trained("--drop", "kind")
    new_towns(folder, ["Oslo"])
    result = run("predict", "model.fastmlp", "new.csv", "--out", "p.csv")
    assert "new.csv: 1 row, 5 columns" in result.stderr
    assert "1 prediction written to p.csv" in result.stderr
    prices = [None, *COLUMNS["price"][1:]]
    (folder / "t.csv").write_text(as_text(COLUMNS | {"price": prices}))
    assert "1 row without a value of 'price' is left out" in trained(data="t.csv")["warnings"]


def test_a_column_of_an_order_has_missing_levels(folder):
    """Of Python's models; the command line makes none."""
    import pandas as pd

    import fastmlp

    sizes = pd.Categorical(["s", "m", "l", "m"] * 20, categories=["s", "m", "l"], ordered=True)
    X = pd.DataFrame({"size": sizes, "area": np.arange(80.0)})
    fastmlp.TabularRegressor().fit(X, np.arange(80.0)).save("m.fastmlp")
    (folder / "new.csv").write_text("size,area\nm,1\nxl,2\n")
    result = run("predict", "m.fastmlp", "new.csv")
    text = "1 row has a value of 'size' that the model has never seen: 'xl'; such values count as"
    assert text in result.stderr
