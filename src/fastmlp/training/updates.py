"""The numbers of each update of a fit, computed once for each call of the backend."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.optimizers import Number, Optimizer, of_each
from fastmlp.plan.records import UPDATE_DTYPE

__all__ = ["UpdateRule"]

#: A record of UPDATE_DTYPE: the step, and so many numbers.
_RECORD = struct.Struct("q14d")
_ZEROS = (0.0,) * 14

#: Nothing but the learning rate has a schedule.
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class UpdateRule:
    """What says how a fit's updates are made.

    Attributes
    ----------
    optimizer : Optimizer
    gradient_noise : float
        Standard deviation of the noise of the first update's gradient.
    gradient_noise_decay : float
        γ: the noise's variance in update t = 0, 1, … goes by (1 + t)^-γ.
    """

    optimizer: Optimizer
    gradient_noise: float = 0.0
    gradient_noise_decay: float = 0.0

    def numbers(
        self,
        step: int,
        n_updates: int,
        learning_rate: Number,
        scheduled: Mapping[str, Any] = _NONE,
    ) -> np.ndarray:
        """Return the records (n_updates,) of UPDATE_DTYPE of the updates after ``step`` others.

        Parameters
        ----------
        step, n_updates : int
        learning_rate : float or ndarray, shape (n_updates,)
        scheduled : mapping of str to float or ndarray, shape (n_updates,)
            What else has a schedule: "weight_decay" and "momentum", which take the place of the
            optimiser's, the factor "dropout", and "label_smoothing".
        """
        counts = range(step + 1, step + n_updates + 1)
        optimizer, dropout, smoothing = self.optimizer, 1.0, 0.0
        if scheduled:
            others = dict(scheduled)
            dropout, smoothing = others.pop("dropout", 1.0), others.pop("label_smoothing", 0.0)
            optimizer = replace(optimizer, **others)  # type: ignore[type-var]
        factor, coefficients = optimizer.numbers(counts)
        decay, noise = optimizer.weight_decay, self._noise(counts)
        numbers = (learning_rate, factor, decay, noise, dropout, smoothing, *coefficients)
        if n_updates == 1 and not scheduled and isinstance(learning_rate, float):
            # A stream of rows, where each microsecond counts.
            return np.frombuffer(
                _RECORD.pack(step, *numbers, *_ZEROS[len(numbers) :]), UPDATE_DTYPE
            )
        table = np.zeros((n_updates, 1 + len(_ZEROS)))
        table.view(np.int64)[:, 0] = range(step, step + n_updates)
        for column, number in enumerate(numbers, 1):
            table[:, column] = number
        return table.view(UPDATE_DTYPE)[:, 0]

    def _noise(self, counts: range) -> Number:
        """Return the deviation of the noise in the updates number ``counts``."""
        if self.gradient_noise == 0:
            return 0.0
        power = -0.5 * self.gradient_noise_decay
        return self.gradient_noise * of_each(counts, lambda t: math.pow(t, power))
