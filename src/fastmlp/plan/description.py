"""The smallest description of a network. A plan is laid out from it, and a pickle holds it.

The core believes every size, offset and address in a plan. So none of them is pickled that can be
worked out, and what is pickled is checked here before a plan is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import FunctionType
from typing import Any

import numpy as np

from fastmlp.plan.front import Column, features_of, front_width, wrong_columns
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.registry import (
    ACTIVATIONS,
    CUSTOM,
    LOSSES,
    MATMUL_PRECISIONS,
    NORMALIZATIONS,
    Loss,
)

__all__ = [
    "DEFAULT_FACTORS",
    "DROPOUT_LEVELS",
    "MAX_PARAMETERS",
    "Description",
    "UnusableModelError",
    "custom_row",
    "require",
]

#: A unit is dropped when its 16 random bits are below the layer's threshold, so probabilities are
#: multiples of 1/65536; the scale 1/keep uses the rounded probability and stays exact.
DROPOUT_LEVELS = 1 << 16

#: Parameters are addressed by 64-bit byte offsets; a few copies of the vector must fit as well.
MAX_PARAMETERS = 2**56

_MOST_GROUPS = np.iinfo(np.int32).max


#: The factors of weights, and of all else, which has no penalties and no decay.
DEFAULT_FACTORS = ((1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 0.0, 0.0))
_N_FACTORS = 4


class UnusableModelError(ValueError):
    """What is wrong with a model whose parts do not fit together."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The model cannot be used: {what}. Its pickle is damaged or was made by another "
            "version of fastmlp, or an attribute was set by hand; fit the model again."
        )
        self.what = what


def require(condition: bool, what: str, *values: Any) -> None:
    """Raise ValueError, saying ``what`` is wrong with a model, unless the condition holds.

    ``values`` fill the ``{}`` of ``what``, as in :meth:`str.format`, when it is wanted only: each
    partial fit comes by here.
    """
    if not condition:
        raise UnusableModelError(what.format(*values) if values else what)


def custom_row(name: str) -> Loss:
    """Return what would stand in ``LOSSES`` for a loss of this name that the user wrote."""
    formula = f"sum_j {name}(z_j, y_j)"
    return Loss(name, CUSTOM, target="real", link="identity", formula=formula)


@dataclass(frozen=True)
class Description:
    """A network without its parameters, and without what follows from the rest.

    Attributes
    ----------
    layer_sizes : tuple of int, length L + 1
        Widths from the input to the output.
    activations : tuple of str or CustomActivation, length L - 1
        Of each hidden layer, by name in ``ACTIVATIONS``.
    dropout_thresholds : tuple of int, length L
        For each layer's input, below ``DROPOUT_LEVELS``; 0 = no dropout.
    normalizations : tuple of str, length L - 1
        Of each hidden layer, by name in ``NORMALIZATIONS``.
    groups : tuple of int, length L - 1
        Runs of units with statistics of their own in a row of each hidden layer; 0 for those that
        take none of a row.
    loss : str or CustomLoss
        Name in ``LOSSES``, or the user's own.
    loss_parameters : tuple of float, length K
        Numbers that the loss depends on.
    factors : tuple of tuple of float, length G
        Of each group of the updates: factors of the learning rate, l1, l2 and the weight decay.
    slot_groups : tuple of int
        Group of each trained array; empty for the default: weights in group 0, all else in 1.
    parametric : tuple of bool, length L - 1
        Whether the activation of each hidden layer is parametric.
    n_scales : int
        Rows of factors that the inputs of layer 0 are multiplied by: 0, 1 for all or one for each
        member.
    n_members : int
        Networks that are trained together.
    n_shared : int
        How many first layers serve all of them: all L if there is one; the others have weights of
        their own for each member.
    columns : tuple of Column, length I
        What is made of each column of X; empty where the columns are the inputs of layer 0.
    matmul_precision : str
        Name in ``MATMUL_PRECISIONS``.
    """

    layer_sizes: tuple[int, ...]
    activations: tuple[str | CustomActivation, ...]
    dropout_thresholds: tuple[int, ...]
    normalizations: tuple[str, ...]
    groups: tuple[int, ...]
    loss: str | CustomLoss
    loss_parameters: tuple[float, ...]
    factors: tuple[tuple[float, ...], ...] = DEFAULT_FACTORS
    slot_groups: tuple[int, ...] = ()
    parametric: tuple[bool, ...] = ()
    n_scales: int = 0
    n_members: int = 1
    n_shared: int = 0
    columns: tuple[Column, ...] = ()
    matmul_precision: str = "highest"

    @property
    def loss_row(self) -> Loss:
        """The loss's row in the registry, or what would stand there for the user's own."""
        return LOSSES[self.loss] if isinstance(self.loss, str) else custom_row(self.loss.name)

    @property
    def front_sizes(self) -> tuple[int, ...]:
        """Sizes of the slots of what the columns learn, as ``features_of`` has them."""
        return features_of(self.columns, self.layer_sizes[1])[1] if self.columns else ()

    @classmethod
    def unpickled(cls, state: Any) -> Description:
        """Return what a pickle holds; ValueError unless it describes a network."""
        names = set(cls.__dataclass_fields__)
        require(isinstance(state, Mapping) and set(state) == names, "its parts have other names")
        found = cls(**state)
        found._check_layers()
        found._check_normalizations()
        found._check_loss()
        found._check_members()
        found._check_front()
        found._check_groups()
        named = isinstance(found.matmul_precision, str)
        known = named and found.matmul_precision in tuple(MATMUL_PRECISIONS)
        require(known, "its matmul_precision is unknown")
        return found

    def _check_layers(self) -> None:
        sizes = self.layer_sizes
        require(_are_integers(sizes, 1, MAX_PARAMETERS) and len(sizes) > 1, "a width is wrong")
        require(sum(i * o + o for i, o in pairwise(sizes)) <= MAX_PARAMETERS, "it is too large")
        require(_has_length(self.activations, len(sizes) - 2), "activations are missing")
        require(all(map(_is_activation, self.activations)), "an activation is unknown")
        parametric = self.parametric
        require(_has_length(parametric, len(sizes) - 2), "kinds of activations are missing")
        require(all(type(each) is bool for each in parametric), "a kind of activation is wrong")
        thresholds = self.dropout_thresholds
        require(_are_integers(thresholds, 0, DROPOUT_LEVELS - 1), "a dropout is wrong")
        require(len(thresholds) == len(sizes) - 1, "dropouts are missing")

    def _check_normalizations(self) -> None:
        names, groups, widths = self.normalizations, self.groups, self.layer_sizes[1:-1]
        require(_has_length(names, len(widths)), "normalisations are missing")
        require(_are_integers(groups, 0, _MOST_GROUPS), "a number of groups is wrong")
        require(len(groups) == len(widths), "numbers of groups are missing")
        for name, n_groups, width in zip(names, groups, widths, strict=True):
            require(isinstance(name, str) and name in NORMALIZATIONS, "a normalisation is unknown")
            by_row = name not in ("none", "batch")
            fits = n_groups > 0 and width % n_groups == 0 if by_row else n_groups == 0
            require(fits, "{} units are no {} groups", width, n_groups)

    def _check_front(self) -> None:
        n_scales, n_members = self.n_scales, self.n_members
        require(_are_integers((n_scales,), 0, MAX_PARAMETERS), "its scaling layer is wrong")
        require(n_scales in (0, 1, n_members), "its scaling layer is wrong")
        wrong = wrong_columns(self.columns, self.layer_sizes[0])
        require(wrong is None, wrong or "")
        width = front_width(self.columns) if self.columns else self.layer_sizes[0]
        require(n_scales * width <= MAX_PARAMETERS, "it is too large")
        in_all = sum(self.front_sizes) + front_width(self.columns) * self.layer_sizes[1]
        require(in_all <= MAX_PARAMETERS, "it is too large")

    def _check_members(self) -> None:
        k, n_shared, sizes = self.n_members, self.n_shared, self.layer_sizes
        require(_are_integers((k,), 1, MAX_PARAMETERS), "its number of members is wrong")
        n_layers = len(sizes) - 1
        most = n_layers - 1 if k > 1 else n_layers
        require(_are_integers((n_shared,), 0, most), "its shared layers are wrong")
        require(k > 1 or n_shared == n_layers, "its shared layers are wrong")
        copies = (1 if layer < n_shared else k for layer in range(n_layers))
        sums = (n * (i * o + o) for n, (i, o) in zip(copies, pairwise(sizes), strict=True))
        require(sum(sums) <= MAX_PARAMETERS, "it is too large")
        shared = all(name == "none" for name in self.normalizations[n_shared:])
        require(shared, "layers of single members are normalised")

    def _check_groups(self) -> None:
        n_norms = sum(name != "none" for name in self.normalizations)
        n_slots = 2 * (len(self.layer_sizes) - 1 + n_norms) + sum(self.parametric)
        n_slots += (self.n_scales > 0) + sum(size > 0 for size in self.front_sizes)
        rows, groups = self.factors, self.slot_groups
        whole = isinstance(rows, tuple) and all(_has_length(row, _N_FACTORS) for row in rows)
        require(whole and len(rows) > 1, "factors of groups are missing")
        numbers = [number for row in rows for number in row]
        right = all(type(number) is float and 0 <= number < np.inf for number in numbers)
        require(right, "a factor of a group is wrong")
        require(_are_integers(groups, 0, len(rows) - 1), "a group is unknown")
        require(len(groups) in (0, n_slots), "groups of arrays are missing")

    def _check_loss(self) -> None:
        loss, numbers, n_outputs = self.loss, self.loss_parameters, self.layer_sizes[-1]
        known = loss in LOSSES if isinstance(loss, str) else _is_own_loss(loss)
        require(known, "its loss is unknown")
        row = self.loss_row
        require(isinstance(numbers, tuple), "the loss's parameters are missing")
        require(all(isinstance(number, float) for number in numbers), "the loss has no numbers")
        if row.outputs_per_target is None:
            right = len(numbers) > 0
        else:
            right = len(numbers) == len(row.default_parameters)
        require(right, "{} takes another number of parameters", row.name)
        fits = n_outputs % row.outputs_of_one(len(numbers)) == 0
        require(fits, "{} outputs do not fit {}", n_outputs, row.name)


def _has_length(values: Any, length: int) -> bool:
    return isinstance(values, tuple) and len(values) == length


def _are_integers(values: Any, low: int, high: int) -> bool:
    return isinstance(values, tuple) and all(type(v) is int and low <= v <= high for v in values)


def _is_activation(value: Any) -> bool:
    own = isinstance(value, CustomActivation) and _are_functions(value, "f", "df")
    return own or (isinstance(value, str) and value in ACTIVATIONS)


def _is_own_loss(value: Any) -> bool:
    return isinstance(value, CustomLoss) and _are_functions(value, "value", "grad")


def _are_functions(own: CustomActivation | CustomLoss, *names: str) -> bool:
    functions = all(isinstance(vars(own).get(name), FunctionType) for name in names)
    return functions and isinstance(vars(own).get("name"), str)
