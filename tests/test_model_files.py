"""What ``save`` writes, ``load`` gives back whole: bits, types, and how learning goes on."""

from __future__ import annotations

import json
import pickle
import random
import warnings
from copy import deepcopy
from pathlib import Path

import helpers_files as of
import numpy as np
import pandas as pd
import pytest
from helpers_process import run_python
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import ShuffleSplit
from sklearn.preprocessing import QuantileTransformer

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.files.classes import CLASSES, class_of, name_of
from fastmlp.files.container import unpacked
from fastmlp.files.states import VERSION
from fastmlp.notices import quietly
from fastmlp.schedules import Schedule
from fastmlp.tabular.transforms import fit_transform

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:The sum of", "ignore:y has only one"
)

CASES = {**of.classifiers(), **of.regressors(), **of.tabulars()}


def back(model, folder, **given):
    """Return what comes back of a model."""
    path = folder / "model.fastmlp"
    model.save(path)
    with quietly():  # most models need no objects
        return fastmlp.load(path, **given)


@pytest.fixture(scope="module")
def trained():
    """Fitted models, their inputs and their targets, by name."""
    cases = {name: (of.fitted(model, X, y), X, y) for name, (model, X, y) in CASES.items()}
    return {**cases, "predictor": of.prepared()}


@pytest.mark.parametrize("name", [*CASES, "predictor"])
def test_a_model_comes_back_whole(name, trained, tmp_path):
    model, X, _ = trained[name]
    again = back(model, tmp_path, custom_objects=of.own_objects())
    assert type(again) is type(model)
    for found, wanted in zip(of.answers(again, X), of.answers(model, X), strict=True):
        assert_array_equal(found, wanted, strict=isinstance(wanted, np.ndarray))


@pytest.mark.parametrize("name", CASES)
def test_parameters_come_back_in_their_types(name, trained, tmp_path):
    model = trained[name][0]
    again = back(model, tmp_path, custom_objects=of.own_objects())
    wanted, found = (each.get_params(deep=False) for each in (model, again))
    assert list(found) == list(wanted)
    for key, value in wanted.items():
        assert type(found[key]) is type(value), key
        if isinstance(value, np.random.RandomState):
            assert_array_equal(found[key].get_state()[1], value.get_state()[1])
        elif callable(value) and hasattr(value, "name"):
            assert found[key] == value
        else:
            assert repr(found[key]) == repr(value), key
    clone(again)


@pytest.mark.parametrize(
    "name", [n for n, case in CASES.items() if hasattr(case[0], "partial_fit")]
)
def test_learning_goes_on_with_the_same_bits(name, trained, tmp_path):
    model, X, y = deepcopy(trained[name])
    again = back(model, tmp_path, custom_objects=of.own_objects())
    for each in (model, again):
        if "early_stopping" in each.get_params():
            each.set_params(early_stopping=False, averaging=None)
    for _ in range(3):
        for each in (model, again):
            each.partial_fit(X[:20], y[:20])
    assert_array_equal(of.answers(again, X)[0], of.answers(model, X)[0])
    assert repr(getattr(again, "loss_curve_", None)) == repr(getattr(model, "loss_curve_", None))
    for each in (model, again):
        if "warm_start" in each.get_params():
            each.set_params(warm_start=True)
        each.fit(X, y)
    assert_array_equal(of.answers(again, X)[0], of.answers(model, X)[0])


@pytest.mark.parametrize("name", ["words", "scheduled", "table of words", "predictor"])
def test_a_loaded_model_is_saved_as_the_same_bytes(name, trained, tmp_path):
    model = trained[name][0]
    first, second = tmp_path / "first", tmp_path / "second"
    model.save(first)
    fastmlp.load(first).save(second)
    assert first.read_bytes() == second.read_bytes()


LABELS = {
    "int8": np.array([3, -4] * 20, np.int8),
    "uint64": np.array([2**63, 1] * 20, np.uint64),
    "float32": np.array([0, 1] * 20, np.float32),
    "wide texts": np.array(["a", "snow ☃"] * 20, "U17"),
    "mixed case objects": np.array(["a", "A"] * 20, object),
    "days": np.array(["2020-01-01", "2020-01-03"] * 20, "M8[D]"),
}


@pytest.mark.parametrize("name", LABELS)
def test_classes_of_any_type(name, tmp_path):
    model = of.fitted(MLPClassifier((3,), **of.QUICK), of.X, LABELS[name])
    again = back(model, tmp_path)
    assert_array_equal(again.classes_, model.classes_, strict=True)
    assert again.classes_.dtype == model.classes_.dtype
    assert_array_equal(again.predict(of.X), model.predict(of.X))


def test_names_of_columns(tmp_path):
    frame = pd.DataFrame(of.X, columns=["a", "b", "höhe", "d"])
    again = back(of.fitted(MLPRegressor(max_iter=2), frame, of.NUMBERS), tmp_path)
    assert again.feature_names_in_.tolist() == list(frame)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame.rename(columns={"a": "z"}))


def test_a_table_of_a_data_frame(tmp_path):
    frame = pd.DataFrame(of.table(), columns=["lat", "colour", "is", "year", "day"])
    frame["lon"] = of.X[:, 1]
    frame["size"] = pd.Categorical(["big", "small"] * 20, ["small", "big"], ordered=True)
    model = of.fitted(fastmlp.TabularClassifier(**of.TABULAR), frame, of.WORDS)
    again = back(model, tmp_path)
    assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))
    assert repr(again.columns_) == repr(model.columns_)
    assert repr(again.leaderboard_) == repr(model.leaderboard_)
    assert again.leaderboard_[0] == model.leaderboard_[0]
    assert again.feature_names_in_.tolist() == list(frame)


def test_parameters_of_odd_kinds(tmp_path):
    given = {
        "alpha": np.float32(0.1),
        "batch_size": np.int64(7),
        "hidden_layer_sizes": np.array([3, 4]),
        "dtype": np.float32,
        "class_weight": {"yes": np.float64(2), "no": 1},
        "n_iter_no_change": np.inf,
        "categorical_features": np.array([False, False, False, True]),
    }
    model = of.fitted(MLPClassifier(max_iter=2, **given), of.X, of.WORDS)
    again = back(model, tmp_path)
    for name, value in given.items():
        found = getattr(again, name)
        assert type(found) is type(value)
        assert repr(found) == repr(value)


def test_infinities_and_nan_come_back(tmp_path):
    model = of.fitted(MLPRegressor(max_iter=2), of.X, of.NUMBERS)
    model.coefs_[0][0, :3] = [np.nan, np.inf, -0.0]
    assert_array_equal(back(model, tmp_path).coefs_[0], model.coefs_[0])


# -- objects of the user's ------------------------------------------------------------------------


class Halving(Schedule):
    """A schedule that a user wrote."""

    def factors(self, clock):
        return 0.5**clock.epoch


class Named(MLPRegressor):
    """A class that a user derived."""

    def __init__(self, hidden_layer_sizes=(5,), name="a"):
        super().__init__(hidden_layer_sizes=hidden_layer_sizes, max_iter=3, random_state=0)
        self.name = name


def test_what_is_the_users_is_named_and_must_be_given_back(tmp_path):
    watch, split = (lambda record: None), ShuffleSplit(1, random_state=0)
    rate = Halving()
    model = MLPRegressor(
        hidden_layer_sizes=(4, 4),
        activation=[of.own_activation(), "relu"],
        loss=of.own_loss(),
        learning_rate=rate,
        callbacks=[watch, print],
        validation_split=split,
        early_stopping=True,
        **of.QUICK,
    )
    model = of.fitted(model, of.X, of.NUMBERS)
    path = tmp_path / "model"
    model.save(path)
    names = ["tanh", "half_square", "learning_rate", "callbacks[0]", "print", "validation_split"]
    assert sorted(unpacked(path.read_bytes()).own) == sorted(names)
    with pytest.raises(ValueError, match=r"custom_objects=\{'tanh': …, .*'validation_split': …"):
        fastmlp.load(path)
    given = dict(
        zip(names, [of.own_activation(), of.own_loss(), rate, watch, print, split], strict=True)
    )
    text = "does not need 'others' in custom_objects; it needs: 'tanh', 'callbacks"
    with pytest.warns(UserWarning, match=text):
        again = fastmlp.load(path, custom_objects={**given, "others": 1})
    assert_array_equal(again.predict(of.X), model.predict(of.X))
    assert again.callbacks == [watch, print]
    assert again.learning_rate is rate
    assert_array_equal(again.fit(of.X, of.NUMBERS).coefs_[0], model.fit(of.X, of.NUMBERS).coefs_[0])


def test_a_derived_class_must_be_given_back(tmp_path):
    model = of.fitted(Named((4,), name="b"), of.X, of.NUMBERS)
    path = tmp_path / "model"
    model.save(path)
    with pytest.raises(ValueError, match="'Named': …"):
        fastmlp.load(path)
    with pytest.raises(ValueError, match="not a class derived from MLPRegressor"):
        fastmlp.load(path, custom_objects={"Named": MLPClassifier})
    again = fastmlp.load(path, custom_objects={"Named": Named})
    assert (type(again), again.name) == (Named, "b")
    assert_array_equal(
        again.partial_fit(of.X, of.NUMBERS).predict(of.X),
        model.partial_fit(of.X, of.NUMBERS).predict(of.X),
    )


def test_a_callback_can_save_what_has_been_learnt_so_far(tmp_path):
    path, seen = tmp_path / "checkpoint", []

    def keep(record):
        model.save(path)
        seen.append(model.predict(of.X))

    model = MLPRegressor(callbacks=[keep], max_iter=4, tol=1e9, random_state=0)
    of.fitted(model, of.X, of.NUMBERS)
    again = fastmlp.load(path, custom_objects={"keep": keep})
    assert_array_equal(again.predict(of.X), seen[-1])


# -- random models --------------------------------------------------------------------------------


def random_model(seed):
    """Return a model whose parameters are drawn, what it learns from, and what was drawn."""
    draw = random.Random(seed)
    depth = draw.randint(1, 3)
    given = {
        "hidden_layer_sizes": tuple(draw.choice([2, 4, 6]) for _ in range(depth)),
        "activation": draw.choice(["relu", "tanh", "gelu", "swish", "logistic"]),
        "parametric_activation": draw.random() < 0.3,
        "solver": draw.choice(["sgd", "adam", "adamw", "rmsprop", "lion", "lamb", "lbfgs"]),
        "normalization": draw.choice([None, "batch", "layer"]),
        "dtype": draw.choice(["float32", "float64"]),
        "scaling_layer": draw.random() < 0.3,
        "numeric_embedding": draw.choice([None, None, "plr", "pbld"]),
        "random_state": draw.choice([seed, np.random.RandomState(seed)]),
        "max_iter": 2,
    }
    if given["solver"] == "lbfgs":
        given["dropout"] = 0.0
    else:
        given["dropout"] = draw.choice([0.0, 0.2])
        given["early_stopping"] = draw.random() < 0.3
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, draw.randint(1, 5))).astype(draw.choice([np.float32, np.float64]))
    if draw.random() < 0.5:
        loss = draw.choice(["squared_error", "huber", "log_cosh", "gaussian_nll"])
        return MLPRegressor(loss, **given), X, rng.normal(size=draw.choice([30, (30, 2)]))
    return MLPClassifier(**given), X, rng.choice(["a", "b", "c"], 30)


@pytest.mark.parametrize("seed", range(25))
def test_random_models(seed, tmp_path):
    model, X, y = random_model(seed)
    model = of.fitted(model, X, y)
    again = back(model, tmp_path)
    for found, wanted in zip(of.answers(again, X), of.answers(model, X), strict=True):
        assert_array_equal(found, wanted)
    if hasattr(model, "partial_fit"):
        for each in (again, model):
            each.set_params(early_stopping=False)
        found, wanted = (of.answers(each.partial_fit(X, y), X)[0] for each in (again, model))
        assert_array_equal(found, wanted)


# -- the table of classes -------------------------------------------------------------------------


def test_every_class_of_the_table_is_there():
    for name in CLASSES:
        assert name_of(class_of(name)) == name


def test_every_option_object_is_in_the_table():
    from fastmlp import averaging, embeddings, optimizers, schedules

    for module in (averaging, embeddings, optimizers, schedules):
        for name in module.__all__:
            kind = getattr(module, name)
            if kind.__module__.startswith("fastmlp") and "__dataclass_fields__" in vars(kind):
                assert name_of(kind) is not None, name


def test_quantiles_made_again_are_those_of_scikit_learn():
    y = np.exp(np.random.default_rng(0).normal(size=(300, 2)))
    ours, values = fit_transform("quantile", y), np.linspace(-4, 4, 50).repeat(2).reshape(-1, 2)
    theirs = QuantileTransformer(n_quantiles=300, output_distribution="normal", subsample=None).fit(
        y
    )
    assert_array_equal(ours.forth(y), theirs.transform(y))
    assert_array_equal(ours.back(values), theirs.inverse_transform(values))


# -- files of earlier releases --------------------------------------------------------------------

KEPT = Path(__file__).parent / "model_files"
RELEASES = sorted(folder.name for folder in KEPT.iterdir() if folder.is_dir())


@pytest.mark.parametrize("release", RELEASES)
def test_files_of_earlier_releases_are_read(release):
    expected = json.loads((KEPT / release / "expected.json").read_text())
    assert len(expected) >= 12
    for name, said in expected.items():
        with quietly():  # most of them need no objects
            path = KEPT / release / f"{name}.fastmlp"
            model = fastmlp.load(path, custom_objects=of.own_objects())
        inputs = said["inputs"]
        if said["days"]:  # JSON has no dates
            inputs = [[*row[:-1], np.datetime64(row[-1], "D")] for row in inputs]
        elif not said["is_table"]:
            inputs = np.array(inputs, np.float32)
        found = of.answers(model, inputs)[0]
        if found.dtype.kind == "f":  # other instruction sets round otherwise
            np.testing.assert_allclose(found, said["predictions"], rtol=1e-4, atol=1e-5)
        else:
            assert found.tolist() == said["predictions"]


# -- pickles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["words", "perceptron", "neuron", "table of words", "predictor"])
def test_a_pickle_of_another_version_warns(name, trained, monkeypatch):
    model, X, _ = trained[name]
    blob = pickle.dumps(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = pickle.loads(blob)
    assert VERSION not in vars(same)
    assert_array_equal(of.answers(same, X)[0], of.answers(model, X)[0])
    monkeypatch.setattr("fastmlp.files.savable.__version__", "99.0")
    with pytest.warns(UserWarning, match=r"was pickled by fastmlp '0.*in fastmlp 99.0"):
        pickle.loads(blob)


def test_a_pickle_without_a_version_warns():
    """As those of before there were versions in them."""
    state = of.fitted(MLPRegressor(max_iter=2), of.X, of.NUMBERS).__getstate__()
    del state[VERSION]
    with pytest.warns(UserWarning, match="an earlier version"):
        MLPRegressor().__setstate__(state)


def test_pickles_and_files_work_across_processes(trained, tmp_path):
    """Those of all models, in one process, which warns of nothing."""
    expected = []
    for number, (name, (model, X, _)) in enumerate(trained.items()):
        model.save(tmp_path / f"{number}.fastmlp")
        objects = of.own_objects_once() if name == "own functions" else None
        content = pickle.dumps((model, X[:9], objects))
        (tmp_path / f"{number}.pickle").write_bytes(content)
        expected += [repr(of.answers(model, X[:9])[0].tolist())] * 2
    code = f"""
import pathlib, pickle, sys, warnings
import helpers_files as of
import fastmlp
warnings.simplefilter("error")
for number in range({len(trained)}):
    path = pathlib.Path(sys.argv[1], f"{{number}}.fastmlp")
    other, X, objects = pickle.loads(path.with_suffix(".pickle").read_bytes())
    for model in (fastmlp.load(path, custom_objects=objects), other):
        print(of.answers(model, X)[0].tolist())
"""
    assert run_python(code, str(tmp_path)).splitlines() == expected


def test_a_copy_and_a_clone_know_no_version():
    model = of.fitted(MLPRegressor(max_iter=2), of.X, of.NUMBERS)
    assert VERSION not in vars(deepcopy(model))
    assert VERSION not in vars(clone(model))
    assert VERSION not in vars(deepcopy(Predictor(model)))
