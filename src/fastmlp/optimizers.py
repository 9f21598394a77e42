"""Optimisers turn a gradient into a step. Their options have the names of PyTorch.

An optimiser holds what stays the same for a whole fit, and computes what changes from update to
update, such as Adam's corrections of the bias of its moments. The backends get these numbers once
a call. The learning rate is not part of an optimiser: it belongs to the fit and its schedule.

``weight_decay`` is decoupled in all of them (Loshchilov & Hutter 2019): weights shrink by the
factor 1 - learning_rate · weight_decay before the step, and the gradient does not contain the
decay. LAMB is the exception: there, the decay is part of the step. The parameter ``alpha`` of the
estimators is the penalty that the gradient contains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, repeat
from operator import mul
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fastmlp.options import Options
from fastmlp.threads import OwnLock

__all__ = [
    "LAMB",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
]

#: A number that all updates share, or one for each (n,).
Number: TypeAlias = "float | np.ndarray"


#: What no longer counts beside 1.
_TINY = 1e-20


def of_each(steps: range, function: Callable[[int], float]) -> Number:
    """Return ``function`` of each of the updates (n,), of a single one as a number.

    What is to be the same in C, such as a power, is left to ``math``: NumPy rounds it differently.
    """
    if len(steps) == 1:
        return function(steps.start)
    return np.array([function(t) for t in steps])


def _rest_of_powers(base: float, steps: range) -> Number:
    """Return 1 - base^t for each t of ``steps``; one number where no power counts beside 1."""
    if math.pow(base, steps.start) < _TINY:
        return 1.0
    if len(steps) == 1:
        return 1 - math.pow(base, steps.start)
    return 1 - np.array(list(map(math.pow, repeat(base), steps)))


def _root(number: Number) -> Number:
    return math.sqrt(number) if isinstance(number, float) else np.sqrt(number)


class Optimizer(Options):
    """The base class of all optimisers."""

    #: Name of the row in ``OPTIMIZERS``.
    name: ClassVar[str]
    #: What it remembers: vectors as long as the parameters. Two rules whose moments have the same
    #: names can go on with each other's.
    moments: ClassVar[tuple[str, ...]]
    #: The step of each array is scaled by norms of the array and of the step, of which the decay is
    #: a part then.
    has_trust_ratio: ClassVar[bool] = False
    #: By which power of the gradient's scale the step goes: 0 where both moments have that scale,
    #: and -1 for steps that go by the array's own scale instead.
    power_of_gradient: ClassVar[int] = 0
    #: Options that the estimators have parameters for.
    of_estimators: ClassVar[tuple[str, ...]] = ("weight_decay",)
    #: Decoupled decay of the weights.
    weight_decay: float

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
        The share of the velocity v that an update keeps.
    nesterov : bool, default=False
        Whether to look ahead: w ← w + momentum · v - lr · g (Sutskever et al. 2013).
    weight_decay : float, default=0.0
        Decoupled decay of the weights.

    Examples
    --------
    >>> from fastmlp.optimizers import SGD
    >>> SGD(momentum=0.9)
    SGD(momentum=0.9, nesterov=False, weight_decay=0.0)
    """

    name: ClassVar[str] = "sgd"
    power_of_gradient: ClassVar[int] = 1
    moments: ClassVar[tuple[str, ...]] = ("velocity",)
    of_estimators: ClassVar[tuple[str, ...]] = ("momentum", "nesterov", "weight_decay")
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (momentum, nesterov)."""
        return 1.0, (self.momentum, float(self.nesterov))


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with ε in the place where scikit-learn has it.

    m ← β₁m + (1 - β₁)g; v ← β₂v + (1 - β₂)g²; w ← w - lr · √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m/(√v + ε).

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂: the shares of the two moments that an update keeps.
    eps : float, default=1e-8
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "adam"
    moments: ClassVar[tuple[str, ...]] = ("mean", "mean square")
    of_estimators: ClassVar[tuple[str, ...]] = ("betas", "eps", "weight_decay")
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return √(1 - β₂ᵗ)/(1 - β₁ᵗ) and (1 - β₁, 1 - β₂, ε, β₁, β₂, √(1 - β₂ᵗ), 1 - β₁ᵗ)."""
        beta_1, beta_2 = self.betas
        root = _root(_rest_of_powers(beta_2, steps))
        rest = _rest_of_powers(beta_1, steps)
        return root / rest, (1 - beta_1, 1 - beta_2, self.eps, beta_1, beta_2, root, rest)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weights decay by default (Loshchilov & Hutter 2019).

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂: the shares of the two moments that an update keeps.
    eps : float, default=1e-8
        ε.
    weight_decay : float, default=0.01
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "adamw"
    weight_decay: float = 0.01


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Each gradient is divided by its running size (Tieleman & Hinton 2012).

    v ← αv + (1 - α)g²; a ← αa + (1 - α)g; b ← momentum · b + g/(√(v - centered · a²) + ε);
    w ← w - lr · b.

    Parameters
    ----------
    alpha : float, default=0.99
        α: the share of the running means that an update keeps.
    eps : float, default=1e-8
        ε.
    momentum : float, default=0.0
        The share of the velocity b that an update keeps.
    centered : bool, default=False
        Whether to divide by the standard deviation (Graves 2013).
    weight_decay : float, default=0.0
        Decoupled decay of the weights.

    Examples
    --------
    >>> from fastmlp import MLPClassifier
    >>> from fastmlp.optimizers import RMSprop
    >>> MLPClassifier(solver=RMSprop(momentum=0.9)).solver
    RMSprop(alpha=0.99, eps=1e-08, momentum=0.9, centered=False, weight_decay=0.0)
    """

    name: ClassVar[str] = "rmsprop"
    moments: ClassVar[tuple[str, ...]] = ("mean square", "mean", "scaled velocity")
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (1 - α, ε, momentum, centered)."""
        return 1.0, (1 - self.alpha, self.eps, self.momentum, float(self.centered))


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Each gradient is divided by the size of all gradients so far (Duchi et al. 2011).

    s ← s + g²; w ← w - lr/(1 + (t - 1) · lr_decay) · g/(√(s + s₀) + ε).

    Parameters
    ----------
    lr_decay : float, default=0.0
        How fast the learning rate falls.
    initial_accumulator_value : float, default=0.0
        s₀.
    eps : float, default=1e-10
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights. It uses the learning rate without ``lr_decay``.
    """

    name: ClassVar[str] = "adagrad"
    moments: ClassVar[tuple[str, ...]] = ("sum of squares",)
    lr_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1/(1 + (t - 1) · lr_decay) and (s₀, ε)."""
        factor = of_each(steps, lambda t: 1 / (1 + (t - 1) * self.lr_decay))
        return factor, (self.initial_accumulator_value, self.eps)


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Steps are as large as earlier steps (Zeiler 2012). It is made for a learning rate of 1.

    v ← ρv + (1 - ρ)g²; d = √(u + ε)/√(v + ε) · g; u ← ρu + (1 - ρ)d²; w ← w - lr · d.

    Parameters
    ----------
    rho : float, default=0.9
        ρ: the share of the running means that an update keeps.
    eps : float, default=1e-6
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "adadelta"
    moments: ClassVar[tuple[str, ...]] = ("mean square", "mean square step")
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (1 - ρ, ε)."""
        return 1.0, (1 - self.rho, self.eps)


#: Steps whose products of momenta are worked out at once.
_BLOCK = 1024
_EXTENDING = OwnLock()


def _momentum_of_nadam(beta: float, momentum_decay: float, t: int) -> float:
    return beta * (1 - 0.5 * math.pow(0.96, t * momentum_decay))


@lru_cache(maxsize=16)
def _products_of_blocks(beta: float, momentum_decay: float) -> list[float]:
    """Return μ₁ · … · μ_t for t = 0, 1024, …: a list that is extended where it is read."""
    return [1.0]


def _product_before(beta: float, momentum_decay: float, block: int) -> float:
    """Return the product of all momenta before a block of steps."""
    products = _products_of_blocks(beta, momentum_decay)

    def extend() -> None:
        while len(products) <= block and products[-1] > _TINY:
            start = 1 + (len(products) - 1) * _BLOCK
            momenta = (_momentum_of_nadam(beta, momentum_decay, start + i) for i in range(_BLOCK))
            products.append(math.prod(momenta, start=products[-1]))

    _EXTENDING.during(extend)
    return products[block] if block < len(products) else 0.0


@lru_cache(maxsize=64)
def _products_of_nadam(beta: float, momentum_decay: float, block: int) -> tuple[float, ...]:
    """Return μ₁ · … · μ_t for each t of a block."""
    steps = range(block * _BLOCK + 1, (block + 1) * _BLOCK + 1)
    momenta = (_momentum_of_nadam(beta, momentum_decay, t) for t in steps)
    first = _product_before(beta, momentum_decay, block)
    return tuple(accumulate(momenta, mul, initial=first))[1:]


@dataclass(frozen=True)
class NAdam(Adam):
    """Adam with Nesterov's momentum (Dozat 2016), as in PyTorch.

    m and v as for Adam, μ_t = β₁ (1 - 0.96^(t · momentum_decay)/2), π_t = μ₁ · … · μ_t;
    w ← w - lr · ((1 - μ_t)/(1 - π_t) · g + μ_{t+1}/(1 - π_{t+1}) · m) / (√(v/(1 - β₂ᵗ)) + ε).

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂: the shares of the two moments that an update keeps.
    eps : float, default=1e-8
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    momentum_decay : float, default=0.004
        How fast the momentum μ approaches β₁.
    """

    name: ClassVar[str] = "nadam"
    momentum_decay: float = 4e-3

    def _product(self, t: int) -> float:
        block, place = divmod(t - 1, _BLOCK)
        return _products_of_nadam(self.betas[0], self.momentum_decay, block)[place]

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (1 - β₁, 1 - β₂, ε, 1/√(1 - β₂ᵗ), share of g, share of m)."""
        (beta_1, beta_2), decay = self.betas, self.momentum_decay

        def momentum(t: int) -> float:
            return _momentum_of_nadam(beta_1, decay, t)

        scale = of_each(steps, lambda t: 1 / math.sqrt(1 - math.pow(beta_2, t)))
        of_gradient = of_each(steps, lambda t: (1 - momentum(t)) / (1 - self._product(t)))
        of_mean = of_each(steps, lambda t: momentum(t + 1) / (1 - self._product(t + 1)))
        return 1.0, (1 - beta_1, 1 - beta_2, self.eps, scale, of_gradient, of_mean)


@dataclass(frozen=True)
class RAdam(Adam):
    """Adam that uses v only once it is reliable (Liu et al. 2020), as in PyTorch.

    m and v as for Adam, ρ∞ = 2/(1 - β₂) - 1, ρ_t = ρ∞ - 2t β₂ᵗ/(1 - β₂ᵗ). For ρ_t > 5,
    w ← w - lr · r_t · √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m/(√v + ε), where
    r_t² = (ρ_t - 4)(ρ_t - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρ_t); before, w ← w - lr · m/(1 - β₁ᵗ).

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂: the shares of the two moments that an update keeps.
    eps : float, default=1e-8
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "radam"

    def _length(self, t: int) -> float:
        """Return ρ_t, how many gradients v is made of."""
        power = math.pow(self.betas[1], t)
        return self._longest - 2 * t * power / (1 - power)

    @property
    def _longest(self) -> float:
        return 2 / (1 - self.betas[1]) - 1

    def _factor(self, t: int) -> float:
        length, longest = self._length(t), self._longest
        correction = 1 - math.pow(self.betas[0], t)
        if length <= _LENGTH_TO_RELY_ON:
            return 1 / correction
        numerator = (length - 4) * (length - 2) * longest
        rectification = math.sqrt(numerator / ((longest - 4) * (longest - 2) * length))
        return rectification * math.sqrt(1 - math.pow(self.betas[1], t)) / correction

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return the factor of m/√v, or of m, and (1 - β₁, 1 - β₂, ε, whether ρ_t > 5)."""
        adaptive = of_each(steps, lambda t: float(self._length(t) > _LENGTH_TO_RELY_ON))
        beta_1, beta_2 = self.betas
        return of_each(steps, self._factor), (1 - beta_1, 1 - beta_2, self.eps, adaptive)


#: ρ_t from which RAdam divides by √v.
_LENGTH_TO_RELY_ON = 5


@dataclass(frozen=True)
class Lion(Optimizer):
    """Steps of equal size along the sign of a mean of gradients (Chen et al. 2023).

    w ← w - lr · sign(β₁m + (1 - β₁)g); m ← β₂m + (1 - β₂)g. Its learning rate should be three
    to ten times smaller than that of Adam.

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.99)
        β₁ and β₂: the shares of the mean that the step and the next mean keep.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    """

    name: ClassVar[str] = "lion"
    moments: ClassVar[tuple[str, ...]] = ("mean",)
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (1 - β₁, 1 - β₂)."""
        beta_1, beta_2 = self.betas
        return 1.0, (1 - beta_1, 1 - beta_2)


@dataclass(frozen=True)
class LAMB(Optimizer):
    """Adam for large batches, with steps as long as each array is large (You et al. 2020).

    m and v as for Adam, r = m/(1 - β₁ᵗ) / (√(v/(1 - β₂ᵗ)) + ε), u = r + weight_decay · w;
    w ← w - lr · ‖w‖/‖u‖ · u, with norms over each array by itself: the weights of a layer, its
    biases, its gains, its shifts. The ratio ‖w‖/‖u‖ is 1 if one of the two norms is 0. This is
    algorithm 2 of the paper with the identity as φ, and Optax's ``lamb``: the moments are corrected
    before ε is added, and the decay is part of what is scaled.

    Parameters
    ----------
    betas : tuple of float, default=(0.9, 0.999)
        β₁ and β₂: the shares of the two moments that an update keeps.
    eps : float, default=1e-6
        ε.
    weight_decay : float, default=0.0
        Decoupled decay of the weights, as above.

    Examples
    --------
    >>> from fastmlp.optimizers import LAMB
    >>> LAMB(weight_decay=0.01)
    LAMB(betas=(0.9, 0.999), eps=1e-06, weight_decay=0.01)
    """

    name: ClassVar[str] = "lamb"
    moments: ClassVar[tuple[str, ...]] = Adam.moments
    has_trust_ratio: ClassVar[bool] = True
    power_of_gradient: ClassVar[int] = -1
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-6
    weight_decay: float = 0.0

    def numbers(self, steps: range) -> tuple[Number, tuple[Number, ...]]:
        """Return 1 and (1 - β₁, 1 - β₂, ε, 1/(1 - β₁ᵗ), 1/√(1 - β₂ᵗ))."""
        beta_1, beta_2 = self.betas
        of_mean = 1 / _rest_of_powers(beta_1, steps)
        of_root = 1 / _root(_rest_of_powers(beta_2, steps))
        return 1.0, (1 - beta_1, 1 - beta_2, self.eps, of_mean, of_root)


#: By name, in the order of their codes.
CLASSES: Mapping[str, type[Optimizer]] = {
    cls.name: cls
    for cls in (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, NAdam, RAdam, Lion, LAMB)
}


def named_optimizer(name: str, **options: Any) -> Optimizer:
    """Return the optimiser of a name, with those ``options`` that an estimator has for it.

    Options that are None are left at their defaults.
    """
    cls = CLASSES[name]
    return cls(**{k: options[k] for k in cls.of_estimators if options[k] is not None})


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
