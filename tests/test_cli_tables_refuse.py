"""Commands on tables given wrong input: one line on standard error that says what to do."""

from __future__ import annotations

import errno
import gzip
import io
import os
import pickle
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from helpers_tables import as_arrow, as_text, houses
from pyarrow import parquet
from test_cli_tables import COLUMNS, folder, run, trained

import fastmlp
from fastmlp.cli import command
from fastmlp.tabular.base import BaseTabular

__all__ = ["folder"]

TEXT = as_text(COLUMNS)


def refused(result, status=1):
    """Return the one line that a command ends with."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    *before, line = result.stderr.splitlines()
    assert not [each for each in before if "Traceback" in each]
    return line


def zipped(name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr(name, "x")
    return content.getvalue()


def of_parquet(change=lambda content: content):
    sink = io.BytesIO()
    parquet.write_table(as_arrow(COLUMNS), sink)
    return change(sink.getvalue())


def npz(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def npy():
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


WRONG_FILES = {
    "empty": (b"", "is empty: a table needs a heading and rows"),
    "blank": (b" \n\n  \n", "is empty"),
    "bom": (b"\xef\xbb\xbf", "is empty"),
    "heading": (b"a,b,price\n", "has a heading but no rows"),
    "binary": (bytes(range(256)) * 4, "is a binary file of an unknown kind"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(20), "is a picture, which can't be read here: save the"),
    "xlsx": (zipped("xl/workbook.xml"), "is an Excel workbook, which can't be read here"),
    "xls": (b"\xd0\xcf\x11\xe0" + bytes(20), "is an old Excel workbook"),
    "zip": (zipped("houses.csv"), "is a zip archive"),
    "cut zip": (zipped("xl/workbook.xml")[:-9], "it is a damaged zip archive; copy it again"),
    "sqlite": (b"SQLite format 3\0" + bytes(20), "is an SQLite database"),
    "pickle": (b"\x80\x04\x95" + bytes(20), "is a pickle"),
    "gz": (gzip.compress(TEXT.encode())[:-20], "it is compressed, but damaged"),
    "gz of nothing": (gzip.compress(b""), "is empty"),
    "parquet": (of_parquet(lambda content: content[:-30]), "can't be read: "),
    "parquet flipped": (of_parquet(lambda c: c[:-200] + bytes(192) + c[-8:]), "can't be read: "),
    "arrow": (b"ARROW1\0\0" + bytes(40), "it may be damaged: write it again"),
    "npy": (npy(), "is a single array of NumPy"),
    "npz of objects": (npz(a=np.array([{}])), "write plain arrays with numpy.savez"),
    "npz of nothing": (npz(), "is an empty archive"),
    "npz of numbers": (npz(a=np.float64(3)), "it has no arrays with rows"),
    "npz of complex": (npz(price=np.zeros(3, complex)), "whose array price holds complex128"),
    "latin": ("price,tø\n1,ø\n".encode("latin-1"), "is not utf-8 text (see byte 8): give its --e"),
    "cut utf-16": ("price,b\n1,2".encode("utf-16")[:-1], "is not utf-16"),
    "odd rows": (
        b"a,price\n1,2\n1,2,3\n",
        "line 3 has 3 cells, but the first row has 2: q",
    ),
    "short rows": (
        b"a,price\n1,2\n1\n3\n",
        "first row has 2, and 1 more row like it",
    ),
    "open quote": (b'a,price\n1,"2\n3,4\n', "can't be read: "),
    "two stray quotes": (
        b'a,b,price\n1,"x,3\n2,k,4\n3,"k,5\n',
        "text follows a closing quote in line 4",
    ),
    "twice": (b"a,a,price\n1,2,3\n", "has several columns called 'a': rename them"),
    "no target": (b"a,b\n1,2\n", "has no column 'price'; its columns are 'a', 'b'"),
    "wrong target": (b"a;b\n1;2\n", "has no column 'price'; its columns are 'a', 'b'"),
    "one column": (b"a\n1\n", "has no column 'price'; its only column is 'a'; check --delimiter"),
    "alone": (
        b"price\n1\n2\n",
        "has no column but 'price', so there is nothing to p",
    ),
    "few rows": (b"a,price\n1,2.5\n2,3.5\n", "has 2 rows with a target, and at least 10 are"),
    "no values": (b"a,price\n" + b"1,\n" * 20, "column 'price', the target, has no values"),
    "one value": (
        b"a,price\n" + b"1,x\n2,x\n" * 20,
        "only one value, 'x', so there is nothing",
    ),
    "constant": (b"a,price\n" + b"1,x\n1,y\n" * 20, "no column that tells rows apart"),
    "infinite": (b"a,price\n" + b"1,inf\n2,1.5\n" * 20, "column 'price' must hold finite numbers"),
}


#: Those that another value of --target would mend.
WRONG_TARGETS = ("no target", "wrong target", "one column")


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_holds_no_such_table(folder, name):
    content, text = WRONG_FILES[name]
    (folder / "t.csv").write_bytes(content)
    status = 2 if name in WRONG_TARGETS else 1
    line = refused(run("train", "t.csv", "--target", "price"), status)
    assert line.startswith("Error: --target: t.csv" if status == 2 else "Error: t.csv")
    assert text in line
    assert not (folder / "model.fastmlp").exists()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("nowhere.csv", "there is no file 'nowhere.csv' in '"),
        (".", ". is a folder: name a file in it"),
        ("a" * 300, "can't be read: File name too long"),
        ("a\0b", "is not a file name"),
    ],
)
def test_a_path_that_leads_nowhere(folder, path, text):
    assert text in refused(run("train", path, "--target", "price"))
    trained()
    assert text in refused(run("predict", "model.fastmlp", path))


def test_nothing_on_standard_input(folder):
    assert "standard input is empty" in refused(run("train", "-", "--target", "price", stdin=""))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["houses.csv"], "Missing option '--target'"),
        (["houses.csv", "--target", "price", "--task", "x"], "'auto', 'classification'"),
        (["houses.csv", "--target", "price", "--preset", "slow"], "'fast', 'default', 'best'"),
        (["houses.csv", "--target", "price", "--time-limit", "0"], "x>0"),
        (["houses.csv", "--target", "price", "--test-size", "1"], "0<=x<1"),
        (["houses.csv", "--target", "price", "--test-size", "nan"], "nan is not in the range"),
        (["houses.csv", "--target", "price", "--time-limit", "nan"], "nan is not in the range"),
        (
            ["houses.csv", "--target", "price", "--delimiter", ",,"],
            "',,' is not a character such",
        ),
        (["houses.csv", "--target", "price", "--delimiter", "é"], "is not a character such as"),
        (["houses.csv", "--target", "price", "--encoding", "x"], "'x' is not an encoding, such as"),
        (
            ["houses.csv", "--target", "price", "--encoding", "base64"],
            "is not an encoding, such",
        ),
        (["houses.csv", "--target", "price", "--delimiter", ",", "--decimal", ","], "the same"),
        (["houses.csv", "--target", "price", "--threads", "0"], "1<=x<=256"),
        (["houses.csv", "--target", "price", "--seed", "-1"], "0<=x<=4294967295"),
        (["houses.csv", "--target", "price", "--out", "no/m"], "there is no folder '"),
        (["houses.csv", "--target", "price", "--out", "."], "is a folder"),
        (["houses.csv", "--target", "price", "--report", "no/r.html"], "there is no folder '"),
        (["houses.csv", "--target", "price", "--out", "x", "--report", "./x"], "same file"),
        (["houses.csv", "--target", "price", "--out", "houses.csv"], "would overwrite"),
        (["houses.csv", "--target", "price", "--report", "houses.csv"], "would overwrite"),
    ],
)
def test_a_wrong_option_of_train(folder, words, text):
    before = sorted(folder.iterdir())
    assert text in refused(run("train", *words), 2)
    assert sorted(folder.iterdir()) == before
    assert (folder / "houses.csv").read_text() == TEXT


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--target", "price", "--drop", "x"], "no column 'x'; its columns are 'area'"),
        (
            ["--target", "price", "--category", "x"],
            "no column 'x'; its columns are 'area'",
        ),
        (
            ["--target", "price", "--metric", "auc"],
            "--metric: 'auc' is not a metric for r",
        ),
        (["--target", "kind", "--metric", "rmse"], "--metric: 'rmse' is not a metric for cla"),
        (["--target", "price", "--delimiter", ";"], "check --delimiter"),
        (
            ["--target", "price", "--drop", "town", "--category", "town"],
            "--drop and --category name the same",
        ),
        (["--target", "price", "--test", "nowhere.csv"], "there is no file 'nowhere.csv'"),
        (["--target", "price", "--drop", "price"], "--target and --drop name the same column"),
    ],
)
def test_options_that_do_not_go_with_the_table(folder, words, text):
    result = run("train", "houses.csv", *words)
    assert text in refused(result, result.exit_code)
    assert result.exit_code in (1, 2)


def test_a_model_can_not_be_a_device(folder):
    """It is said before the training."""
    line = refused(run("train", "houses.csv", "--target", "price", "--out", os.devnull), 2)
    assert "--out: path '/dev/null' is not a regular file" in line
    assert "rows" not in line


def test_a_test_table_that_is_unlike(folder):
    (folder / "t.csv").write_text(as_text({**COLUMNS, "kind": ["huge"] * 80}))
    line = refused(run("train", "houses.csv", "--target", "kind", "--test", "t.csv"))
    assert "column 'kind' has 'huge', which the model has not learnt; it knows 'large'" in line
    (folder / "t.csv").write_text(as_text({"area": [1.0], "kind": ["large"]}))
    line = refused(run("train", "houses.csv", "--target", "kind", "--test", "t.csv"))
    assert "t.csv has no columns 'town', 'built', 'price', which the model needs; its only" in line
    assert not (folder / "model.fastmlp").exists()


# -- predict and evaluate -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"town": None},
            "no column 'town', which the model needs; its columns are 'area', 'b",
        ),
        ({"area": ["1.5", "wide"] * 40}, "column 'area' must hold numbers, but line 3 has 'wide'"),
        ({"area": ["1,5"] * 80}, "but line 2 has '1,5'"),
    ],
)
def test_a_table_that_is_not_as_in_training(folder, change, text):
    trained("--drop", "kind")
    columns = {name: each for name, each in (COLUMNS | change).items() if each is not None}
    (folder / "new.csv").write_text(as_text(columns, "\t"))
    assert text in refused(run("predict", "model.fastmlp", "new.csv", "--delimiter", "tab"))


def test_dates_that_are_none(folder):
    (folder / "t.csv").write_text(as_text(COLUMNS | {"day": ["2024-01-02", "2024-03-01"] * 40}))
    trained(data="t.csv")
    days = ["2024-01-02", "soon"] * 40
    (folder / "t.csv").write_text(as_text(COLUMNS | {"day": days}))
    line = refused(run("predict", "model.fastmlp", "t.csv"))
    assert "column 'day' must hold dates, but line 3 has 'soon': write it as 2024-12-31" in line


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    changed = bytearray(content)
    changed[-1] ^= 1  # the middle may lie in what says that it is a model file
    return bytes(changed)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (cut, "a part of it is missing at its end"),
        (flipped, "It is damaged or has been changed"),
        (lambda content: b"", "it is empty"),
        (
            lambda content: b"a,b\n1,2\n" * 9,
            "model.fastmlp is a table or another text",
        ),
    ],
)
@pytest.mark.parametrize("name", ["predict", "evaluate", "inspect", "export"])
def test_a_file_that_holds_no_model(folder, name, change, text):
    trained()
    path = folder / "model.fastmlp"
    path.write_bytes(change(path.read_bytes()))
    others = {"predict": ["houses.csv"], "evaluate": ["houses.csv"], "export": ["m.c"]}
    line = refused(run(name, "model.fastmlp", *others.get(name, [])))
    assert text in line
    assert "model.fastmlp" in line


def test_no_model(folder):
    line = refused(run("predict", "nowhere.fastmlp", "houses.csv"))
    assert line.startswith("Error: ")
    assert "nowhere.fastmlp" in line


def test_a_model_of_another_kind(folder):
    model = fastmlp.MLPClassifier(n_iter_no_change=2, tol=1e9, random_state=0)
    model.fit([[0.0], [1.0]], ["no", "yes"]).save("m.fastmlp")
    line = refused(run("predict", "m.fastmlp", "houses.csv"))
    assert "m.fastmlp holds an MLPClassifier: the command line takes models of tables" in line


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["--out", "p.xlsx"], 2, "p.xlsx must end with one of .csv, .csv.gz, .parquet"),
        (["--out", "no/p.csv"], 2, "there is no folder '"),
        (["--keep", "x"], 2, "--keep: houses.csv has no column 'x'"),
        (["--keep", "prediction"], 2, "the column of predictions has that name"),
        (["--proba"], 2, "--proba is for models of classes"),
        (["--out", "model.fastmlp"], 2, "must end with one of"),
    ],
)
def test_wrong_options_of_predict(folder, words, status, text):
    trained()
    assert text in refused(run("predict", "model.fastmlp", "houses.csv", *words), status)


def test_predictions_do_not_overwrite_the_table(folder):
    trained()
    line = refused(run("predict", "model.fastmlp", "houses.csv", "--out", "houses.csv"), 2)
    assert "--out would overwrite houses.csv, which is read" in line


def test_an_export_that_has_no_form(folder):
    trained()
    assert "must end with .c" in refused(run("export", "model.fastmlp", "m.py"), 2)
    line = refused(run("export", "model.fastmlp", "m.c", "--name", "1x"), 2)
    assert "--name must be a C identifier" in line


# -- what stops a command -----------------------------------------------------------------------


def test_a_full_disk(folder, monkeypatch):
    trained()

    def full(path, blob):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fastmlp.cli.output.write", full)
    words = ("predict", "model.fastmlp", "houses.csv", "--out", "p.csv", "--quiet")
    assert refused(run(*words)) == "Error: p.csv can't be written: No space left on device"
    words = ("evaluate", "model.fastmlp", "houses.csv", "--report", "r.html", "--quiet")
    assert refused(run(*words)) == "Error: r.html can't be written: No space left on device"
    monkeypatch.setattr("fastmlp.files.disk.write", full)
    line = refused(run("train", "houses.csv", "--target", "price", "--quiet", "--overwrite"))
    assert "model.fastmlp" in line
    assert "No space left on device" in line


def test_interrupted_before_a_candidate_is_complete(folder, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.tabular.race.train", interrupt)
    result = run("train", "houses.csv", "--target", "price", "--quiet")
    assert refused(result, 130) == "Interrupted before the work was done."
    assert not (folder / "model.fastmlp").exists()


def test_interrupted_later_keeps_what_was_learnt(folder, monkeypatch):
    monkeypatch.setattr(
        BaseTabular, "_report", lambda self, member, tell: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    result = run("train", "houses.csv", "--target", "price", "--quiet")
    assert result.exit_code == 130
    assert result.stderr == "Interrupted: the model holds what was learnt so far.\n"
    assert "on 16 rows" in result.stdout
    assert fastmlp.load("model.fastmlp").leaderboard_


def test_a_defect_is_a_line_as_well(folder, monkeypatch):
    def fail(*_, **__):
        raise KeyError("x")

    monkeypatch.setattr("fastmlp.cli.train.read_table", fail)
    line = refused(run("train", "houses.csv", "--target", "price"), command.DEFECT)
    assert line.startswith("Error: a defect of fastmlp (KeyError: 'x'; test_cli_tables_refuse.py:")
    monkeypatch.setenv(command.DEBUG, "1")
    assert isinstance(run("train", "houses.csv", "--target", "price").exception, KeyError)


def test_without_the_libraries_that_read_tables(folder, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "pyarrow" else object())
    line = refused(run("train", "houses.csv", "--target", "price"))
    assert line == 'Error: train needs pyarrow; install them with: pip install "fastmlp[cli]"'


def process(*words, **options):
    """Start the console script in a process of its own."""
    code = "from fastmlp.cli import main; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code, *words], **pipes | options)


def test_a_reader_that_has_seen_enough(folder):
    trained()
    running = process("predict", "model.fastmlp", "houses.csv", "--quiet")
    running.stdout.close()
    assert running.stderr.read() == b""
    running.stderr.close()
    assert running.wait() == 1


def test_ctrl_c_in_a_process_of_its_own(folder):
    (folder / "new.csv").write_text(as_text(houses(3000)))
    words = ("train", "new.csv", "--target", "price", "--preset", "best")
    running = process(*words, stdout=subprocess.DEVNULL)
    for line in running.stderr:
        if b"rows to learn from" in line:
            break
    os.kill(running.pid, signal.SIGINT)
    rest = running.stderr.read().decode()
    running.stderr.close()
    assert running.wait() == 130
    assert "Traceback" not in rest
    assert "Interrupted" in rest.splitlines()[-1]


# -- what new users have stumbled over --------------------------------------------------------


def test_a_place_in_a_text_is_its_line(folder):
    """As an editor counts: with the heading, empty lines, and line breaks within cells."""
    rows = [f"{i},{i / 7}" for i in range(30)]
    for text, line in (
        (["a,price", *rows, "1,x"], 32),
        (["", "", "a,price", *rows[:3], "", '"two', 'lines",5', "1,x", *rows], 10),
    ):
        for newline in ("\n", "\r\n"):
            (folder / "t.csv").write_bytes(newline.join(text).encode())
            result = run("train", "t.csv", "--target", "price", "--task", "regression")
            assert f"but line {line} has 'x'" in refused(result)
    (folder / "t.csv").write_text("a,price\n\n1,2\n1,2,3\n")
    assert "line 4 has 3 cells" in refused(run("train", "t.csv", "--target", "price"))


def test_a_place_is_right_after_rows_have_been_left_out(folder):
    """Rows without a target are left out before the others are looked at."""
    lines = [f"{i}," if i % 2 else f"{i},{i}.5" for i in range(60)]
    (folder / "t.csv").write_text("\n".join(["a,price", *lines, "60,inf"]))
    assert "but line 62 has 'inf'" in refused(run("train", "t.csv", "--target", "price"))


def test_a_place_in_another_file_is_its_row(folder):
    parquet.write_table(pa.table({"a": [1.0, 2.0], "price": [1.0, np.inf]}), "t.parquet")
    assert "but row 2 has 'inf'" in refused(run("train", "t.parquet", "--target", "price"))


@pytest.mark.parametrize(
    ("words", "guess"),
    [
        (
            ["train", "houses.csv", "--target", "pirce"],
            "--target: houses.csv has no column",
        ),
        (
            ["train", "houses.csv", "--target", "Price "],
            "--target: houses.csv has no column",
        ),
        (
            ["train", "houses.csv", "--target", "kind", "--drop", "prize"],
            "--drop: houses.csv",
        ),
        (
            ["train", "houses.csv", "--target", "kind", "--category", "PRICE"],
            "--category: houses.csv",
        ),
        (["predict", "model.fastmlp", "houses.csv", "--keep", "pric"], "--keep: houses.csv has no"),
        (["evaluate", "model.fastmlp", "houses.csv", "--target", "prices"], "--target: houses.csv"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(folder, words, guess):
    trained("--out", "model.fastmlp", target="kind")
    line = refused(run(*words, *["--out", "new"] * (words[0] == "train")), 2)
    assert guess in line
    assert line.endswith("Did you mean 'price'?")
    assert "--no-header" not in line


@pytest.mark.parametrize(
    ("metric", "end"),
    [
        ("rsme", "Did you mean 'rmse'?"),
        ("auc", "such as r2."),
        ("roc_auc", "use a metric for numbers, such as 'r2'."),
    ],
)
def test_a_metric_that_is_not_one_for_the_target(folder, metric, end):
    line = refused(run("train", "houses.csv", "--target", "price", "--metric", metric), 2)
    assert line.startswith("Error: --metric")
    assert line.endswith(end)


@pytest.mark.parametrize(
    ("text", "is_likely"),
    [("1,2.5\n3,4.5\n", True), ("a,b\n3,4.5\n", False), ("2024-01-02,x\n2024-01-03,y\n", True)],
)
def test_a_missing_heading_is_named_where_it_is_likely(folder, text, is_likely):
    (folder / "t.csv").write_text(text)
    line = refused(run("train", "t.csv", "--target", "price"), 2)
    assert ("--no-header" in line) == is_likely


def test_model_and_table_that_have_changed_places(folder):
    trained()
    for name in ("predict", "evaluate"):
        line = refused(run(name, "houses.csv", "model.fastmlp"), 2)
        assert line == (
            "Error: houses.csv is a table and model.fastmlp is a model; the model comes first: "
            f"fastmlp {name} model.fastmlp houses.csv"
        )
        line = refused(run(name, "model.fastmlp", "model.fastmlp"))
        assert "model.fastmlp is a model, and a table is needed here" in line
        line = refused(run(name, "houses.csv", "houses.csv"))
        assert "not a model: MODEL is a file that fastmlp train has written" in line
    assert "is a model, and a table" in refused(
        run("train", "model.fastmlp", "--target", "price", "--out", "m"),
    )


def test_a_pickle_is_called_one(folder):
    (folder / "m.pkl").write_bytes(pickle.dumps([0], protocol=4))
    for words in (("predict", "m.pkl", "houses.csv"), ("inspect", "m.pkl")):
        assert "it is a pickle, not a model file" in refused(run(*words))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b'{"a": 1}', "is a JSON file"),
        (b'[{"a": 1}]', "is a JSON file"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "is an XML file"),
    ],
)
def test_texts_that_are_no_tables(folder, content, text):
    (folder / "t.csv").write_bytes(content)
    assert text in refused(run("train", "t.csv", "--target", "price"))
