"""The plan: what a network is, in a form that every backend reads.

A plan is one NumPy structured array with a row per dense layer, plus a few sizes. It holds no
parameters. ``records.py`` has the layouts of its rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from fastmlp.kept import kept_property
from fastmlp.plan.description import DROPOUT_LEVELS, Description, custom_row
from fastmlp.plan.front import FEATURE_DTYPE, Column, features_of, front_width, move_offsets
from fastmlp.plan.records import (
    ALPHAS,
    BIASES,
    EMBEDDING_BIASES,
    EMBEDDING_WEIGHTS,
    FREQUENCIES,
    GAINS,
    GROUP_DTYPE,
    LAYER_DTYPE,
    PHASES,
    RUNNING_MEANS,
    RUNNING_VARIANCES,
    SCALES,
    SHIFTS,
    SLOT_DTYPE,
    TABLES,
    WEIGHTS,
    is_trained,
    rows_of,
)
from fastmlp.plan.user_functions import CustomActivation, CustomLoss
from fastmlp.registry import ACTIVATIONS, CUSTOM, LOSSES, NORMALIZATIONS, Loss

__all__ = [
    "DROPOUT_LEVELS",
    "GRADIENT_NOISE_STREAM",
    "INPUT_NOISE_STREAM",
    "NORMALIZATION_EPSILON",
    "Plan",
    "batch_norms",
    "custom_row",
    "dropout_threshold",
    "groups_of_layers",
    "lay_out",
    "make_plan",
]

#: Last counter word of the random bits of noise. Dropout's is the layer's number, far below.
INPUT_NOISE_STREAM, GRADIENT_NOISE_STREAM = 1 << 31, (1 << 31) + 1
#: Multiply-adds for each number that is packed from which on shorter operands pay: below, packing
#: takes what they save.
PRODUCTS_OF_OPERAND = 16
#: Added to every variance that a normalisation divides by.
NORMALIZATION_EPSILON = 1e-5


@dataclass(frozen=True)
class Plan:
    """A network without its parameters.

    Attributes
    ----------
    layers : ndarray of LAYER_DTYPE, shape (L,)
        One row per dense layer, the output layer included. Its offsets are those of its slots.
    slots : ndarray of SLOT_DTYPE, shape (S,)
        All arrays of the flat vector, in their order, the trained ones first.
    groups : ndarray of GROUP_DTYPE, shape (G,)
        What the updates of slots differ in.
    loss : int
        Code in ``LOSSES``.
    loss_parameters : ndarray of float64, shape (K,)
        Numbers that the loss depends on; its row in ``LOSSES`` names them.
    target_width : int
        Columns T of a target array.
    n_weights : int
        Length of the prefix of the flat parameter vector that holds weights.
    n_parameters : int
        Length P of the part that is trained, ``[all W | all b | all γ | all β | all α]``: that of
        gradients and moments.
    n_values : int
        Length V of the flat parameter vector: the running means and variances of batch norm follow
        what is trained.
    n_members : int
        Networks k that are trained together. A batch of B rows is then k · B virtual rows, and what
        is predicted is the mean of what they predict.
    n_scales : int
        Rows of factors that the inputs of layer 0 are multiplied by: 0, 1 for all or one for each
        member.
    columns : tuple of Column, length I
        What is made of each column of X; empty where the columns are the inputs of layer 0.
    features : ndarray of FEATURE_DTYPE, shape (I,) or (0,)
        The columns as the core knows them.
    custom : mapping of int to CustomActivation
        The activations that the user wrote, by the number of their layer.
    custom_loss : CustomLoss or None
        The loss, if the user wrote it; ``loss`` is then ``CUSTOM``.
    matmul_precision : str
        Name in ``MATMUL_PRECISIONS``: what the operands of products may be rounded to.
    """

    layers: np.ndarray
    slots: np.ndarray
    groups: np.ndarray
    loss: int
    loss_parameters: np.ndarray
    target_width: int
    n_weights: int
    n_parameters: int
    n_values: int
    n_members: int = 1
    n_scales: int = 0
    columns: tuple[Column, ...] = ()
    features: np.ndarray = field(default_factory=lambda: np.zeros(0, FEATURE_DTYPE))
    custom: Mapping[int, CustomActivation] = field(default_factory=dict)
    custom_loss: CustomLoss | None = None
    matmul_precision: str = "highest"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self.description)

    def __setstate__(self, state: Any) -> None:
        # Frozen, so not by assignment. Offsets and sums are never read from a pickle.
        self.__dict__.update(vars(lay_out(Description.unpickled(state))))

    @kept_property
    def description(self) -> Description:
        """What the plan was laid out from."""
        hidden = self.layers[:-1]
        return Description(
            layer_sizes=(self.n_inputs, *self.layers["fan_out"].tolist()),
            activations=tuple(
                self.custom[i] if code == CUSTOM else ACTIVATIONS.by_code(code).name
                for i, code in enumerate(hidden["activation"])
            ),
            dropout_thresholds=tuple(self.layers["dropout_threshold"].tolist()),
            normalizations=tuple(
                NORMALIZATIONS.by_code(code).name for code in hidden["normalization"]
            ),
            groups=tuple(hidden["n_groups"].tolist()),
            loss=self.custom_loss or self.loss_row.name,
            loss_parameters=tuple(self.loss_parameters.tolist()),
            factors=tuple(self.groups.tolist()),
            slot_groups=tuple(self.trained_slots["group"].tolist()),
            parametric=tuple(hidden["is_parametric"].astype(bool).tolist()),
            n_scales=self.n_scales,
            n_members=self.n_members,
            n_shared=self.n_shared,
            columns=self.columns,
            matmul_precision=self.matmul_precision,
        )

    def grouped(self, factors: Sequence[Sequence[float]], slot_groups: Sequence[int]) -> Plan:
        """Return the same network with other groups.

        Parameters
        ----------
        factors : sequence of (learning rate, l1, l2, weight decay)
            Factors of each group.
        slot_groups : sequence of int
            Group of each of ``trained_slots``.
        """
        rows = tuple(tuple(map(float, row)) for row in factors)
        groups = tuple(map(int, slot_groups))
        return lay_out(replace(self.description, factors=rows, slot_groups=groups))

    def with_own_group(self, kind: int, factors: Sequence[float]) -> Plan:
        """Return the same network with one more group, of all its slots of a kind.

        Parameters
        ----------
        kind : int
            Of slots that are trained.
        factors : (learning rate, l1, l2, weight decay)
            Factors of the group.
        """
        rows, slots = self.groups.tolist(), self.trained_slots
        groups = np.where(slots["kind"] == kind, len(rows), slots["group"])
        return self.grouped([*rows, factors], groups.tolist())

    @kept_property
    def trained_slots(self) -> np.ndarray:
        """The slots of what is trained."""
        trained: np.ndarray = self.slots[is_trained(self.slots["kind"])]
        return trained

    @property
    def has_front(self) -> bool:
        """Whether something is made of the numbers of a row before layer 0."""
        return self.n_scales > 0 or len(self.columns) > 0

    @kept_property
    def n_inputs(self) -> int:
        """Columns of X."""
        return len(self.columns) or int(self.layers["fan_in"][0])

    @kept_property
    def n_outputs(self) -> int:
        """Width of the output layer."""
        return int(self.layers["fan_out"][-1])

    @property
    def n_shared(self) -> int:
        """How many first layers serve all members; all of them where there is one member."""
        return int((self.layers["n_copies"] == 1).sum())

    @kept_property
    def bound(self) -> dict[Hashable, Any]:
        """What backends have made of the plan, for them to keep; nobody else looks at it."""
        return {}

    @kept_property
    def places(self) -> Mapping[int, list[tuple[int, slice, tuple[int, ...]]]]:
        """The layer, place in the vector and shape of each slot, by the slots' kind."""
        places: dict[int, list[tuple[int, slice, tuple[int, ...]]]] = {}
        layers = rows_of(self.layers)
        for kind, number, _, offset, rows, columns in self.slots.tolist():
            layer = layers[number]
            place = slice(offset, offset + rows * columns)
            places.setdefault(kind, []).append((number, place, _shape_of(layer, kind)))
        return places

    @kept_property
    def has_batch_norm(self) -> bool:
        """Whether some layer has batch norm."""
        return bool(batch_norms(self).any())

    @kept_property
    def has_dropout(self) -> bool:
        """Whether inputs of some layer are dropped."""
        return bool(self.layers["dropout_threshold"].any())

    @property
    def has_members(self) -> bool:
        """Whether several networks are trained together."""
        return self.n_members > 1

    @kept_property
    def products_of_row(self) -> int:
        """Multiply-adds of a row, or a virtual row, on its way forward: Σ I · O."""
        return int((self.layers["fan_in"] * self.layers["fan_out"]).sum())

    @kept_property
    def precision(self) -> str:
        """At which precision the products of this network are made, of a backend that has it.

        That is ``matmul_precision``, and "highest" in small networks. Sizes alone decide, so that
        a row's results do not depend on what else there is.
        """
        if self.matmul_precision == "highest":
            return "highest"
        n_operands = int((self.layers["fan_in"] + self.layers["fan_out"]).sum())
        pays = self.products_of_row >= PRODUCTS_OF_OPERAND * n_operands
        return self.matmul_precision if pays else "highest"

    @kept_property
    def loss_row(self) -> Loss:
        """The loss's row in the registry, or what would stand there for the user's own."""
        if self.custom_loss is not None:
            return custom_row(self.custom_loss.name)
        return LOSSES.by_code(self.loss)

    @property
    def has_user_functions(self) -> bool:
        """Whether an activation or the loss is a function that the user wrote."""
        return bool(self.custom) or self.custom_loss is not None

    def flops_per_sample(self) -> int:
        """Count the useful floating-point operations of one training step, per sample.

        Forward, weight gradient and input gradient are 2·I·O each; without a front, the first
        layer needs no input gradient: 2 (3 ΣIO − I₁O₁). Each member does as much.
        """
        first = int(self.layers["fan_in"][0] * self.layers["fan_out"][0])
        return 2 * self.n_members * (3 * self.products_of_row - (0 if self.has_front else first))


def batch_norms(plan: Plan) -> np.ndarray:
    """Return which layers have batch norm, bool (L,)."""
    found: np.ndarray = plan.layers["normalization"] == NORMALIZATIONS["batch"].code
    return found


def dropout_threshold(probability: float) -> int:
    """Return the 16-bit threshold below which a unit is dropped."""
    return min(round(probability * DROPOUT_LEVELS), DROPOUT_LEVELS - 1)


def groups_of_units(
    normalization: str, width: int, n_groups: int | None, n_channels: int | None
) -> int:
    """Return into how many runs of units, each with its own statistics, a row is cut.

    Layer norm takes the whole row, group norm runs of whole channels, instance norm every channel
    for itself; batch norm, which takes columns, has 0.
    """
    if normalization == "layer":
        return 1
    if normalization == "group":
        assert n_groups is not None
        return n_groups
    if normalization == "instance":
        return int(n_channels or width)
    return 0


def groups_of_layers(
    normalizations: Sequence[str],
    widths: Sequence[int],
    n_groups: int | None,
    n_channels: int | None,
) -> list[int]:
    """Return the same for each layer, given its normalisation and its width."""
    layers = zip(normalizations, widths, strict=True)
    return [groups_of_units(name, int(width), n_groups, n_channels) for name, width in layers]


#: Field of a layer that repeats the offset of its slot of each kind.
_OFFSETS = {
    WEIGHTS: "weight_offset", BIASES: "bias_offset", GAINS: "gain_offset", SHIFTS: "shift_offset",
    ALPHAS: "alpha_offset", RUNNING_MEANS: "mean_offset", RUNNING_VARIANCES: "variance_offset",
}  # fmt: skip


def _shape_of(layer: Mapping[str, int], kind: int) -> tuple[int, ...]:
    """Return the shape of a layer's slot, with the copies first where there are some."""
    shape = (layer["fan_in"], layer["fan_out"]) if kind == WEIGHTS else (layer["fan_out"],)
    copied = kind in (WEIGHTS, BIASES) and layer["n_copies"] > 1
    return (layer["n_copies"], *shape) if copied else shape


def _rows_of_slot(layer: Mapping[str, int], kind: int) -> int:
    """Return the rows of a layer's slot: (copies · fan_in) of weights, copies of biases, else 1."""
    if kind not in (WEIGHTS, BIASES):
        return 1
    return layer["n_copies"] * (layer["fan_in"] if kind == WEIGHTS else 1)


#: Kinds of slots of what columns learn, in the order of ``features_of``; each is one run.
_OF_COLUMNS = (FREQUENCIES, PHASES, EMBEDDING_WEIGHTS, EMBEDDING_BIASES, TABLES)


def _shapes(layers: np.ndarray, wanted: Description) -> list[tuple[int, int, int, int]]:
    """Return (kind, layer, rows, columns) of each slot, in the order of the vector."""
    n_scales, sizes = wanted.n_scales, wanted.front_sizes or (0,) * len(_OF_COLUMNS)
    rows = rows_of(layers)
    names = [NORMALIZATIONS.by_code(code).name for code in layers["normalization"]]
    normalized = [i for i, name in enumerate(names) if name != "none"]
    by_batch = [i for i, name in enumerate(names) if name == "batch"]
    every = list(range(len(names)))
    parametric = np.flatnonzero(layers["is_parametric"]).tolist()
    # By kind of _OFFSETS.
    having = (every, every, normalized, normalized, parametric, by_batch, by_batch)
    shapes = [
        (kind, i, _rows_of_slot(rows[i], kind), rows[i]["fan_out"])
        for kind, numbers in zip(_OFFSETS, having, strict=True)
        for i in numbers
    ]
    front = [(SCALES, 0, n_scales, int(layers["fan_in"][0]))] if n_scales else []
    front += [(kind, 0, 1, n) for kind, n in zip(_OF_COLUMNS, sizes, strict=True) if n]
    return sorted([*shapes, *front])


def _lay_out_slots(layers: np.ndarray, wanted: Description) -> np.ndarray:
    """Return the slots (S,), and set the layers' offsets; what a layer lacks is at its kind's end.

    Without groups in the description, weights are in group 0 and all else in group 1.
    """
    shapes, slot_groups = _shapes(layers, wanted), wanted.slot_groups
    slots = np.zeros(len(shapes), SLOT_DTYPE)
    for name, column in zip(
        ("kind", "layer", "rows", "columns"), zip(*shapes, strict=True), strict=True
    ):
        slots[name] = column
    sizes = slots["rows"] * slots["columns"]
    slots["offset"] = np.cumsum(sizes) - sizes
    slots["group"] = slots["kind"] != WEIGHTS
    slots["group"][: len(slot_groups)] = slot_groups
    for kind, offset in _OFFSETS.items():
        layers[offset] = sizes[slots["kind"] <= kind].sum()
        own = slots[slots["kind"] == kind]
        layers[offset][own["layer"]] = own["offset"]
    return slots


def _lay_out_features(slots: np.ndarray, wanted: Description) -> np.ndarray:
    """Return what the core knows of the columns (I,), placed in the slots (S,)."""
    if not wanted.columns:
        return np.zeros(0, FEATURE_DTYPE)
    features, _ = features_of(wanted.columns, wanted.layer_sizes[1])
    bases = [int(slots["offset"][slots["kind"] == kind].sum()) for kind in _OF_COLUMNS]
    move_offsets(features, bases)
    return features


def lay_out(wanted: Description) -> Plan:
    """Place all that a network has in one vector; the only place that knows how.

    It takes longer than a small fit, so what has been laid out lately is not laid out again.
    """
    names = (*wanted.activations, wanted.loss)
    if wanted.columns or not all(isinstance(each, str) for each in names):  # bins and functions
        return _lay_out(wanted)
    plan = Plan.__new__(Plan)
    for name, value in _laid_out_before(wanted):
        plan.__dict__[name] = value.copy() if isinstance(value, np.ndarray) else value
    return plan


@lru_cache(maxsize=64)
def _laid_out_before(wanted: Description) -> tuple[tuple[str, Any], ...]:
    """Return the parts of a plan, by name."""
    return tuple(vars(_lay_out(wanted)).items())


def _lay_out(wanted: Description) -> Plan:
    sizes = np.array(wanted.layer_sizes, dtype=np.int64)
    layers = np.zeros(len(sizes) - 1, dtype=LAYER_DTYPE)
    layers["fan_in"], layers["fan_out"] = sizes[:-1], sizes[1:]
    if wanted.columns:
        layers["fan_in"][0] = front_width(wanted.columns)
    layers["activation"] = [
        CUSTOM if isinstance(each, CustomActivation) else ACTIVATIONS[each].code
        for each in [*wanted.activations, "identity"]
    ]
    layers["dropout_threshold"] = wanted.dropout_thresholds
    names = [*wanted.normalizations, "none"]
    layers["normalization"] = [NORMALIZATIONS[name].code for name in names]
    layers["n_groups"] = [*wanted.groups, 0]
    layers["n_copies"] = 1
    layers["n_copies"][wanted.n_shared :] = wanted.n_members
    layers["is_parametric"] = [*wanted.parametric, False]
    slots = _lay_out_slots(layers, wanted)
    sizes_of_slots, kinds = slots["rows"] * slots["columns"], slots["kind"]
    numbers, row = np.array(wanted.loss_parameters, np.float64), wanted.loss_row
    return Plan(
        layers,
        slots,
        np.array(list(wanted.factors), GROUP_DTYPE),
        row.code,
        numbers,
        row.target_width(int(sizes[-1]), len(numbers)),
        int(sizes_of_slots[kinds == WEIGHTS].sum()),
        int(sizes_of_slots[is_trained(kinds)].sum()),
        int(sizes_of_slots.sum()),
        wanted.n_members,
        wanted.n_scales,
        wanted.columns,
        _lay_out_features(slots, wanted),
        {i: own for i, own in enumerate(wanted.activations) if isinstance(own, CustomActivation)},
        None if isinstance(wanted.loss, str) else wanted.loss,
        wanted.matmul_precision,
    )


def make_plan(
    layer_sizes: Sequence[int],
    activations: Sequence[str | CustomActivation],
    loss: str | CustomLoss,
    dropouts: Sequence[float] | None = None,
    loss_parameters: Sequence[float] | None = None,
    normalizations: Sequence[str] | None = None,
    n_groups: int | None = None,
    n_channels: int | None = None,
    parametric: Sequence[bool] | None = None,
    n_scales: int = 0,
    n_members: int = 1,
    n_shared: int | None = None,
    columns: Sequence[Column] = (),
    matmul_precision: str = "highest",
) -> Plan:
    """Lay out a network.

    Parameters
    ----------
    layer_sizes : sequence of int, length L + 1
        Widths from the input to the output.
    activations : sequence of str or CustomActivation, length L - 1
        Activation of each hidden layer.
    loss : str or CustomLoss
        Name in ``LOSSES``, or the user's own.
    dropouts : sequence of float, length L, optional
        Probability of dropping an input of each layer: first the network's input, then each
        hidden layer's output.
    loss_parameters : sequence of float, length K, optional
        Numbers that the loss depends on; the defaults of its row when None.
    normalizations : sequence of str, length L - 1, optional
        Name in ``NORMALIZATIONS`` for each hidden layer.
    n_groups : int, optional
        Groups of channels, for ``"group"``.
    n_channels : int, optional
        Channels of each hidden layer, for ``"instance"`` and ``"group"``: unit number
        channel · positions + position. None makes every unit a channel.
    parametric : sequence of bool, length L - 1, optional
        Whether each hidden layer's activation is z + α (f(z) - z), with a trained α for each unit.
    n_scales : int
        Rows of factors for the inputs of layer 0: 0, 1 or ``n_members``.
    n_members : int
        Networks that are trained together.
    n_shared : int, optional
        How many first layers serve all of them, below L with several members; by default all but
        the last.
    columns : sequence of Column, length I, optional
        What is made of each column of X before layer 0.
    matmul_precision : str
        Name in ``MATMUL_PRECISIONS``.
    """
    n_layers = len(layer_sizes) - 1
    sizes = tuple(int(size) for size in layer_sizes)
    names = ["none"] * (n_layers - 1) if normalizations is None else normalizations
    dropouts = [0.0] * n_layers if dropouts is None else dropouts
    row = LOSSES[loss] if isinstance(loss, str) else custom_row(loss.name)
    numbers = row.default_parameters if loss_parameters is None else loss_parameters
    return lay_out(
        Description(
            layer_sizes=sizes,
            activations=tuple(activations),
            dropout_thresholds=tuple(map(dropout_threshold, dropouts)),
            normalizations=tuple(names),
            groups=tuple(groups_of_layers(names, sizes[1:-1], n_groups, n_channels)),
            loss=loss,
            loss_parameters=tuple(map(float, numbers)),
            parametric=tuple(parametric or [False] * (n_layers - 1)),
            n_scales=n_scales,
            n_members=n_members,
            n_shared=n_layers - (n_members > 1) if n_shared is None else n_shared,
            columns=tuple(columns),
            matmul_precision=matmul_precision,
        )
    )
