"""Names of other libraries, and other spellings: the same model, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.utils import get_tags

from fastmlp import MLPClassifier, MLPRegressor, activation, initial_weights
from fastmlp.averaging import AVERAGES
from fastmlp.names import Names
from fastmlp.plan.initializers import INITIALIZERS
from fastmlp.plan.update_groups import PARAMETRIZATIONS
from fastmlp.registry import ACTIVATIONS, CLASSIFIER_LOSSES, REGRESSOR_LOSSES, SOLVERS
from fastmlp.schedules import SCHEDULES
from fastmlp.validation.normalizations import NORMALIZATION_NAMES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(33, 4))
TARGETS = {
    "binary": np.where(X[:, 0] > 0, "up", "down"),
    "multiclass": np.digitize(X[:, 0], [-0.5, 0.5]),
    "multilabel": (X[:, :2] > 0).astype(int),
    "distribution": np.abs(X) / np.abs(X).sum(axis=1, keepdims=True),
}
POSITIVE = np.exp(X[:, 0])

#: What brings out all that depends on a name: rows of weight 0, a last batch of one row, smoothing,
#: groups of channels, a policy that acts.
SHARED = {"hidden_layer_sizes": (6, 4), "n_groups": 2, "n_channels": 2, "random_state": 0}
MINI_BATCHES = {"max_iter": 3, "batch_size": 8, "tol": 1e3, "n_iter_no_change": 1}
WEIGHTS = np.where(np.arange(len(X)) % 7 == 3, 0.0, 1.5)

#: Parameter → its names, and what it is tried with.
PARAMETERS = {
    "activation": (ACTIVATIONS.by_name, MINI_BATCHES),
    "solver": (SOLVERS, {"max_iter": 3}),
    "learning_rate": (SCHEDULES, {"solver": "sgd", "learning_rate_init": 0.1, **MINI_BATCHES}),
    "init": (INITIALIZERS, MINI_BATCHES),
    "normalization": (NORMALIZATION_NAMES, MINI_BATCHES),
    "averaging": (AVERAGES, MINI_BATCHES),
    "parametrization": (PARAMETRIZATIONS, MINI_BATCHES),
}


def spellings(names):
    """Return each alias, and each name in another spelling, with the name that it stands for."""
    return [*names.aliases.items(), *((name.upper().replace("_", "-"), name) for name in names)]


def test_spellings():
    for names in (*(names for names, _ in PARAMETERS.values()), CLASSIFIER_LOSSES):
        for written, name in {**{name: name for name in names}, **names.aliases}.items():
            forms = (written, written.upper(), written.title().replace("_", ""), f"{written}_")
            for form in (*forms, written.replace("_", "-"), written.replace("_", " ")):
                assert names.name_of(form) == name
                assert form in names
    assert not any(other in ACTIVATIONS for other in ("", "_", "relu6", None, 3, ["relu"], b"relu"))


def is_for_whole_fits(model):
    """Return whether partial_fit refuses what a model has: some schedules, and averages."""
    return SCHEDULES[model.learning_rate]().spans_fit or model.averaging is not None


def result(model, y):
    """Return all that can be seen of a fit, and of the fits, scores and costs after it."""
    model.fit(X, y, sample_weight=WEIGHTS)
    seen = [*model.coefs_, *model.intercepts_, model.loss_curve_, model.n_iter_, model.t_]
    seen += [model.out_activation_, model.score(X, y), model.cost(X, y), model.objective(X, y)]
    seen += [hasattr(model, name) for name in ("partial_fit", "predict_proba")]
    if hasattr(model, "partial_fit") and not is_for_whole_fits(model):
        seen += model.partial_fit(X, y).coefs_
    return [*seen, repr(get_tags(model))]


def assert_the_same(make, name, written, canonical, y):
    model = make(**{name: written})
    for one, other in zip(result(model, y), result(make(**{name: canonical}), y), strict=True):
        assert_array_equal(one, other, err_msg=f"{name}={written!r}")
    assert model.get_params()[name] == clone(model).get_params()[name] == written


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_spelling_of_a_parameter(name):
    names, others = PARAMETERS[name]

    def make(**parameters):
        return MLPRegressor(**{**SHARED, **others, **parameters})

    for written, canonical in spellings(names):
        assert_the_same(make, name, written, canonical, X[:, 0])


def test_every_spelling_for_the_pieces():
    z = np.linspace(-4, 4, 9)
    for written, name in spellings(ACTIVATIONS.by_name):
        assert_array_equal(activation(written, z), activation(name, z))
        one, other = (initial_weights(4, 3, activation=a, random_state=0) for a in (written, name))
        assert_array_equal(one, other)
    for written, name in spellings(INITIALIZERS):
        if name == "data_driven":
            continue  # which follows from rows: see test_pieces
        one, other = (initial_weights(4, 3, init, random_state=0) for init in (written, name))
        assert_array_equal(one, other)


def test_lbfgs_by_another_name_has_no_early_stopping():
    model = MLPRegressor(solver="L-BFGS-B", early_stopping=True, max_iter=2).fit(X, X[:, 0])
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.validation_scores_ is None
    with pytest.raises(ValueError, match=r"^solver='lbfgs' needs a smooth"):
        model.set_params(l1=0.1).fit(X, X[:, 0])


def test_names_within_a_sequence():
    parameters = {"activation": ("Sigmoid", "swish"), "normalization": ["BatchNorm1d", None]}
    model = MLPRegressor(**SHARED, **MINI_BATCHES, **parameters)
    plain = clone(model).set_params(activation=["logistic", "silu"], normalization=["batch", None])
    for one, other in zip(result(model, X[:, 0]), result(plain, X[:, 0]), strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_every_spelling_of_a_regressors_loss(early_stopping):
    def make(**parameters):
        return MLPRegressor(**SHARED, max_iter=2, early_stopping=early_stopping, **parameters)

    for written, name in spellings(REGRESSOR_LOSSES):
        model, plain = make(loss=written), make(loss=name)
        if early_stopping:
            assert_array_equal(
                model.fit(X, POSITIVE).validation_scores_, plain.fit(X, POSITIVE).validation_scores_
            )
        else:
            assert_the_same(make, "loss", written, name, POSITIVE)


@pytest.mark.parametrize("kind", TARGETS)
def test_every_spelling_of_a_classifiers_loss(kind):
    def make(**parameters):
        return MLPClassifier(**SHARED, max_iter=2, label_smoothing=0.1, **parameters)

    for written, name in spellings(CLASSIFIER_LOSSES):
        if kind in CLASSIFIER_LOSSES[name]:
            assert_the_same(make, "loss", written, name, TARGETS[kind])


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "categorical_cross_entropy"])
def test_the_cross_entropy_of_some_kinds_of_target(loss):
    for kind, y in TARGETS.items():
        one, other = (
            MLPClassifier(**SHARED, max_iter=2, label_smoothing=0.1, loss=name)
            for name in (loss, "cross_entropy")
        )
        if kind in CLASSIFIER_LOSSES[loss]:
            for a, b in zip(result(one, y)[:-1], result(other, y)[:-1], strict=True):
                assert_array_equal(a, b)  # all but the tags
        else:
            with pytest.raises(ValueError, match=f"loss='{loss}'"):
                one.fit(X, y)


def test_what_the_aliases_stand_for():
    """By the definitions that the other libraries give, where a name could mislead."""
    assert {name: ACTIVATIONS[name].name for name in ("sigmoid", "linear", "hard_silu")} == {
        "sigmoid": "logistic",
        "linear": "identity",
        "hard_silu": "hard_swish",
    }
    assert ACTIVATIONS["gelu_new"] is ACTIVATIONS["gelu_tanh"]
    he, xavier = (
        initial_weights(200, 100, init, random_state=0) for init in ("he", "XavierUniform")
    )
    assert abs(he.std() * 10 - 1) < 0.02  # √(2 / 200)
    assert np.abs(he).max() > 2.5 * he.std()  # not uniform, nor truncated
    assert 0.14 < np.abs(xavier).max() <= np.sqrt(6 / 300)
    assert "hinge" not in CLASSIFIER_LOSSES  # Keras's mean is not squared_hinge's sum
    assert "poisson_nll" not in REGRESSOR_LOSSES  # PyTorch leaves out what depends on y alone


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("activation", "rleu", "Did you mean 'relu'?"),
        ("activation", ["tanh", "sigmoyd"], "Did you mean 'sigmoid'?"),
        ("activation", "adam", "Did you mean solver='adam'?"),
        ("solver", "adamm", "Did you mean 'adam'?"),
        ("solver", "invscaling", "Did you mean learning_rate='invscaling'?"),
        ("learning_rate", "adaptiv", "Did you mean 'adaptive'?"),
        ("init", "he_norm", "Did you mean 'he_normal'?"),
        ("normalization", "batchnorm2d", "Did you mean 'batch_norm_1d'?"),
        ("loss", "huberr", "Did you mean 'huber'?"),
        ("loss", "relu", "Did you mean activation='relu'?"),
        ("hidden_layer_sizes", "tanh", "Did you mean activation='tanh'?"),
        ("hidden_layer_sizes", "mse", "Did you mean loss='mse'?"),
        ("dtype", "lbfgs", "Did you mean solver='lbfgs'?"),
        ("backend", "nunpy", "Did you mean 'numpy'?"),
    ],
)
def test_what_was_meant(name, value, meant):
    with pytest.raises((TypeError, ValueError)) as caught:
        MLPRegressor(**{**SHARED, name: value}).fit(X, X[:, 0])
    text = str(caught.value)
    assert text.startswith(name)
    assert text.endswith(meant)
    assert text.count("Did you mean") == 1


@pytest.mark.parametrize("sizes", [(50, 50), [50], 50, range(3), np.array([4, 4]), "(50, 50)"])
def test_layer_sizes_in_the_place_of_the_loss(sizes):
    """``MLPRegressor((50, 50))`` is what everyone writes; scikit-learn's first argument is loss."""
    meant = str(sizes) if not isinstance(sizes, np.ndarray) else repr(sizes)
    for arguments in ((sizes,), (sizes, "relu"), (sizes, "relu", "adam")):
        with pytest.raises(ValueError, match=r"^loss must be one of ") as caught:
            MLPRegressor(*arguments).fit(X, X[:, 0])
        text = str(caught.value)
        assert text.endswith(
            f"The first argument is loss, as in scikit-learn: write hidden_layer_sizes={meant}."
        )
    with pytest.raises(ValueError, match="Did you mean hidden_layer_sizes="):
        MLPClassifier(loss=sizes).fit(X, TARGETS["binary"])


def test_the_site_has_every_alias():
    tables = [*(names for names, _ in PARAMETERS.values()), CLASSIFIER_LOSSES, REGRESSOR_LOSSES]
    page = Path(__file__).parents[1] / "docs" / "coming_from" / "names.rst"
    text = page.read_text(encoding="utf-8")
    missing = [alias for names in tables for alias in names.aliases if f"``{alias}``" not in text]
    assert not missing


def test_names_that_stand_twice():
    for rows in ([("one", 1, ("One",))], [("one", 1, ()), ("o_n_e", 2, ())]):
        with pytest.raises(ValueError, match="stands twice"):
            Names(rows)
