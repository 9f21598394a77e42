"""Optimisers: rules that turn a gradient into a step. Their numbers have the names of PyTorch.

An object holds what stays the same for a whole fit and works out what changes from update to
update, such as Adam's corrections of its moments' bias. The backends get these numbers once a call,
so a step needs no power there. The learning rate is not part of an optimiser: it belongs to the fit
and its schedule.

``weight_decay`` is decoupled in all of them (Loshchilov & Hutter 2019): weights shrink by the
factor 1 - learning_rate · weight_decay before the step, and the gradient does not see it. The
estimators' ``alpha`` is the penalty that the gradient sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fastmlp.registry import OPTIMIZERS
from fastmlp.registry import Optimizer as Row

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "make_optimizer"]

#: A number that all updates share, or one for each (n,).
Number: TypeAlias = "float | np.ndarray"


def of_each(steps: range, function: Callable[[int], float]) -> Number:
    """Return ``function`` of each of the updates (n,), of a single one as a number.

    What is to be the same in C, such as a power, is left to ``math``: NumPy rounds it differently.
    """
    if len(steps) == 1:
        return function(steps.start)
    return np.array([function(t) for t in steps])


def _root(number: Number) -> Number:
    return math.sqrt(number) if isinstance(number, float) else np.sqrt(number)


@dataclass(frozen=True)
class Optimizer:
    """What all optimisers share."""

    #: Name of the row in ``OPTIMIZERS``.
    name: ClassVar[str]
    #: Decoupled decay of the weights.
    weight_decay: float

    @property
    def row(self) -> Row:
        """The row in the registry: code, and number of vectors that it remembers."""
        return OPTIMIZERS[self.name]

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return what each of the updates number ``steps``, counted from 1, is made with.

        Returns
        -------
        rate_factor : float or ndarray, shape (n,)
            The learning rate's factor.
        coefficients : tuple of float or ndarray, shape (n,)
            The optimiser's own numbers, in the order in which its step functions name them.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: v ← momentum · v - lr · g; w ← w + v.

    Parameters
    ----------
    momentum : float, default=0.0
        How much of the velocity v an update keeps.
    nesterov : bool, default=False
        Look ahead, w ← w + momentum · v - lr · g (Sutskever et al. 2013).
    weight_decay : float, default=0.0
        Decoupled decay of the weights.

    Examples
    --------
    >>> from fastmlp.optimizers import SGD
    >>> SGD(momentum=0.9)
    SGD(momentum=0.9, nesterov=False, weight_decay=0.0)
    """

    name: ClassVar[str] = "sgd"
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (momentum, nesterov)."""
        return 1.0, (self.momentum, float(self.nesterov))


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with ε where scikit-learn has it.

    m ← β₁m + (1 - β₁)g; v ← β₂v + (1 - β₂)g²; w ← w - lr · √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m/(√v + ε).

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂, how much of the two moments an update keeps.
    eps : float, default=1e-8
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return √(1 - β₂ᵗ)/(1 - β₁ᵗ) and (1 - β₁, 1 - β₂, ε, β₁, β₂, √(1 - β₂ᵗ), 1 - β₁ᵗ)."""
        beta_1, beta_2 = self.betas
        root = _root(1 - of_each(steps, lambda t: math.pow(beta_2, t)))
        rest = 1 - of_each(steps, lambda t: math.pow(beta_1, t))
        return root / rest, (1 - beta_1, 1 - beta_2, self.eps, beta_1, beta_2, root, rest)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with a decay of the weights unless told otherwise (Loshchilov & Hutter 2019).

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂, how much of the two moments an update keeps.
    eps : float, default=1e-8
        ε.
    weight_decay : float, default=0.01
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "adamw"
    weight_decay: float = 0.01


#: By the name of the row in the registry.
CLASSES: Mapping[str, type[Optimizer]] = {cls.name: cls for cls in (SGD, Adam, AdamW)}


def make_optimizer(name: str, **options: Any) -> Optimizer:
    """Return the optimiser of a name, with those ``options`` that it has and that are not None."""
    cls = CLASSES[name]
    known = {each.name for each in fields(cls)}
    return cls(**{k: v for k, v in options.items() if k in known and v is not None})
