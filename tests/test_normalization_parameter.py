"""The estimators' ``normalization`` and what goes with it: fits that go on, pickles, bad input."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from helpers_checks import WITHOUT_NUMBERS, checks_of
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier, MLPRegressor, Predictor
from fastmlp.backends import BACKENDS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)
Y = np.tanh(X[:, :2])
NAMES = ["batch", "layer", "instance", "group"]

every_name = pytest.mark.parametrize("name", NAMES)
every_backend = pytest.mark.parametrize("backend", BACKENDS)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(normalization, **parameters) -> MLPClassifier:
    return MLPClassifier(
        **{
            "hidden_layer_sizes": (16, 8),
            "normalization": normalization,
            "n_groups": 2,
            "n_channels": 2,
            "batch_size": 16,
            "max_iter": 5,
            "dtype": "float64",
            "random_state": 0,
            **parameters,
        }
    )


@every_name
def test_it_learns(name):
    model = classifier(name, max_iter=60, learning_rate_init=0.02)
    assert model.fit(X, LABELS).score(X, LABELS) > 0.95


@every_name
@every_backend
def test_backends_agree(name, backend):
    expected = classifier(name).fit(X, LABELS).predict_proba(X)
    model = classifier(name, backend=backend).fit(X, LABELS)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=0, atol=1e-8)


def test_the_fitted_attributes():
    model = classifier(["batch", None]).fit(X, LABELS)
    for attribute in ("norm_gains_", "norm_shifts_", "running_means_", "running_variances_"):
        first, second = getattr(model, attribute)
        assert first.shape == (16,)
        assert np.shares_memory(first, model.coefs_[0].base)
        assert second is None
    layer = classifier("layer").fit(X, LABELS)
    assert [gain.shape for gain in layer.norm_gains_] == [(16,), (8,)]
    assert layer.running_means_ == layer.running_variances_ == [None, None]
    assert classifier(None).fit(X, LABELS).norm_gains_ == [None, None]


@pytest.mark.parametrize("each", [["layer"] * 2, ("layer", "layer"), np.array(["layer", "layer"])])
def test_the_same_for_each_is_one_for_all(each):
    expected = classifier("layer").fit(X, LABELS).predict_proba(X)
    np.testing.assert_array_equal(classifier(each).fit(X, LABELS).predict_proba(X), expected)


def test_no_hidden_layer_needs_none():
    plain = classifier(None, hidden_layer_sizes=()).fit(X, LABELS)
    model = classifier("batch", hidden_layer_sizes=()).fit(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X))
    assert model.norm_gains_ == []


def test_gain_and_shift_are_neither_penalised_nor_decayed():
    still = {"learning_rate_init": 1e-3, "max_iter": 1, "solver": "sgd", "momentum": 0.0}
    strong = classifier("layer", alpha=50.0, l1=5.0, weight_decay=0.5, **still).fit(X, LABELS)
    weak = classifier("layer", alpha=0.0, **still).fit(X, LABELS)
    assert np.abs(strong.coefs_[0] - weak.coefs_[0]).max() > 1e-3
    for with_penalty, without in zip(strong.norm_gains_, weak.norm_gains_, strict=True):
        assert np.abs(with_penalty - 1).max() > 0
        np.testing.assert_allclose(with_penalty, without, rtol=0, atol=2e-3)


@every_name
def test_a_pickle_predicts_and_goes_on_alike(name):
    model = classifier(name, warm_start=True).fit(X, LABELS)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    again = [each.fit(X, LABELS).predict_proba(X) for each in (model, twin)]
    np.testing.assert_array_equal(*again)


@every_name
def test_partial_fit_goes_on(name):
    model = classifier(name, shuffle=False, solver="sgd")
    for _ in range(5):
        model.partial_fit(X, LABELS, classes=[0, 1])
    at_once = classifier(name, shuffle=False, solver="sgd").fit(X, LABELS)
    np.testing.assert_allclose(model.predict_proba(X), at_once.predict_proba(X), rtol=1e-12)


@every_name
def test_warm_start_keeps_gains_and_statistics(name):
    model = classifier(name, warm_start=True).fit(X, LABELS)
    vector = model._network.parameters.copy()
    model.set_params(learning_rate_init=1e-12, max_iter=1, batch_norm_momentum=1e-12)
    np.testing.assert_allclose(model.fit(X, LABELS)._network.parameters, vector, atol=1e-9)


def test_early_stopping_brings_back_the_best_statistics():
    settings = {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "n_iter_no_change": 5,
        "learning_rate_init": 0.1,
    }
    model = classifier("batch", max_iter=30, **settings).fit(X, LABELS)
    best = int(np.argmax(model.validation_scores_)) + 1
    assert best < model.n_iter_
    expected = classifier("batch", max_iter=best, **settings).fit(X, LABELS)
    np.testing.assert_array_equal(model.running_means_[0], expected.running_means_[0])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_last_batch_of_one_row_joins_the_one_before(backend):
    """33 rows in batches of 16: 16 and 17, as if the second batch had been one row longer."""
    model = classifier(
        "batch", shuffle=False, max_iter=1, backend=backend, solver="sgd", momentum=0.0
    ).fit(X[:33], LABELS[:33])
    step = classifier("batch", shuffle=False, backend=backend, solver="sgd", momentum=0.0)
    step.partial_fit(X[:16], LABELS[:16], classes=[0, 1])
    step.set_params(batch_size=17).partial_fit(X[16:33], LABELS[16:33])
    np.testing.assert_array_equal(model.predict_proba(X), step.predict_proba(X))
    assert model._network.step == 2


@every_backend
def test_clipping_counts_only_what_there_is_when_the_last_batch_grows(backend):
    """Batches of 32 and 33 rows lie differently in the workspace: nothing old may be counted."""
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(97, 40)), 100 * rng.normal(size=(97, 3))

    def fitted(name):
        model = MLPRegressor(
            hidden_layer_sizes=(130, 120, 90),
            normalization="batch",
            clip_norm=0.5,
            batch_size=32,
            max_iter=2,
            solver="sgd",
            learning_rate_init=0.1,
            dtype="float64",
            backend=name,
            random_state=0,
        )
        return model.fit(rows, targets)._network.parameters

    np.testing.assert_allclose(fitted(backend), fitted("numpy"), rtol=0, atol=1e-12)


def test_one_row_more_than_a_batch_is_one_batch():
    joined = classifier("batch", shuffle=False, max_iter=3).fit(X[:17], LABELS[:17])
    whole = classifier("batch", shuffle=False, max_iter=3, batch_size=17).fit(X[:17], LABELS[:17])
    np.testing.assert_array_equal(joined.predict_proba(X), whole.predict_proba(X))


@every_backend
@every_name
def test_lbfgs(name, backend):
    model = classifier(name, solver="lbfgs", backend=backend, max_iter=40).fit(X, LABELS)
    assert model.score(X, LABELS) == 1
    if name == "batch":
        z = X @ model.coefs_[0] + model.intercepts_[0]
        np.testing.assert_allclose(model.running_means_[0], z.mean(axis=0), atol=1e-10)
        np.testing.assert_allclose(model.running_variances_[0], z.var(axis=0, ddof=1), rtol=1e-9)


@every_name
@pytest.mark.parametrize("n_rows", [1, 500])
def test_a_predictor_predicts_as_the_model(name, n_rows):
    model = MLPRegressor(
        hidden_layer_sizes=(16, 8), normalization=name, n_groups=2, n_channels=2, max_iter=3
    ).fit(X, Y)
    rows = np.random.default_rng(1).normal(size=(n_rows, 6)).astype(np.float32)
    np.testing.assert_array_equal(Predictor(model)(rows), model.predict(rows))


@every_name
def test_n_threads_changes_nothing(name):
    fits = [
        classifier(name, n_threads=n, hidden_layer_sizes=(64, 32)).fit(X, LABELS) for n in (1, 3)
    ]
    np.testing.assert_array_equal(*(model._network.parameters for model in fits))


def test_clone_and_repr():
    model = classifier(["batch", None], batch_norm_momentum=0.3)
    assert clone(model).get_params() == model.get_params()
    assert "batch_norm_momentum=0.3" in repr(model)


# -- bad input ----------------------------------------------------------------------------------

WRONG = [
    ({"normalization": "bach"}, "normalization must be one of batch, layer, instance, gro"),
    ({"normalization": "none"}, "normalization must be one of batch, .*, or None; got 'none'."),
    ({"normalization": 3}, "normalization must be one of .*; got 3."),
    ({"normalization": ["layer", "x"]}, r"normalization\[1\] must be one of .*; got 'x'."),
    ({"normalization": ["layer"]}, "normalization has 1 entries, but .* has 2 layers."),
    ({"normalization": [["layer"], [None]]}, "normalization must be one name or a flat sequence"),
    ({"normalization": "group", "n_groups": None}, "'group' needs n_groups; got None."),
    ({"normalization": "group", "n_groups": 3}, "n_groups=3 must divide .* channels, which is 2"),
    ({"normalization": "group", "n_groups": 0}, "n_groups must be an integer ≥ 1 or None; got 0."),
    (
        {"normalization": "group", "n_groups": 8, "n_channels": None},
        "n_groups=8 leaves one unit in each group of a layer of 8 units.",
    ),
    (
        {"normalization": "instance", "n_channels": 3},
        "n_channels=3 must divide the width of each hidden layer .*; got a layer of 16 units.",
    ),
    (
        {"normalization": "instance", "n_channels": None},
        r"'instance' needs more than one position in a channel: .* 16 units \(got None\).",
    ),
    (
        {"normalization": "instance", "n_channels": 8},
        r"'instance' needs more than one position in a channel: .* 8 units \(got 8\).",
    ),
    (
        {"normalization": "layer", "hidden_layer_sizes": (4, 1)},
        "normalization='layer' needs two units or more in each hidden layer.",
    ),
    (
        {"normalization": "batch", "batch_size": 1},
        "normalization='batch' needs two rows or more in a batch; got batch_size=1.",
    ),
    ({"batch_norm_momentum": 0}, "batch_norm_momentum must be a number > 0 and ≤ 1; got 0."),
    ({"batch_norm_momentum": 1.1}, "batch_norm_momentum must be a number > 0 and ≤ 1; got 1.1."),
]


@every_backend
@pytest.mark.parametrize(("parameters", "message"), WRONG)
def test_bad_parameters(backend, parameters, message):
    model = classifier(**{"normalization": None, "backend": backend, **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(X, LABELS)
    assert not hasattr(model, "classes_")


ONE_ROW = r"needs two rows or more to train on; n_samples=1\."


@every_backend
def test_batch_norm_of_one_row(backend):
    model = MLPRegressor(normalization="batch", backend=backend)
    with pytest.raises(ValueError, match=ONE_ROW):
        model.fit(X[:1], Y[:1])
    model.set_params(early_stopping=True, validation_fraction=0.6)
    with pytest.raises(ValueError, match=ONE_ROW):
        model.fit(X[:3], Y[:3])
    assert not hasattr(model, "coefs_")


@every_backend
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_batch_norm_of_one_row_with_a_weight(backend, solver):
    weights = np.zeros(90)
    weights[7] = 2.0
    model = MLPRegressor(normalization="batch", backend=backend, solver=solver)
    text = "needs two rows or more to train on; sample_weight leaves one"
    with pytest.raises(ValueError, match=text):
        model.fit(X, Y, sample_weight=weights)
    assert not hasattr(model, "coefs_")
    weights[8] = 1.0
    assert np.isfinite(model.set_params(max_iter=3).fit(X, Y, sample_weight=weights).loss_)


def test_batch_norm_of_one_training_row_with_a_weight():
    """Of the rows 0 … 9 two are held out, one of those with a weight with them."""
    order = np.random.RandomState(0).permutation(
        10
    )  # as scikit-learn draws: the first are held out
    weights = np.zeros(10)
    weights[order[[0, 5]]] = 1.0
    model = MLPRegressor(normalization="batch", early_stopping=True, validation_fraction=0.2)
    model.set_params(random_state=0, init=lambda i, o, rng: np.ones((i, o)))
    with pytest.raises(ValueError, match="sample_weight leaves one"):
        model.fit(X[:10], Y[:10], sample_weight=weights)


@every_backend
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_batch_norm_leaves_rows_without_weight_out(solver, backend):
    """Else a batch might have but one row that counts, and a variance of 0."""
    weights = np.zeros(90)
    weights[::9] = np.linspace(0.5, 2, 10)
    kept = weights > 0
    settings = {"batch_size": 3, "solver": solver, "backend": backend}  # 3, 3 and 4 of the ten
    model = classifier("batch", **settings)
    whole = model.fit(X, LABELS, sample_weight=weights)._network.parameters
    part = model.fit(X[kept], LABELS[kept], sample_weight=weights[kept])._network.parameters
    np.testing.assert_array_equal(whole, part)


def test_another_normalization_cannot_go_on():
    model = classifier("batch", warm_start=True).fit(X, LABELS)
    before = model.predict_proba(X)
    model.set_params(normalization=["layer", None])
    message = "normalization is now layer, none, but .* has batch, batch in its hidden layers."
    with pytest.raises(ValueError, match=message):
        model.fit(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize("way", ["warm_start", "partial_fit"])
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("group", {"n_groups": 4, "n_channels": 8}, "n_groups is now 4, but .* has 2 in .* group"),
        (
            "instance",
            {"n_channels": 4},
            "n_channels is now 4, but .* has 2 in .* with instance norm",
        ),
    ],
)
def test_other_groups_cannot_go_on(name, change, message, way):
    model = classifier(name, warm_start=True).fit(X, LABELS).set_params(**change)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        (model.fit if way == "warm_start" else model.partial_fit)(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_what_a_normalization_does_not_read_may_change():
    model = classifier(["batch", "layer"], warm_start=True).fit(X, LABELS)
    model.set_params(n_groups=4, n_channels=8).fit(X, LABELS)
    model = classifier("group", warm_start=True).fit(X, LABELS)
    model.set_params(n_channels=8).fit(X, LABELS)  # two groups of units, as before


def test_the_batch_size_does_not_matter_to_lbfgs():
    model = classifier("batch", solver="lbfgs", batch_size=1, max_iter=3)
    assert np.isfinite(model.fit(X, LABELS).loss_)


# -- scikit-learn's checks ----------------------------------------------------------------------


def checks():
    for name in ("batch", "layer"):
        for cls in (MLPClassifier, MLPRegressor):
            model = cls(
                hidden_layer_sizes=(20,),
                normalization=name,
                learning_rate_init=0.02,
                max_iter=40,
                dtype="float64",
                n_threads=1,
            )
            for title, estimator, check in checks_of(model, *WITHOUT_NUMBERS):
                yield pytest.param(estimator, check, id=f"{cls.__name__}-{name}-{title}")


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "y has only one class", RuntimeWarning)
        warnings.filterwarnings("ignore", "class_weight sums to", UserWarning)
        check(estimator)
