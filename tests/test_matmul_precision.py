"""``matmul_precision``: what products round, what they run as, and who is told."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from helpers import (
    REFERENCE,
    make_problem,
    objective_and_gradient,
    offset_array,
    predict,
    size_triples,
    train,
)
from helpers_looped import looped
from helpers_process import run_python
from helpers_tolerances import assert_within, dot_bound
from sklearn.base import clone
from sklearn.datasets import load_digits

from fastmlp import MLPClassifier, MLPRegressor, Predictor, notices
from fastmlp.backends import compiled, get_backend, probe
from fastmlp.backends.compiled import CompiledBackend
from fastmlp.backends.reference.operands import product, to_bfloat16
from fastmlp.plan import layout
from fastmlp.registry import MATMUL_PRECISIONS
from fastmlp.tabular import Recipe

FLOAT32 = np.dtype(np.float32)
#: All threads, and all precisions that this machine has kernels for, whether they pay or not.
BACKEND = CompiledBackend(measures_pace=False)
HAS_MEDIUM = BACKEND.runs_as("medium", FLOAT32) == "medium"
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_medium = pytest.mark.skipif(not HAS_MEDIUM, reason="no such products on this machine")


@pytest.fixture
def any_size(monkeypatch):
    """Let small networks round their operands, too."""
    monkeypatch.setattr(layout, "PRODUCTS_OF_OPERAND", 0)


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    """Let each test be told what a process is told once."""
    monkeypatch.setattr(notices, "_SAID", set())


# -- what is rounded, and how -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "rounded"),
    [
        (1.0, 1.0),
        (1 + 2**-8, 1.0),  # ties go to the even number
        (1 + 3 * 2**-8, 1 + 2**-6),
        (1 + 2**-8 + 2**-20, 1 + 2**-7),
        (-1 - 2**-8 - 2**-20, -1 - 2**-7),
        (2**-126, 2**-126),
        (2**-127, 0.0),
        (-(2**-140), -0.0),
        (3.4e38, np.inf),
        (-np.inf, -np.inf),
        (np.nan, np.nan),
    ],
)
def test_rounding(x, rounded):
    found = to_bfloat16(np.array([x], np.float32))
    np.testing.assert_array_equal(found, np.array([rounded], np.float32))
    assert np.signbit(found[0]) == np.signbit(np.float32(rounded)) or np.isnan(x)


def test_precisions_of_the_specification():
    """Relative to the sum of |terms|: 2⁻²⁴, 2⁻¹⁷ and 2⁻⁹ for each operand, rarely all at once."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 300)), rng.normal(size=(300, 50))
    terms = np.abs(a) @ np.abs(b)
    errors = {
        precision: np.max(
            np.abs(product(precision, a.astype(np.float32), b.astype(np.float32)) - a @ b) / terms
        )
        for precision in MATMUL_PRECISIONS
    }
    assert errors["highest"] < 2**-20
    assert 2**-20 < errors["high"] < 2**-15
    assert 2**-13 < errors["medium"] < 2**-8
    for precision in MATMUL_PRECISIONS:
        np.testing.assert_array_equal(product(precision, a, b), a @ b)


def rounded(*arrays: np.ndarray) -> list[np.ndarray]:
    return [to_bfloat16(a).astype(np.float64) for a in arrays]


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return offset_array(rng.normal(size=shape).astype(np.float32))


class MediumKernels(CompiledBackend):
    """Kernels that stand alone, of the products that round to bfloat16."""

    def kernels(self, dtype, precision="medium"):
        return super().kernels(dtype, precision)


@needs_medium
@looped(("n_rows", "fan_in", "fan_out"), size_triples())
def test_products(n_rows, fan_in, fan_out):
    """Sizes are odd, even, and around the vectors: whatever is short is filled with zeros."""
    rng, backend = np.random.default_rng(n_rows), MediumKernels(measures_pace=False)
    x, dz = normal(rng, n_rows, fan_in), normal(rng, n_rows, fan_out)
    w, b = normal(rng, fan_in, fan_out), normal(rng, fan_out)
    z, dx = np.full_like(dz, np.nan), np.full_like(x, np.nan)
    dw, db = np.full_like(w, np.nan), np.full_like(b, np.nan)
    backend.dense_forward(x, w, b, z)
    backend.dense_backward_input(dz, w, dx)
    backend.dense_backward_weights(x, dz, dw, db)
    sums = dz.astype(np.float64).sum(axis=0)
    x, dz, w = rounded(x, dz, w)
    b = b.astype(np.float64)
    assert_within(z, x @ w + b, dot_bound(x, w, b, FLOAT32))
    assert_within(dx, dz @ w.T, dot_bound(dz, w.T, 0.0, FLOAT32))
    assert_within(dw, x.T @ dz, dot_bound(x.T, dz, 0.0, FLOAT32))
    ones = np.ones((n_rows, 1))
    assert_within(db, sums, dot_bound(ones.T, dz, 0.0, FLOAT32)[0] * 1.01)


@needs_medium
@looped("fan_in", [1, 2, 7, 33])
def test_nan_and_inf_stay_in_their_row(fan_in):
    """Zeros beside the last number of an odd depth meet zeros only."""
    backend = MediumKernels(measures_pace=False)
    x, w = np.ones((29, fan_in), np.float32), np.ones((fan_in, 37), np.float32)
    b, z = np.zeros(37, np.float32), np.empty((29, 37), np.float32)
    x[2, -1], x[7, 0] = np.nan, np.inf
    backend.dense_forward(x, w, b, z)
    expected = np.full(z.shape, float(fan_in))
    expected[2], expected[7] = np.nan, np.inf
    np.testing.assert_array_equal(z, expected)
    w[-1, 5] = np.nan
    backend.dense_forward(x, w, b, z)
    expected[:, 5] = np.nan
    np.testing.assert_array_equal(z, expected)


# -- networks -----------------------------------------------------------------------------------

NETWORKS = {
    "odd": {"layer_sizes": (13, 37, 53, 3), "dropouts": (0.2, 0.5, 0.1), "batch_size": 61},
    "wide": {"layer_sizes": (97, 521, 131, 10), "batch_size": 129},
    "wide batch": {"layer_sizes": (5, 141, 3), "batch_size": 2049, "n_rows": 4200},
    "one output": {"layer_sizes": (33, 65, 1), "loss": "squared_error", "batch_size": 33},
    "one row": {"layer_sizes": (33, 65, 4), "batch_size": 1, "n_rows": 9},
    "norms": {"layer_sizes": (64, 161, 96, 10), "normalizations": ["batch", "layer"]},
    "parametric": {"layer_sizes": (13, 37, 53, 3), "parametric": True},
    "members": {"layer_sizes": (13, 37, 5), "n_scales": 3, "n_members": 3, "batch_size": 21},
    "own members": {"layer_sizes": (13, 37, 5), "n_members": 3, "n_shared": 0, "batch_size": 21},
}
every_network = looped("network", NETWORKS.values())


def problem_of(network: dict, precision: str):
    return make_problem(
        dtype=np.float32,
        matmul_precision=precision,
        **{"n_rows": 333, "n_epochs": 1, "optimizer": "adam", "l2": 0.1, **network},
    )


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))


@needs_medium
@pytest.mark.usefixtures("any_size")
@every_network
def test_networks_round_as_the_specification_does(network):
    """Up to operands so near to the middle of two bfloat16 that float32's rounding decides."""
    exact, problem = problem_of(network, "highest"), problem_of(network, "medium")
    gradients = [objective_and_gradient(each, problem)[1] for each in (REFERENCE, BACKEND)]
    outputs = [predict(each, problem, apply_link=False) for each in (REFERENCE, BACKEND)]
    of_exact = (
        objective_and_gradient(REFERENCE, exact)[1],
        predict(REFERENCE, exact, apply_link=False),
    )
    for (specified, found), unrounded in zip((gradients, outputs), of_exact, strict=True):
        assert distance(found, specified) < 0.1 * distance(unrounded, specified)


@needs_medium
@pytest.mark.usefixtures("any_size")
@every_network
def test_every_number_of_threads_and_of_rows(network):
    problem = problem_of(network, "medium")
    expected = train(BACKEND, problem, 1).parameters
    outputs = predict(BACKEND, problem)
    for n_threads in (2, 3, 5):
        np.testing.assert_array_equal(train(BACKEND, problem, n_threads).parameters, expected)
        np.testing.assert_array_equal(predict(BACKEND, problem, n_threads=n_threads), outputs)
    for rows in (np.arange(1), np.arange(3, 9)):
        np.testing.assert_array_equal(predict(BACKEND, problem, rows), outputs[rows])


@needs_medium
def test_a_weight_that_is_nan_is_seen():
    problem = problem_of(NETWORKS["wide"], "medium")
    problem.parameters[7] = np.nan
    assert np.isnan(predict(BACKEND, problem)).all()
    assert np.isnan(train(BACKEND, problem).totals.cost)


@needs_medium
@looped("layer_sizes", [(64, 100, 10), (13, 37, 53, 3), (7, 2)])
def test_a_row_alone_has_the_bits_of_the_row_in_a_batch(any_size, layer_sizes):
    settings = {"dtype": FLOAT32, "n_rows": 150, "matmul_precision": "medium"}
    problem = make_problem(layer_sizes, "tanh", **settings)
    everything = predict(BACKEND, problem)
    for row in (0, 33, 149):
        alone = predict(BACKEND, problem, np.array([row]))
        np.testing.assert_array_equal(alone[0], everything[row])


@pytest.mark.parametrize("asked", ["high", "medium"])
def test_float64_is_left_alone(asked):
    problem = make_problem((64, 300, 10), dtype=np.float64, optimizer="adam")
    other = replace(problem, plan=replace(problem.plan, matmul_precision=asked))
    assert other.plan.precision == asked
    for backend in (BACKEND, REFERENCE):
        np.testing.assert_array_equal(predict(backend, other), predict(backend, problem))
        expected = train(backend, problem).parameters
        np.testing.assert_array_equal(train(backend, other).parameters, expected)


def test_small_networks_are_exact():
    """Sizes alone decide, in every backend."""
    assert problem_of({"layer_sizes": (13, 37, 53, 3)}, "medium").plan.precision == "highest"
    assert problem_of({"layer_sizes": (64, 256, 256, 3)}, "medium").plan.precision == "medium"
    assert problem_of({"layer_sizes": (64, 256, 256, 3)}, "highest").plan.precision == "highest"


# -- what runs here -----------------------------------------------------------------------------


@needs_medium
@pytest.mark.parametrize(
    ("gains", "runs_as"),
    [([1.0], "highest"), ([1.9], "medium"), ([1.4, 1.3, 2.0], "medium"), ([1.4] * 3, "highest")],
)
def test_what_does_not_pay_is_not_used(monkeypatch, gains, runs_as):
    """It is measured once; what is neither about 1 nor about 2 is measured again."""
    measured = iter(gains)
    monkeypatch.setattr(probe, "_FOUND", {})
    monkeypatch.setattr(probe, "gain", lambda isa, precision: next(measured))
    for _ in range(2):
        assert CompiledBackend().runs_as("medium", FLOAT32) == runs_as
        assert CompiledBackend().runs_as("highest", FLOAT32) == "highest"
    assert not list(measured)


@needs_medium
def test_the_gain_is_measured():
    assert 0.5 < probe.gain(BACKEND.isa, "medium") < 4


@needs_medium
@pytest.mark.parametrize(("operand", "runs_as"), [("float32", "highest"), ("bfloat16", "medium")])
def test_the_environment_may_say_it(monkeypatch, operand, runs_as):
    monkeypatch.setenv("FASTMLP_MEDIUM", operand)
    monkeypatch.setattr(probe, "gain", None)
    assert CompiledBackend().runs_as("medium", FLOAT32) == runs_as


def test_the_environment_is_checked(monkeypatch):
    monkeypatch.setenv("FASTMLP_MEDIUM", "tf32")
    with pytest.raises(ValueError, match=r"FASTMLP_MEDIUM must be float32.* got 'tf32'"):
        CompiledBackend()
    monkeypatch.setenv("FASTMLP_MEDIUM", "bfloat16")
    with pytest.raises(ValueError, match="FASTMLP_MEDIUM must be float32 on this machine"):
        CompiledBackend(isa=compiled.available_isas()[0])


def test_every_backend_says_what_it_runs():
    assert [REFERENCE.runs_as(name, FLOAT32) for name in MATMUL_PRECISIONS] == [*MATMUL_PRECISIONS]
    assert get_backend("numba").runs_as("medium", FLOAT32) == "highest"
    for backend in (BACKEND, REFERENCE):
        assert backend.runs_as("medium", np.dtype(np.float64)) == "highest"


X = np.random.default_rng(0).normal(size=(300, 70)).astype(np.float32)
Y = np.arange(300) % 3
SETTINGS = {"hidden_layer_sizes": (256,), "max_iter": 2, "tol": 0.0, "random_state": 0}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"backend": "numba"}, "the backend 'numba'"),
        ({"dtype": "float64"}, "the dtype is float64"),
        ({"dtype": "float64", "backend": "numpy"}, "the dtype is float64"),
    ],
)
def test_what_runs_at_highest_says_so_once(settings, why):
    exact = MLPClassifier(**SETTINGS, **settings).fit(X, Y)
    model = MLPClassifier(**SETTINGS, **settings, matmul_precision="medium")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model.fit(X, Y).fit(X, Y)
    texts = [str(each.message) for each in found if "matmul_precision" in str(each.message)]
    assert len(texts) == 1
    assert texts[0].startswith(f"matmul_precision='medium' runs as \"highest\": {why}")
    assert found[0].filename == __file__
    np.testing.assert_array_equal(model.predict_proba(X), exact.predict_proba(X))


@pytest.mark.parametrize("isa", [isa for isa in compiled.available_isas() if isa != "v4"])
def test_an_instruction_set_without_it_runs_at_highest(isa):
    """In a process of its own, where it is said once, not for each fit."""
    code = """if True:
        import warnings
        import numpy as np
        from fastmlp import MLPRegressor, show_config
        X = np.random.default_rng(0).normal(size=(100, 70)).astype(np.float32)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            models = [
                MLPRegressor(solver="lbfgs", max_iter=3, random_state=0, matmul_precision=name)
                for name in ("highest", "medium", "medium")
            ]
            bits = {m.fit(X, X[:, 0]).predict(X).tobytes() for m in models}
        print(len(bits), sum("matmul_precision" in str(each.message) for each in found))
        show_config()
    """
    lines = run_python(code, FASTMLP_ISA=isa).splitlines()
    assert lines[0] == "1 1"
    assert any("medium (here the same as highest)" in line for line in lines)


# -- estimators ---------------------------------------------------------------------------------


@pytest.fixture
def medium_pays(monkeypatch):
    monkeypatch.setattr(probe, "_FOUND", {(BACKEND.isa, "medium"): True})


@needs_medium
@pytest.mark.usefixtures("medium_pays")
def test_models_keep_the_word():
    model = MLPClassifier(**SETTINGS, matmul_precision="medium").fit(X, Y)
    exact = MLPClassifier(**SETTINGS).fit(X, Y)
    outputs = model.predict_proba(X)
    assert not np.array_equal(outputs, exact.predict_proba(X))
    assert clone(model).get_params()["matmul_precision"] == "medium"
    for copied in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, Y)):
        np.testing.assert_array_equal(copied.predict_proba(X), outputs)
    model.set_params(matmul_precision="highest")  # takes effect with the next fit
    np.testing.assert_array_equal(model.predict_proba(X), outputs)


@needs_medium
@pytest.mark.usefixtures("medium_pays")
def test_a_warm_start_and_partial_fits_take_the_new_word():
    models = [MLPClassifier(**SETTINGS, warm_start=True).fit(X, Y) for _ in range(2)]
    models[1].set_params(matmul_precision="medium")
    first, second = (model.fit(X, Y).predict_proba(X) for model in models)
    assert 0 < np.abs(first - second).max() < 0.05
    streams = [MLPRegressor(hidden_layer_sizes=(256,), random_state=0) for _ in range(2)]
    for n in range(3):
        streams[0].set_params(matmul_precision="medium" if n else "highest")
        for stream in streams:
            stream.partial_fit(X, X[:, 0])
    first, second = (stream.predict(X) for stream in streams)
    assert 0 < np.abs(first - second).max() < 0.05


@needs_medium
@pytest.mark.usefixtures("medium_pays")
def test_predictors_have_a_word_of_their_own():
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    np.testing.assert_array_equal(
        Predictor(model, matmul_precision="highest")(X), model.predict_proba(X)
    )
    rounding = Predictor(model, matmul_precision="medium")
    rounded_too = MLPClassifier(**SETTINGS, matmul_precision="medium").fit(X, Y)
    difference = np.abs(rounding(X) - model.predict_proba(X)).max()
    assert 0 < difference < 0.02
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rounding))(X), rounding(X))
    np.testing.assert_array_equal(Predictor(rounded_too)(X), rounded_too.predict_proba(X))


def test_wrong_words_are_refused():
    with pytest.raises(ValueError, match="matmul_precision must be one of"):
        MLPClassifier(matmul_precision="bfloat16").fit(X, Y)
    with pytest.raises(ValueError, match="matmul_precision must be one of"):
        Predictor(MLPRegressor(max_iter=1, tol=0.0).fit(X, X[:, 0]), matmul_precision="low")


@pytest.mark.parametrize("word", ["low", None, 2])
def test_a_damaged_word_is_refused(word):
    plan = layout.make_plan([5, 4, 3], ["relu"], "softmax_cross_entropy", matmul_precision="high")
    assert pickle.loads(pickle.dumps(plan)).matmul_precision == "high"
    damaged = pickle.dumps(replace(plan, matmul_precision=word))
    with pytest.raises(ValueError, match="matmul_precision is unknown"):
        pickle.loads(damaged)


def test_recipes_of_tables_have_it():
    assert "matmul_precision" in str(Recipe(matmul_precision="medium"))


@needs_medium
@pytest.mark.usefixtures("medium_pays")
def test_digits_are_learnt_as_well():
    """The mean of three seeds: no seed differs from itself by more than seeds do."""
    digits, labels = load_digits(return_X_y=True)
    digits, scores = digits / 16, {}
    for precision in ("highest", "medium"):
        scores[precision] = [
            MLPClassifier(
                (256, 256), max_iter=15, tol=0.0, random_state=seed, matmul_precision=precision
            )
            .fit(digits[:1200], labels[:1200])
            .score(digits[1200:], labels[1200:])
            for seed in range(3)
        ]
    assert abs(np.mean(scores["medium"]) - np.mean(scores["highest"])) < 0.01
