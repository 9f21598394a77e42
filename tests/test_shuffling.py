"""The shuffle of an epoch's order against NumPy's."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp.training.shuffling import random_state_of, shuffle


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 63, 64, 65, 66, 128, 129, 1000, 70_001])
@pytest.mark.parametrize(
    "bit_generator", [np.random.MT19937, np.random.PCG64], ids=["MT19937", "PCG64"]
)
def test_order_and_state_are_those_of_numpy(n, bit_generator):
    ours = np.random.RandomState(bit_generator(n))
    numpys = np.random.RandomState(bit_generator(n))
    order, expected = np.arange(n), np.arange(n)
    for _ in range(2):
        shuffle(ours, order)
        numpys.shuffle(expected)
        np.testing.assert_array_equal(order, expected)
    assert ours.randint(1 << 30) == numpys.randint(1 << 30)


def test_the_global_random_state_is_shuffled_with():
    state = np.random.mtrand._rand
    before = state.get_state()
    order, expected = np.arange(100), np.arange(100)
    shuffle(state, order)
    state.set_state(before)
    state.shuffle(expected)
    np.testing.assert_array_equal(order, expected)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**32 - 1])
def test_an_integer_seeds_as_numpys_does(seed):
    ours, numpys = random_state_of(seed), np.random.RandomState(seed)
    for draw in ("normal", "uniform", "permutation"):
        arguments = {"x": 7} if draw == "permutation" else {"size": 7}
        expected = getattr(numpys, draw)(**arguments)
        np.testing.assert_array_equal(getattr(ours, draw)(**arguments), expected)
    again = pickle.loads(pickle.dumps(ours))
    assert again.randint(1 << 30) == copy.deepcopy(ours).randint(1 << 30) == ours.randint(1 << 30)


def test_other_seeds_are_scikit_learns():
    rng = np.random.RandomState(0)
    assert random_state_of(rng) is rng
    assert random_state_of(None) is np.random.mtrand._rand
    assert random_state_of(np.int64(3)).randint(99) == np.random.RandomState(3).randint(99)
