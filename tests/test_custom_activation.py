"""Activations that the user writes: compiled, checked, trained with, pickled."""

from __future__ import annotations

import copy
import ctypes
import ctypes.util
import importlib
import math
import operator
import pickle
from concurrent.futures import ThreadPoolExecutor
from math import tanh as imported_tanh

import joblib
import numba
import numpy as np
import pytest
from helpers import REFERENCE, make_problem, predict, train
from helpers_custom import asserting, relu, relu_slope, softplus, softplus_slope, tanh, tanh_slope
from helpers_process import run_python
from sklearn.base import clone

from fastmlp import MLPClassifier, MLPRegressor, Predictor, custom_activation
from fastmlp.backends import _core
from fastmlp.backends.numba_jit.binding import address_of, bound_layers, evaluate_activation
from fastmlp.backends.numba_jit.compiling import result_type
from fastmlp.plan.user_functions import CustomActivation
from fastmlp.registry import ACTIVATIONS, CUSTOM

X = np.random.default_rng(0).normal(size=(80, 4))
LABELS = X[:, 0] - X[:, 1] > 0.3


def tanh_by_exp(z):
    return (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z))


def tanh_by_exp_slope(z):
    t = tanh_by_exp_again(z)
    return 1.0 - t * t


@numba.njit
def tanh_by_exp_again(z):
    return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))


OWN = custom_activation(tanh, tanh_slope)
TWINS = {
    "tanh": OWN,
    "relu": custom_activation(relu, relu_slope),
    "softplus": custom_activation(softplus, softplus_slope),
}


def test_the_code_is_that_of_the_header():
    assert _core.CUSTOM == CUSTOM
    assert CUSTOM not in [row.code for row in ACTIVATIONS]


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 97])
def test_the_loop_equals_the_built_in_function(dtype, name, n):
    z = np.random.default_rng(n).normal(scale=3, size=n).astype(dtype)
    expected_h, expected_slope = np.empty((1, n), dtype), np.empty((1, n), dtype)
    REFERENCE.activate(ACTIVATIONS[name].code, z[np.newaxis], expected_h, expected_slope)
    for h, slope in (evaluate_activation(TWINS[name], z), TWINS[name].each(z)):
        tolerance = 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(h, expected_h[0], rtol=tolerance)
        np.testing.assert_allclose(slope, expected_slope[0], rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("dropouts", [None, (0.1, 0.2, 0.1)])
def test_training_equals_the_built_in_activation(backend, name, optimizer, dropouts):
    same = {"optimizer": optimizer, "dropouts": dropouts, "n_epochs": 2, "learning_rate": 0.05}
    built_in = make_problem(activations=[name, "tanh"], **same)
    own = make_problem(activations=[TWINS[name], "tanh"], **same)
    expected, trained = train(REFERENCE, built_in), train(backend, own, n_threads=2)
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=1e-10)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=1e-12)
    expected_prediction = predict(REFERENCE, built_in)
    np.testing.assert_allclose(predict(backend, own), expected_prediction, rtol=0, atol=1e-13)


def test_threads_change_no_bit(threaded_backend, dtype):
    problem = make_problem(activations=[OWN, OWN], dtype=dtype, n_rows=300, batch_size=128)
    one, two = (train(threaded_backend, problem, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.parameters, two.parameters)


def test_fits_in_several_python_threads_at_once():
    def fit(seed):
        own = custom_activation(lambda z: z * abs(z) + seed * z, lambda z: 2 * abs(z) + seed)
        model = MLPClassifier((9,), activation=own, solver="lbfgs", random_state=seed)
        return model.fit(X, LABELS).loss_curve_

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, range(4)))
    assert together == [fit(seed) for seed in range(4)]


# -- speed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [tanh, tanh_by_exp, lambda z: np.tanh(z) * 2, lambda z: imported_tanh(z) / 3],
)
def test_exponentials_become_vectors(function):
    from fastmlp.backends.numba_jit.compiling import activation_callback

    compiled = activation_callback(function, tanh_slope, np.dtype(np.float32))
    text = compiled.inspect_llvm()
    assert "x float>" in text
    assert not any(name in text for name in ("call float @tanhf", "call float @expf", "double"))


# -- what it is -----------------------------------------------------------------------------------


def test_repr_names_the_functions():
    assert repr(OWN) == "custom_activation(tanh, tanh_slope)"
    assert OWN.name == "tanh"
    named = custom_activation(tanh, tanh_slope, name="mine")
    assert repr(named) == "custom_activation(tanh, tanh_slope, name='mine')"


def test_equal_by_its_functions_and_hashable():
    assert custom_activation(tanh, tanh_slope) == OWN
    assert hash(custom_activation(tanh, tanh_slope)) == hash(OWN)
    assert custom_activation(relu, relu_slope) != OWN


def test_what_numba_has_compiled_already_is_taken_apart():
    assert custom_activation(numba.njit(tanh), numba.njit(tanh_slope)) == OWN


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda own: pickle.loads(pickle.dumps(own))]
)
def test_copies_are_equal(copied):
    assert copied(OWN) == OWN


@pytest.mark.parametrize("activation", [OWN, [OWN, "relu"]])
def test_estimators_with_it_are_cloned_and_pickled(activation, backend):
    name = backend.name
    model = MLPClassifier((6, 5), activation=activation, backend=name, random_state=0, max_iter=3)
    assert clone(model).activation == activation
    with pytest.warns(match="not converged"):
        model.fit(X, LABELS)
    again = pickle.loads(pickle.dumps(model))
    assert again.activation == activation
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_model_loads_in_a_new_process(tmp_path):
    with pytest.warns(match="not converged"):
        model = MLPRegressor(activation=OWN, max_iter=2, random_state=0).fit(X, X[:, 0])
    joblib.dump((model, X, model.predict(X)), tmp_path / "model")
    code = (
        "import joblib, sys;"
        "model, X, expected = joblib.load(sys.argv[1]);"
        "assert 'numba' not in sys.modules, 'loading compiles nothing';"
        "import numpy; numpy.testing.assert_array_equal(model.predict(X), expected)"
    )
    run_python(code, str(tmp_path / "model"))


def test_the_plan_holds_no_address():
    problem = make_problem(activations=[OWN, OWN])
    assert not problem.plan.layers["custom"].any()
    bound = bound_layers(problem.plan, np.dtype(np.float32))["custom"]
    assert bound.tolist() == [address_of(OWN, np.float32)] * 2 + [0]
    assert address_of(OWN, np.float64) != address_of(OWN, np.float32)


def test_a_predictor_outlives_the_model_and_the_activation():
    def fit():
        own = custom_activation(lambda z: z * 0.5, lambda z: 0.5)
        with pytest.warns(match="not converged"):
            model = MLPRegressor(activation=own, max_iter=2, random_state=0).fit(X, X[:, 0])
        return Predictor(model), model.predict(X)

    predictor, expected = fit()
    np.testing.assert_allclose(predictor(X)[:, 0], expected, rtol=1e-5, atol=1e-6)


# -- bad input ------------------------------------------------------------------------------------


def twice(z):
    return 2.0 * z


BAD = {
    "not a function": ((3.0, twice), TypeError, "f must be a Python function; got 3.0"),
    "a class": ((twice, float), TypeError, "df must be a Python function; got <class 'float'>"),
    "two numbers": ((lambda z, a: z, twice), TypeError, r"f must take 1 number\(s\)"),
    "a list": ((lambda z: [z][0] + len([z]), twice), ValueError, "Numba cannot compile f"),
    "a name that is not there": (
        (lambda z: z + nothing, twice),  # noqa: F821
        ValueError,
        "(?s)cannot compile f .*for float64.*It says: .*nothing",
    ),
    "a pair": ((lambda z: (z, z), twice), ValueError, "must return one real number; it returns"),
    "a complex number": ((twice, lambda z: z + 1j), ValueError, "df .*must return one real number"),
    "NaN": ((lambda z: z * math.nan, twice), ValueError, "is not finite at any of the points"),
    "a name": ((twice, lambda z: 2.0, 7), TypeError, "name must be None or a string; got 7"),
}


@pytest.mark.parametrize(("arguments", "error", "message"), BAD.values(), ids=BAD)
def test_bad_functions(arguments, error, message):
    with pytest.raises(error, match=message):
        custom_activation(*arguments)


def raising_far_out(z):
    if z > 30:
        raise ValueError("too far")
    return 2.0 * z


@numba.njit
def raising_helper(z):
    return raising_again(z)


raising_again = numba.njit(raising_far_out)


@pytest.mark.parametrize(
    "raising",
    [
        raising_far_out,
        asserting,
        lambda z: raising_helper(z) + 0.0,
        lambda z: z**-2,
    ],
)
def test_what_can_raise_is_refused(raising, capfd):
    for role, functions in (("f", (raising, twice)), ("df", (twice, raising))):
        with pytest.raises(ValueError, match=rf"^custom_activation: {role} \(.* can raise"):
            custom_activation(*functions)
    assert capfd.readouterr().err == ""


def test_what_can_raise_for_one_real_type_only_is_refused():
    def raising_in_single_precision(z, large=1e30):
        if math.isinf(large * large):
            raise ValueError("too large")
        return 2.0 * z

    with pytest.raises(ValueError, match=r"^custom_activation: f \(.* can raise"):
        custom_activation(raising_in_single_precision, twice)


# -- memory ---------------------------------------------------------------------------------------

THREE = (1.0, 2.0, 3.0)
TABLE = np.arange(201.0)  # no point at which slopes are compared lies outside
SQUARE = np.eye(3)
RECORDS = np.zeros(3, dtype=[("value", "f8")])
BYTES = b"abc"


def looked_up(z):
    return TABLE[int(abs(z) + 0.25)]


def looked_up_by_default(z, table=TABLE):
    return table[int(z)]


def in_a_closure(table):
    return lambda z: table[int(z)]


@numba.njit
def allocating(z):
    memory = np.zeros(3)
    memory[int(z)] = z
    return memory[0]


@numba.njit
def endless(z):
    return z if z < 0.0 else endless(z - 1.0)


@numba.extending.register_jitable
def jitable(z):
    return TABLE[int(z)]


# Compiled with what may allocate, before anybody forbids that.
allocating(1.0), allocating(np.float32(1))
compiled_look_up = numba.njit(looked_up)
vectorized_look_up = numba.vectorize(looked_up)
c_look_up = numba.cfunc("float64(float64)")(looked_up)

COMPUTED = "takes an element by a computed index"
HAZARDS = {
    "an array": (looked_up, r"uses the array TABLE \(line \d+\); use .* tuples of numbers"),
    "a constant index": (lambda z: TABLE[201] * z, "uses the array TABLE"),
    "two axes": (lambda z: SQUARE[int(z), 0], "uses the array SQUARE"),
    "a slice": (lambda z: TABLE[int(z) :][0], "uses the array TABLE"),
    "a flat view": (lambda z: SQUARE.flat[int(z)], "uses the array SQUARE"),
    "records": (lambda z: RECORDS[int(z)].value, "uses the array RECORDS"),
    "bytes": (lambda z: BYTES[int(z)] * z, "uses the array BYTES"),
    "a default": (looked_up_by_default, "uses the array table"),
    "a closure": (in_a_closure(TABLE), "uses the array table"),
    "a tuple": (lambda z: THREE[int(z)] * z, rf"{COMPUTED} \(line \d+\); use"),
    "a clamped index": (lambda z: THREE[min(int(abs(z)), 2)], COMPUTED),
    "an operator": (lambda z: operator.getitem(THREE, int(z)), COMPUTED),
    "a helper": (lambda z: compiled_look_up(z) + 0.0, r"calls looked_up \(line \d+\), which uses"),
    "a helper's memory": (lambda z: allocating(z) + 0.0, "calls allocating .*, which uses an"),
    "a ufunc": (lambda z: vectorized_look_up(z) + 0.0, "calls looked_up .*, which uses the"),
    "an overload": (lambda z: jitable(z) + 0.0, "calls jitable .*, which uses the array TABLE"),
    "a C callback": (lambda z: c_look_up(z) + 0.0, "uses c_look_up, of Numba's type FunctionType"),
    "recursion": (lambda z: endless(z) + 0.0, r"calls endless .*, which calls itself .*; write"),
}


@pytest.mark.parametrize(("unsafe", "message"), HAZARDS.values(), ids=HAZARDS)
def test_what_could_read_foreign_memory_is_refused(unsafe, message):
    with pytest.raises(ValueError, match=rf"^custom_activation: f \(.*\) {message}"):
        custom_activation(unsafe, twice)


def test_so_it_is_in_the_slope():
    with pytest.raises(ValueError, match=r"^custom_activation: df \(looked_up\) uses the array"):
        custom_activation(twice, looked_up)


def test_a_helper_from_a_cache_is_looked_into(tmp_path, monkeypatch):
    text = (
        "import numba, numpy as np\nTABLE = np.ones(3)\n"
        "@numba.njit(cache=True)\ndef helper(z):\n    return TABLE[int(z)]\n"
    )
    (tmp_path / "module_with_a_helper.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    for _ in range(2):
        module = importlib.reload(importlib.import_module("module_with_a_helper"))
        module.helper(1.0)
    assert sum(module.helper.stats.cache_hits.values()) == 1
    with pytest.raises(ValueError, match=r"calls helper .*, which uses the array TABLE"):
        custom_activation(lambda z: module.helper(z) + 0.0, twice)


def test_what_nobody_checked_never_runs():
    # As after unpickling, when a function is what its module has under this name by now.
    with pytest.raises(ValueError, match="looked_up uses the array TABLE"):
        address_of(CustomActivation(looked_up, tanh_slope, "changed"), np.float32)


def test_tuples_of_numbers_are_taken():
    def polynomial(z):
        total = 0.0
        for coefficient in THREE:
            total = total * z + coefficient
        return total

    own = custom_activation(polynomial, lambda z: 2 * THREE[0] * z + THREE[1])
    np.testing.assert_allclose(evaluate_activation(own, np.array([2.0])), [[11.0], [6.0]])


def test_c_functions_are_taken():
    erf = ctypes.CDLL(ctypes.util.find_library("m")).erf
    erf.argtypes, erf.restype = [ctypes.c_double], ctypes.c_double
    own = custom_activation(
        lambda z: erf(z) + 0.0, lambda z: 2 / math.sqrt(math.pi) * math.exp(-z * z), name="erf"
    )
    np.testing.assert_allclose(
        evaluate_activation(own, np.array([0.5]))[0], math.erf(0.5), rtol=1e-14
    )


# -- what is right --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "df"),
    [
        (lambda z: 1 / z, lambda z: -1 / z**2),  # Python would raise at 0
        (lambda z: math.gamma(1 + z * z) - math.gamma(1 + z * z) + z, lambda z: 1.0),
        (lambda z: z if z < 30 else math.nan, lambda z: 1.0),
    ],
)
def test_what_has_no_value_somewhere_is_taken(f, df):
    custom_activation(f, df)


@pytest.mark.parametrize(
    ("f", "df", "message"),
    [
        (tanh, lambda z: 1 - math.tanh(z), "differences give"),
        (tanh, lambda z: 0.0, "at z = 0 it gives 0, but differences give 1"),
        (relu, lambda z: 1.0 if z > 0 else 0.01, r"at z = -\d.* it gives 0.01, but .* give 0"),
        (lambda z: z**3, lambda z: 3 * z**2 * 1.001, "at z = "),
        (lambda z: z, lambda z: math.nan if z == 0.3 else 1.0, "at z = 0.3 it gives nan"),
        (lambda z: z * z, lambda z: -2 * z, "not the derivative"),
    ],
)
def test_a_wrong_slope_is_found(f, df, message):
    with pytest.raises(ValueError, match=message):
        custom_activation(f, df)


@pytest.mark.parametrize(
    ("f", "df"),
    [
        (relu, lambda z: 1.0 if z >= 0 else 0.0),  # the other side's slope at the kink
        (lambda z: abs(z) + 1, lambda z: 0.0 if z == 0 else math.copysign(1.0, z)),
        (lambda z: 1.0 if z > 0 else 0.0, lambda z: 0.0),  # a step
        (lambda z: math.exp(z) + 0.5, lambda z: math.exp(z) * 1.0),
        (lambda z: math.sin(30 * z), lambda z: 30 * math.cos(30 * z)),
        (lambda z: z**5, lambda z: 5 * z**4),
        (lambda z: 2 * math.log(z), lambda z: 2 / z),  # no value on the left
        (lambda z: 1e-8 * z, lambda z: 1e-8),
        (lambda z: 1e8 * math.tanh(z), lambda z: 1e8 * (1 - math.tanh(z) ** 2)),
    ],
)
def test_right_slopes_pass_kinks_included(f, df):
    assert evaluate_activation(custom_activation(f, df), np.array([1.0]))[0] == pytest.approx(
        f(1.0)
    )


@pytest.mark.parametrize("backend", ["compiled", "numba", "numpy"])
def test_a_plain_function_is_no_activation(backend):
    model = MLPClassifier(activation=tanh, backend=backend)
    with pytest.raises(
        ValueError,
        match=r"activation must be the name of one, or made by custom_activation; got a function",
    ):
        model.fit(X, LABELS)


# -- constants ------------------------------------------------------------------------------------

SCALE = np.sqrt(2 / np.pi)


def with_default(z, slope=0.3):
    return slope * z


def with_default_slope(z, slope=0.3):
    return slope


@pytest.mark.parametrize(
    "function",
    [
        lambda z: 2.0 * z,
        lambda z: -1.5 * z**2,
        lambda z: math.pi * z + np.e,
        lambda z: min(z, math.inf) + np.inf,
        lambda z: math.tau * math.exp(-z),
        lambda z: SCALE * z,
        lambda z: THREE[0] * z + (0.1, 0.2)[1],
        with_default,
    ],
)
def test_floating_point_constants_have_the_networks_type(function, dtype):
    assert result_type(function, dtype, 1).bitwidth == 8 * dtype.itemsize


@pytest.mark.parametrize("function", [lambda z: 2 * z, lambda z: 1 - z])
def test_integers_are_computed_with_in_double_precision(function):
    assert result_type(function, np.dtype(np.float32), 1).bitwidth == 64


def test_arguments_with_defaults_are_constants(dtype):
    own = custom_activation(with_default, with_default_slope)
    z = np.linspace(-2, 2, 9, dtype=dtype)
    for values in (evaluate_activation(own, z), own.each(z)):
        np.testing.assert_allclose(values[0], dtype.type(0.3) * z, rtol=2 * np.finfo(dtype).eps)
        np.testing.assert_array_equal(values[1], dtype.type(0.3))
