"""What cannot be saved or loaded, and what is said of it."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

import helpers_files as of
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, Predictor, TabularClassifier
from fastmlp.files import container

MODEL = of.fitted(MLPRegressor(max_iter=2, random_state=0, tol=1e9), of.X, of.NUMBERS)
WORDS = of.fitted(MLPClassifier((3,), max_iter=2, random_state=0), of.X, of.WORDS)


@pytest.fixture
def saved(tmp_path):
    """A file with a model in it."""
    path = tmp_path / "model.fastmlp"
    WORDS.save(path)
    return path


def assert_refused(path, text, kind=ValueError, **given):
    """Loading raises an error of one line with this text and the file's name."""
    with pytest.raises(kind, match=text) as error:
        fastmlp.load(path, **given)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600
    assert Path(path).name in str(error.value)


# -- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [3, None, ["model"], 1.5, object()])
def test_no_path(path):
    for act in (MODEL.save, fastmlp.load):
        with pytest.raises(TypeError, match=r"path must be the name of a file.*got"):
            act(path)


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_no_name(path):
    for act in (MODEL.save, fastmlp.load):
        with pytest.raises(ValueError, match="path must be the name of a file; got"):
            act(path)


def test_open_files(tmp_path):
    for file in (io.BytesIO(), io.StringIO(), open(tmp_path / "open", "wb")):  # noqa: SIM115
        with file:
            for act in (MODEL.save, fastmlp.load):
                with pytest.raises(TypeError, match=r"got an open file.*pass its name"):
                    act(file)


def test_folders(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"a file in it, such as '.*model\.fastmlp'"):
        MODEL.save(tmp_path)
    with pytest.raises(IsADirectoryError, match="is a folder: give a file in it"):
        fastmlp.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"make '.*there' first"):
        MODEL.save(tmp_path / "there" / "model")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path '.*nothing\.fastmlp' does not exist"):
        fastmlp.load(tmp_path / "nothing.fastmlp")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_pipes_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", "it is not a regular file")
    with pytest.raises(OSError, match="is not a regular file: choose another"):
        MODEL.save(tmp_path / "pipe")


@pytest.mark.parametrize("as_type", [str, os.fsencode, Path])
def test_paths_of_every_type(as_type, tmp_path):
    path = as_type(str(tmp_path / "höhe.fastmlp"))
    MODEL.save(path)
    assert_array_equal(fastmlp.load(path).predict(of.X), MODEL.predict(of.X))


def refuse(*_, **__):
    raise PermissionError(errno.EACCES, "Permission denied")


def test_no_permission(saved, tmp_path, monkeypatch):
    # The tests may run as root, whom nothing is forbidden.
    monkeypatch.setattr("builtins.open", refuse)
    for act in (MODEL.save, fastmlp.load):
        with pytest.raises(PermissionError, match="you don't have permission: choose another"):
            act(saved)


def test_a_full_disk_leaves_the_earlier_file(saved, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = saved.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"model\.fastmlp' can't be written: No space left"):
        MODEL.save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_ctrl_c_leaves_the_earlier_file(saved, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = saved.read_bytes()
    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        MODEL.save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_an_earlier_file_is_replaced(saved):
    saved.write_bytes(b"something else, and longer than a model would be" * 1000)
    if os.name == "posix":
        saved.chmod(0o640)
    MODEL.save(saved)
    assert_array_equal(fastmlp.load(saved).predict(of.X), MODEL.predict(of.X))
    if os.name == "posix":
        assert stat.S_IMODE(saved.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_what_a_link_leads_to_is_replaced(saved, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(saved)
    MODEL.save(link)
    assert link.is_symlink()
    assert_array_equal(fastmlp.load(saved).predict(of.X), MODEL.predict(of.X))


@pytest.mark.skipif(os.name != "posix", reason="others have no umask")
def test_a_new_file_has_the_users_permissions(tmp_path):
    earlier = os.umask(0o027)
    try:
        MODEL.save(tmp_path / "model")
    finally:
        os.umask(earlier)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o640


# -- models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", [MLPClassifier(), TabularClassifier(), fastmlp.RosenblattPerceptron()]
)
def test_unfitted(model, tmp_path):
    with pytest.raises(NotFittedError, match=f"This {type(model).__name__} .* call fit first"):
        model.save(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_partners(tmp_path):
    given = {**of.TABULAR, "recipe": of.TABULAR["recipe"].with_(max_iter=1)}
    model = TabularClassifier(partners=[LogisticRegression()], metric="log_loss", **given)
    model = of.fitted(model, of.table(), of.WORDS)
    assert "LogisticRegression" in repr(model.leaderboard_)
    text = "TabularClassifier predicts with LogisticRegression of another library.*without partners"
    with pytest.raises(TypeError, match=text):
        model.save(tmp_path / "model")
    assert os.listdir(tmp_path) == []


def test_steps_of_a_pipeline(tmp_path):
    pipeline = of.fitted(
        make_pipeline(StandardScaler(), MLPRegressor(max_iter=2)), of.X, of.NUMBERS
    )
    with pytest.raises(
        TypeError, match="Predictor predicts with StandardScaler of another library"
    ):
        Predictor(pipeline).save(tmp_path / "model")


def test_what_no_file_can_hold(tmp_path):
    model = of.fitted(MLPRegressor(max_iter=2), of.X, of.NUMBERS)
    model.note = {"a": 1 + 2j}
    with pytest.raises(
        TypeError, match=r"its note\.a is a complex, \(1\+2j\), which no model file"
    ):
        model.save(tmp_path / "model")


def test_without_safetensors(saved, monkeypatch):
    monkeypatch.setattr(
        "fastmlp.validation.files.find_spec",
        lambda name: None if name == "safetensors" else find_spec(name),
    )
    for act in (MODEL.save, fastmlp.load):
        with pytest.raises(ImportError, match=r"pip install 'fastmlp\[files\]'"):
            act(saved)


@pytest.mark.parametrize("given", [3, ["tanh"], {1: 2}, "tanh"])
def test_custom_objects_are_a_dict(given, saved):
    with pytest.raises(TypeError, match="custom_objects must be a dict"):
        fastmlp.load(saved, custom_objects=given)


def test_a_custom_object_of_another_kind(tmp_path):
    model = of.fitted(MLPRegressor(activation=of.own_activation(), max_iter=2), of.X, of.NUMBERS)
    model.save(tmp_path / "model")
    for wrong in (3, np.tanh, of.own_loss()):
        assert_refused(tmp_path / "model", "custom_objects", custom_objects={"tanh": wrong})


# -- what files hold ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blob", "text"),
    [
        (b"", "it is empty"),
        (b"abc", "it is not a model file of fastmlp"),
        (b"\x80\x04\x95 a pickle, say", "read a pickle with pickle.load or joblib.load"),
        (b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.", "it is a pickle, not a model file"),
        (b"\x80\x02N.".ljust(9), "it is a pickle, not a model file"),
        (b"%PDF-1.7 and more", "it is a PDF, not a model file"),
        (b"x" * 1000, "it is not a model file"),
        (b"\x0a" + b"\0" * 7 + b"{}", "a part of it is missing at its end"),
        (b"\x02" + b"\0" * 7 + b"{}", "it is not a model file"),
        (save_arrays({"a": np.zeros(3)}), "it is not a model file"),
        (save_arrays({"a": np.zeros(3)}, {"format": "pt"}), "it is not a model file"),
    ],
)
def test_other_files(blob, text, tmp_path):
    path = tmp_path / "other"
    path.write_bytes(blob)
    assert_refused(path, text)


def test_cut_off_anywhere(saved):
    whole = saved.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        saved.write_bytes(whole[:length])
        assert_refused(saved, "can't be loaded")


def test_a_byte_too_many(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    assert_refused(saved, "it is longer than its header says.*copy it again")


def parts(path):
    """Return the head, with the description, and the arrays of a file."""
    blob = path.read_bytes()
    length = int.from_bytes(blob[:8], "little")
    head = json.loads(json.loads(blob[8 : 8 + length])["__metadata__"]["fastmlp"])
    return head, load_arrays(blob)


def rewrite(path, head, arrays, *, right=True):
    """Write a file anew, with the right checksum or the one it had."""
    head = {"sha256": "0" * 64, **{name: head[name] for name in head if name != "sha256"}}
    entry = json.dumps(head, separators=(",", ":"))
    blob = bytearray(save_arrays(arrays, {"fastmlp": entry}))
    if right:
        where = container._place_of_digits(blob)
        blob[where : where + 64] = container._digest(blob, where)
    path.write_bytes(blob)


def test_rewriting_changes_nothing(saved):
    before = saved.read_bytes()
    rewrite(saved, *parts(saved))
    assert saved.read_bytes() == before


def test_a_checksum_of_something_else(saved):
    rewrite(saved, *parts(saved), right=False)
    assert_refused(saved, "its contents are not what was saved.*copy it again")


def test_an_altered_weight(saved):
    blob = bytearray(saved.read_bytes())
    blob[-5] ^= 1
    saved.write_bytes(blob)
    assert_refused(saved, "its contents are not what was saved")


def test_a_format_of_the_future(saved):
    head, arrays = parts(saved)
    rewrite(saved, {**head, "format": 99, "fastmlp": "7.1.0"}, arrays)
    text = r"fastmlp 7\.1\.0 wrote it in format 99, and fastmlp \S+ reads formats up to 1\. Update"
    assert_refused(saved, text)


@pytest.mark.parametrize("number", [0, -1, "1", 1.0, True, None, [1]])
def test_a_format_that_is_none(number, saved):
    head, arrays = parts(saved)
    rewrite(saved, {**head, "format": number}, arrays)
    assert_refused(saved, "it does not say which version wrote it")


def learnt(model):
    return model["state"]["_published"]["state"]


CHANGES = {
    "no class": (lambda m: m.update({"$": "os.system"}), "'os.system', which this version does"),
    "another class": (lambda m: m.update({"$": "Recipe"}), "has an extra part"),
    "no form": (lambda m: m.pop("$"), "does not say what it is"),
    "no state": (lambda m: m.pop("state"), "has no state"),
    "a list": (lambda m: m.update(state=[1]), "has no state"),
    "a further parameter": (
        lambda m: m["parameters"].update(warp=9),
        "its MLPClassifier has warp, which this version does not know. Update fastmlp",
    ),
    "a further field": (
        lambda m: learnt(m).update(warp=9),
        "its Learnt has warp, which this version does not know. Update fastmlp",
    ),
    "a lost field": (lambda m: learnt(m).pop("coder"), "its Learnt lacks coder"),
    "a field of another type": (
        lambda m: learnt(m).update(stop_reason=3),
        "stop_reason of its Learnt is a int",
    ),
    "another network": (
        lambda m: learnt(m)["network"]["state"]["plan"]["state"].update(
            layer_sizes={"$": "tuple", "items": [4, 2**60, 1]}
        ),
        "a width is wrong",
    ),
    "an array that is not there": (
        lambda m: learnt(m)["network"]["state"]["parameters"].update(name="nowhere"),
        "an array is missing",
    ),
    "an array of another type": (
        lambda m: learnt(m)["network"]["state"]["parameters"].update(dtype="<f8"),
        "the type of an array is not what the description says",
    ),
    "a type of objects": (
        lambda m: learnt(m)["network"]["state"]["parameters"].update(dtype="|O"),
        "the type of an array is unknown",
    ),
    "a function of the module": (
        lambda m: m["parameters"].update(solver={"$": "own", "name": "eval"}),
        "needs an object that it does not list",
    ),
    "no tuple": (lambda m: m["parameters"].update(solver={"$": "tuple"}), "lacks 'items'"),
    "a key that has no hash": (
        lambda m: m["parameters"].update(class_weight={"$": "dict", "keys": [[1]], "values": [1]}),
        "makes no model",
    ),
    "too deep": (
        lambda m: m["parameters"].update(solver=json.loads("[" * 900 + "]" * 900)),
        "makes no model",
    ),
    "a random state beyond its words": (
        lambda m: m["parameters"].update(
            random_state={
                "$": "random_state",
                "state": {
                    "$": "dict",
                    "keys": ["bit_generator", "state", "has_gauss", "gauss"],
                    "values": ["MT19937", {"$": "dict", "keys": [], "values": []}, 0, 0.0],
                },
            }
        ),
        "a random state is damaged",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_description_of_something_else(name, saved):
    change, text = CHANGES[name]
    head, arrays = parts(saved)
    change(head["model"])
    rewrite(saved, head, arrays)
    assert_refused(saved, text)


def test_nothing_is_imported_or_called_by_a_name_of_the_file(saved):
    head, arrays = parts(saved)
    text = json.dumps(head["model"])
    for name in ("LabelCoding", "ClassCoder", "Network", "Plan"):
        model = json.loads(text.replace(f'"{name}"', '"antigravity"'))
        rewrite(saved, {**head, "model": model}, arrays)
        assert_refused(saved, "'antigravity', which this version does not know")
    assert "antigravity" not in sys.modules


def test_a_model_that_is_none(saved):
    head, arrays = parts(saved)
    for model in (3, [], "text", {"$": "float", "value": "nan"}):
        rewrite(saved, {**head, "model": model}, arrays)
        assert_refused(saved, "it holds no model")


def test_older_files_lack_what_is_new(saved):
    head, arrays = parts(saved)
    del head["model"]["parameters"]["n_members"], learnt(head["model"])["stop_reason"]
    rewrite(saved, head, arrays)
    model = fastmlp.load(saved)
    assert (model.n_members, model.stop_reason_) == (1, "")
    assert_array_equal(model.predict(of.X), WORDS.predict(of.X))


def test_a_long_description_is_an_array(saved, monkeypatch):
    monkeypatch.setattr(container, "LONGEST_DESCRIPTION", 1000)
    WORDS.save(saved)
    head, arrays = parts(saved)
    assert head["model"] is None
    assert "description" in arrays
    assert_array_equal(fastmlp.load(saved).predict(of.X), WORDS.predict(of.X))
    arrays["description"] = arrays["description"][:-1]
    rewrite(saved, head, arrays)
    assert_refused(saved, "its description is not JSON")
