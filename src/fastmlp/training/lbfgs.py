"""L-BFGS on the full data set: SciPy's minimiser driving a backend's objective and gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.backends.protocol import Backend, Totals
from fastmlp.backends.row_blocks import rows_to_bind
from fastmlp.threads import one_blas_thread
from fastmlp.training.loop import TrainingData, interrupted
from fastmlp.training.observers import Observer, Observers
from fastmlp.training.state import Ending, TrainerState

__all__ = ["LbfgsRun"]


#: SciPy's status of a search whose line search has failed ("ABNORMAL").
_NO_LINE_SEARCH = 2


class _EndOfSearch(Exception):  # noqa: N818 - it is no error
    """An observer ended the search; if there is a cause, by an exception that SciPy would take."""


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
    max_fun : int
        Maximum number of evaluations of the objective.
    tol : float
        The projected gradient's largest element at which the search ends.
    state : TrainerState
        Of the network that learns.
    observers : sequence of Observer
        Who is told of each iteration, in this order.
    """

    backend: Backend
    data: TrainingData
    settings: np.ndarray
    n_threads: int
    max_fun: int
    tol: float
    state: TrainerState
    observers: Sequence[Observer] = ()

    def __post_init__(self) -> None:
        network, rows = self.state.network, self.data.rows
        network.require_inputs(rows.X)
        network.require_target(rows.target)
        n_rows = len(rows.X)
        n_at_once = rows_to_bind(network.plan, n_rows)
        self._executor = self.backend.bind(
            network.plan, self.settings, network.dtype, n_at_once, self.n_threads
        )
        self._gradient = np.zeros(network.plan.n_parameters, network.dtype)
        self._totals = Totals(0.0, 0.0, n_rows)
        self._values: tuple[float, float] = (np.inf, np.inf)  # of the last two accepted points
        self._accepted = network.parameters.copy()
        self._observers = Observers(self.observers)
        self._in_epoch = False

    def run(self) -> Ending:
        """Minimise; leave the last accepted point in the network."""
        self._observers.around(self.state, self._search)
        assert self.state.ending is not None
        return self.state.ending

    def _search(self) -> None:
        """Let SciPy search until the state has an ending."""
        try:
            self._minimize()
        except _EndOfSearch as end:
            if end.__cause__:
                raise end.__cause__ from None
        except KeyboardInterrupt:
            self.state.ending = interrupted()
        self.state.network.parameters[...] = self._accepted

    def _minimize(self) -> None:
        """Search to SciPy's own end."""
        from scipy.optimize import minimize  # noqa: PLC0415 - not every fit needs it

        state = self.state
        with one_blas_thread():  # SciPy's vectors are short beside a gradient
            result = minimize(
                self._evaluate,
                self._trained.astype(np.float64),
                jac=True,
                method="L-BFGS-B",
                callback=self._step,
                options={"maxiter": state.max_iter, "maxfun": self.max_fun, "gtol": self.tol},
            )
        ending = self._ending(result)
        if not state.epoch:  # no step was found, or none was needed
            self._evaluate(result.x)
            self._accept(result.x)
        if state.ending is None:  # no observer has ended it then
            state.ending = ending

    def _ending(self, result: Any) -> Ending:
        """Return why SciPy ended the search.

        A line search fails near a kink, or where rounding hides the slope. If the last step has
        changed the objective by less than a rounding error, there is nothing left to search for.
        """
        text = f"L-BFGS ended after {self.state.epoch} steps: {result.message}."
        if result.status == _NO_LINE_SEARCH and self._is_level():
            text = f"L-BFGS ended after {self.state.epoch} steps: no step changes the objective."
            return Ending(text, converged=True)
        return Ending(text, converged=not result.status)

    def _is_level(self) -> bool:
        """Return whether the last two points differ by less than the real type resolves."""
        before, last = self._values
        resolution = np.finfo(self.state.network.dtype).eps * max(1.0, abs(last))
        return bool(abs(before - last) < resolution)

    @property
    def _trained(self) -> np.ndarray:
        """View of the parameters (P,) that are searched for; statistics follow from the data."""
        network = self.state.network
        return network.parameters[: network.plan.n_parameters]

    def _evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient (P,) at ``point`` (P,), in float64 for SciPy."""
        self._begin_evaluation()
        self._trained[...] = point
        self._totals = self._executor.gradient(
            self.state.network.parameters, self.data.rows, self._gradient
        )
        return self._value, self._gradient.astype(np.float64)

    @property
    def _value(self) -> float:
        """The objective where it was evaluated last."""
        return (self._totals.cost + self._totals.penalty) / self._totals.n_samples

    def _begin_evaluation(self) -> None:
        """Tell of it, which is to an iteration what a call is to an epoch; end the search if so."""
        if not self._in_epoch:
            self._in_epoch = True
            self._observers.tell("epoch_begins", self.state)
        self._observers.tell("call_begins", self.state, len(self.data.rows.X), False)
        if self.state.ending is not None:
            raise _EndOfSearch

    def _step(self, point: np.ndarray) -> None:
        """Take note of an iteration that ended at ``point`` (P,), and end the search if told to."""
        try:
            self._accept(point)
        except StopIteration as error:  # SciPy would take it for a sign of its own
            raise _EndOfSearch from error
        if self.state.ending is not None:
            raise _EndOfSearch

    def _accept(self, point: np.ndarray) -> None:
        """Record an iteration: SciPy has just evaluated the objective at ``point`` (P,)."""
        state = self.state
        self._trained[...] = point
        self._accepted[...] = state.network.parameters
        self._values = self._values[1], self._value
        state.n_samples_seen += self._totals.n_samples
        state.count_epoch(self._totals)
        self._in_epoch = False
        self._observers.tell("epoch_ended", state)
