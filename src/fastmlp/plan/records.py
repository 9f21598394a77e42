"""Records that every backend reads: layers, slots, groups, settings, and numbers of updates.

The layouts are those of ``fastmlp_layer``, ``fastmlp_slot``, ``fastmlp_group``,
``fastmlp_settings`` and ``fastmlp_update`` in ``csrc/fastmlp.h``, field by field.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.plan.description import DEFAULT_FACTORS
from fastmlp.registry import OPTIMIZERS

__all__ = [
    "ALPHAS",
    "BIASES",
    "EMBEDDING_BIASES",
    "EMBEDDING_WEIGHTS",
    "FREQUENCIES",
    "GAINS",
    "GROUP_DTYPE",
    "LAYER_DTYPE",
    "N_COEFFICIENTS",
    "PHASES",
    "RUNNING_MEANS",
    "RUNNING_VARIANCES",
    "SCALES",
    "SETTINGS_DTYPE",
    "SHIFTS",
    "SLOT_DTYPE",
    "TABLES",
    "UPDATE_DTYPE",
    "WEIGHTS",
    "default_groups",
    "group_runs",
    "is_trained",
    "make_settings",
    "prefix_slots",
    "rows_of",
]

LAYER_DTYPE = np.dtype(
    [
        ("fan_in", np.int64),
        ("fan_out", np.int64),
        ("n_copies", np.int64),  # of W and b: 1, or one for each member
        ("weight_offset", np.int64),  # of W (n_copies, fan_in, fan_out) in the flat vector
        ("bias_offset", np.int64),  # of b (n_copies, fan_out)
        ("gain_offset", np.int64),  # of γ (fan_out,), where the layer is normalised
        ("shift_offset", np.int64),  # of β (fan_out,), likewise
        ("alpha_offset", np.int64),  # of α (fan_out,), where the activation is parametric
        ("mean_offset", np.int64),  # of the running means (fan_out,), batch norm only
        ("variance_offset", np.int64),  # of the running variances (fan_out,), likewise
        ("activation", np.int32),  # code in ACTIVATIONS; the last layer has identity
        ("dropout_threshold", np.int32),  # for this layer's *input*, 0 … 65535; 0 = no dropout
        ("normalization", np.int32),  # code in NORMALIZATIONS; the last layer has none
        ("n_groups", np.int32),  # runs of units with statistics of their own in a row; 0 for batch
        ("is_parametric", np.int32),  # 1: h = z + α (f(z) - z); 0: h = f(z), as in the last layer
        ("custom", np.uint64),  # address of an activation of the user's; 0 until a backend binds it
    ],
    align=True,
)

#: What a slot holds; see the enumeration in ``fastmlp.h``. Those before the running statistics are
#: trained.
(
    WEIGHTS, BIASES, GAINS, SHIFTS, ALPHAS,
    SCALES, FREQUENCIES, PHASES, EMBEDDING_WEIGHTS, EMBEDDING_BIASES, TABLES,
    RUNNING_MEANS, RUNNING_VARIANCES,
) = range(13)  # fmt: skip


def is_trained(kinds: np.ndarray) -> np.ndarray:
    """Return which slots hold what updates change, given their kinds (S,); bool (S,)."""
    trained: np.ndarray = kinds < RUNNING_MEANS
    return trained


#: One array of the flat vector. They lie in it one after the other, in this order of kinds.
SLOT_DTYPE = np.dtype(
    [
        ("kind", np.int64),
        ("layer", np.int64),  # that it belongs to
        ("group", np.int64),  # of the updates
        ("offset", np.int64),  # of its first element
        ("rows", np.int64),
        ("columns", np.int64),
    ],
    align=True,
)

#: Slots that are updated alike: factors of the numbers of those names.
GROUP_DTYPE = np.dtype(
    [
        ("learning_rate", np.float64),
        ("l1", np.float64),
        ("l2", np.float64),
        ("weight_decay", np.float64),
    ],
    align=True,
)

#: What stays the same for all updates of a fit.
SETTINGS_DTYPE = np.dtype(
    [
        ("optimizer", np.int64),  # code in OPTIMIZERS
        ("l2", np.float64),  # penalty l2/2 · sum w², divided by the batch's sum of sample weights
        ("l1", np.float64),  # penalty l1 · sum |w|, divided likewise
        ("batch_norm_momentum", np.float64),  # share of a batch in the running statistics
        ("seed", np.uint64),  # key of the bits of dropout and noise
        ("clip_value", np.float64),  # bound of each |gradient|; 0 = none, here and below
        ("clip_norm", np.float64),  # bound of the whole gradient's L2 norm
        ("max_norm", np.float64),  # bound of the L2 norm of a hidden unit's incoming weights
        ("input_noise", np.float64),  # standard deviation
    ],
    align=True,
)

#: Room for an optimiser's own numbers.
N_COEFFICIENTS = 8

#: The numbers of one update.
UPDATE_DTYPE = np.dtype(
    [
        ("step", np.int64),  # updates made before: the counter of random bits
        ("learning_rate", np.float64),
        ("rate_factor", np.float64),  # the optimiser's step size is learning_rate · rate_factor
        ("weight_decay", np.float64),  # decoupled: w ← (1 - learning_rate · weight_decay) w
        ("gradient_noise", np.float64),  # standard deviation
        ("dropout", np.float64),  # factor of the dropout thresholds, which are rounded then
        ("label_smoothing", np.float64),  # s: see Executor.train
        ("coefficients", np.float64, (N_COEFFICIENTS,)),  # see Optimizer.numbers
    ],
    align=True,
)


def make_settings(optimizer: str = "sgd", **fields: float) -> np.ndarray:
    """Return a 0-d record of SETTINGS_DTYPE: 0 for what is not named."""
    settings = np.zeros((), dtype=SETTINGS_DTYPE)
    settings["optimizer"] = OPTIMIZERS[optimizer].code
    settings["batch_norm_momentum"] = 0.1
    for name, value in fields.items():
        settings[name] = value
    return settings


def prefix_slots(n_weights: int, n_parameters: int) -> np.ndarray:
    """Return slots (2,) of so many weights, and of biases, for a vector without a network."""
    slots = np.zeros(2, SLOT_DTYPE)
    slots["kind"], slots["group"] = (WEIGHTS, BIASES), (0, 1)
    slots["offset"], slots["rows"] = (0, n_weights), 1
    slots["columns"] = n_weights, n_parameters - n_weights
    return slots


def default_groups() -> np.ndarray:
    """Return the groups (2,) of weights and of all else, which has no penalties and no decay."""
    return np.array(list(DEFAULT_FACTORS), GROUP_DTYPE)


def rows_of(records: np.ndarray) -> list[dict[str, Any]]:
    """Return each of some records (R,) by the names of its fields, as Python's numbers.

    NumPy's own way to a field of one record is slower, and ends the process where memory is short.
    """
    names = records.dtype.names or ()
    return [dict(zip(names, record, strict=True)) for record in records.tolist()]


def group_runs(slots: np.ndarray, slot_by_slot: bool = False) -> np.ndarray:
    """Return (begin, end, group) of each run (R, 3) of neighbouring slots of one group, int64.

    With ``slot_by_slot``, every slot is a run of its own.
    """
    runs: list[tuple[int, int, int]] = []
    for slot in rows_of(slots):
        begin, group = slot["offset"], slot["group"]
        end = begin + slot["rows"] * slot["columns"]
        if runs and runs[-1][2] == group and not slot_by_slot:
            begin = runs.pop()[0]
        runs.append((begin, end, group))
    return np.array(runs, np.int64)
