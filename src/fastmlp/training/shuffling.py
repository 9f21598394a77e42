"""The order of an epoch's rows, and the random numbers that it is drawn by."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.random import MT19937, RandomState
from numpy.random.bit_generator import ISeedSequence
from sklearn.utils import check_random_state

from fastmlp.backends import _core

__all__ = ["random_state_of", "shuffle"]

#: Longer orders draw 64-bit numbers, which the fast way does not.
LONGEST = 1 << 32


def shuffle(rng: np.random.RandomState, order: np.ndarray) -> None:
    """Shuffle ``order`` in place as ``rng.shuffle`` does, number for number, in less time.

    Parameters
    ----------
    rng : numpy.random.RandomState
        Left in the state in which ``rng.shuffle`` would leave it.
    order : ndarray of int64, shape (K,)
        C-contiguous.
    """
    if len(order) > LONGEST:
        rng.shuffle(order)
    else:
        _core.shuffle(rng._bit_generator, order)


class _GlobalState:
    """Lets forks wait for NumPy's global state, which a fit without a seed draws from.

    NumPy lets other threads go on while it holds the state's lock. If one of them forks meanwhile,
    its child would find the lock closed for ever.
    """

    def begin_fork(self) -> None:
        self._lock = np.random.mtrand._rand._bit_generator.lock
        self._lock.acquire()

    def end_fork(self) -> None:
        self._lock.release()


if hasattr(os, "register_at_fork"):
    _state = _GlobalState()
    os.register_at_fork(
        before=_state.begin_fork,
        after_in_parent=_state.end_fork,
        after_in_child=_state.end_fork,
    )


class _NoSeed(ISeedSequence):
    """A state that is replaced at once, since to mix a true one takes longer than a small fit."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        return [0] * n_words  # MT19937 takes them one by one, of an array in 25 µs


def random_state_of(seed: Any) -> RandomState:
    """Return what scikit-learn's ``check_random_state`` does, in less time for an integer."""
    if type(seed) is not int:
        drawn: RandomState = check_random_state(seed)
        return drawn
    unseeded: Any = _NoSeed()
    rng = RandomState(MT19937(unseeded))
    rng.seed(seed)
    return rng
