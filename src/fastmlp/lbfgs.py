"""L-BFGS on the full data set: SciPy's minimiser driving a backend's objective and gradient."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fastmlp.backends.protocol import Backend, Totals
from fastmlp.network import Network
from fastmlp.training import INTERRUPTED, EpochRecord, History, TrainingData, require_finite

__all__ = ["LbfgsRun"]


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
        Most evaluations of the objective.
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
    callbacks: Sequence[Callable[[EpochRecord], object]] = ()

    def __post_init__(self) -> None:
        network, n_rows = self.network, len(self.data.X)
        self._workspace = self.backend.workspace(
            network.plan, network.dtype, n_rows, self.n_threads
        )
        self._gradient = np.zeros(network.plan.n_parameters, network.dtype)
        self._totals = Totals(0.0, 0.0, n_rows)
        self._accepted = network.parameters.copy()
        self._began = time.perf_counter()

    def run(self) -> str | None:
        """Minimise; leave the last accepted point in the network.

        Returns
        -------
        str or None
            Why the search ended without converging; None when it converged.
        """
        from scipy.optimize import minimize  # noqa: PLC0415 - not every fit needs it

        trouble = None
        try:
            result = minimize(
                self._evaluate,
                self._trained.astype(np.float64),
                jac=True,
                method="L-BFGS-B",
                callback=self._accept,
                options={"maxiter": self.max_iter, "maxfun": self.max_fun, "gtol": self.tol},
            )
            trouble = result.message if result.status else None
            if not self.history.n_epochs:  # no step was found, or none was needed
                self._evaluate(result.x)
                self._accept(result.x)
        except KeyboardInterrupt:
            warnings.warn(INTERRUPTED, stacklevel=6)
        self.network.parameters[...] = self._accepted
        require_finite(self.network, self.history.n_epochs)
        return trouble

    @property
    def _trained(self) -> np.ndarray:
        """View of the parameters (P,) that are searched for; statistics follow from the data."""
        network = self.network
        return network.parameters[: network.plan.n_parameters]

    def _evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient (P,) at ``point`` (P,), in float64 for SciPy."""
        network = self.network
        self._trained[...] = point
        self._totals = self.backend.objective_and_gradient(
            network.plan,
            self.settings,
            network.parameters,
            self.data.X,
            self.data.target,
            self.data.sample_weight,
            self._gradient,
            self._workspace,
            self.n_threads,
        )
        value = (self._totals.cost + self._totals.penalty) / self._totals.n_samples
        return value, self._gradient.astype(np.float64)

    def _accept(self, point: np.ndarray) -> None:
        """Record an iteration: SciPy has just evaluated the objective at ``point`` (P,)."""
        self._trained[...] = point
        self._accepted[...] = self.network.parameters
        self.history.n_samples_seen += self._totals.n_samples
        self.history.add(self._totals, self.network.cost_divisor)
        record = self.history.last_record(self.max_iter, time.perf_counter() - self._began)
        for callback in self.callbacks:
            callback(record)
