"""The parts of the class docstrings that classifier and regressor share, written once."""

from __future__ import annotations

from textwrap import indent
from typing import TypeVar

__all__ = ["with_shared_parts"]

_Class = TypeVar("_Class", bound=type)

PARAMETERS = """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Width of each hidden layer; an empty sequence makes a linear model.
activation : str, CustomActivation, or sequence of these, default="relu"
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
solver : str or Optimizer, default="adam"
    How the weights are found: "sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "nadam",
    "radam" or "lion" by mini-batches, or "lbfgs", L-BFGS on the full data (for small data sets).
    Or an object of :mod:`fastmlp.optimizers`, which has options of its own.
alpha : float, default=0.0001
    Strength of the L2 penalty alpha/2 · Σw², divided by the batch's sum of sample weights.
    Biases are not penalised.
batch_size : int or "auto", default="auto"
    Rows per update; "auto" is min(200, n_samples).
learning_rate : str, Schedule or callable, default="constant"
    How the step size changes from update to update: an object of :mod:`fastmlp.schedules`, or a
    function that takes a :class:`~fastmlp.schedules.Clock` and returns the factor of
    ``learning_rate_init``. Or the name of one with its default options: "step", "exponential",
    "polynomial", "cosine", "one_cycle", "warm_up", "flat_cosine", "cosine_log" or
    "reduce_on_plateau". Not for lbfgs.

    scikit-learn's names change the rate for ``solver="sgd"`` only; for other solvers it stays
    constant. "invscaling": ``learning_rate_init / (t_ + 1)**power_t`` after each epoch.
    "adaptive": divided by 5 each time progress stalls, until it is 1e-6.

    A partial fit counts as one epoch; it takes no schedule that runs over a whole fit.
learning_rate_init : float, default=0.001
    The step size that the schedule begins with, or for some of them the largest one.
power_t : float, default=0.5
    Exponent of "invscaling".
max_iter : int, default=200
    Most epochs (for lbfgs: iterations).
shuffle : bool, default=True
    Draw a new order of the rows for each epoch.
random_state : int, RandomState or None, default=None
    Source of the first weights, the order of rows, the held-out rows, dropout and noise. One
    integer gives one result, whatever the number of threads.
tol : float, default=1e-4
    An epoch makes progress if it betters the best loss (or validation score) by this much. For
    lbfgs, the largest element of the gradient at which the search ends.
verbose : bool or int, default=False
    Print a line per epoch, as scikit-learn does, and why the fit ended.
warm_start : bool, default=False
    Let ``fit`` begin with the present weights. Stopping begins anew: no earlier epoch is a mark to
    be bettered.
momentum : float or Scaled, default=0.9
    For ``solver="sgd"``, between 0 and 1; may have a schedule, such as ``0.9 * Step()``. This and
    what says so below is not for a solver that is an object, nor for the other solvers, whose
    options are their objects' defaults.
nesterovs_momentum : bool, default=True
    Look ahead along the momentum, for ``solver="sgd"``.
early_stopping : bool, default=False
    Hold out rows, stop when their score (``validation_scores_``) stalls, and keep the weights that
    scored best, also where the fit diverges later on. Each class keeps a row to learn from. Not for
    lbfgs.
validation_fraction : float, default=0.1
    Share of the rows to hold out.
beta_1 : float, default=0.9
    Decay of the mean of gradients, in [0, 1), for Adam and its relatives: "adam", "adamw", "nadam"
    and "radam".
beta_2 : float, default=0.999
    Decay of their mean of squared gradients, in [0, 1).
epsilon : float, default=1e-8
    Added to the root of their second moment.
n_iter_no_change : int or inf, default=10
    The fit ends when more than this many epochs in a row bring no progress.
max_fun : int, default=15000
    Most evaluations of the objective by lbfgs.
dropout : float, sequence of float or Scaled, default=0.0
    Probability of dropping a hidden unit in training, in [0, 1): for all hidden layers or for
    each. What stays is scaled by 1/(1 − dropout), so prediction needs no scaling. Rounded to a
    multiple of 1/65536. One for all layers may have a schedule, such as ``0.15 * FlatCosine()``,
    whose factor is that of ``input_dropout``, too.
input_dropout : float, default=0.0
    The same for the features.
l1 : float, default=0.0
    Strength of the L1 penalty l1 · Σ|w|, divided as alpha's is; a proximal step that gives
    exact zeros. Together with alpha this is the elastic net: on the full batch of N rows,
    ``ElasticNet(alpha=a, l1_ratio=r)`` of scikit-learn has l1 = N a r and alpha = N a (1 − r).
weight_decay : float, Scaled or None, default=None
    Decoupled decay, w ← (1 − step size · weight_decay) w in each update. None is 0.01 for
    "adamw", else 0. May have a schedule, such as ``0.1 * Polynomial()``. A solver that is an
    object has its own.
max_norm : float or None, default=None
    Bound on the L2 norm of each hidden unit's incoming weights: after each update, those beyond
    are scaled back to it (Srivastava et al. 2014; 3 or 4 go well with dropout).
input_noise : float, default=0.0
    Standard deviation of the normal noise that training adds to the features, anew each time a row
    comes up, before ``input_dropout``.
gradient_noise : float, default=0.0
    Standard deviation of the normal noise added to every element of the gradient, after clipping.
gradient_noise_decay : float, default=0.0
    γ: the variance of that noise is ``gradient_noise**2 / (1 + t)**γ`` in update t = 0, 1, …
    (Neelakantan et al. 2015, who take 0.55).
clip_value : float or None, default=None
    Bound on each ``|element|`` of the gradient of cost plus L2 penalty, the mean over the batch.
clip_norm : float or None, default=None
    Bound on the L2 norm of that gradient as a whole, over all layers, weights and biases, after
    ``clip_value``: it is scaled by min(1, ``clip_norm/(norm + 1e-6)``), as PyTorch's
    ``clip_grad_norm_`` does.
normalization : {"batch", "layer", "instance", "group"}, None or sequence, default=None
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
n_groups : int or None, default=None
    Groups of channels, for "group"; it divides their number.
n_channels : int or None, default=None
    How many channels a layer's units are, for "instance" and "group"; it divides the width. Unit
    number channel · positions + position, like a flattened (channels, positions) array. None makes
    each unit a channel of one position, which rules out "instance".
batch_norm_momentum : float, default=0.1
    Share of a batch in the running statistics, in (0, 1], as in PyTorch: r ← 0.9 r + 0.1 new. The
    variance is the unbiased one.
init : str, callable or sequence, default="auto"
    First weights. By a rule: "auto" (scikit-learn's: Glorot uniform, for biases too, with a
    narrower range for logistic units), "zeros", "normal", "uniform", "glorot_uniform",
    "glorot_normal", "kaiming_uniform", "kaiming_normal", "lecun_uniform", "lecun_normal" or
    "orthogonal". Your own: a list with an array W (fan_in, fan_out) per layer, or a function
    ``init(fan_in, fan_out, rng)`` that returns one; a tuple (W, b) in the place of an array sets
    the biases (fan_out,) as well. Biases start at zero otherwise, but for "auto".
init_std : float, default=0.01
    Standard deviation of ``init="normal"``.
init_range : float, default=0.05
    ``init="uniform"`` draws from [−init_range, init_range].
dtype : {"float32", "float64", "auto"}, default="float32"
    Real type of the weights and of all arithmetic; "auto" is the smaller of the two that holds
    every value of X exactly.
backend : {"compiled", "numba", "numpy"}, default="compiled"
    What computes. All give the same results up to rounding.
n_threads : int or None, default=None
    Threads per call; None takes the CPUs that affinity and cgroups allow, ``OMP_NUM_THREADS``, or
    the limit set by threadpoolctl, whichever is least. Results do not depend on it.
callbacks : sequence of callable or None, default=None
    Each is called with an :class:`EpochRecord` after every epoch (iteration, for lbfgs). One that
    returns True ends the fit, which keeps what was learnt; other results mean nothing. What one
    raises ends the fit, too, and the model is as it was before; KeyboardInterrupt is Ctrl-C.
    Meanwhile the model shows a callback, but no other thread, the network in training: it can
    predict, be copied and pickled, and have its weights assigned to (which lbfgs ignores), but
    can't be fitted."""

ATTRIBUTES = """\
coefs_ : list of ndarray of shape (fan_in, fan_out)
    Weights of each layer; views of one vector. What is written into an array, or assigned to an
    item of the list or to the whole of it, counts from then on; shapes must agree. This holds for
    the next five lists, too.
intercepts_ : list of ndarray of shape (fan_out,)
    Biases of each layer; views of the same vector.
norm_gains_, norm_shifts_ : list of ndarray of shape (fan_out,) or None
    γ and β of each hidden layer; None where it has no normalisation.
running_means_, running_variances_ : list of ndarray of shape (fan_out,) or None
    What batch norm predicts with; None for a hidden layer without it.
loss_ : float
    Cost plus penalties, as ``objective`` gives it, of the last epoch: the mean over its batches.
    NaN if early stopping kept an earlier network when that epoch diverged.
loss_curve_ : list of float
    The same of each epoch, those of earlier fits included under ``warm_start`` and ``partial_fit``.
    Of partial fits in a row the latest 1000 are kept.
best_loss_ : float or None
    The least of them in the last fit, or of all partial fits in a row that had the same loss; None
    with early stopping.
cost_curve_ : list of float
    As ``loss_curve_``, without penalties.
validation_scores_ : list of float or None
    With early stopping, the score on the held-out rows after each epoch; NaN for epochs of earlier
    fits without it, and for one that diverged. For a classifier it is the accuracy. For a regressor
    it is a measure of its own loss: R² for "squared_error", as in scikit-learn; D², the share of
    the pinball loss that is explained, for "pinball" and "absolute_error"; minus the cost for all
    others, and for every loss where the held-out rows have one target only.
best_validation_score_ : float or None
    The largest of them in the last fit.
stop_reason_ : str
    Why the last fit ended, in a sentence.
n_iter_ : int
    Epochs of the last fit.
t_ : int
    Training samples seen so far.
n_layers_ : int
    Layers of units, input and output included.
n_outputs_ : int
    Output units.
out_activation_ : str
    "softmax", "logistic", "identity", "exp" (for deviances), "gaussian" (means, then variances) or
    "quantiles" (ascending).
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns; only when X had names that are all strings."""


def with_shared_parts(cls: _Class) -> _Class:
    """Fill ``{parameters}`` and ``{attributes}`` in a class's docstring."""
    if cls.__doc__:  # absent under ``python -OO``
        for name, text in (("parameters", PARAMETERS), ("attributes", ATTRIBUTES)):
            cls.__doc__ = cls.__doc__.replace(f"    {{{name}}}", indent(text, "    "), 1)
    return cls
