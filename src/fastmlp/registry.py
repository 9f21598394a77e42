"""The names of every operation and their codes: the only table that maps names to codes.

A row here plus one implementation per backend is all that a new activation, loss, normalisation or
optimiser needs. The tests are generated from these tables, so a backend that lacks one fails.
In C a code is a place in a table, as in ``OPTIMIZERS``; a test holds the orders against each
other. Schedules and initialisers have names but no codes, and their tables are where they are.

This file is longer than others so that all tables are in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

import numpy as np

from fastmlp.names import Names
from fastmlp.optimizers import CLASSES

__all__ = [
    "ACTIVATIONS",
    "CLASSIFIER_LOSSES",
    "CUSTOM",
    "LOSSES",
    "MATMUL_PRECISIONS",
    "MEASURES",
    "NORMALIZATIONS",
    "OPTIMIZERS",
    "REGRESSOR_LOSSES",
    "SOLVERS",
    "Activation",
    "Loss",
    "Measure",
    "Normalization",
    "Optimizer",
    "takes_label_smoothing",
]

#: Code of an activation or a loss that the user wrote; it has no row here.
CUSTOM = -1

#: What the operands of float32 products are rounded to, under the names that PyTorch has for it:
#: not at all, to the sum of two bfloat16 numbers, and to one.
MATMUL_PRECISIONS = Names([("highest", 0, ()), ("high", 1, ()), ("medium", 2, ())])


@dataclass(frozen=True)
class Activation:
    """An element-wise function h = f(z); ``formula`` and ``derivative`` are for people.

    ``aliases``, here and below, are the names that other libraries have for exactly the same.
    """

    name: str
    code: int
    formula: str
    derivative: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """A loss of one sample together with its natural output link.

    Attributes
    ----------
    target : {"class", "distribution", "share", "real", "non_negative", "positive"}
        What a row of the target holds. ``"class"``: the number of the class, one column.
        ``"distribution"``: a probability for each output, summing to 1. ``"share"``: a number in
        [0, 1], mostly 0 or 1, for each output. The others: real columns, of any number, of
        numbers that are not negative, or of numbers above 0.
    link : {"softmax", "logistic", "identity", "exp", "gaussian", "quantiles"}
        What turns the network's last layer into a prediction.
    parameters : mapping of str to float or tuple of float
        Names and defaults of the numbers that the loss depends on, in the order in which kernels
        take them; a tuple stands for any number of values.
    outputs_per_target : int or None
        Outputs of the network that describe one column of the target together; None: one for each
        of the parameters. A class's number is one column for all outputs.
    mean_over_outputs : bool
        The reported cost is divided by the number of outputs (with the link ``"gaussian"``, of
        means). The gradient is not: scikit-learn reports the mean squared error over the outputs
        but descends along its sum.
    in_sklearn : bool
        Whether scikit-learn's own networks have it, whose first biases and targets are then kept.
    center : {"mean", "median"}
        What of a real target's distribution it is about.
    degree : float
        Targets s times as large, with predictions and ``lengths`` to match, cost s**degree times
        as much; less ``tweedie_power`` for "tweedie". "log_cosh" is measured in units of the
        target's scale, so that it has one too; "gaussian_nll" gains log s.
    lengths : tuple of str
        Those of the parameters that are in the unit of the target.
    """

    name: str
    code: int
    target: str
    link: str
    formula: str
    parameters: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    outputs_per_target: int | None = 1
    mean_over_outputs: bool = False
    aliases: tuple[str, ...] = ()
    in_sklearn: bool = False
    center: str = "mean"
    degree: float = 0.0
    lengths: tuple[str, ...] = ()

    @property
    def default_parameters(self) -> np.ndarray:
        """The parameters' defaults (K,), float64."""
        return np.hstack([np.empty(0), *self.parameters.values()])

    def target_width(self, n_outputs: int, n_parameters: int) -> int:
        """Columns of a target for so many outputs of the network."""
        return 1 if self.target == "class" else n_outputs // self.outputs_of_one(n_parameters)

    def outputs_of_one(self, n_parameters: int) -> int:
        """Outputs of the network that describe one column of the target."""
        return self.outputs_per_target or n_parameters


@dataclass(frozen=True)
class Optimizer:
    """A rule that turns a gradient into new parameters; ``moments`` are what it remembers.

    They are vectors as long as the parameters. The attributes are those of the classes in
    ``optimizers``, where they are explained.
    """

    name: str
    code: int
    moments: tuple[str, ...]
    has_trust_ratio: bool = False

    @property
    def n_moments(self) -> int:
        """Number of vectors."""
        return len(self.moments)


@dataclass(frozen=True)
class Measure:
    """A measure of information, of a row of K outcomes, in nats.

    Attributes
    ----------
    two : bool
        It compares two distributions, p and q.
    per_outcome : bool
        It gives a number for each outcome, not one for the row.
    of_logits : bool
        Its argument is real numbers, not probabilities.
    """

    name: str
    code: int
    formula: str
    two: bool = False
    per_outcome: bool = False
    of_logits: bool = False


@dataclass(frozen=True)
class Normalization:
    """What gives the units of a layer mean 0 and variance 1; ``over`` says among which values."""

    name: str
    code: int
    over: str
    aliases: tuple[str, ...] = ()


_Row = TypeVar("_Row", bound=Activation | Loss | Measure | Normalization | Optimizer)


class Table(Generic[_Row]):
    """Rows by name or alias and by code, in the order in which they were written."""

    def __init__(self, *rows: _Row) -> None:
        self._rows = rows
        self.by_name = Names((row.name, row, getattr(row, "aliases", ())) for row in rows)
        self._by_code: Mapping[int, _Row] = MappingProxyType({row.code: row for row in rows})
        if len(rows) != len(self._by_code):
            raise ValueError("a code stands twice in the table")

    def __getitem__(self, name: str) -> _Row:
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __iter__(self) -> Iterator[_Row]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def by_code(self, code: int) -> _Row:
        """Return the row with this code."""
        return self._by_code[int(code)]

    @property
    def names(self) -> list[str]:
        """The rows' names, in table order."""
        return [row.name for row in self._rows]


ACTIVATIONS: Table[Activation] = Table(
    Activation("identity", 0, "z", "1", aliases=("linear",)),
    Activation("logistic", 1, "1 / (1 + exp(-z))", "h (1 - h)", aliases=("sigmoid", "expit")),
    Activation("tanh", 2, "(exp(z) - exp(-z)) / (exp(z) + exp(-z))", "1 - h^2"),
    Activation("relu", 3, "max(0, z)", "1 for z > 0, else 0 (0 at z = 0 by our definition)"),
    Activation(
        "leaky_relu",
        4,
        "z for z > 0, else 0.01 z",
        "1 for z > 0, else 0.01 (so at z = 0)",
        aliases=("lrelu",),
    ),
    Activation("elu", 5, "z for z > 0, else exp(z) - 1", "1 for z > 0, else exp(z)"),
    Activation(
        "selu",
        6,
        "lambda z for z > 0, else lambda alpha (exp(z) - 1)",
        "lambda for z > 0, else lambda alpha exp(z) (so at z = 0)",
    ),
    Activation("softplus", 7, "log(1 + exp(z))", "1 / (1 + exp(-z))"),
    Activation("gelu", 8, "z Phi(z) = z/2 (1 + erf(z / sqrt(2)))", "Phi(z) + z Phi'(z)"),
    Activation(
        "gelu_tanh",
        9,
        "z/2 (1 + tanh(u)), u = sqrt(2/pi) (z + 0.044715 z^3)",
        "(1 + tanh(u))/2 + z/2 (1 - tanh(u)^2) sqrt(2/pi) (1 + 0.134145 z^2)",
        aliases=("gelu_new", "gelu_pytorch_tanh"),
    ),
    Activation("silu", 10, "z s, s = 1 / (1 + exp(-z))", "s (1 + z (1 - s))", aliases=("swish",)),
    Activation(
        "mish",
        11,
        "z t, t = tanh(log(1 + exp(z)))",
        "t + z (1 - t^2) / (1 + exp(-z))",
    ),
    Activation(
        "hard_sigmoid",
        12,
        "min(max(z + 3, 0), 6) / 6",
        "1/6 for |z| < 3, else 0 (so at z = -3 and 3)",
    ),
    Activation(
        "hard_swish",
        13,
        "z min(max(z + 3, 0), 6) / 6",
        "0 for z <= -3, (2 z + 3)/6 for |z| < 3, 1 for z >= 3",
        aliases=("hard_silu",),
    ),
    Activation("softsign", 14, "z / (1 + |z|)", "1 / (1 + |z|)^2"),
)

LOSSES: Table[Loss] = Table(
    Loss(
        "softmax_cross_entropy",
        0,
        target="class",
        link="softmax",
        formula="log(sum_j exp(z_j)) - z_y",
        in_sklearn=True,
    ),
    Loss(
        "binary_cross_entropy",
        1,
        target="share",
        link="logistic",
        formula="sum_j log(1 + exp(z_j)) - y_j z_j",
        in_sklearn=True,
    ),
    Loss(
        "squared_error",
        2,
        target="real",
        link="identity",
        formula="1/2 sum_j (z_j - y_j)^2",
        mean_over_outputs=True,
        aliases=("squared_loss", "mse", "mse_loss", "mean_squared_error"),
        in_sklearn=True,
        degree=2,
    ),
    Loss(
        "soft_cross_entropy",
        3,
        target="distribution",
        link="softmax",
        formula="sum_j p_j (log(sum_k exp(z_k)) - z_j)",
    ),
    Loss(
        "kl_divergence",
        4,
        target="distribution",
        link="softmax",
        formula="sum_j p_j (log p_j - log q_j), q = softmax(z)",
    ),
    Loss(
        "focal",
        5,
        target="class",
        link="softmax",
        formula="-(1 - q_y)^gamma log q_y, q = softmax(z)",
        parameters={"focal_gamma": 2.0},
    ),
    Loss(
        "binary_focal",
        6,
        target="share",
        link="logistic",
        formula="sum_j -(1 - q_j)^gamma log q_j, q_j = logistic(z_j) for y_j = 1, else 1 - that",
        parameters={"focal_gamma": 2.0},
    ),
    Loss(
        "multi_margin",
        7,
        target="class",
        link="identity",
        formula="sum_{j != y} max(0, 1 - z_y + z_j) / C",
    ),
    Loss(
        "squared_hinge",
        8,
        target="share",
        link="identity",
        formula="sum_j max(0, 1 - s_j z_j)^2, s_j = 2 y_j - 1",
    ),
    Loss(
        "absolute_error",
        9,
        target="real",
        link="identity",
        formula="sum_j |z_j - y_j|",
        mean_over_outputs=True,
        aliases=("mae", "mean_absolute_error", "l1", "l1_loss"),
        center="median",
        degree=1,
    ),
    Loss(
        "huber",
        10,
        target="real",
        link="identity",
        formula="sum_j r^2/2 for |r| <= delta, else delta (|r| - delta/2), r = z_j - y_j",
        mean_over_outputs=True,
        parameters={"huber_delta": 1.0},
        aliases=("huber_loss",),
        center="median",
        degree=2,
        lengths=("huber_delta",),
    ),
    Loss(
        "smooth_l1",
        11,
        target="real",
        link="identity",
        formula="sum_j r^2/(2 beta) for |r| <= beta, else |r| - beta/2, r = z_j - y_j",
        mean_over_outputs=True,
        parameters={"smooth_l1_beta": 1.0},
        aliases=("smooth_l1_loss",),
        center="median",
        degree=1,
        lengths=("smooth_l1_beta",),
    ),
    Loss(
        "log_cosh",
        12,
        target="real",
        link="identity",
        formula="sum_j log cosh(z_j - y_j)",
        mean_over_outputs=True,
        center="median",
        degree=2,
    ),
    Loss(
        "poisson",
        13,
        target="non_negative",
        link="exp",
        formula="sum_j exp(z_j) - y_j z_j + y_j log y_j - y_j",
        in_sklearn=True,
        degree=1,
    ),
    Loss(
        "gamma",
        14,
        target="positive",
        link="exp",
        formula="sum_j z_j - log y_j + y_j exp(-z_j) - 1",
    ),
    Loss(
        "tweedie",
        15,
        target="non_negative",
        link="exp",
        formula="sum_j y^b/(a b) - y exp(a z)/a + exp(b z)/b, a = 1 - power, b = 2 - power",
        parameters={"tweedie_power": 1.5},
        degree=2,
    ),
    Loss(
        "gaussian_nll",
        16,
        target="real",
        link="gaussian",
        formula="sum_j (log v_j + (m_j - y_j)^2 / v_j)/2, z = (m, s), v = softplus(s) + 1e-6",
        mean_over_outputs=True,
        outputs_per_target=2,
        aliases=("gaussian_nll_loss",),
    ),
    Loss(
        "pinball",
        17,
        target="real",
        link="quantiles",
        formula="sum_j sum_q max(tau_q (y - z), (tau_q - 1)(y - z)), z ascending in q",
        mean_over_outputs=True,
        parameters={"quantiles": (0.1, 0.5, 0.9)},
        aliases=("quantile", "pinball_loss", "quantile_loss"),
        outputs_per_target=None,
        center="median",
        degree=1,
    ),
)

_CROSS_ENTROPY = {
    "binary": "binary_cross_entropy",
    "multiclass": "softmax_cross_entropy",
    "multilabel": "binary_cross_entropy",
    "distribution": "soft_cross_entropy",
}

#: A classifier's names of losses: each gives a row of the table above for each kind of target that
#: it can learn from. A name that other libraries have for some kinds only takes no others.
CLASSIFIER_LOSSES: Names[Mapping[str, str]] = Names(
    [
        ("cross_entropy", _CROSS_ENTROPY, ("log_loss", "cross_entropy_loss", "nll", "nll_loss")),
        (
            "binary_cross_entropy",
            {kind: _CROSS_ENTROPY[kind] for kind in ("binary", "multilabel")},
            ("bce", "bce_loss", "bce_with_logits", "bce_with_logits_loss"),
        ),
        (
            "categorical_cross_entropy",
            {kind: _CROSS_ENTROPY[kind] for kind in ("binary", "multiclass", "distribution")},
            ("sparse_categorical_crossentropy",),
        ),
        (
            "focal",
            {"binary": "binary_focal", "multiclass": "focal", "multilabel": "binary_focal"},
            (),
        ),
        (
            "multi_margin",
            {"binary": "multi_margin", "multiclass": "multi_margin"},
            ("multi_margin_loss",),
        ),
        (
            "squared_hinge",
            dict.fromkeys(("binary", "multiclass", "multilabel"), "squared_hinge"),
            (),
        ),
        (
            "kl_divergence",
            {"distribution": "kl_divergence"},
            ("kl_div", "kl_div_loss", "kld", "kullback_leibler_divergence"),
        ),
    ]
)


def takes_label_smoothing(loss: str) -> bool:
    """Return whether a classifier's loss is a cross-entropy, whose labels may be smoothed."""
    return CLASSIFIER_LOSSES[loss].items() <= _CROSS_ENTROPY.items()


#: A regressor's names of losses, and the rows that they stand for.
REGRESSOR_LOSSES: Names[str] = Names(
    (row.name, row.name, row.aliases)
    for row in LOSSES
    if row.target in ("real", "non_negative", "positive")
)

NORMALIZATIONS: Table[Normalization] = Table(
    Normalization("none", 0, over="nothing"),
    Normalization(
        "batch",
        1,
        over="one unit's values in the rows of a batch",
        aliases=("batch_norm", "batch_norm_1d", "batch_normalization"),
    ),
    Normalization(
        "layer", 2, over="the units of a row", aliases=("layer_norm", "layer_normalization")
    ),
    Normalization(
        "instance", 3, over="the positions of one channel of a row", aliases=("instance_norm",)
    ),
    Normalization(
        "group",
        4,
        over="the units of one group of whole channels of a row",
        aliases=("group_norm", "group_normalization"),
    ),
)

#: A row for each class of ``optimizers``, in the order of ``CLASSES``.
OPTIMIZERS: Table[Optimizer] = Table(
    *(
        Optimizer(name, code, cls.moments, cls.has_trust_ratio)
        for code, (name, cls) in enumerate(CLASSES.items())
    )
)

#: What ``solver`` may be: an optimiser's row or, for L-BFGS, which is SciPy's, None.
SOLVERS: Names[Optimizer | None] = Names(
    [*((row.name, row, ()) for row in OPTIMIZERS), ("lbfgs", None, ("l_bfgs_b",))]
)

MEASURES: Table[Measure] = Table(
    Measure("self_information", 0, "-log p_j", per_outcome=True),
    Measure("entropy", 1, "-sum_j p_j log p_j"),
    Measure("cross_entropy", 2, "-sum_j p_j log q_j", two=True),
    Measure("kl_divergence", 3, "sum_j p_j log(p_j / q_j)", two=True),
    Measure("softmax", 4, "exp(z_j) / sum_i exp(z_i)", per_outcome=True, of_logits=True),
    Measure("log_softmax", 5, "z_j - log(sum_i exp(z_i))", per_outcome=True, of_logits=True),
)
