"""Mean squares of gradients over local updates: what they estimate, and the steps made by them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import all_weights, make_recipe
from numpy.testing import assert_allclose, assert_array_equal

from fastmlp.backends import get_backend
from fastmlp.dask.squares import RankSquares
from fastmlp.registry import OPTIMIZERS

N = 20_000
BETA_1, BETA_2 = 0.9, 0.99
OF_SQUARES = [row.name for row in OPTIMIZERS if row.moments == OPTIMIZERS["adam"].moments]


def recipe(name="adam", step=0):
    options = {"betas": (BETA_1, BETA_2), "weight_decay": 0.3, "eps": 0.05}
    known = options if name in OF_SQUARES else {}
    return make_recipe(name, learning_rate=0.1, step=step, **known)


def test_those_that_divide_by_mean_squares_have_a_unit():
    assert OF_SQUARES == ["adam", "adamw", "nadam", "radam", "lamb"]
    for row in OPTIMIZERS:
        moments = np.ones((row.n_moments, 3))
        RankSquares(recipe(row.name).settings, 4).begin(moments)
        assert (moments == 4).any() == (row.name in OF_SQUARES)


@pytest.mark.parametrize("name", OF_SQUARES)
@pytest.mark.parametrize("step", [1, 30])
def test_steps_in_a_ranks_unit_are_those_of_a_part_of_the_square(name, step):
    """v ← β₂ v + (1 - β₂) g²/R, made by v' = R v: the same step as where g² is the whole of it."""
    rng, n_ranks = np.random.default_rng(1), 4
    given, backend = recipe(name, step), get_backend("compiled")
    settings, updates = given.settings, given.updates(1)
    w, g, m = rng.normal(size=(3, 30))
    v = rng.uniform(1, 2, 30)
    after = BETA_2 * v + (1 - BETA_2) * g**2 / n_ranks
    before = (after - (1 - BETA_2) * g**2) / BETA_2
    expected, plain = w.copy(), np.array([m, before])
    backend.optimizer_update(settings, updates[0], expected, g, plain, *all_weights(30), 1.0)

    squares, found, own = RankSquares(settings, n_ranks), w.copy(), np.array([m, v])
    squares.begin(own)
    scaled = squares.updates(updates)[0]
    backend.optimizer_update(settings, scaled, found, g, own, *all_weights(30), 1.0)
    assert_allclose(found, expected, rtol=1e-12)
    assert_allclose(own, [plain[0], n_ranks * after], rtol=1e-12)
    assert not np.array_equal(found, w)


@pytest.mark.parametrize("n_ranks", [2, 16])
@pytest.mark.parametrize("n_updates", [1, 2, 8, 100])
@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_the_mean_of_all_ranks_has_the_squares_of_all_ranks(n_ranks, n_updates, slope):
    """Of N numbers that learn apart, the mean v is that of whole batches, whatever their noise."""
    rng = np.random.default_rng(0)
    m0, v0 = slope, 0.5
    mean, square, whole = np.full((3, N), 0.0)
    own = np.tile(np.array([[m0], [v0]]), (n_ranks, 1, N))
    squares = RankSquares(recipe().settings, n_ranks)
    for each in own:
        squares.begin(each)
    whole[...] = v0
    for _ in range(n_updates):
        gradients = slope + np.sqrt(n_ranks) * rng.normal(size=(n_ranks, N))
        own[:, 0] += (1 - BETA_1) * (gradients - own[:, 0])
        own[:, 1] += (1 - BETA_2) * (gradients**2 - own[:, 1])
        whole += (1 - BETA_2) * (gradients.mean(axis=0) ** 2 - whole)
    mean, square = own.mean(axis=0)
    moments = np.array([mean, square])
    squares.end(np.tile(np.array([[m0], [v0]]), N), moments, recipe().updates(n_updates))
    assert_array_equal(moments[0], mean)
    assert (moments[1] >= 0).all()
    rest = 1 - BETA_2**n_updates
    noise = 5 * rest * np.sqrt(6 / N)  # of the mean of N squares, each of variance 6 at most
    assert abs(moments[1].mean() - whole.mean()) < noise
    if n_updates == 1:
        assert_allclose(moments[1], whole, rtol=1e-10)


@pytest.mark.parametrize("name", OF_SQUARES)
def test_the_very_first_step_is_as_long_as_that_of_one_machine(name):
    """Nothing is known of the noise yet, and √1000 times the rate would spoil the network."""
    given, backend = recipe(name), get_backend("compiled")
    g, found = np.random.default_rng(3).normal(size=30), []
    for n_ranks in (1, 1000):
        w, moments = np.ones(30), np.zeros((2, 30))
        squares = RankSquares(given.settings, n_ranks)
        squares.begin(moments)
        (update,) = squares.updates(given.updates(1))
        backend.optimizer_update(given.settings, update, w, g, moments, *all_weights(30), 1.0)
        found.append(w)
    assert_array_equal(*found)


def test_gradients_that_vanish_leave_no_negative_squares():
    rng = np.random.default_rng(2)
    before = np.array([np.zeros(1000), rng.uniform(0, 1e-3, 1000)], np.float32)
    moments, squares = before.copy(), RankSquares(recipe().settings, 3)
    squares.begin(moments)
    for _ in range(50):
        moments[1] += np.float32(1 - BETA_2) * (0 - moments[1])
    squares.end(before, moments, recipe().updates(50))
    assert (moments[1] >= 0).all()
    assert_allclose(moments[1], before[1] * BETA_2**50, rtol=1e-5)
