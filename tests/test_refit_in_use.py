"""A model that is refitted while it is in use: by its callbacks, by other threads, by copies."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers_rejection import parameters_of
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
WIDE, NARROW = RNG.normal(size=(6, 200)), RNG.normal(size=(6, 2))
Y = np.arange(6.0)

#: A class, with the targets of its first fit and of its second.
REGRESSION = (MLPRegressor, Y, -Y)
CLASSIFICATION = (
    MLPClassifier,
    np.array(["ash", "elm"] * 3),
    np.array(["fir", "oak", "yew"] * 2),
)
both = pytest.mark.parametrize(("cls", "first", "second"), [REGRESSION, CLASSIFICATION])

#: Ways to copy a model; a callback's own references are not to be pickled.
COPIES = [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]


def make(cls=MLPRegressor, **parameters):
    return cls(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


def elsewhere(function, *arguments):
    """Return what another thread gets from the function."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def on_epoch(number, function):
    """Return a callback that calls the function of no arguments in one epoch."""

    def callback(record):
        if record.epoch == number:
            function()

    return callback


# -- what is seen meanwhile ------------------------------------------------------------------------


@both
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_see_the_network_in_training_and_other_threads_the_earlier_one(
    cls, first, second, solver
):
    model = make(cls, solver=solver).fit(WIDE, first)
    earlier, seen = model.predict(WIDE), []

    def look():
        assert model.n_features_in_ == 2
        seen.append(model.predict(NARROW))
        with pytest.raises(ValueError, match=f"X has 200 .* {cls.__name__} is expecting 2 feat"):
            model.predict(WIDE)
        assert elsewhere(getattr, model, "n_features_in_") == 200
        assert_array_equal(elsewhere(model.predict, WIDE), earlier)
        if cls is MLPClassifier:
            assert_array_equal(model.classes_, ["fir", "oak", "yew"])
            assert_array_equal(elsewhere(getattr, model, "classes_"), ["ash", "elm"])

    model.set_params(callbacks=[on_epoch(3, look)]).fit(NARROW, second)
    assert_array_equal(model.predict(NARROW), seen[0])  # the last epoch's is what is published
    assert elsewhere(getattr, model, "n_features_in_") == 2


def test_a_first_fit_shows_its_callbacks_what_has_been_learnt_so_far():
    model, seen = make(max_iter=1), []

    def look(record):
        seen.append((model.loss_, model.n_iter_, model.stop_reason_))
        with pytest.raises(NotFittedError):
            elsewhere(model.predict, NARROW)

    model.set_params(callbacks=[look]).fit(NARROW, Y)
    assert seen == [(model.loss_curve_[0], 1, "The fit is under way.")]
    assert model.stop_reason_ == "max_iter=1 epochs are done."


def test_the_best_loss_so_far_is_seen_with_lbfgs_too():
    model, seen = make(solver="lbfgs"), []
    model.set_params(callbacks=[lambda record: seen.append(model.best_loss_)]).fit(NARROW, Y)
    assert_array_equal(seen, np.minimum.accumulate(model.loss_curve_))


# -- what fails changes nothing --------------------------------------------------------------------


@both
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, StopIteration])
def test_what_a_callback_raises_changes_nothing(cls, first, second, solver, error):
    model = make(cls, solver=solver).fit(WIDE, first)
    before, predicted = vars(model).copy(), model.predict(WIDE)

    def fail(record):
        copy.copy(model)  # this must not publish what it copies
        raise error

    model.set_params(callbacks=[fail])
    with pytest.raises(error):
        model.fit(NARROW, second)
    assert {**vars(model), "callbacks": None} == before
    assert_array_equal(model.predict(WIDE), predicted)


@both
def test_ctrl_c_in_a_callback_publishes_the_whole_of_what_was_learnt(cls, first, second):
    model = make(cls).fit(WIDE, first)

    def interrupt():
        raise KeyboardInterrupt

    model.set_params(callbacks=[on_epoch(2, interrupt)])
    with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
        model.fit(NARROW, second)
    assert model.predict(NARROW).shape == (6,)
    assert (model.n_features_in_, model.n_iter_) == (2, 2)
    assert model.stop_reason_ == "Training was interrupted."


@pytest.mark.parametrize(
    "name", ["n_features_in_", "classes_", "n_iter_", "loss_curve_", "out_activation_"]
)
def test_what_belongs_to_the_network_cannot_be_set(name):
    model = make(MLPClassifier).fit(NARROW, [0, 1] * 3)
    before = getattr(model, name)
    with pytest.raises(AttributeError):
        setattr(model, name, 2)
    assert_array_equal(getattr(model, name), before)


# -- copies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("rate", ["constant", "invscaling"])
def test_a_copy_made_in_a_callback_goes_on_by_itself(how, rate):
    settings = {"solver": "sgd", "learning_rate": rate, "learning_rate_init": 0.01}
    model, twins = make(max_iter=6, **settings), []

    def keep():
        callbacks, model.callbacks = model.callbacks, None
        twins.append(how(model))
        model.callbacks = callbacks

    model.set_params(callbacks=[on_epoch(3, keep)]).fit(NARROW, Y)
    short, (twin,) = make(**settings).fit(NARROW, Y), twins
    for _ in range(2):
        assert_array_equal(twin.predict(NARROW), short.predict(NARROW))
        assert twin.loss_curve_ == short.loss_curve_
        for continued in (twin, short):
            continued.partial_fit(NARROW, Y)
    assert len(model.loss_curve_) == 6


# -- fits within fits ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_callback_cannot_fit_its_own_model(method):
    model = make().fit(WIDE, Y)
    before = model.predict(WIDE)
    model.set_params(callbacks=[lambda record: getattr(model, method)(NARROW, Y)])
    with pytest.raises(RuntimeError, match="can't fit the MLPRegressor that is being fitted"):
        model.fit(NARROW, Y)
    assert_array_equal(model.predict(WIDE), before)


def test_a_callback_can_fit_another_model_whose_callbacks_see_both():
    outer, inner, seen = make(max_iter=2), make(max_iter=2), []

    def look(record):
        seen.append((inner.predict(WIDE), outer.predict(NARROW)))

    inner.set_params(callbacks=[look])
    outer.set_params(callbacks=[on_epoch(1, lambda: inner.fit(WIDE, Y))]).fit(NARROW, Y)
    assert_array_equal(inner.predict(WIDE), seen[-1][0])
    assert_array_equal(seen[0][1], make(max_iter=1).fit(NARROW, Y).predict(NARROW))
    assert_array_equal(parameters_of(outer), parameters_of(make(max_iter=2).fit(NARROW, Y)))


# -- threads ---------------------------------------------------------------------------------------


def test_callbacks_of_two_threads_see_their_own_fits():
    models, step = [make(max_iter=1), make(max_iter=1)], threading.Barrier(2, timeout=60)

    def fit(number, X):
        model, other, shapes = models[number], models[1 - number], []

        def look(record):
            step.wait()  # both fits are under way
            shapes.append(model.predict(X).shape)
            with pytest.raises(NotFittedError):
                other.predict(X)
            step.wait()

        model.set_params(callbacks=[look]).fit(X, Y)
        return shapes

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fit, [0, 1], [WIDE, NARROW])) == [[(6,)], [(6,)]]


@both
def test_two_threads_that_fit_one_model_publish_one_fit_or_the_other(cls, first, second):
    alone = [make(cls).fit(WIDE, first), make(cls).fit(NARROW, second)]
    step, model, seen = threading.Barrier(2, timeout=60), make(cls), set()

    def look(record):
        step.wait()  # the epochs of the two take turns
        seen.add((threading.get_ident(), model.n_features_in_))

    model.set_params(callbacks=[look])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(model.fit, [WIDE, NARROW], [first, second]))
    assert sorted(width for _, width in seen) == [2, 200]
    winner = next(one for one in alone if one.n_features_in_ == model.n_features_in_)
    assert model.loss_curve_ == winner.loss_curve_
    assert_array_equal(parameters_of(model), parameters_of(winner))
    X = WIDE if model.n_features_in_ == 200 else NARROW
    assert_array_equal(model.predict(X), winner.predict(X))
