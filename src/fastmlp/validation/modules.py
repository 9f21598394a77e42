"""Modules of PyTorch that become a model, and what comes with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from fastmlp.validation.wording import a_kind_of, brief

__all__ = [
    "check_link_has_classes",
    "check_loss_of_module",
    "check_module_numbers",
    "check_modules",
    "check_one_number_of_groups",
    "check_torch_classes",
    "raise_module",
]


def check_modules(module: Any, modules: Sequence[Any], is_sequence: bool) -> None:
    """Raise TypeError or ValueError unless there is a sequence with modules in it."""
    if not is_sequence:
        raise TypeError(f"module must be a torch.nn.Sequential; got {a_kind_of(module)}.")
    if not modules:
        raise ValueError("module must have an nn.Linear; got an empty nn.Sequential.")


def raise_module(place: str, module: Any, why: str) -> NoReturn:
    """Raise ValueError for a module at a place."""
    raise ValueError(f"module[{brief(place)}], {brief(repr(module))}, can't be converted: {why}.")


def check_module_numbers(dtypes: set[str], layers: Iterable[Any]) -> None:
    """Raise ValueError unless all parameters are finite and of one real type."""
    if len(dtypes) > 1 or not dtypes <= {"torch.float32", "torch.float64"}:
        raise ValueError(
            "The module's parameters must all be float32 or all float64; got "
            f"{', '.join(sorted(dtypes))}: module.float() makes them float32."
        )
    for number, layer in enumerate(layers):
        if not (np.isfinite(layer.weights).all() and np.isfinite(layer.biases).all()):
            raise ValueError(f"The module's nn.Linear {number} has weights that are not finite.")


def check_one_number_of_groups(counts: set[int]) -> None:
    """Raise ValueError if group normalisations differ in their groups."""
    if len(counts) > 1:
        raise ValueError(
            "All nn.GroupNorm layers of the module must have the same num_groups; got "
            f"{', '.join(map(str, sorted(counts)))}."
        )


def check_link_has_classes(link: str) -> None:
    """Raise ValueError if a module for a regression gives probabilities."""
    if link:
        raise ValueError(
            "The module ends with probabilities: pass the label of each output as classes=."
        )


def check_torch_classes(classes: Any, n_outputs: int, *, several: bool) -> np.ndarray:
    """Return class labels (K,) as an array; raise unless they are right for so many outputs."""
    if isinstance(classes, (str, bytes)) or not hasattr(classes, "__len__"):
        raise TypeError(f"classes must be a sequence of labels; got {brief(classes)}.")
    labels = np.asarray(classes)
    wanted = 2 if n_outputs == 1 else n_outputs
    if labels.shape != (wanted,):
        raise ValueError(
            f"classes must have {wanted} labels for {n_outputs} output{'s' * (n_outputs > 1)} of "
            f"the module; got {brief(classes)}."
        )
    if len(np.unique(labels)) < len(labels):
        raise ValueError(f"classes must all be different; got {brief(classes)}.")
    if several and not np.array_equal(labels, np.arange(n_outputs)):
        raise ValueError(
            f"classes must be range({n_outputs}), since nn.Sigmoid makes each output a label of "
            f"output; got {brief(classes)}. nn.Softmax makes one label of all outputs."
        )
    return labels


def check_loss_of_module(loss: Any, n_outputs: int, n_given: int) -> None:
    """Raise ValueError if a loss wants another number of outputs than a module has."""
    if n_outputs != n_given:
        raise ValueError(
            f"loss={brief(loss)} wants {n_outputs} outputs, and the module has {n_given}: "
            "pass another loss."
        )
