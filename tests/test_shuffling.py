"""The shuffle of an epoch's order against NumPy's."""

import numpy as np
import pytest

from fastmlp.training.shuffling import shuffle


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
