"""A damaged pickle, or a model whose parts disagree, is an error: it never ends the process."""

from __future__ import annotations

import json
import os
import pickle
import signal
from dataclasses import replace

import numpy as np
import pytest
from helpers import make_problem
from helpers_custom import half_square, half_square_slope, tanh, tanh_slope
from helpers_process import run_python

from fastmlp.backends import Rows, get_backend
from fastmlp.network import Network
from fastmlp.optimizers import Adam
from fastmlp.plan.layout import Plan, make_plan
from fastmlp.plan.records import LAYER_DTYPE, make_settings
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.schedules import Constant
from fastmlp.training.courses import Rates
from fastmlp.training.lbfgs import LbfgsRun
from fastmlp.training.loop import TrainingData, TrainingRun
from fastmlp.training.state import TrainerState
from fastmlp.training.updates import UpdateRule

#: ``FASTMLP_FLIPS=10000`` is the full run; the same number gives the same flips.
FLIPS = int(os.environ.get("FASTMLP_FLIPS", "500"))

OWN = CustomActivation(tanh, tanh_slope, "tanh")
OWN_LOSS = CustomLoss(half_square, half_square_slope, "half_square")
SIZES = (4, 6, 8, 3)


def plan_with(**named: object) -> Plan:
    """Return a plan with a bit of everything."""
    usual = {
        "layer_sizes": SIZES,
        "activations": [OWN, "swish"],
        "loss": "huber",
        "dropouts": [0.1, 0, 0.5],
        "loss_parameters": [0.7],
        "normalizations": ["batch", "group"],
        "n_groups": 2,
    }
    return make_plan(**{**usual, **named})


PLANS = {
    "a bit of everything": plan_with(),
    "own loss": plan_with(loss=OWN_LOSS, loss_parameters=None),
    "channels": plan_with(normalizations=["instance", "layer"], n_channels=3),
    "quantiles": plan_with(loss="pinball", loss_parameters=[0.2, 0.5, 0.8]),
    "scaled": plan_with(n_scales=1),
    "members": plan_with(n_scales=3, n_members=3),
    "independent": plan_with(n_members=2, n_shared=0, normalizations=None, n_groups=None),
    "parametric": plan_with(parametric=[False, True]).grouped([(1.0,) * 4] * 3, [0, 1, 2] * 3),
    "one layer": make_plan((3, 2), [], "softmax_cross_entropy"),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_flipped_bit_never_ends_the_process():
    code = f"from helpers_flips import report; report({FLIPS}, seed={FLIPS})"
    found = json.loads(run_python(code, timeout=None))  # its children have limits of their own
    outcomes, crashes = found["outcomes"], found["crashes"]
    # A crash of Python's or NumPy's own reader of pickles is none of ours, but is worth a line.
    ours = [crash for crash in crashes if not crash["in_reader"]]
    print(outcomes, [crash for crash in crashes if crash["in_reader"]])
    assert not ours
    assert sum(outcomes.values()) + len(crashes) == FLIPS
    # Most bits count for something; weights, whose bits may be any, leave whole models.
    assert outcomes["fine"] > 0
    assert outcomes["raised"] > FLIPS / 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(600)"])
def test_a_child_that_hangs_is_ended(body):
    code = f"""
import os, time, helpers_children as children
children.SECONDS_OF_SILENCE, children.SECONDS_OF_SILENT_WORK = 0.5, 0.2
read, write = os.pipe()
if (pid := os.fork()) == 0:
    os.close(read)
    os.write(write, b"L")
    {body}
os.close(write)
print(children.listen(read, pid), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert run_python(code).split() == ["b'L'", str(-signal.SIGKILL)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_that_gets_little_of_the_machine_does_not_hang():
    from helpers_children import SECONDS_OF_SILENT_WORK, hangs

    limit = int(SECONDS_OF_SILENT_WORK * os.sysconf("SC_CLK_TCK"))
    assert not hangs(heard=50, looked_at=50, now=51)
    assert not hangs(heard=50, looked_at=60, now=50 + limit)
    assert hangs(heard=50, looked_at=60, now=51 + limit)
    assert hangs(heard=50, looked_at=60, now=60)
    assert hangs(heard=None, looked_at=None, now=None)


# -- the plan -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_comes_back_whole(name):
    plan = PLANS[name]
    again = pickle.loads(pickle.dumps(plan))
    assert again.layers.dtype == LAYER_DTYPE
    for field, value in vars(plan).items():
        np.testing.assert_array_equal(getattr(again, field), value, err_msg=field)


def test_a_pickle_holds_neither_offsets_nor_addresses():
    plan = plan_with()
    spoilt = replace(plan, layers=plan.layers.copy(), n_weights=7, n_parameters=7, n_values=7)
    for field in LAYER_DTYPE.names:
        if field.endswith("offset") or field == "custom":
            spoilt.layers[field] = 12345
    again = pickle.loads(pickle.dumps(spoilt))
    np.testing.assert_array_equal(again.layers, plan.layers)
    assert again.n_values == plan.n_values


def assert_refused(state: object) -> None:
    with pytest.raises(ValueError, match="damaged or was made by another version"):
        object.__new__(Plan).__setstate__(state)


DAMAGE = {
    "layer_sizes": [
        (4,),
        (4, 6, 8),
        (4, 6, 8, 3, 2),
        (4, 0, 8, 3),
        (4, -6, 8, 3),
        (4, 2**60, 8, 3),
        [4, 6, 8, 3],
    ],
    "activations": [("relu",), ("relu", "rely"), ("relu", 3), ("relu", "identity", "relu"), "no"],
    "dropout_thresholds": [(0, 0), (0, 0, 65536), (0, -1, 0), (0, 0.5, 0), None],
    "normalizations": [("batch",), ("batch", "grouq"), ("batch", None), ("none", "layer", "none")],
    "groups": [(0,), (0, 3), (0, 0), (1, 2), (0, -2), (0, 2**40), (0, 2.0)],
    "loss": ["hubes", "squared_error", "gaussian_nll", 10, None],
    "loss_parameters": [(), (1.0, 2.0), (1,), [0.7], ("1",)],
    "factors": [(), ((1.0,) * 4,), ((1.0,) * 3,) * 2, ((-1.0,) * 4,) * 2, ((np.inf,) * 4,) * 2, 1],
    "parametric": [(), (True,), (1, 0), (True, False, True), [True, False], None],
    "slot_groups": [(0,), (2,) * 8, (0,) * 9, (0.0,) * 8, (-1,) * 8, [0] * 8],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in DAMAGE.items() for value in values]
)
def test_what_describes_no_network_is_refused(field, value):
    assert_refused({**PLANS["a bit of everything"].__getstate__(), field: value})


@pytest.mark.parametrize("quantiles", [(), (0.1, 0.9), (0.1, 0.2, 0.8, 0.9)])
def test_outputs_must_be_whole_sets_of_quantiles(quantiles):
    assert_refused({**PLANS["quantiles"].__getstate__(), "loss_parameters": quantiles})


@pytest.mark.parametrize("role", ["f", "df", "name"])
def test_a_function_must_be_one(role):
    own = replace(OWN, **{role: np.tanh})
    assert_refused({**PLANS["a bit of everything"].__getstate__(), "activations": (own, "relu")})


@pytest.mark.parametrize("state", [{}, None, [1], {"layers": 1}, vars(plan_with())])
def test_a_plan_of_another_version_is_refused(state):
    assert_refused(state)


# -- the network ----------------------------------------------------------------------------------


def network(plan: Plan | None = None, dtype: str = "float32", n_moments: int = 2) -> Network:
    return Network.zeros(plan or plan_with(), np.dtype(dtype), n_moments)


N_VALUES, N_TRAINED = plan_with().n_values, plan_with().n_parameters


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plan", None),
        ("plan", plan_with(layer_sizes=(5, 6, 8, 3))),
        ("plan", object.__new__(Plan)),
        ("parameters", np.zeros(N_VALUES - 1, np.float32)),
        ("parameters", np.zeros((1, N_VALUES), np.float32)),
        ("parameters", np.zeros(N_VALUES, np.float64)),
        ("parameters", np.zeros(N_VALUES, np.int32)),
        ("parameters", np.zeros(N_VALUES, ">f4")),
        ("parameters", [0.0] * N_VALUES),
        ("moments", np.zeros((2, N_TRAINED - 1), np.float32)),
        ("moments", np.zeros((4, N_TRAINED), np.float32)),
        ("moments", np.zeros((2, N_TRAINED), np.float64)),
        ("moments", None),
        ("step", -1),
        ("step", 2**63),
        ("step", 1.0),
    ],
)
def test_a_network_whose_parts_do_not_fit_is_refused(field, value):
    state = dict(vars(network()))
    object.__new__(Network).__setstate__(state)
    with pytest.raises(ValueError, match="damaged"):
        object.__new__(Network).__setstate__({**state, field: value})
    with pytest.raises(ValueError, match="damaged"):
        replace(network(), **{field: value})


def test_a_network_goes_on_only_under_a_plan_of_its_size():
    with pytest.raises(ValueError, match="damaged"):
        network().continued(plan_with(layer_sizes=(3, 6, 8, 3)), np.dtype("float32"), 2, True)


def classes_up_to(highest: float) -> np.ndarray:
    return np.array([[0], [highest]], np.float32)


WRONG_TARGETS = {
    "a class too many": ("softmax_cross_entropy", classes_up_to(3)),
    "a negative class": ("multi_margin", classes_up_to(-1)),
    "no number": ("focal", classes_up_to(np.nan)),
    "too wide": ("softmax_cross_entropy", np.zeros((2, 3), np.float32)),
    "too narrow": ("squared_error", np.zeros((2, 2), np.float32)),
    "no columns": ("squared_error", np.zeros(2, np.float32)),
}


def trained_on(wanted: Network, X: np.ndarray, target: np.ndarray) -> None:
    data = TrainingData(Rows(X, target), np.arange(len(X), dtype=np.int64))
    state = TrainerState(wanted, 1, rate=Rates.of((0.1, Constant()), {}, 1))
    settings, rule, backend = make_settings("adam"), UpdateRule(Adam()), get_backend("compiled")
    TrainingRun(backend, data, settings, rule, 2, 1, None, state).run()


def minimised_on(wanted: Network, X: np.ndarray, target: np.ndarray) -> None:
    data = TrainingData(Rows(X, target), np.arange(len(X), dtype=np.int64))
    state, backend = TrainerState(wanted, 1), get_backend("compiled")
    LbfgsRun(backend, data, make_settings("sgd"), 1, 9, 0.0, state).run()


def gradient_on(wanted: Network, X: np.ndarray, target: np.ndarray) -> None:
    wanted.cost_gradient(get_backend("compiled"), Rows(X, target), 1)


def losses_on(wanted: Network, X: np.ndarray, target: np.ndarray) -> None:
    wanted.losses(get_backend("compiled"), np.zeros((len(X), 3), np.float32), target)


ON_TARGETS = [trained_on, minimised_on, gradient_on, losses_on]


@pytest.mark.parametrize("way", ON_TARGETS)
@pytest.mark.parametrize("name", WRONG_TARGETS)
def test_a_target_that_the_loss_cannot_take_stays_out_of_the_core(way, name):
    loss, target = WRONG_TARGETS[name]
    wanted = network(make_plan((4, 3), [], loss))
    way(wanted, np.zeros((2, 4), np.float32), np.zeros((2, wanted.plan.target_width), np.float32))
    with pytest.raises(ValueError, match="damaged"):
        way(wanted, np.zeros((2, 4), np.float32), target)


@pytest.mark.parametrize("way", ON_TARGETS[:3])
@pytest.mark.parametrize("shape", [(2, 3), (2, 5), (2,)])
def test_inputs_of_another_width_stay_out_of_the_core(way, shape):
    wanted = network(make_plan((4, 3), [], "squared_error"))
    with pytest.raises(ValueError, match="network of 4 inputs"):
        way(wanted, np.zeros(shape, np.float32), np.zeros((2, 3), np.float32))


@pytest.mark.parametrize("shape", [(2, 5), (2, 7), (2,)])
def test_predictions_read_no_input_of_another_width(shape, backend):
    problem = make_problem(dtype=np.float32)
    wanted = Network(problem.plan, problem.parameters, problem.moments)
    with pytest.raises(ValueError, match="network of 6 inputs"):
        wanted.forward(backend, np.zeros(shape, np.float32), apply_link=True, n_threads=1)
