"""From an estimator's parameters and checked data to a trained network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from fastmlp.backends import Backend
from fastmlp.initializers import initialize
from fastmlp.lbfgs import LbfgsRun
from fastmlp.network import Network
from fastmlp.plan import Plan, batch_norms, make_plan, make_settings
from fastmlp.registry import OPTIMIZERS, Loss
from fastmlp.schedules import LearningRate
from fastmlp.stopping import LossMonitor, ScoreMonitor
from fastmlp.training import History, TrainingData, TrainingRun, print_record
from fastmlp.user_functions import CustomActivation, CustomLoss
from fastmlp.validation import (
    check_held_out_weights,
    check_rows_for_batch_norm,
    check_training_weights,
    check_validation_size,
    checking_initializer,
    each_normalization,
    naming,
)

__all__ = ["Fitting", "Learnt"]

#: Decoupled decay of AdamW when ``weight_decay`` is None; the other solvers have none.
ADAMW_DECAY = 0.01

#: Largest batch that ``batch_size="auto"`` makes.
AUTO_BATCH = 200

#: Maps a network, its outputs or logits (V, C), their target (V, T) and weights (V,) to a number.
Score = Callable[[Network, np.ndarray, np.ndarray, np.ndarray | None], float]


def loss_parameters(model: Any, loss: Loss) -> np.ndarray:
    """Return the numbers (K,) that a loss depends on, from the parameters of those names."""
    return np.hstack([np.empty(0), *(getattr(model, name) for name in loss.parameters)])


@dataclass
class Learnt:
    """All that a fit leaves behind, and all that a later one needs in order to go on.

    ``given`` holds the estimator's parameters by which later calls read the network: users may set
    others before the next fit.
    """

    network: Network
    history: History
    rate: LearningRate
    best_loss: float = np.inf
    best_score: float = -np.inf
    idle: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Fitting:
    """One call of ``fit`` or ``partial_fit`` whose input has been checked.

    Attributes
    ----------
    model : namespace
        The estimator's parameters, as ``validation.check_parameters`` returns them.
    layer_sizes : list of int, length L + 1
    loss : Loss
    data : TrainingData
    earlier : Learnt or None
        What a warm start or a partial fit goes on from; it is not changed.
    incremental : bool
        One epoch only, with the optimiser's memory kept.
    strata : ndarray or None, shape (N,)
        Held-out rows have the same shares of these values as all rows.
    score : callable
        How good a network is on the held-out rows; larger is better.
    scores_logits : bool
        Whether it takes logits in the place of outputs.
    given : mapping of str to object
        Parameters to keep with the network.
    """

    model: Any
    layer_sizes: list[int]
    loss: Loss
    data: TrainingData
    earlier: Learnt | None
    incremental: bool
    strata: np.ndarray | None
    score: Score
    scores_logits: bool
    given: Mapping[str, Any]
    backend: Backend
    n_threads: int

    def run(self) -> Learnt:
        """Train and return the result."""
        self.rng = check_random_state(self.model.random_state)
        learnt = self._starting_point()
        if self.model.solver == "lbfgs":
            return self._run_lbfgs(learnt)
        return self._run_batches(learnt)

    # -- the start ------------------------------------------------------------------------------

    def _starting_point(self) -> Learnt:
        """Return a fresh network, or a copy of the earlier one, ready to be trained."""
        model, plan, dtype = self.model, self._plan(), self.data.target.dtype
        rate = LearningRate("constant", model.learning_rate_init)
        if model.solver == "sgd":
            rate = LearningRate(model.learning_rate, model.learning_rate_init, model.power_t)
        n_moments = 0 if model.solver == "lbfgs" else OPTIMIZERS[model.solver].n_moments
        if self.earlier is None:
            network = self._new_network(plan, dtype, n_moments)
            return Learnt(network, History(), rate, given=self.given)
        network = self.earlier.network.continued(plan, dtype, n_moments, self.incremental)
        if self.incremental:
            rate = rate.resumed_from(self.earlier.rate)
        history = self.earlier.history.continued()
        if self._same_loss(plan):
            return replace(
                self.earlier, network=network, history=history, rate=rate, given=self.given
            )
        # The best of another loss is no mark to be measured by.
        return Learnt(network, history, rate, given=self.given)

    def _same_loss(self, plan: Plan) -> bool:
        """Return whether the earlier fit minimised the loss of this plan too."""
        assert self.earlier is not None
        before, given = self.earlier.network.plan, self.earlier.given
        return (
            (before.loss, before.custom_loss) == (plan.loss, plan.custom_loss)
            and np.array_equal(before.loss_parameters, plan.loss_parameters)
            and given.get("label_smoothing") == self.given.get("label_smoothing")
        )

    def _plan(self) -> Plan:
        model, n_hidden = self.model, len(self.layer_sizes) - 2
        dropouts = np.broadcast_to(model.dropout, n_hidden).tolist()
        return make_plan(
            self.layer_sizes,
            self._activations(),
            model.loss if isinstance(model.loss, CustomLoss) else self.loss.name,
            [model.input_dropout, *dropouts],
            loss_parameters(model, self.loss).tolist(),
            normalizations=each_normalization(model.normalization, n_hidden),
            n_groups=model.n_groups,
            n_channels=model.n_channels,
        )

    def _activations(self) -> list[str | CustomActivation]:
        """Return the activation of each hidden layer."""
        activation = np.asarray(self.model.activation, dtype=object)
        return list(np.broadcast_to(activation, len(self.layer_sizes) - 2))

    def _new_network(self, plan: Plan, dtype: np.dtype, n_moments: int) -> Network:
        network = Network.zeros(plan, dtype, n_moments)
        model = self.model
        hidden = self._activations()
        init = checking_initializer(model.init, dtype)
        initialize(
            plan,
            network.parameters,
            init,
            self.rng,
            [*hidden, hidden[-1] if hidden else model.activation],
            model.init_std,
            model.init_range,
        )
        return network

    def _settings(self, plan: Plan) -> np.ndarray:
        """Return the solver's settings; lbfgs needs the penalties only."""
        model = self.model
        solver = "sgd" if model.solver == "lbfgs" else model.solver
        decay = model.weight_decay
        if decay is None:
            decay = ADAMW_DECAY if solver == "adamw" else 0.0
        # Drawn only where it is used: scikit-learn's stream of random numbers has no such draw.
        dropping = plan.layers["dropout_threshold"].any()
        noisy = model.input_noise > 0 or model.gradient_noise > 0
        seed = self.rng.randint(0, 2**64, dtype=np.uint64) if dropping or noisy else 0
        return make_settings(
            solver,
            nesterov=model.nesterovs_momentum,
            momentum=model.momentum,
            beta_1=model.beta_1,
            beta_2=model.beta_2,
            epsilon=model.epsilon,
            l2=model.alpha,
            l1=model.l1,
            weight_decay=decay,
            batch_norm_momentum=model.batch_norm_momentum,
            seed=seed,
            clip_value=model.clip_value or 0.0,
            clip_norm=model.clip_norm or 0.0,
            max_norm=model.max_norm or 0.0,
            input_noise=model.input_noise,
            gradient_noise=model.gradient_noise,
            gradient_noise_decay=model.gradient_noise_decay,
        )

    def _callbacks(self) -> list[Callable]:
        own = [print_record] if self.model.verbose else []
        return [*own, *(self.model.callbacks or ())]

    # -- mini-batches ---------------------------------------------------------------------------

    def _run_batches(self, learnt: Learnt) -> Learnt:
        settings = self._settings(learnt.network.plan)
        monitor = self._monitor(learnt)
        self._leave_out_weightless(learnt.network.plan)
        run = TrainingRun(
            backend=self.backend,
            network=learnt.network,
            data=self.data,
            settings=settings,
            batch_size=self._batch_size(len(self.data.order)),
            n_threads=self.n_threads,
            rate=learnt.rate,
            monitor=monitor,
            history=learnt.history,
            rng=self.rng if self.model.shuffle else None,
            max_iter=1 if self.incremental else self.model.max_iter,
            callbacks=self._callbacks(),
        )
        if not run.run() and not self.incremental:
            _warn_not_converged(f"max_iter={self.model.max_iter} epochs were not enough.")
        if isinstance(monitor, ScoreMonitor):
            return replace(learnt, best_score=monitor.best, idle=monitor.idle)
        return replace(learnt, best_loss=monitor.best, idle=monitor.idle)

    def _batch_size(self, n_rows: int) -> int:
        wanted = self.model.batch_size
        if wanted == "auto":
            return min(AUTO_BATCH, n_rows)
        if wanted > n_rows:
            warnings.warn(
                f"batch_size={wanted} is clipped to the {n_rows} rows that there are to train on.",
                stacklevel=6,
            )
        return int(min(wanted, n_rows))

    def _monitor(self, learnt: Learnt) -> LossMonitor | ScoreMonitor:
        """Return what decides on stopping; early stopping takes rows out of ``data.order``."""
        tol, patience = self.model.tol, self.model.n_iter_no_change
        if not self.model.early_stopping:
            return LossMonitor(tol, patience, learnt.best_loss, learnt.idle)
        held_out = self._hold_out()
        best = learnt.network.parameters.copy() if np.isfinite(learnt.best_score) else None
        score = self._held_out_score(held_out)
        return ScoreMonitor(score, tol, patience, learnt.best_score, learnt.idle, best)

    def _hold_out(self) -> np.ndarray:
        """Split ``data.order``, with scikit-learn's draws; return the rows (V,) held out."""
        from sklearn.model_selection import train_test_split  # noqa: PLC0415 - slow to import

        fraction = self.model.validation_fraction
        check_validation_size(fraction, len(self.data.order))
        with naming("validation_fraction"):
            train, held_out = train_test_split(
                self.data.order, test_size=fraction, random_state=self.rng, stratify=self.strata
            )
        weights = self.data.sample_weight
        check_training_weights(None if weights is None else weights[train])
        check_rows_for_batch_norm(
            self.model.normalization, len(train), None if weights is None else weights[train]
        )
        self.data.order = np.ascontiguousarray(train)
        return np.ascontiguousarray(held_out)

    def _leave_out_weightless(self, plan: Plan) -> None:
        """Take rows of weight 0 out of ``data.order`` where batches have statistics.

        Else a batch could have but one row that counts, whose variance is 0, or none.
        """
        weights, order = self.data.sample_weight, self.data.order
        if weights is not None and batch_norms(plan).any():
            self.data.order = np.ascontiguousarray(order[weights[order] > 0])

    def _held_out_score(self, rows: np.ndarray) -> Callable[[Network], float]:
        """Return a function that scores a network on ``rows`` (V,); NaN if it overflows there."""
        X, target = self.data.X, self.data.target[rows]
        weights = None if self.data.sample_weight is None else self.data.sample_weight[rows]
        check_held_out_weights(weights)

        def score(network: Network) -> float:
            outputs = network.forward(
                self.backend,
                X,
                rows,
                apply_link=not self.scores_logits,
                n_threads=self.n_threads,
            )
            if not np.isfinite(outputs).all():
                return np.nan
            with np.errstate(all="ignore"):  # what overflows is seen in the score
                return self.score(network, outputs, target, weights)

        return score

    # -- the whole data set at once -------------------------------------------------------------

    def _run_lbfgs(self, learnt: Learnt) -> Learnt:
        run = LbfgsRun(
            backend=self.backend,
            network=learnt.network,
            data=self.data,
            settings=self._settings(learnt.network.plan),
            n_threads=self.n_threads,
            history=learnt.history,
            max_iter=self.model.max_iter,
            max_fun=self.model.max_fun,
            tol=self.model.tol,
            callbacks=self._callbacks(),
        )
        trouble = run.run()
        if trouble is not None:
            _warn_not_converged(f"lbfgs stopped after {learnt.history.n_epochs} steps: {trouble}.")
        history = learnt.history
        of_this_fit = history.loss_curve[len(history.loss_curve) - history.n_epochs :]
        return replace(learnt, best_loss=min([learnt.best_loss, *of_this_fit]))


def _warn_not_converged(reason: str) -> None:
    warnings.warn(
        f"The fit has not converged: {reason} Raise max_iter, scale the data, or loosen tol.",
        ConvergenceWarning,
        stacklevel=6,
    )
