"""L-BFGS on the full data set: SciPy's minimiser driving a backend's objective and gradient."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.backends.protocol import Backend, Totals
from fastmlp.network import Network
from fastmlp.notices import notify
from fastmlp.training.history import History
from fastmlp.training.loop import (
    INTERRUPTED,
    Ending,
    Report,
    TrainingData,
    record_of,
    require_finite,
)

__all__ = ["LbfgsRun"]


class _EndOfSearch(Exception):  # noqa: N818 - it is no error
    """A callback ended the search, by what it returned or, if there is a cause, by that."""


@dataclass
class LbfgsRun:
    """One fit by L-BFGS.

    What descends is the summed cost, whose gradient the backends give; what the curves report is
    divided by the number of outputs where the loss says so. Rows of ``data.order`` are not
    consulted: every row counts.

    Attributes
    ----------
    settings : ndarray of SETTINGS_DTYPE, 0-d
        Only the penalties matter.
    tol : float
        The projected gradient's largest element at which the search ends.
    max_fun : int
        Maximum number of evaluations of the objective.
    best_loss : float
        Least loss of an iteration so far, in the core's unit.
    """

    backend: Backend
    network: Network
    data: TrainingData
    settings: np.ndarray
    n_threads: int
    history: History
    max_iter: int
    max_fun: int
    tol: float
    report: Report
    best_loss: float = np.inf

    def __post_init__(self) -> None:
        network, rows = self.network, self.data.rows
        network.require_inputs(rows.X)
        network.require_target(rows.target)
        n_rows = len(rows.X)
        self._executor = self.backend.bind(
            network.plan, self.settings, network.dtype, n_rows, self.n_threads
        )
        self._gradient = np.zeros(network.plan.n_parameters, network.dtype)
        self._totals = Totals(0.0, 0.0, n_rows)
        self._accepted = network.parameters.copy()
        self._began = time.perf_counter()

    def run(self) -> Ending:
        """Minimise; leave the last accepted point in the network."""
        from scipy.optimize import minimize  # noqa: PLC0415 - not every fit needs it

        try:
            result = minimize(
                self._evaluate,
                self._trained.astype(np.float64),
                jac=True,
                method="L-BFGS-B",
                callback=self._step,
                options={"maxiter": self.max_iter, "maxfun": self.max_fun, "gtol": self.tol},
            )
            ending = self._ending(result)
            if not self.history.n_epochs:  # no step was found, or none was needed
                self._evaluate(result.x)
                self._accept(result.x)
        except _EndOfSearch as end:
            if end.__cause__:
                raise end.__cause__ from None
            ending = Ending("A callback returned True.", on_demand=True)
        except KeyboardInterrupt:
            notify(INTERRUPTED)
            ending = Ending("Training was interrupted.", on_demand=True)
        self.network.parameters[...] = self._accepted
        require_finite(self.network, self.history.n_epochs)
        return ending

    def _ending(self, result: Any) -> Ending:
        """Return why SciPy ended the search."""
        text = f"L-BFGS ended after {self.history.n_epochs} steps: {result.message}."
        return Ending(text, converged=not result.status)

    @property
    def _trained(self) -> np.ndarray:
        """View of the parameters (P,) that are searched for; statistics follow from the data."""
        network = self.network
        return network.parameters[: network.plan.n_parameters]

    def _evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient (P,) at ``point`` (P,), in float64 for SciPy."""
        self._trained[...] = point
        self._totals = self._executor.gradient(
            self.network.parameters, self.data.rows, self._gradient
        )
        value = (self._totals.cost + self._totals.penalty) / self._totals.n_samples
        return value, self._gradient.astype(np.float64)

    def _step(self, point: np.ndarray) -> None:
        """Take note of an iteration that ended at ``point`` (P,), and end the search if told to."""
        try:
            told_to_stop = self._accept(point)
        except StopIteration as error:  # SciPy would take it for a sign of its own
            raise _EndOfSearch from error
        if told_to_stop:
            raise _EndOfSearch

    def _accept(self, point: np.ndarray) -> bool:
        """Record an iteration: SciPy has just evaluated the objective at ``point`` (P,)."""
        self._trained[...] = point
        self._accepted[...] = self.network.parameters
        self.history.n_samples_seen += self._totals.n_samples
        loss = self.history.add(self._totals, self.network.cost_divisor)
        self.best_loss = min(self.best_loss, loss)
        return self.report(record_of(self.history, self.max_iter, self._began))
