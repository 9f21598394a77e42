"""Schedules as objects: their numbers beside formulas and PyTorch's, and their options."""

from __future__ import annotations

import copy
import math
import pickle
import re

import numpy as np
import pytest
from helpers_rejection import LABELS, X, classifier
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPClassifier, optimizers, schedules
from fastmlp.optimizers import SGD, Adam
from fastmlp.schedules import (
    CLASSES,
    OF_SCIKIT_LEARN,
    SCHEDULES,
    Adaptive,
    Clock,
    Constant,
    Cosine,
    CosineLog,
    Exponential,
    FlatCosine,
    InverseScaling,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    Scaled,
    Schedule,
    Step,
    WarmUp,
)
from fastmlp.schedules.schedule import EpochResult
from fastmlp.training.courses import Rates
from fastmlp.training.updates import UpdateRule

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OBJECTS: list[Schedule] = [
    *(cls() for cls in SCHEDULES.values()),
    Step(3, gamma=0.5),
    Polynomial(8, power=2.0),
    Cosine(eta_min=0.1),
    Cosine(2, T_mult=2, eta_min=0.1),
    OneCycle(0.25, anneal_strategy="linear"),
    FlatCosine(0.75),
    CosineLog(2),
    WarmUp(Cosine(), start_factor=0.25, total_iters=4),
    WarmUp(ReduceOnPlateau(patience=0), total_iters=0.5),
    ReduceOnPlateau(0.5, patience=2, threshold=1e-3, cooldown=2, min_lr=0.2),
    0.15 * FlatCosine(),
    0.5 * WarmUp(2.0 * Step(2)),
]


def values(schedule: Schedule, epochs, n_epochs=12, base=1.0, state=None):
    """Return the numbers at so many epochs (n,)."""
    times = np.asarray(epochs, np.float64)
    state = schedule.first_state() if state is None else state
    clock = Clock(update=np.arange(len(times)), epoch=times, n_epochs=n_epochs)
    numbers = schedule.values(base, clock, state)
    return np.broadcast_to(numbers, times.shape)


# -- objects ---------------------------------------------------------------------------------------


def test_every_name_has_a_class():
    assert set(schedules.__all__) == {cls.__name__ for cls in CLASSES.values()} | {
        "Clock",
        "Schedule",
    }
    assert set(OF_SCIKIT_LEARN) < set(SCHEDULES)


@pytest.mark.parametrize("schedule", OBJECTS, ids=repr)
def test_objects_are_values(schedule):
    assert eval(repr(schedule), vars(schedules)) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert hash(schedule) == hash(copy.deepcopy(schedule))
    assert clone(schedule) == schedule
    assert clone(MLPClassifier(learning_rate=schedule)).learning_rate == schedule
    assert Schedule.set_params(schedule, **schedule.get_params()) == schedule
    with pytest.raises(AttributeError):
        schedule.gamma = 1.0


@pytest.mark.parametrize("factor", [0.5, np.float64(0.5), np.float32(0.5), np.array(0.5)])
def test_a_product_is_a_number_and_its_schedule(factor):
    for product in (factor * Step(), Step() * factor):
        assert isinstance(product, Scaled)
        assert product == Scaled(0.5, Step())


# -- formulas --------------------------------------------------------------------------------------

HALF = 1 / math.sqrt(2)

#: Numbers at epochs 0, 1, … of 12, from the formulas.
FORMULAS = [
    (Constant(), [0, 7.5, 12], [1, 1, 1]),
    (Step(3, 0.5), [0, 2.99, 3, 5.5, 6, 12], [1, 1, 0.5, 0.5, 0.25, 0.0625]),
    (Exponential(0.25), [0, 0.5, 1, 1.5], [1, 0.5, 0.25, 0.125]),
    (Polynomial(), [0, 3, 12, 13], [1, 0.75, 0, 0]),
    (Polynomial(8, 2.0), [0, 2, 4, 8, 12], [1, 0.5625, 0.25, 0, 0]),
    (Cosine(), [0, 3, 6, 9, 12], [1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2, 0]),
    (Cosine(eta_min=0.2), [0, 6, 12], [1, 0.6, 0.2]),
    (Cosine(4), [0, 1, 2, 3.999999999, 4, 6], [1, (1 + HALF) / 2, 0.5, 0, 1, 0.5]),
    (Cosine(1, 3), [0, 0.5, 1, 2.5, 4, 8.5, 13], [1, 0.5, 1, 0.5, 1, 0.5, 1]),
    (OneCycle(0.25), [0, 1.5, 3, 7.5, 12], [0.04, 0.52, 1, 0.500002, 4e-6]),
    (OneCycle(0.25, anneal_strategy="linear"), [0, 1.5, 3, 7.5], [0.04, 0.52, 1, 0.500002]),
    (OneCycle(0.5, 10, 100), [0, 6, 12], [0.1, 1, 0.001]),
    (FlatCosine(), [0, 6, 9, 12], [1, 1, 0.5, 0]),
    (FlatCosine(0.75), [9, 10.5, 12], [1, 0.5, 0]),
    (CosineLog(), [0, 12 / 15, 3 * 12 / 15, 12], [0, 0, 0, 0]),
    (CosineLog(), [12 * (2**0.5 - 1) / 15, 12 * (2**2.5 - 1) / 15], [1, 1]),
    (CosineLog(2), [12 * (2**0.25 - 1) / 3, 12 * (2**1.5 - 1) / 3], [0.5, 1]),
    (WarmUp(total_iters=4, start_factor=0.2), [0, 2, 4, 12], [0.2, 0.6, 1, 1]),
    (WarmUp(Cosine(), 0.5, 4), [0, 2, 4, 8, 12], [0.5, 0.75, 1, 0.5, 0]),
    (WarmUp(Polynomial(), 0.5, 30), [0, 12], [0.5, 0.7]),
    (0.5 * Step(3, 0.5), [0, 3], [0.5, 0.25]),
    (0.5 * (0.5 * Constant()), [0, 3], [0.25, 0.25]),
    (0.5 * Cosine(eta_min=0.1), [0, 6, 12], [0.5, 0.3, 0.1]),
]


@pytest.mark.parametrize(("schedule", "epochs", "expected"), FORMULAS, ids=map(repr, FORMULAS))
def test_numbers_are_the_formulas(schedule, epochs, expected):
    np.testing.assert_allclose(values(schedule, epochs), expected, atol=1e-8)
    one_by_one = [schedule(Clock(epoch=epoch, n_epochs=12)) for epoch in epochs]
    np.testing.assert_array_equal(one_by_one, values(schedule, epochs))
    if "eta_min=0.1" not in repr(schedule):
        return
    np.testing.assert_allclose(values(schedule, epochs, base=2.0)[-1], 0.1)  # a number, no factor


def test_restarts_begin_where_the_periods_end():
    for ratio in (2, 3, 5, 7):
        for n in range(20):
            begin = (ratio**n - 1) / (ratio - 1)
            assert Cosine(1, ratio)(Clock(epoch=begin)) == 1.0
            assert Cosine(1, ratio)(Clock(epoch=begin + ratio**n / 2)) == pytest.approx(0.5)


@pytest.mark.parametrize("schedule", OBJECTS, ids=repr)
def test_numbers_do_not_depend_on_the_calls(schedule):
    rule = UpdateRule(SGD(momentum=0.5))

    def records(*calls):
        rates = Rates.of((0.3, schedule), {"dropout": 0.4 * schedule}, 7)
        found = []
        for _ in range(3):
            rates.begin_epoch(sum(calls))
            for n in calls:
                found.append(rates.numbers(rule, sum(map(len, found)), n))
            rates.epoch_ended(EpochResult(1.0, None, 50))
        return np.concatenate(found)

    together = records(37)
    assert together.tobytes() == records(1, 5, 30, 1).tobytes()
    assert all(np.isfinite(together[name]).all() for name in together.dtype.names)
    np.testing.assert_array_equal(together["step"], np.arange(3 * 37))


# -- PyTorch ---------------------------------------------------------------------------------------

#: Class in torch.optim.lr_scheduler, its arguments, and what torch 2.13 made of a rate of 1 in
#: epochs 0 … 11.
IN_TORCH = [
    (Step(3, 0.5), "StepLR", (3, 0.5), [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]),
    (Exponential(0.9), "ExponentialLR", (0.9,), [1, 0.9, 0.81, 0.729, 0.6561, 0.59049]),
    (Polynomial(8, 2.0), "PolynomialLR", (8, 2.0), [1, 0.765625, 0.5625, 0.390625, 0.25]),
    (
        Cosine(eta_min=0.1),
        "CosineAnnealingLR",
        (12, 0.1),
        [1, 0.98466662183, 0.939711431703, 0.868198051534, 0.775, 0.666468570296, 0.55],
    ),
    (
        Cosine(2, 2, 0.1),
        "CosineAnnealingWarmRestarts",
        (2, 2, 0.1),
        [1, 0.55, 1, 0.868198051534, 0.55, 0.231801948466, 1, 0.96574578963, 0.868198051534],
    ),
]


@pytest.mark.parametrize(("schedule", "name", "arguments", "expected"), IN_TORCH)
def test_whole_epochs_are_pytorchs(schedule, name, arguments, expected):
    found = values(schedule, np.arange(12.0))
    np.testing.assert_allclose(found[: len(expected)], expected, rtol=1e-10)
    torch = pytest.importorskip("torch")  # the numbers above are always there
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs, rates = getattr(torch.optim.lr_scheduler, name)(optimizer, *arguments), []
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    np.testing.assert_allclose(found, rates, rtol=1e-10, atol=1e-12)


#: Of OneCycleLR(max_lr=1, total_steps=12, pct_start=0.25), whose steps count from 0 to 11.
ONE_CYCLE = {
    "cos": [
        0.04, 0.52, 1, 0.969846431008, 0.883022689471, 0.750001, 0.586825741537, 0.413178258463,
        0.250003, 0.116981310529, 0.0301575689923, 4e-06,
    ],
    "linear": [
        0.04, 0.52, 1, 0.888889333333, 0.777778666667, 0.666668, 0.555557333333, 0.444446666667,
        0.333336, 0.222225333333, 0.111114666667, 4e-06,
    ],
}  # fmt: skip


@pytest.mark.parametrize("anneal_strategy", ONE_CYCLE)
def test_one_cycle_is_pytorchs(anneal_strategy):
    # Its last step is at the end, and its highest one is step 0.25 · 12 - 1.
    schedule = OneCycle(2 / 11, anneal_strategy=anneal_strategy)
    found = values(schedule, np.arange(12.0), n_epochs=11)
    np.testing.assert_allclose(found, ONE_CYCLE[anneal_strategy], rtol=1e-9)


def test_warm_up_is_pytorchs():
    """LinearLR(0.25, total_iters=4), then CosineAnnealingLR(8)."""
    expected = [0.25, 0.4375, 0.625, 0.8125, 1, 0.961939766256, 0.853553390593, 0.691341716183]
    found = values(WarmUp(Cosine(), 0.25, 4), np.arange(8.0))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


LOSSES = [5, 4, 4, 4.5, 4, 3.9999, 3.9, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3]


def heard(schedule: Schedule, losses, scores=None):
    """Return the number in each epoch of a fit with these losses."""
    rates, found = Rates.of((1.0, schedule), {}, 100), []
    for i, loss in enumerate(losses):
        found.append(rates.value)
        rates.epoch_ended(EpochResult(loss, None if scores is None else scores[i], 1))
    return found


def test_reduce_on_plateau_is_pytorchs():
    schedule = ReduceOnPlateau(0.5, patience=2, threshold=1e-3, cooldown=2, min_lr=0.2)
    assert heard(schedule, LOSSES) == [1.0] * 5 + [0.5] * 5 + [0.25] * 8
    torch = pytest.importorskip("torch")  # the numbers above are always there
    for options in (
        {"factor": 0.5, "patience": 2, "threshold": 1e-3, "cooldown": 2, "min_lr": 0.2},
        {"factor": 0.1, "patience": 0},
        {"factor": 0.5, "patience": 1, "threshold": 0.5, "threshold_mode": "abs"},
        {"factor": 0.5, "patience": 3, "threshold": 0.2, "cooldown": 1, "min_lr": 0.4},
    ):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        theirs, rates = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options), []
        for loss in LOSSES:
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            theirs.step(loss)
        # PyTorch leaves out reductions below 1e-8.
        np.testing.assert_allclose(heard(ReduceOnPlateau(**options), LOSSES), rates, atol=1e-8)


def test_a_plateau_of_scores_is_one_of_negative_losses():
    scores = [-loss for loss in LOSSES]
    schedule = ReduceOnPlateau(0.5, patience=1)
    assert heard(schedule, [1.0] * len(LOSSES), scores) == heard(schedule, LOSSES)


# -- what a fit keeps ------------------------------------------------------------------------------


def adaptive(initial: float) -> Rates:
    return Rates.of((initial, Adaptive()), {}, 200)


def test_adaptive_rate_gives_up_when_it_is_tiny():
    rate = adaptive(1e-5)
    assert [rate.gives_up() for _ in range(3)] == [False, False, True]
    assert rate.value == pytest.approx(4e-7)
    assert rate.last_words == "Learning rate too small. Stopping."


def test_constant_rate_gives_up_at_once():
    rate = Rates.of((0.1, Constant()), {}, 200)
    rate.epoch_ended(EpochResult(1.0, None, 1000))
    assert rate.gives_up()
    assert rate.value == 0.1


def test_a_rate_resumes_only_under_the_same_rule():
    earlier = adaptive(0.1)
    earlier.gives_up()
    assert adaptive(0.1).resumed_from(earlier).value == pytest.approx(0.02)
    assert adaptive(0.2).resumed_from(earlier).value == 0.2
    assert adaptive(0.1).resumed_from(None).value == 0.1


@pytest.mark.parametrize("schedule", [Constant(), Step(2, 0.5), Adaptive(), InverseScaling()])
def test_a_schedule_goes_on_from_a_rate_that_was_set(schedule):
    rates, plain = (Rates.of((0.3, schedule), {}, 9) for _ in range(2))
    for n in range(1, 5):
        for each in (rates, plain):
            each.epoch_ended(EpochResult(1.0, None, n))
            each.gives_up()
        if n == 2:
            rates.set(0.7 * rates.value)
            assert rates.value == 0.7 * plain.value
    rule = UpdateRule(SGD())
    found, expected = (each.numbers(rule, 0, 3)["learning_rate"] for each in (rates, plain))
    np.testing.assert_allclose(found, 0.7 * expected, rtol=1e-14)
    resumed = Rates.of((0.3, schedule), {}, 9).resumed_from(rates)
    np.testing.assert_array_equal(resumed.numbers(rule, 0, 3)["learning_rate"], found)


def test_copies_of_rates_go_their_own_ways():
    rate = Rates.of((1.0, Step(1, 0.5)), {"momentum": 0.9 * ReduceOnPlateau(patience=0)}, 9)
    other = copy.copy(rate)
    other.epoch_ended(EpochResult(1.0, None, 5))
    assert (rate.value, other.value) == (1.0, 0.5)
    assert rate.others != other.others


# -- searches --------------------------------------------------------------------------------------


def test_searches_reach_the_options():
    model = classifier(learning_rate=Step(), solver=Adam(), dropout=0.1 * WarmUp(Cosine()))
    grid = {
        "learning_rate__gamma": [0.3, 0.7],
        "solver__weight_decay": [0.0, 0.2],
        "dropout__schedule__schedule__eta_min": [0.05],
    }
    search = GridSearchCV(make_pipeline(StandardScaler(), model), prefixed(grid), cv=2)
    search.fit(X, LABELS)
    best = search.best_estimator_[-1]
    assert search.best_params_.keys() == prefixed(grid).keys()
    assert best.learning_rate.gamma in (0.3, 0.7)
    assert best.dropout == 0.1 * WarmUp(Cosine(eta_min=0.05))
    # The search's own model, and the objects in it, are as they were.
    assert model.learning_rate == Step()
    assert model.solver == Adam()


def prefixed(grid):
    return {f"mlpclassifier__{name}": tried for name, tried in grid.items()}


def test_a_changed_option_is_a_new_object():
    step, model = Step(), MLPClassifier()
    model.set_params(learning_rate=step, learning_rate__gamma=0.5, alpha=0.2)
    assert (model.learning_rate, step, model.alpha) == (Step(gamma=0.5), Step(), 0.2)
    assert model.get_params()["learning_rate__gamma"] == 0.5


def test_an_object_is_set_before_its_options():
    """Whatever their order, and however deep they are."""
    wanted = ReduceOnPlateau(0.5, 3, 0.01, "abs", 2, 0.1)
    whole = {"dropout__schedule__schedule": ReduceOnPlateau()}
    options = {f"dropout__schedule__schedule__{name}": each for name, each in vars(wanted).items()}
    for params in (whole | options, options | whole):
        model = MLPClassifier(dropout=0.1 * WarmUp(Cosine())).set_params(**params)
        assert model.dropout == 0.1 * WarmUp(wanted)
        inner = {name.removeprefix("dropout__"): value for name, value in params.items()}
        assert (0.1 * WarmUp(Cosine())).set_params(**inner) == 0.1 * WarmUp(wanted)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("learning_rate__gama", "learning_rate__gama is not a parameter of MLPClassifier: Step("),
        ("momentum__base", "momentum__base is not a parameter of MLPClassifier while momentum is"),
        ("rate__gamma", "Invalid parameter 'rate' for estimator MLPClassifier"),
        (
            "dropout__schedule__gamma",
            "dropout__schedule__gamma is not a parameter of MLPClassifier: ",
        ),
        ("dropout__base__gamma", "dropout__base__gamma is not a parameter of MLPClassifier while"),
    ],
)
def test_options_that_are_not_there(name, text):
    model = MLPClassifier(learning_rate=Step(), dropout=0.1 * Constant())
    with pytest.raises(ValueError, match=f"^{re.escape(text)}"):
        model.set_params(**{name: 1})


def test_options_of_optimizers():
    assert repr(Adam()) == "Adam(betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0)"
    assert Adam().set_params(eps=0.1) == Adam(eps=0.1)
    assert eval(repr(SGD(momentum=0.9 * Step())), {**vars(optimizers), **vars(schedules)}) == SGD(
        momentum=0.9 * Step()
    )


@pytest.mark.parametrize(
    ("make", "options", "text"),
    [
        (
            Adam,
            {"lr": 0.1},
            "Adam has no option 'lr': the learning rate stays in the estimator's le",
        ),
        (
            OneCycle,
            {"max_lr": 0.1},
            "OneCycle has no option 'max_lr': the learning rate stays in th",
        ),
        (Step, {"gama": 0.1}, "Step has no option 'gama': it has step_size, gamma."),
        (Constant, {"mode": "min"}, "Constant has no option 'mode': it has no options."),
    ],
)
def test_options_that_there_are_not(make, options, text):
    with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
        make(**options)


def test_a_users_own_schedule_knows_its_arguments():
    class Own(Schedule):
        def __init__(self, *, lr):
            self.lr = lr

    assert Own(lr=2).lr == 2


def test_a_clock_is_given_by_name():
    with pytest.raises(TypeError, match="positional argument"):
        Clock(3)
    clock = Clock(epoch=1.5, n_epochs=6)
    assert pickle.loads(pickle.dumps(clock)) == copy.deepcopy(clock) == clock
    assert repr(clock) == "Clock(update=0, epoch=1.5, n_epochs=6)"
    with pytest.raises(
        TypeError, match=r"^A schedule takes a clock, such as Clock\(epoch=3, n_epo"
    ):
        Step()(3)


@pytest.mark.parametrize("module", [optimizers, schedules])
def test_public_names_only(module):
    assert dir(module) == sorted(module.__all__)
