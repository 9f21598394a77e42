"""From an estimator's parameters and checked data to a trained network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from fastmlp.backends import Backend
from fastmlp.estimators.coding import TargetCoder
from fastmlp.estimators.columns import with_rates
from fastmlp.estimators.first_weights import fit_first_weights
from fastmlp.estimators.holding_out import hold_out, warn_of_constant
from fastmlp.estimators.judging import JudgedRows, Judgement, Watch
from fastmlp.estimators.learnt import Learnt, shown_as
from fastmlp.estimators.memo import Memo
from fastmlp.estimators.stream import ONE_EPOCH, Stream
from fastmlp.estimators.yardstick import out_of_scale, worse_than_constant
from fastmlp.kept import kept_property
from fastmlp.network import Network
from fastmlp.notices import notify
from fastmlp.optimizers import Optimizer, named_optimizer
from fastmlp.plan.front import Column
from fastmlp.plan.front_values import initialize_columns
from fastmlp.plan.initializers import initialize
from fastmlp.plan.layout import Plan, make_plan
from fastmlp.plan.members import MEMBERS, members_of
from fastmlp.plan.records import make_settings
from fastmlp.plan.update_groups import with_factors
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.schedules import OF_SCIKIT_LEARN, Constant, Scaled, Schedule, named_schedule
from fastmlp.training.averages import WeightAverage
from fastmlp.training.callbacks import Callbacks
from fastmlp.training.courses import Rates
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.history import History
from fastmlp.training.lbfgs import LbfgsRun
from fastmlp.training.loop import TrainingData, TrainingRun
from fastmlp.training.observers import Observer
from fastmlp.training.printing import Printer
from fastmlp.training.progress_bar import ProgressBar
from fastmlp.training.rates import RateFollower
from fastmlp.training.recorder import Recorder
from fastmlp.training.shuffling import random_state_of
from fastmlp.training.state import Ending, TrainerState
from fastmlp.training.stopping import LossMonitor, ScoreMonitor
from fastmlp.training.time_limit import TimeLimit
from fastmlp.training.updates import UpdateRule
from fastmlp.validation import (
    checking_initializer,
    each_normalization,
    kept_of,
    largest_batch,
    small_factors,
)

__all__ = ["Fitting"]


@dataclass
class Fitting:
    """One call of ``fit`` or ``partial_fit`` whose input has been checked.

    Attributes
    ----------
    model : MLPClassifier or MLPRegressor
        Not changed; callbacks see in it what has been learnt so far.
    parameters : namespace
        Its parameters, as ``validation.check_parameters`` returns them.
    memo : Memo
        What follows from them alone, but for ``random_state``.
    layer_sizes : list of int, length L + 1
    columns : tuple of Column, length I or 0
        What is made of each column of X.
    coder : TargetCoder
    feature_names : ndarray of str, shape (I,), or None
    data : TrainingData
    y : ndarray, shape (N,) or (N, C)
        Its targets as the user gave them.
    sample_weight : ndarray of float64, shape (N,), or None
        Its rows' own weights, without those of classes.
    own_rows : JudgedRows or None
        What the user brought to judge the network by.
    earlier : Learnt or None
        What a warm start or a partial fit goes on from; it is not changed.
    incremental : bool
        One epoch only, with the optimiser's memory kept.
    began : float
        What the clock showed when the fit was called.
    listeners : list of Observer
        Who is told besides, after all others.
    training : callable
        Makes the run by mini-batches: ``TrainingRun``, or what takes its arguments.
    """

    model: Any
    parameters: SimpleNamespace
    memo: Memo
    layer_sizes: list[int]
    columns: tuple[Column, ...]
    coder: TargetCoder
    feature_names: np.ndarray | None
    data: TrainingData
    y: np.ndarray
    sample_weight: np.ndarray | None
    own_rows: JudgedRows | None
    earlier: Learnt | None
    incremental: bool
    began: float
    backend: Backend
    n_threads: int
    rng: np.random.RandomState = field(init=False)
    learnt: Learnt = field(init=False)
    monitor: LossMonitor | ScoreMonitor | None = field(init=False, default=None)
    watch: Watch | None = field(init=False, default=None)
    listeners: list[Observer] = field(default_factory=list)
    training: Callable[..., TrainingRun] = TrainingRun

    def run(self) -> Learnt:
        """Train and return the result."""
        self.rng = random_state_of(self.parameters.random_state)
        self.learnt = self._starting_point()
        if self.own_rows is not None and not self.learnt.stops_early:
            self.watch = Watch(*self._judgement.scores_of(self.own_rows))
        ending = self._train()
        self.learnt = replace(self.learnt, stop_reason=ending.reason)
        if not self.incremental:
            self._comment(ending)
        return self.learnt

    def untrained(self) -> Learnt:
        """Return what training would begin with."""
        self.rng = random_state_of(self.parameters.random_state)
        return self._starting_point()

    def _train(self) -> Ending:
        """Run the solver; name what is out of scale if it diverges."""
        try:
            return self._run_lbfgs() if self.parameters.solver == "lbfgs" else self._run_batches()
        except DivergenceError as error:
            with np.errstate(all="ignore"):
                causes = out_of_scale(self.learnt, self.data)
            if not causes:
                raise
            raise DivergenceError(" ".join([str(error), *causes])) from error

    def _comment(self, ending: Ending) -> None:
        """Warn if the fit should not have ended like this."""
        if ending.on_demand:
            return
        parameters = self.parameters
        small = small_factors(parameters.learning_rate, parameters.learning_rate_init)
        if small:
            notify(small)
        causes = cache(lambda: out_of_scale(self.learnt, self.data))
        worse = worse_than_constant(self.learnt, self.data, self.backend, self.n_threads, causes)
        finding = (
            ending.reason if ending.converged else f"The fit has not converged: {ending.reason}"
        )
        if worse:
            notify(f"{finding} {worse}", ConvergenceWarning)
        elif not ending.converged:
            remedies = causes() if ending.remedy else []
            notify(" ".join([finding, ending.remedy, *remedies]).rstrip(), ConvergenceWarning)

    # -- the start ------------------------------------------------------------------------------

    def _starting_point(self) -> Learnt:
        """Return a fresh network, or a copy of the earlier one, ready to be trained."""
        parameters, plan, dtype = self.parameters, self._plan(), self.coder.dtype
        moments = () if self._optimizer is None else self._optimizer.moments
        stops_early = parameters.early_stopping and self._optimizer is not None
        if self.earlier is None:
            network = self._new_network(plan, dtype, len(moments))
            history = History(incremental=self.incremental)
        else:
            keep = self.incremental and self.earlier.moments == moments
            network = self.earlier.network.continued(plan, dtype, len(moments), keep)
            history = self.earlier.history.continued(self.incremental)
        learnt = Learnt(
            network=network,
            coder=self.coder,
            feature_names=self.feature_names,
            history=history,
            rate=self._rates(),
            moments=moments,
            kept=self.memo.once("kept", lambda: kept_of(vars(parameters))),
            stops_early=stops_early,
            has_scores=stops_early or self.own_rows is not None,
        )
        if self.earlier is None or not self.incremental:
            return learnt
        rate = learnt.rate.resumed_from(self.earlier.rate)
        # The best of another loss is no mark to be measured by.
        best_loss = self.earlier.best_loss if self._same_loss(plan) else np.inf
        return replace(learnt, rate=rate, best_loss=best_loss)

    def _rates(self) -> Rates:
        """Return what has a schedule, at the beginning of a fit."""
        return copy(self.memo.once("rates", self._first_rates))

    def _first_rates(self) -> Rates:
        parameters, optimizer = self.parameters, self._optimizer
        schedule = parameters.learning_rate
        if not isinstance(schedule, Schedule):
            ignored = schedule in OF_SCIKIT_LEARN and getattr(optimizer, "name", None) != "sgd"
            schedule = Constant() if ignored else named_schedule(schedule, parameters.power_t)
        numbers = {
            "weight_decay": getattr(optimizer, "weight_decay", None),
            "momentum": getattr(optimizer, "momentum", None),
            "dropout": parameters.dropout,
            "label_smoothing": self.coder.scheduled_smoothing(parameters),
        }
        rate = parameters.learning_rate_init, schedule
        return Rates.of(
            rate,
            numbers,
            parameters.max_iter,
            input_dropout=parameters.input_dropout,
            ends=not self.incremental,
        )

    def _same_loss(self, plan: Plan) -> bool:
        """Return whether the earlier fit minimised the loss of this plan too."""
        assert self.earlier is not None
        before = self.earlier.network.plan
        return (
            (before.loss, before.custom_loss) == (plan.loss, plan.custom_loss)
            and np.array_equal(before.loss_parameters, plan.loss_parameters)
            and self.earlier.coder.smoothing == self.coder.smoothing
        )

    def _plan(self) -> Plan:
        if self.columns:  # which have bins of the data
            return self._lay_out()
        coder = self.coder
        by = ("plan", *self.layer_sizes, coder.row.name, coder.loss_parameters)
        return self.memo.once(by, self._lay_out)

    def _lay_out(self) -> Plan:
        parameters, n_hidden = self.parameters, len(self.layer_sizes) - 2
        dropout = parameters.dropout
        dropout = dropout.base if isinstance(dropout, Scaled) else dropout
        dropouts = np.broadcast_to(dropout, n_hidden).tolist()
        scaling = parameters.scaling_layer > 0
        members = members_of(parameters.n_members, parameters.members, n_hidden + 1, scaling)
        plan = make_plan(
            self.layer_sizes,
            self._activations(),
            parameters.loss if isinstance(parameters.loss, CustomLoss) else self.coder.row.name,
            [parameters.input_dropout, *dropouts],
            self.coder.loss_parameters,
            normalizations=each_normalization(parameters.normalization, n_hidden),
            n_groups=parameters.n_groups,
            n_channels=parameters.n_channels,
            parametric=np.broadcast_to(parameters.parametric_activation, n_hidden).tolist(),
            **members._asdict(),
            columns=self.columns,
            matmul_precision=parameters.matmul_precision,
        )
        plan = with_rates(plan, parameters)
        if self._optimizer is None:
            return plan
        factors = parameters.learning_rate_factors
        return with_factors(plan, factors, parameters.parametrization, self._optimizer)

    def _activations(self) -> list[str | CustomActivation]:
        """Return the activation of each hidden layer."""
        activation, n_hidden = self.parameters.activation, len(self.layer_sizes) - 2
        if isinstance(activation, str):
            return [activation] * n_hidden
        return list(np.broadcast_to(np.asarray(activation, dtype=object), n_hidden))

    def _new_network(self, plan: Plan, dtype: np.dtype, n_moments: int) -> Network:
        network = Network.zeros(plan, dtype, n_moments)
        parameters = self.parameters
        hidden = self._activations()
        init = checking_initializer(parameters.init, dtype)
        initialize(
            plan,
            network.parameters,
            init,
            self.rng,
            [*hidden, hidden[-1] if hidden else parameters.activation],
            parameters.init_std,
            parameters.init_range,
            "ones" if MEMBERS[parameters.members] else "signs",
        )
        sigma = getattr(parameters.numeric_embedding, "sigma", 1.0)
        initialize_columns(plan, network.parameters, self.rng, sigma)
        if self.coder.starts_at_constant and isinstance(parameters.init, str):
            network.biases[-1][...] = self._constant_logits(plan)
        return network

    def _constant_logits(self, plan: Plan) -> np.ndarray:
        """Return the logits (C,) of the best constant."""
        rows = self.data.rows
        return self.coder.constant_logits(rows.target, rows.sample_weight, plan.loss_parameters)

    def _look_at_rows(self) -> None:
        """Let the rows that are to be learnt from, but none that judge, change the first weights.

        It waits for those that are held out; a network that goes on has no first weights.
        """
        if self.earlier is not None or self.parameters.init != "data_driven":
            return
        network, X = self.learnt.network, self.data.rows.X
        counting = self.data.counting()
        network.biases[-1][...] = 0
        mean = fit_first_weights(network, self.backend, X, counting, self.rng, self.n_threads)
        if self.coder.starts_at_constant:
            network.biases[-1][...] = self._constant_logits(network.plan) - mean

    def _settings(self, plan: Plan) -> np.ndarray:
        """Return the solver's settings; lbfgs needs the penalties only."""
        parameters = self.parameters
        # Drawn only where it is used: scikit-learn's stream of random numbers has no such draw.
        noisy = parameters.input_noise > 0 or parameters.gradient_noise > 0
        if not (noisy or plan.has_dropout):
            return self.memo.once("settings", lambda: self._seeded(0))
        return self._seeded(int(self.rng.randint(0, 2**64, dtype=np.uint64)))

    def _seeded(self, seed: int) -> np.ndarray:
        """Return the settings for random numbers of a seed."""
        parameters = self.parameters
        return make_settings(
            "sgd" if self._optimizer is None else self._optimizer.name,
            l2=parameters.alpha,
            l1=parameters.l1,
            batch_norm_momentum=parameters.batch_norm_momentum,
            seed=seed,
            clip_value=parameters.clip_value or 0.0,
            clip_norm=parameters.clip_norm or 0.0,
            max_norm=parameters.max_norm or 0.0,
            input_noise=parameters.input_noise,
        )

    @kept_property
    def _optimizer(self) -> Optimizer | None:
        """What makes the steps; None for lbfgs, which makes its own."""
        return self.memo.once("optimizer", self._make_optimizer)

    def _make_optimizer(self) -> Optimizer | None:
        parameters = self.parameters
        if isinstance(parameters.solver, Optimizer):
            return parameters.solver
        if parameters.solver == "lbfgs":
            return None
        return named_optimizer(
            parameters.solver,
            momentum=parameters.momentum,
            nesterov=parameters.nesterovs_momentum,
            betas=(parameters.beta_1, parameters.beta_2),
            eps=parameters.epsilon,
            weight_decay=parameters.weight_decay,
        )

    # -- who is told of it ----------------------------------------------------------------------

    def _state(self, max_iter: int, rate: Rates | None) -> TrainerState:
        """Return the state in which the training begins."""
        learnt = self.learnt
        seen = learnt.history.n_samples_seen
        return TrainerState(learnt.network, max_iter, learnt.coder.cost_unit, rate, seen)

    def _observers(self, *judging: Observer) -> list[Observer]:
        """Return who is told of each epoch: first who judges it, last the user's callbacks."""
        watching = [] if self.watch is None else [self.watch]
        observers = [*judging, *watching, Recorder(self.learnt.history)]
        parameters, whole = self.parameters, not self.incremental
        if parameters.time_limit is not None and whole:
            observers.append(TimeLimit(parameters.time_limit, self.began))
        if parameters.verbose:
            display = ProgressBar if parameters.verbose == "bar" else Printer
            observers.append(display(says_why=whole))
        if parameters.callbacks:
            observers.append(Callbacks(parameters.callbacks, self.showing))
        return [*observers, *self.listeners]

    def showing(self, state: TrainerState) -> AbstractContextManager[None]:
        """Return a context in which the model shows what it has learnt so far."""
        reason = "The fit is under way." if state.ending is None else state.ending.reason
        learnt = replace(self._with_best(), network=state.predicting, stop_reason=reason)
        return shown_as(self.model, learnt)

    def _with_best(self) -> Learnt:
        """Return what has been learnt, with the best mark so far."""
        learnt = self.learnt
        if self.watch is not None:
            learnt = replace(learnt, best_score=self.watch.best)
        if self.monitor is None:
            return learnt
        if isinstance(self.monitor, ScoreMonitor):
            return replace(learnt, best_score=self.monitor.reported_best)
        return replace(learnt, best_loss=self.monitor.best)

    # -- mini-batches ---------------------------------------------------------------------------

    def _run_batches(self) -> Ending:
        network = self.learnt.network
        assert self._optimizer is not None
        settings, parameters = self._settings(network.plan), self.parameters
        rule = UpdateRule(
            self._optimizer, parameters.gradient_noise, parameters.gradient_noise_decay
        )
        self.monitor = monitor = self._monitor()
        self._leave_out_weightless(network.plan)
        self._look_at_rows()
        max_iter, rate = 1 if self.incremental else parameters.max_iter, self.learnt.rate
        run = self.training(
            backend=self.backend,
            data=self.data,
            settings=settings,
            rule=rule,
            batch_size=self._batch_size(self.data.n_rows),
            n_threads=self.n_threads,
            rng=self.rng if parameters.shuffle else None,
            state=self._state(max_iter, rate),
            observers=self._observers(*self._averages, monitor, RateFollower(rate)),
            most_updates=parameters.averaging.interval if parameters.averaging else None,
            n_orders=network.plan.n_members if parameters.own_batches else 1,
        )
        ending = run.run()
        self.learnt = self._with_best()
        if self.incremental:
            stream = Stream.after(self, network, settings, rule)
            self.learnt = replace(self.learnt, stream=stream)
            if not ending.converged:
                return Ending(ONE_EPOCH, converged=False)
        return ending

    def _batch_size(self, n_rows: int) -> int:
        largest = largest_batch(vars(self.parameters))
        if self.parameters.batch_size != "auto" and largest > n_rows:
            notify(f"batch_size={largest} is clipped to the {n_rows} rows that it can train on.")
        return min(largest, n_rows)

    @property
    def _averages(self) -> list[Observer]:
        """What averages the weights, if anything does."""
        averaging = self.parameters.averaging
        return [] if averaging is None else [WeightAverage(averaging)]

    def _monitor(self) -> LossMonitor | ScoreMonitor:
        """Return what decides on stopping; early stopping takes rows out of ``data.order``."""
        tol, patience = self.parameters.tol, self.parameters.n_iter_no_change
        if not self.parameters.early_stopping:
            return LossMonitor(tol, patience, self.learnt.best_loss)
        judged = self._held_out() if self.own_rows is None else self._own_rows()
        score, unit = self._judgement.scores_of(judged)
        return ScoreMonitor(score, tol, patience, unit, restores_best=self.parameters.restore_best)

    @property
    def _judgement(self) -> Judgement:
        """How the networks of this fit are judged."""
        scoring, coder = self.parameters.scoring, self.coder
        return Judgement(scoring, self.model, coder, self.backend, self.n_threads, self._with_best)

    def _own_rows(self) -> JudgedRows:
        """Return the rows that the user brought to judge by."""
        assert self.own_rows is not None
        rows, order = self.own_rows.rows, self.own_rows.order
        if self.coder.classes_of_rows(rows.target) is None:
            learnt, remedy = self.data.rows.target, "give rows whose target varies"
            warn_of_constant(rows, order, learnt, "", remedy, "y_val")
        return self.own_rows

    def _held_out(self) -> JudgedRows:
        """Take rows out of ``data.order``; return them."""
        order = hold_out(self.parameters, self.data, self.coder, self.rng, self.y)
        weights = None if self.sample_weight is None else self.sample_weight[order]
        return JudgedRows(self.data.rows, order, self.y[order], weights)

    def _leave_out_weightless(self, plan: Plan) -> None:
        """Take rows of weight 0 out of ``data.order`` where batches have statistics.

        Else a batch could have but one row that counts, whose variance is 0, or none.
        """
        if plan.has_batch_norm and self.data.n_rows == len(self.data.order):
            self.data.order = np.ascontiguousarray(self.data.counting())

    # -- the whole data set at once -------------------------------------------------------------

    def _run_lbfgs(self) -> Ending:
        parameters, best_of_all = self.parameters, LossMonitor(tol=0.0, patience=np.inf)
        self.monitor = best_of_all
        self._look_at_rows()
        search = LbfgsRun(
            backend=self.backend,
            data=self.data,
            settings=self._settings(self.learnt.network.plan),
            n_threads=self.n_threads,
            max_fun=parameters.max_fun,
            tol=parameters.tol,
            state=self._state(parameters.max_iter, None),
            observers=self._observers(best_of_all),
        )
        ending = search.run()
        self.learnt = self._with_best()
        return ending
