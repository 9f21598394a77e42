"""The estimators' parameters: whatever the library knows of one stands in its row here.

The checks of parameters, the estimators' documentation and the command line read this table, and a
test holds the constructors, which people and type checkers read, against it.

This file is longer than others because each row has the documentation's text of its parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import fill, indent
from types import MappingProxyType
from typing import Any

import numpy as np

from fastmlp.averaging import AVERAGES
from fastmlp.embeddings import EMBEDDINGS
from fastmlp.names import Names
from fastmlp.optimizers import CLASSES
from fastmlp.plan.initializers import INITIALIZERS
from fastmlp.plan.members import MEMBERS
from fastmlp.plan.update_groups import PARAMETRIZATIONS
from fastmlp.registry import (
    ACTIVATIONS,
    CLASSIFIER_LOSSES,
    MATMUL_PRECISIONS,
    REGRESSOR_LOSSES,
    SOLVERS,
)
from fastmlp.schedules import OF_SCIKIT_LEARN, SCHEDULES, Schedule
from fastmlp.validation.class_weights import check_class_weight
from fastmlp.validation.embeddings import (
    category_embedding,
    category_features,
    numeric_embedding,
)
from fastmlp.validation.initial_values import check_init
from fastmlp.validation.normalizations import NORMALIZATION_NAMES
from fastmlp.validation.parameter_rules import (
    ACTIVATION,
    BACKEND,
    BOUND,
    CLASSIFIER_LOSS,
    COUNT,
    COUNT_OR_NONE,
    DECAY,
    DROPOUT,
    MOMENTUM,
    NORMALIZATION,
    NOT_NEGATIVE,
    PARAMETRIC,
    PARAMETRIZATION,
    POSITIVE,
    PRECISION,
    SHARE,
    SMOOTHING,
    THREADS,
    WIDTHS,
    averaging,
    learning_rate_factors,
    quantiles,
    rate_of_scales,
    regression_loss,
    restoring,
    solver,
    spread,
    standardization,
)
from fastmlp.validation.rules import (
    Number,
    OneOf,
    Rule,
    callables,
    flag,
    real_type,
    seed,
    verbosity,
)
from fastmlp.validation.schedules import check_learning_rate
from fastmlp.validation.scoring import check_scoring
from fastmlp.validation.splits import check_split_rule

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
    ignored : tuple of str
        Names that they ignore all the same.
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
    ignored: tuple[str, ...] = ()

    def refused_by(self, solver: object, value: Any) -> bool:
        """Return whether a solver, by its name, can't do what a checked value asks for."""
        unused = solver in SOLVERS and solver not in self.solvers
        if not unused or self.off is _IGNORED or (isinstance(value, str) and value in self.ignored):
            return False
        return isinstance(value, (Schedule, str)) or bool(np.any(value))

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


def _listed(names: Iterable[str]) -> str:
    """Return names as a part of a text, which has lines of its own."""
    *others, last = (f'"{name}"' for name in names)
    return indent(fill(f"{', '.join(others)} or {last}.", 96), " " * 4)


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
    The loss that training minimises: a name from the list below, or a loss of your own, made by
    :func:`fastmlp.custom_loss`. z is the output and r = z − y:

    - "squared_error": r²/2 · "absolute_error": ``|r|`` · "log_cosh": log cosh r;
    - "huber": r²/2 up to ``|r|`` = δ, then δ (``|r|`` − δ/2), δ = huber_delta (Huber 1964) ·
      "smooth_l1": the same divided by δ, δ = smooth_l1_beta; both as in PyTorch;
    - "pinball" or "quantile": max(τ (y − z), (τ − 1)(y − z)) for each τ of ``quantiles``
      (Koenker and Bassett 1978). Several quantiles can't cross: each one is the quantile below
      it plus softplus of its own output. This holds in training and in prediction, so training
      minimises the loss of what is predicted. ``predict`` then has one more axis: (n_samples,
      n_quantiles) or (n_samples, n_outputs, n_quantiles);
    - "poisson", "gamma", "tweedie": half the deviance of the mean μ = exp(z). ``predict`` returns
      μ, as in scikit-learn. "poisson" needs y ≥ 0, "gamma" needs y > 0, and what "tweedie" needs
      depends on ``tweedie_power``;
    - "gaussian_nll": (log v + r²/v)/2 with a mean z and a variance v per target. The network
      learns both (Nix and Weigend 1994): v is softplus of a second output, plus 1e-6. See
      ``return_std`` of ``predict``.

    Training minimises the sum over targets (and quantiles) plus the penalties. ``loss_``,
    ``best_loss_``, the curves, ``cost`` and ``objective`` report the mean instead of that sum, as
    scikit-learn does. For the three deviances and for a loss of your own they report the sum.
    The slope of "absolute_error" and "pinball" at 0 is 0.
    """),
    Parameter("hidden_layer_sizes", (100,), WIDTHS, "int | Sequence[int]",
        type="int or sequence of int", positional=True, text="""
    Number of units in each hidden layer. An empty sequence makes a linear model.
    """),
    Parameter("activation", "relu", ACTIVATION,
        "str | CustomActivation | Sequence[str | CustomActivation]",
        type="str, CustomActivation, or sequence of these", positional=True,
        names=ACTIVATIONS.by_name, text="""
    The function h = f(z) of the hidden units: one for all hidden layers, or one for each layer.

    - "identity" z · "relu" max(0, z) · "leaky_relu" z or, below 0, 0.01 z;
    - "logistic" s(z) = 1/(1 + exp(−z)) · "tanh" tanh z · "softsign" ``z/(1 + |z|)``;
    - "elu" z or, below 0, exp(z) − 1 · "selu" the same by 1.0507 z and 1.7581 (exp(z) − 1);
    - "softplus" log(1 + exp(z)) · "silu" or "swish" z s(z) · "mish" z tanh(log(1 + exp(z)));
    - "gelu" z Φ(z), Φ the normal distribution · "gelu_tanh" z s(√(8/π) (z + 0.044715 z³));
    - "hard_sigmoid" min(max(z + 3, 0), 6)/6 · "hard_swish" z times that.

    It can also be an activation of your own, made by :func:`fastmlp.custom_activation`. Names that
    other libraries use, such as "sigmoid", are understood as well, and so they are for ``loss``,
    ``init`` and others; the user guide lists them.

    At a kink, the slope is that of the piece on the left ("relu": 0 at 0, "leaky_relu": 0.01 at
    0). The exceptions are "hard_sigmoid" (0 at −3 and 3) and "hard_swish" (0 at −3, 1 at 3).
    """),
    Parameter("parametric_activation", False, PARAMETRIC, "bool | Sequence[bool]",
        type="bool or sequence of bool", text="""
    Whether hidden units have the activation z + α (f(z) − z), for all hidden layers or for each.
    Each unit learns its own α, which is 1 at first. The α are ``activation_shares_``. They are
    neither penalised nor decayed.
    """),
    Parameter("loss", "cross_entropy", CLASSIFIER_LOSS, "str", task="classifier",
        names=CLASSIFIER_LOSSES, text="""
    The loss that training minimises. z are the logits, q are the probabilities that softmax or
    logistic make of them, and y is the true class:

    - "cross_entropy" ("log_loss"): −log q_y, or the sum of it over labels. If y has the shape
      (n_samples, n_classes) and holds fractions, each of its rows is a distribution p, and the
      loss is −Σ p_j log q_j. A matrix that holds only zeros and ones means several labels a row.
      "binary_cross_entropy" is the same loss, but it takes only two classes or several labels a
      row. "categorical_cross_entropy" takes only one label a row, or distributions.
    - "focal": −(1 − q_y)^focal_gamma log q_y. Easy samples count less (Lin et al. 2017). It takes
      two classes, more classes, or several labels a row.
    - "kl_divergence": Σ p_j log(p_j / q_j) for distributions p in the rows of y. This is the
      cross-entropy minus the entropy of p, so its minimum is 0.
    - "multi_margin": Σ max(0, 1 − z_y + z_j) / n_classes over j ≠ y, as in PyTorch.
    - "squared_hinge": Σ_j max(0, 1 − s_j z_j)², s_j = 1 for the true class (or label), else −1:
      one class against the rest.

    The last two work with margins and give no probabilities. As with scikit-learn's linear support
    vector machines, there is ``decision_function``, but no ``predict_proba``.
    """),
    Parameter("label_smoothing", 0.0, SMOOTHING, "float | Scaled", type="float or Scaled",
        task="classifier", text="""
    For "cross_entropy": the share s in [0, 1) of each label's certainty that is spread evenly over
    all C classes, p = (1 − s) p + s/C (Szegedy et al. 2016). If a row can have several labels, it
    is spread over yes and no. It may have a schedule, such as ``0.1 * Cosine()``, with every solver
    but lbfgs. Then ``loss_`` is that of the labels as each update smoothed them, whereas ``cost``
    and the loss of held-out rows are those of the labels as they are.
    """),
    Parameter("focal_gamma", 2.0, NOT_NEGATIVE, "float", task="classifier", real=True, text="""
    For "focal": the larger it is, the less easy samples count. With 0 it is the cross-entropy.
    """),
    Parameter("class_weight", None, check_class_weight,
        "Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None",
        type='dict, "balanced", list of dict or None', task="classifier", text="""
    How much the rows of each class count. It is multiplied by ``sample_weight``. A dict has the
    weight of each class; classes that it does not mention have 1. "balanced" makes all classes
    count alike, by ``n_samples / (n_classes * np.bincount(y))`` with rows counted by
    ``sample_weight``; ``partial_fit`` does not take it. If a row can have several labels, pass
    "balanced" or a list with a dict for each label, which has the weights of 0 and 1; the weight
    of a row is the product over its labels. Soft labels take no class weights. The default score
    of held-out rows and ``scoring="loss"`` count rows in the same way; ``score``, ``cost`` and
    other metrics do not.
    """),
    Parameter("huber_delta", 1.0, POSITIVE, "float", task="regressor", real=True, divisor=True,
        text="""
    The size of the error at which "huber" changes from a parabola to straight lines.
    """),
    Parameter("smooth_l1_beta", 1.0, POSITIVE, "float", task="regressor", real=True, divisor=True,
        text="""
    The same for "smooth_l1" (PyTorch's beta).
    """),
    Parameter("tweedie_power", 1.5, Number(1, 2, closed="both"), "float", task="regressor",
        text="""
    For "tweedie": the variance of y is proportional to this power of its mean, from 1 (Poisson) to
    2 (gamma). y may be 0 if the power is below 2.
    """),
    Parameter("quantiles", 0.5, quantiles, "float | Sequence[float]",
        type="float or sequence of float", task="regressor", text="""
    Levels for "pinball", between 0 and 1. Several levels must be in ascending order.
    """),
    Parameter("standardize_target", "auto", standardization, "bool | str",
        type='bool or {"auto", "mean", "median"}', task="regressor", text="""
    Whether to train on (y − center)/scale, with a center and a scale for each target. This is
    undone in everything that is predicted or reported. "mean" takes the mean and the standard
    deviation. "median" takes the median, and as scale the distance between the first and the last
    decile divided by 2.563, which is the standard deviation of a normal distribution; outliers do
    not change it. True means "median" for "absolute_error", "huber", "smooth_l1", "log_cosh" and
    "pinball", and "mean" for all others. "poisson", "gamma" and "tweedie" only divide by the mean,
    or by the median. "auto" means True for every loss that scikit-learn's regressor does not have.
    It means False for "squared_error", for "poisson", and for a loss of your own, which is in the
    unit of y. See the notes.
    """),
    Parameter("solver", "adam", solver, "str | Optimizer", type="str or Optimizer", names=SOLVERS,
        text="""
    How the weights are found: "sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "nadam",
    "radam", "lion" or "lamb" by mini-batches, or "lbfgs", L-BFGS on the full data (for small data
    sets). Or an object of :mod:`fastmlp.optimizers`, which has options of its own.
    """),
    Parameter("alpha", 0.0001, NOT_NEGATIVE, "float", real=True, kept=True, text="""
    Strength of the L2 penalty alpha/2 · Σw², which is divided by the sum of the sample weights in
    the batch. Biases are not penalised.
    """),
    Parameter("batch_size", "auto", Number(1, integral=True, also=("auto",)), "int | str",
        type='int or "auto"', solvers=BATCHES, text="""
    Number of rows in a batch, and so for each update. "auto" is min(200, n_samples).
    """),
    Parameter("learning_rate", "constant", check_learning_rate, "str | Callable[[Clock], float]",
        type="str, Schedule or callable", names=SCHEDULES, solvers=BATCHES, off="constant",
        ignored=OF_SCIKIT_LEARN, text="""
    How the step size changes from update to update: an object of :mod:`fastmlp.schedules`, or a
    function that takes a :class:`~fastmlp.schedules.Clock` and returns the factor of
    ``learning_rate_init``. Or the name of one with its default options:
""" + _listed(name for name in SCHEDULES if name not in OF_SCIKIT_LEARN) + """

    scikit-learn's names change the rate for ``solver="sgd"`` only; for other solvers it stays
    constant. "invscaling": ``learning_rate_init / (t_ + 1)**power_t`` after each epoch.
    "adaptive": divided by 5 each time progress stalls, until it is 1e-6.

    A partial fit counts as one epoch; it takes no schedule that runs over a whole fit.
    """),
    Parameter("learning_rate_init", 0.001, POSITIVE, "float", real=True, solvers=BATCHES, text="""
    The learning rate with which the schedule begins. For schedules that rise first, it is the
    largest learning rate.
    """),
    Parameter("learning_rate_factors", None, learning_rate_factors, "Mapping[str, float] | None",
        type="dict of str to float, or None", solvers=BATCHES, off=None, text="""
    Factors of the learning rate for parts of the network, such as ``{"biases": 0.1}``: "weights",
    "biases", "norms" (γ and β), "activations" (the α of ``parametric_activation``), "first_layer"
    and "last_layer". If several of them concern an array, their product counts. 0 keeps a part as
    it is at first. Decoupled decay is a share of the step, so it is multiplied as well.
    """),
    Parameter("parametrization", "standard", PARAMETRIZATION, "str", type='{"standard", "ntk"}',
        names=PARAMETRIZATIONS, solvers=BATCHES, off="standard", ignored=("standard",), text="""
    What is trained of the weights W of a layer with I inputs: "standard" trains W, "ntk" trains
    W' = √I W (Jacot et al. 2018), so that layers of all widths learn at the same relative rate.
    Adam's steps of W are then 1/√I as long, and penalties and decay are those of W'. That is how
    RealMLP trains; its ``learning_rate_init`` is 0.04 for classes and 0.2 for real targets.
    """),
    Parameter("power_t", 0.5, NOT_NEGATIVE, "float", solvers=("sgd",), text="""
    The exponent of "invscaling".
    """),
    Parameter("max_iter", 200, COUNT, "int", text="""
    Maximum number of epochs; for lbfgs, of iterations.
    """),
    Parameter("shuffle", True, flag, "bool", solvers=BATCHES, text="""
    Whether to draw a new order of the rows for each epoch.
    """),
    Parameter("random_state", None, seed, "int | np.random.RandomState | None",
        type="int, RandomState or None", text="""
    Source of the first weights, the order of the rows, the held-out rows, dropout and noise. The
    same integer gives the same result for every number of threads.
    """),
    Parameter("tol", 0.0001, NOT_NEGATIVE, "float", text="""
    An epoch makes progress if it improves the best loss (or validation score) by this much. For
    lbfgs: the search ends when no element of the gradient is larger than this.
    """),
    Parameter("verbose", False, verbosity, "bool | int | str", type='bool, int or "bar"', text="""
    Print a line per epoch, as scikit-learn does, and why the fit ended. "bar" shows a progress bar
    with loss, score and the time that is left at most; it needs rich, of the extra ``cli``.
    """),
    Parameter("warm_start", False, flag, "bool", text="""
    Whether ``fit`` begins with the present weights. The criteria for stopping begin anew: a fit
    need not improve on the epochs of an earlier one.
    """),
    Parameter("momentum", 0.9, MOMENTUM, "float | Scaled", type="float or Scaled",
        solvers=taking("momentum"), text="""
    For ``solver="sgd"``, between 0 and 1; may have a schedule, such as ``0.9 * Step()``.
    Ignored by every other solver, and by solver objects such as ``SGD(momentum=0.9)``, which bring
    their own.
    """),
    Parameter("nesterovs_momentum", True, flag, "bool", solvers=taking("nesterov"), text="""
    Whether ``solver="sgd"`` uses Nesterov's momentum.
    """),
    Parameter("early_stopping", False, flag, "bool", solvers=BATCHES, text="""
    Hold out rows, stop when their score (``validation_scores_``) stalls, and keep the weights that
    scored best, also where the fit diverges later on. Each class keeps a row to learn from. Rows of
    your own are judged instead where ``fit`` gets ``X_val``. Not for lbfgs.
    """),
    Parameter("validation_fraction", 0.1, SHARE, "float", solvers=BATCHES, text="""
    Share of the rows to hold out.
    """),
    Parameter("validation_split", None, check_split_rule, "Any",
        type="splitter, list of one (train, test) pair or None", solvers=BATCHES, text="""
    Which rows to hold out, in the place of ``validation_fraction``: the first split of an object
    of :mod:`sklearn.model_selection`, or numbers of rows or masks. Rows in neither part are left
    out, and no row is moved. Give a splitter that shuffles a ``random_state`` of its own. One that
    needs groups can't get them: pass a ``PredefinedSplit`` or the pair itself,
    ``[next(splitter.split(X, y, groups))]``.
    """),
    Parameter("scoring", None, check_scoring, "str | Callable[..., float] | None",
        type="str, callable or None", text="""
    What the held-out rows, or ``X_val``, are judged by; larger is better. None: the accuracy, or
    for a regressor a measure of its own loss (``validation_scores_``). "loss": minus the cost.
    Other names are scikit-learn's scorers. A callable is called as ``scoring(model, X, y)``, also
    with ``sample_weight`` if there are weights and it takes them; the model shows what it has
    learnt so far, X is an array, and y has your labels or your unit. ``class_weight`` is not in
    these weights. What it raises ends the fit, and the model is as it was before. ``tol`` is in the
    score's unit.
    """),
    Parameter("restore_best", True, restoring, "bool | str", type='bool or "last"',
        solvers=BATCHES, text="""
    With early stopping, put the weights of the epoch that scored best back: the first one of
    several that score alike, or with "last" the last one. False leaves the last epoch's; then a
    fit that diverges is an error.
    """),
    Parameter("averaging", None, averaging, "str | Average | None",
        type='{"ema", "swa"}, Average or None', names=AVERAGES, solvers=BATCHES, off=None, text="""
    An average of the weights, which is judged, predicts and is kept in the place of the weights
    that the solver goes on with: an object of :mod:`fastmlp.averaging`, or its name. Callbacks see
    the average as well, and what they assign changes only the average. The curves and ``loss_``
    are those of the solver's own weights. Not for ``partial_fit``.
    """),
    Parameter("beta_1", 0.9, SHARE, "float", solvers=taking("betas"), text="""
    Decay rate of the mean of gradients, in [0, 1), for Adam and its relatives: "adam", "adamw",
    "nadam" and "radam".
    """),
    Parameter("beta_2", 0.999, SHARE, "float", solvers=taking("betas"), text="""
    Decay rate of their mean of squared gradients, in [0, 1).
    """),
    Parameter("epsilon", 1e-8, POSITIVE, "float", real=True, solvers=taking("eps"), text="""
    What they add to the square root of the mean of squared gradients, so that it is not 0.
    """),
    Parameter("n_iter_no_change", 10, Number(1, integral=True, also=(np.inf,)), "float",
        type="int or inf", solvers=BATCHES, text="""
    The fit ends when more than this many epochs in a row make no progress.
    """),
    Parameter("max_fun", 15000, COUNT, "int", solvers=("lbfgs",), text="""
    Maximum number of evaluations of the objective by lbfgs.
    """),
    Parameter("dropout", 0.0, DROPOUT, "float | Sequence[float] | Scaled",
        type="float, sequence of float or Scaled", solvers=BATCHES, off=0, text="""
    Probability of dropping a hidden unit in training, in [0, 1): for all hidden layers or for
    each. What stays is scaled by 1/(1 − dropout), so prediction needs no scaling. Rounded to a
    multiple of 1/65536. One for all layers may have a schedule, such as ``0.15 * FlatCosine()``,
    whose factor is that of ``input_dropout``, too.
    """),
    Parameter("input_dropout", 0.0, SHARE, "float", solvers=BATCHES, off=0, text="""
    Probability of dropping a feature in training, in [0, 1), with the same scaling.
    """),
    Parameter("l1", 0.0, NOT_NEGATIVE, "float", real=True, kept=True, solvers=BATCHES, off=0,
        text="""
    Strength of the L1 penalty l1 · Σ|w|, divided in the same way as that of ``alpha``. It is
    applied by a proximal step, which makes weights exactly 0. Together with ``alpha`` it is the
    elastic net: on the full batch of N rows, scikit-learn's ``ElasticNet(alpha=a, l1_ratio=r)``
    has l1 = N a r and alpha = N a (1 − r).
    """),
    Parameter("weight_decay", None, DECAY, "float | Scaled | None",
        type="float, Scaled or None", real=True, solvers=BATCHES, off=0, text="""
    Decoupled decay, w ← (1 − step size · weight_decay) w in each update. None is 0.01 for
    "adamw", else 0. May have a schedule, such as ``0.1 * Polynomial()``. A solver that is an
    object has its own.
    """),
    Parameter("max_norm", None, BOUND, "float | None", type="float or None", real=True,
        solvers=BATCHES, off=None, text="""
    Bound on the L2 norm of the incoming weights of each hidden unit. After each update, weights
    whose norm is larger are scaled down to it (Srivastava et al. 2014). Values of 3 or 4 work well
    with dropout.
    """),
    Parameter("input_noise", 0.0, NOT_NEGATIVE, "float", real=True, solvers=BATCHES, off=0,
        text="""
    Standard deviation of the normal noise that training adds to the features. It is drawn anew
    each time a row is used, and added before ``input_dropout``.
    """),
    Parameter("gradient_noise", 0.0, NOT_NEGATIVE, "float", real=True, solvers=BATCHES, off=0,
        text="""
    Standard deviation of the normal noise that is added to each element of the gradient, after
    clipping.
    """),
    Parameter("gradient_noise_decay", 0.0, NOT_NEGATIVE, "float", solvers=BATCHES, text="""
    The exponent γ by which that noise decreases: its variance in update t = 0, 1, … is
    ``gradient_noise**2 / (1 + t)**γ`` (Neelakantan et al. 2015 use 0.55).
    """),
    Parameter("clip_value", None, BOUND, "float | None", type="float or None", real=True,
        solvers=BATCHES, off=None, text="""
    Bound on the absolute value of each element of the gradient. The gradient is that of the cost,
    the mean over the batch, plus the L2 penalty.
    """),
    Parameter("clip_norm", None, BOUND, "float | None", type="float or None", real=True,
        solvers=BATCHES, off=None, text="""
    Bound on the L2 norm of the whole gradient, over the weights and biases of all layers. It is
    applied after ``clip_value``: the gradient is multiplied by min(1, ``clip_norm/(norm + 1e-6)``),
    as PyTorch's ``clip_grad_norm_`` does.
    """),
    Parameter("normalization", None, NORMALIZATION, "str | Sequence[str | None] | None",
        type='{"batch", "layer", "instance", "group"}, None or sequence',
        names=NORMALIZATION_NAMES, text="""
    How hidden layers normalise z = xW + b before the activation: one way for all layers, or one
    for each. Each unit becomes y = γ (z − μ)/√(σ² + 1e-5) + β. The γ, which is 1 at first, and the
    β, which is 0 at first, of each unit are learnt; they are neither penalised nor decayed. The
    mean μ and the variance σ² are taken over

    - "batch": the rows of the batch, for each unit, weighted by ``sample_weight``. Prediction uses
      running statistics. Rows of weight 0 are left out of the batches. A last batch of one row is
      merged with the batch before it; a data set of one row can't be learnt from. lbfgs keeps the
      statistics of the whole data at the point that it returns;
    - "layer": the units of a row;
    - "group": the units of each of ``n_groups`` runs of channels, in each row;
    - "instance": the positions of each channel, in each row.
    """),
    Parameter("n_groups", None, COUNT_OR_NONE, "int | None", type="int or None", text="""
    Number of groups of channels, for "group". It must divide the number of channels.
    """),
    Parameter("n_channels", None, COUNT_OR_NONE, "int | None", type="int or None", text="""
    Number of channels that the units of a layer form, for "instance" and "group". It must divide
    the width. The units are ordered as in a flattened (channels, positions) array. None makes each
    unit a channel of one position, which does not work with "instance".
    """),
    Parameter("batch_norm_momentum", 0.1, Number(0, 1, closed="right"), "float", solvers=BATCHES,
        text="""
    Weight of a new batch in the running statistics, in (0, 1], as in PyTorch: the default gives
    r ← 0.9 r + 0.1 new. The variance is the unbiased one.
    """),
    Parameter("numeric_embedding", None, numeric_embedding, "str | NumericEmbedding | None",
        type="str, NumericEmbedding or None", names=EMBEDDINGS, kept=True, text="""
    What becomes of each column of numbers before the first layer: "pbld", "plr" or
    "piecewise_linear", or an object of :mod:`fastmlp.embeddings`, which has options. None leaves
    numbers as they are.
    """),
    Parameter("categorical_features", None, category_features,
        "Sequence[int] | Sequence[str] | Sequence[bool] | None", type="sequence or None", kept=True,
        text="""
    Columns of X whose whole numbers are levels of a category, by number or by name, or a flag for
    each column. What is no level of the first fit is treated as level 0.
    """),
    Parameter("category_embedding", None, category_embedding, "Categories | None",
        type="Categories or None", kept=True, text="""
    What becomes of these columns; None is :class:`fastmlp.embeddings.Categories` with its defaults.
    """),
    Parameter("scaling_layer", False, rate_of_scales, "bool | float", type="bool or float", text="""
    Whether each input of the first hidden layer is multiplied by a factor of its own, which is 1 at
    first and is learnt: inputs that matter come to count more. A number is what the learning rate
    of these factors is multiplied by; True stands for 6, as in RealMLP (Holzmüller et al. 2024).
    The factors are neither penalised nor decayed.
    """),
    Parameter("n_members", 1, COUNT, "int", text="""
    Networks that are trained together, in one pass over the data, and predict together: outputs,
    probabilities and quantiles are the means of theirs. Training minimises the mean of their
    losses; held-out rows judge what they predict together. A batch is one for each of them, so a
    fit takes about ``n_members`` times as long.
    """),
    Parameter("members", "tabm-mini", OneOf(MEMBERS), "str", names=MEMBERS, text="""
    How ``n_members`` networks differ. With "tabm-mini" (Gorishniy, Kotelnikov & Babenko 2024) they
    share the hidden layers; each has its own factors of the inputs, which begin at random signs and
    are learnt, and its own output layer. With "independent" they share nothing but what
    ``numeric_embedding`` and ``categorical_features`` make of the columns of X.
    """),
    Parameter("own_batches", False, flag, "bool", solvers=BATCHES, text="""
    Whether each of ``n_members`` networks sees the rows in an order of its own. By default they
    share their batches.
    """),
    Parameter("init", "auto", check_init, "Initializer", type="str, callable or sequence",
        names=INITIALIZERS, text="""
    The first weights. A name chooses a rule: "auto", "zeros", "normal", "uniform",
    "glorot_uniform", "glorot_normal", "kaiming_uniform", "kaiming_normal", "lecun_uniform",
    "lecun_normal", "orthogonal" or "data_driven". "auto" is scikit-learn's rule: Glorot uniform,
    for biases too, with a narrower range for logistic units. "data_driven" looks at up to 1024
    rows: each unit's z gets a standard deviation of 1 over them, and becomes 0 at a random point
    amid them (Holzmüller et al. 2024). You can also give the weights yourself, as a list
    with an array W (fan_in, fan_out) for each layer, or as a function
    ``init(fan_in, fan_out, rng)`` that returns such an array. A tuple (W, b) instead of an array
    sets the biases (fan_out,) as well. Otherwise biases start at 0, except under "auto".
    """),
    Parameter("init_std", 0.01, spread, "float", real=True, text="""
    Standard deviation of ``init="normal"``.
    """),
    Parameter("init_range", 0.05, spread, "float", real=True, text="""
    ``init="uniform"`` draws from [−init_range, init_range].
    """),
    Parameter("dtype", "float32", real_type, "Any", type='{"float32", "float64", "auto"}', text="""
    Type of the weights and of all arithmetic. "auto" takes the smaller of the two types that holds
    every value of X exactly.
    """),
    Parameter("matmul_precision", "highest", PRECISION, "str", names=MATMUL_PRECISIONS,
        type='{"highest", "high", "medium"}', text="""
    How exactly the layers' matrix products take float32 numbers, by the names of PyTorch's
    ``set_float32_matmul_precision``: "highest" as they are, "high" as the sum of two bfloat16
    numbers, which keeps about 16 bits of 24, "medium" rounded to one bfloat16 number, which keeps
    8. Weights, sums, activations and the optimiser's memory stay float32. Products are made at
    "highest" in small networks, with dtype="float64", and where the machine or the backend has
    nothing faster; a warning says so once, and ``fastmlp.show_config()`` shows it.
    """),
    Parameter("backend", "compiled", BACKEND, "str", type='{"compiled", "numba", "numpy"}',
        text="""
    The implementation that computes. All give the same results, up to rounding.
    """),
    Parameter("n_threads", None, THREADS, "int | None", type="int or None", text="""
    Number of threads that a call may use. None takes the least of three numbers: the CPUs that
    affinity and cgroups allow, ``OMP_NUM_THREADS``, and the limit set by threadpoolctl. Results do
    not depend on the number of threads.
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
    returns True ends the fit, which keeps what was learnt; other results mean nothing. The record
    has methods that end the fit for a reason, set the learning rate and add metrics. What one
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
