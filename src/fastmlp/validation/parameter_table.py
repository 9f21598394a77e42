"""The estimators' parameters: whatever the library knows of one stands in its row here.

The checks of parameters, the estimators' documentation and the command line read this table, and a
test holds the constructors, which people and type checkers read, against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.names import Names
from fastmlp.optimizers import CLASSES
from fastmlp.plan.initializers import INITIALIZERS
from fastmlp.registry import ACTIVATIONS, CLASSIFIER_LOSSES, REGRESSOR_LOSSES, SOLVERS
from fastmlp.schedules import POLICIES
from fastmlp.validation.initial_values import check_init
from fastmlp.validation.normalizations import NORMALIZATION_NAMES
from fastmlp.validation.parameter_rules import (
    ACTIVATION,
    BACKEND,
    BOUND,
    CLASSIFIER_LOSS,
    COUNT,
    COUNT_OR_NONE,
    NORMALIZATION,
    NOT_NEGATIVE,
    POLICY,
    POSITIVE,
    SHARE,
    SHARE_OF_EACH,
    THREADS,
    WIDTHS,
    quantiles,
    regression_loss,
    solver,
    spread,
    standardization,
)
from fastmlp.validation.rules import Number, Rule, callables, flag, real_type, seed, verbosity

__all__ = ["BY_TASK", "PARAMETERS", "TASKS", "Parameter"]

TASKS = ("classifier", "regressor")

#: What leaves out a parameter that is ignored where a solver does not use it.
_IGNORED = object()


@dataclass(frozen=True)
class Parameter:
    """A parameter of the estimators.

    Attributes
    ----------
    name : str
    default : object
    rule : callable
        What returns a value as a fit takes it, or raises because it is not right.
    annotation : str
        The type in the constructor's signature.
    text : str
        What the documentation says, in lines of its own that begin with four spaces.
    type : str
        The type as the documentation names it; "" where it is the annotation.
    task : {"classifier", "regressor"} or None
        The estimator that has it; None for both.
    positional : bool
        Whether it can be given without its name.
    real : bool
        Whether the core computes with it in the network's real type, which must hold it.
    divisor : bool
        Whether the core divides by it, so that the smallest values are refused.
    kept : bool
        Whether a fit keeps its value, because it is read after the fit.
    names : Names or None
        The names that it takes, so that one in the wrong place can be told where it belongs.
    solvers : tuple of str
        The named solvers that use it.
    off : object
        The value that leaves it out, where other solvers refuse all others. Where there is none,
        they ignore the parameter.
    """

    name: str
    default: Any
    rule: Rule
    annotation: str
    text: str
    type: str = ""
    task: str | None = None
    positional: bool = False
    real: bool = False
    divisor: bool = False
    kept: bool = False
    names: Names | None = None
    solvers: tuple[str, ...] = tuple(SOLVERS)
    off: object = _IGNORED

    def refused_by(self, solver: object, value: Any) -> bool:
        """Return whether a solver, by its name, can't do what a checked value asks for."""
        unused = solver in SOLVERS and solver not in self.solvers
        return unused and self.off is not _IGNORED and bool(np.any(value))

    @property
    def documentation(self) -> str:
        """The entry under "Parameters" in numpydoc's form."""
        head = f"{self.name} : {self.type or self.annotation}, default={_as_written(self.default)}"
        return head + self.text.rstrip()


def _as_written(default: Any) -> str:
    """Return a default as the documentation has it: texts in double quotes, 1e-8 for 1e-08."""
    if isinstance(default, str):
        return f'"{default}"'
    return repr(default).replace("e-0", "e-")


#: Solvers that learn by mini-batches.
BATCHES = tuple(name for name in SOLVERS if name != "lbfgs")


def taking(option: str) -> tuple[str, ...]:
    """Return the solvers whose option the estimators have a parameter for."""
    return tuple(name for name, cls in CLASSES.items() if option in cls.of_estimators)


# The order is that of the constructors: what only one of them has is left out for the other.
# fmt: off
PARAMETERS = (
    Parameter("loss", "squared_error", regression_loss, "str | CustomLoss",
        type="str or CustomLoss", task="regressor", positional=True, names=REGRESSOR_LOSSES,
        text="""
    What is minimised: your own, made by :func:`fastmlp.custom_loss`, or, with z the output and
    r = z − y:

    - "squared_error": r²/2 · "absolute_error": ``|r|`` · "log_cosh": log cosh r;
    - "huber": r²/2 up to ``|r|`` = δ, then δ (``|r|`` − δ/2), δ = huber_delta (Huber 1964) ·
      "smooth_l1": the same divided by δ, δ = smooth_l1_beta; both as in PyTorch;
    - "pinball" or "quantile": max(τ (y − z), (τ − 1)(y − z)) for each τ of ``quantiles``
      (Koenker and Bassett 1978). Several quantiles can't cross: each is the one below it plus
      softplus of an output of its own, in training as in prediction, so what is minimised is
      the loss of what is predicted. ``predict`` then has one axis more, (n_samples,
      n_quantiles) or (n_samples, n_outputs, n_quantiles);
    - "poisson", "gamma", "tweedie": half the deviance of the mean μ = exp(z), which is what
      ``predict`` returns, as in scikit-learn. For y ≥ 0, y > 0, and by ``tweedie_power``;
    - "gaussian_nll": (log v + r²/v)/2 with a mean z and a variance v per target, both learnt
      (Nix and Weigend 1994): v = softplus of a second output + 1e-6. See ``return_std`` of
      ``predict``.

    The sum over targets (and quantiles) plus the penalties is minimised. ``loss_``,
    ``best_loss_``, the curves, ``cost`` and ``objective`` report the mean in the place of that
    sum, but for the three deviances the sum, both as in scikit-learn, and the sum for your own.
    The slope of "absolute_error" and "pinball" at 0 is 0.
    """),
    Parameter("hidden_layer_sizes", (100,), WIDTHS, "int | Sequence[int]",
        type="int or sequence of int", positional=True, text="""
    Width of each hidden layer; an empty sequence makes a linear model.
    """),
    Parameter("activation", "relu", ACTIVATION,
        "str | CustomActivation | Sequence[str | CustomActivation]",
        type="str, CustomActivation, or sequence of these", positional=True,
        names=ACTIVATIONS.by_name, text="""
    h = f(z) of the hidden units, for all hidden layers or for each:

    - "identity" z · "relu" max(0, z) · "leaky_relu" z or, below 0, 0.01 z;
    - "logistic" s(z) = 1/(1 + exp(−z)) · "tanh" tanh z · "softsign" ``z/(1 + |z|)``;
    - "elu" z or, below 0, exp(z) − 1 · "selu" the same by 1.0507 z and 1.7581 (exp(z) − 1);
    - "softplus" log(1 + exp(z)) · "silu" or "swish" z s(z) · "mish" z tanh(log(1 + exp(z)));
    - "gelu" z Φ(z), Φ the normal distribution · "gelu_tanh" z s(√(8/π) (z + 0.044715 z³));
    - "hard_sigmoid" min(max(z + 3, 0), 6)/6 · "hard_swish" z times that.

    Or your own, made by :func:`fastmlp.custom_activation`. The user guide has the names that other
    libraries give to the same, such as "sigmoid"; for ``loss``, ``init`` and others as well.

    The slope at a kink is the left piece's ("relu": 0 at 0, "leaky_relu": 0.01 at 0), but for
    "hard_sigmoid" (0 at −3 and 3) and "hard_swish" (0 at −3, 1 at 3).
    """),
    Parameter("loss", "cross_entropy", CLASSIFIER_LOSS, "str", task="classifier",
        names=CLASSIFIER_LOSSES, text="""
    What is minimised. z are the logits, q the probabilities that softmax or logistic make of
    them, y the true class:

    - "cross_entropy" ("log_loss"): −log q_y, or the sum of it over labels. With y of shape
      (n_samples, n_classes) and fractions in it, each row a distribution p, it is
      −Σ p_j log q_j; a matrix of zeros and ones only is read as several labels a row.
      "binary_cross_entropy" is the same for two classes or several labels a row only,
      "categorical_cross_entropy" for one label a row, or distributions, only.
    - "focal": −(1 − q_y)^focal_gamma log q_y, which lets easy samples count less (Lin et al.
      2017); two classes, several, or several labels a row.
    - "kl_divergence": Σ p_j log(p_j / q_j) for distributions p in the rows of y: cross-entropy
      less the entropy of p, so 0 is the best there is.
    - "multi_margin": Σ max(0, 1 − z_y + z_j) / n_classes over j ≠ y, as in PyTorch.
    - "squared_hinge": Σ_j max(0, 1 − s_j z_j)², s_j = 1 for the true class (or label), else −1:
      one class against the rest.

    The last two know margins, no probabilities: as with scikit-learn's linear machines there is
    ``decision_function``, but no ``predict_proba``.
    """),
    Parameter("label_smoothing", 0.0, SHARE, "float", task="classifier", text="""
    For "cross_entropy": share s in [0, 1) of each label's certainty that is spread evenly over
    all C classes, p = (1 − s) p + s/C (Szegedy et al. 2016); over yes and no for labels.
    """),
    Parameter("focal_gamma", 2.0, NOT_NEGATIVE, "float", task="classifier", real=True, text="""
    For "focal": how much less easy samples count; 0 gives the cross-entropy.
    """),
    Parameter("huber_delta", 1.0, POSITIVE, "float", task="regressor", real=True, divisor=True,
        text="""
    Where "huber" turns from a parabola into lines.
    """),
    Parameter("smooth_l1_beta", 1.0, POSITIVE, "float", task="regressor", real=True, divisor=True,
        text="""
    The same for "smooth_l1" (PyTorch's beta).
    """),
    Parameter("tweedie_power", 1.5, Number(1, 2, closed="both"), "float", task="regressor",
        text="""
    Power of the mean that the variance of y goes with, from 1 (Poisson) to 2 (gamma); y may be
    0 below 2.
    """),
    Parameter("quantiles", 0.5, quantiles, "float | Sequence[float]",
        type="float or sequence of float", task="regressor", text="""
    Levels between 0 and 1 for "pinball"; several must ascend.
    """),
    Parameter("standardize_target", "auto", standardization, "bool | str",
        type='bool or {"auto", "mean", "median"}', task="regressor", text="""
    Train on (y − center)/scale, target by target, and undo that in whatever is predicted or
    reported. "mean" takes the mean and the standard deviation; "median" takes the median and
    the distance of the outer deciles over 2.563 (the standard deviation of a normal
    distribution), which outliers do not move. True is "median" for "absolute_error", "huber",
    "smooth_l1", "log_cosh" and "pinball", and "mean" for all others. "poisson", "gamma" and
    "tweedie" only divide by the mean, or the median. "auto" is True for every loss that
    scikit-learn's regressor does not have, and False for "squared_error", for "poisson" and
    for your own, whose unit is y's. See the notes.
    """),
    Parameter("solver", "adam", solver, "str | Optimizer", type="str or Optimizer", names=SOLVERS,
        text="""
    How the weights are found: "sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "nadam",
    "radam", "lion" or "lamb" by mini-batches, or "lbfgs", L-BFGS on the full data (for small data
    sets). Or an object of :mod:`fastmlp.optimizers`, which has options of its own.
    """),
    Parameter("alpha", 0.0001, NOT_NEGATIVE, "float", real=True, kept=True, text="""
    Strength of the L2 penalty alpha/2 · Σw², divided by the batch's sum of sample weights.
    Biases are not penalised.
    """),
    Parameter("batch_size", "auto", Number(1, integral=True, also=("auto",)), "int | str",
        type='int or "auto"', solvers=BATCHES, text="""
    Rows per update; "auto" is min(200, n_samples).
    """),
    Parameter("learning_rate", "constant", POLICY, "str",
        type='{"constant", "invscaling", "adaptive"}', names=POLICIES, solvers=("sgd",), text="""
    Policy of the step size, for ``solver="sgd"`` only. "invscaling":
    ``learning_rate_init / (t_ + 1)**power_t`` after each epoch. "adaptive": divided by 5 each time
    progress stalls, until it is 1e-6.
    """),
    Parameter("learning_rate_init", 0.001, POSITIVE, "float", real=True, solvers=BATCHES, text="""
    First step size.
    """),
    Parameter("power_t", 0.5, NOT_NEGATIVE, "float", solvers=("sgd",), text="""
    Exponent of "invscaling".
    """),
    Parameter("max_iter", 200, COUNT, "int", text="""
    Most epochs (for lbfgs: iterations).
    """),
    Parameter("shuffle", True, flag, "bool", solvers=BATCHES, text="""
    Draw a new order of the rows for each epoch.
    """),
    Parameter("random_state", None, seed, "int | np.random.RandomState | None",
        type="int, RandomState or None", text="""
    Source of the first weights, the order of rows, the held-out rows, dropout and noise. One
    integer gives one result, whatever the number of threads.
    """),
    Parameter("tol", 0.0001, NOT_NEGATIVE, "float", text="""
    An epoch makes progress if it betters the best loss (or validation score) by this much. For
    lbfgs, the largest element of the gradient at which the search ends.
    """),
    Parameter("verbose", False, verbosity, "bool | int | str", type='bool, int or "bar"', text="""
    Print a line per epoch, as scikit-learn does, and why the fit ended. "bar" draws a progress bar
    with the epoch, the loss, the score and the time left instead, which needs rich.
    """),
    Parameter("warm_start", False, flag, "bool", text="""
    Let ``fit`` begin with the present weights. Stopping begins anew: no earlier epoch is a mark to
    be bettered.
    """),
    Parameter("momentum", 0.9, Number(0, 1, closed="both"), "float", solvers=taking("momentum"),
        text="""
    For ``solver="sgd"``, between 0 and 1. This and what says so below is not for a solver that is
    an object, nor for the other solvers, whose options are their objects' defaults.
    """),
    Parameter("nesterovs_momentum", True, flag, "bool", solvers=taking("nesterov"), text="""
    Look ahead along the momentum, for ``solver="sgd"``.
    """),
    Parameter("early_stopping", False, flag, "bool", solvers=BATCHES, text="""
    Hold out rows, stop when their score (``validation_scores_``) stalls, and keep the weights that
    scored best, also where the fit diverges later on. Each class keeps a row to learn from. Not for
    lbfgs.
    """),
    Parameter("validation_fraction", 0.1, SHARE, "float", solvers=BATCHES, text="""
    Share of the rows to hold out.
    """),
    Parameter("beta_1", 0.9, SHARE, "float", solvers=taking("betas"), text="""
    Decay of the mean of gradients, in [0, 1), for Adam and its relatives: "adam", "adamw", "nadam"
    and "radam".
    """),
    Parameter("beta_2", 0.999, SHARE, "float", solvers=taking("betas"), text="""
    Decay of their mean of squared gradients, in [0, 1).
    """),
    Parameter("epsilon", 1e-8, POSITIVE, "float", real=True, solvers=taking("eps"), text="""
    Added to the root of their second moment.
    """),
    Parameter("n_iter_no_change", 10, Number(1, integral=True, also=(np.inf,)), "float",
        type="int or inf", solvers=BATCHES, text="""
    The fit ends when more than this many epochs in a row bring no progress.
    """),
    Parameter("max_fun", 15000, COUNT, "int", solvers=("lbfgs",), text="""
    Most evaluations of the objective by lbfgs.
    """),
    Parameter("dropout", 0.0, SHARE_OF_EACH, "float | Sequence[float]",
        type="float or sequence of float", solvers=BATCHES, off=0, text="""
    Probability of dropping a hidden unit in training, in [0, 1): for all hidden layers or for
    each. What stays is scaled by 1/(1 − dropout), so prediction needs no scaling. Rounded to a
    multiple of 1/65536.
    """),
    Parameter("input_dropout", 0.0, SHARE, "float", solvers=BATCHES, off=0, text="""
    The same for the features.
    """),
    Parameter("l1", 0.0, NOT_NEGATIVE, "float", real=True, kept=True, solvers=BATCHES, off=0,
        text="""
    Strength of the L1 penalty l1 · Σ|w|, divided as alpha's is; a proximal step that gives
    exact zeros. Together with alpha this is the elastic net: on the full batch of N rows,
    ``ElasticNet(alpha=a, l1_ratio=r)`` of scikit-learn has l1 = N a r and alpha = N a (1 − r).
    """),
    Parameter("weight_decay", None, Number(0, also=(None,)), "float | None", type="float or None",
        real=True, solvers=BATCHES, off=0, text="""
    Decoupled decay, w ← (1 − step size · weight_decay) w in each update. None is 0.01 for
    "adamw", else 0. A solver that is an object has its own.
    """),
    Parameter("max_norm", None, BOUND, "float | None", type="float or None", real=True,
        solvers=BATCHES, off=None, text="""
    Bound on the L2 norm of each hidden unit's incoming weights: after each update, those beyond
    are scaled back to it (Srivastava et al. 2014; 3 or 4 go well with dropout).
    """),
    Parameter("input_noise", 0.0, NOT_NEGATIVE, "float", real=True, solvers=BATCHES, off=0,
        text="""
    Standard deviation of the normal noise that training adds to the features, anew each time a row
    comes up, before ``input_dropout``.
    """),
    Parameter("gradient_noise", 0.0, NOT_NEGATIVE, "float", real=True, solvers=BATCHES, off=0,
        text="""
    Standard deviation of the normal noise added to every element of the gradient, after clipping.
    """),
    Parameter("gradient_noise_decay", 0.0, NOT_NEGATIVE, "float", solvers=BATCHES, text="""
    γ: the variance of that noise is ``gradient_noise**2 / (1 + t)**γ`` in update t = 0, 1, …
    (Neelakantan et al. 2015, who take 0.55).
    """),
    Parameter("clip_value", None, BOUND, "float | None", type="float or None", real=True,
        solvers=BATCHES, off=None, text="""
    Bound on each ``|element|`` of the gradient of cost plus L2 penalty, the mean over the batch.
    """),
    Parameter("clip_norm", None, BOUND, "float | None", type="float or None", real=True,
        solvers=BATCHES, off=None, text="""
    Bound on the L2 norm of that gradient as a whole, over all layers, weights and biases, after
    ``clip_value``: it is scaled by min(1, ``clip_norm/(norm + 1e-6)``), as PyTorch's
    ``clip_grad_norm_`` does.
    """),
    Parameter("normalization", None, NORMALIZATION, "str | Sequence[str | None] | None",
        type='{"batch", "layer", "instance", "group"}, None or sequence',
        names=NORMALIZATION_NAMES, text="""
    What a hidden layer does between z = xW + b and its activation, for all layers or for each:
    y = γ (z − μ)/√(σ² + 1e-5) + β, with a γ (first 1) and a β (first 0) per unit that are learnt,
    neither penalised nor decayed. μ and σ² are taken over

    - "batch": the rows of the batch, unit by unit; weighted by ``sample_weight``. Prediction takes
      running statistics. Rows of weight 0 are left out of the batches, and a last batch of one
      row joins the one before it; one row alone can't be learnt from. lbfgs keeps the statistics
      of the whole data at the point that it returns;
    - "layer": the units of a row;
    - "group": the units of each of ``n_groups`` runs of channels, row by row;
    - "instance": the positions of each channel, row by row.
    """),
    Parameter("n_groups", None, COUNT_OR_NONE, "int | None", type="int or None", text="""
    Groups of channels, for "group"; it divides their number.
    """),
    Parameter("n_channels", None, COUNT_OR_NONE, "int | None", type="int or None", text="""
    How many channels a layer's units are, for "instance" and "group"; it divides the width. Unit
    number channel · positions + position, like a flattened (channels, positions) array. None makes
    each unit a channel of one position, which rules out "instance".
    """),
    Parameter("batch_norm_momentum", 0.1, Number(0, 1, closed="right"), "float", solvers=BATCHES,
        text="""
    Share of a batch in the running statistics, in (0, 1], as in PyTorch: r ← 0.9 r + 0.1 new. The
    variance is the unbiased one.
    """),
    Parameter("init", "auto", check_init, "Initializer", type="str, callable or sequence",
        names=INITIALIZERS, text="""
    First weights. By a rule: "auto" (scikit-learn's: Glorot uniform, for biases too, with a
    narrower range for logistic units), "zeros", "normal", "uniform", "glorot_uniform",
    "glorot_normal", "kaiming_uniform", "kaiming_normal", "lecun_uniform", "lecun_normal" or
    "orthogonal". Your own: a list with an array W (fan_in, fan_out) per layer, or a function
    ``init(fan_in, fan_out, rng)`` that returns one; a tuple (W, b) in the place of an array sets
    the biases (fan_out,) as well. Biases start at zero otherwise, but for "auto".
    """),
    Parameter("init_std", 0.01, spread, "float", real=True, text="""
    Standard deviation of ``init="normal"``.
    """),
    Parameter("init_range", 0.05, spread, "float", real=True, text="""
    ``init="uniform"`` draws from [−init_range, init_range].
    """),
    Parameter("dtype", "float32", real_type, "Any", type='{"float32", "float64", "auto"}', text="""
    Real type of the weights and of all arithmetic; "auto" is the smaller of the two that holds
    every value of X exactly.
    """),
    Parameter("backend", "compiled", BACKEND, "str", type='{"compiled", "numba", "numpy"}',
        text="""
    What computes. All give the same results up to rounding.
    """),
    Parameter("n_threads", None, THREADS, "int | None", type="int or None", text="""
    Threads per call; None takes the CPUs that affinity and cgroups allow, ``OMP_NUM_THREADS``, or
    the limit set by threadpoolctl, whichever is least. Results do not depend on it.
    """),
    Parameter("time_limit", None, BOUND, "float | None", type="float or None", text="""
    Seconds after which ``fit`` ends, counted from its call; what was learnt is kept, under early
    stopping the best so far. The end comes between two calls of the core, which last some tenths
    of a second at most on ordinary hardware, in the middle of an epoch if need be, or between two
    evaluations by lbfgs. With a limit, results depend on how fast the machine is. Not for
    ``partial_fit``.
    """),
    Parameter("callbacks", None, callables, "Sequence[Callable[[EpochRecord], object]] | None",
        type="sequence of callable or None", text="""
    Each is called with an :class:`EpochRecord` after every epoch (iteration, for lbfgs). One that
    returns True ends the fit, which keeps what was learnt; other results mean nothing. What one
    raises ends the fit, too, and the model is as it was before; KeyboardInterrupt is Ctrl-C.
    Meanwhile the model shows a callback, but no other thread, the network in training: it can
    predict, be copied and pickled, and have its weights assigned to (which lbfgs ignores), but
    can't be fitted.
    """),
)
# fmt: on

#: The rows of each estimator by name, in the order of its constructor.
BY_TASK: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        task: MappingProxyType({row.name: row for row in PARAMETERS if row.task in (None, task)})
        for task in TASKS
    }
)
