"""Updates of the flat parameter vector, in place, and the penalties on its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fastmlp.backends.reference.philox import standard_normals
from fastmlp.plan.layout import GRADIENT_NOISE_STREAM, Plan
from fastmlp.plan.records import group_runs
from fastmlp.registry import OPTIMIZERS

__all__ = ["UPDATE_RULES", "limit_norms", "optimizer_update", "penalty", "penalty_gradient"]

#: (update, parameters (n,), gradient (n,), moments (M, n)) → None; with a trust ratio, of one slot
UpdateRule = Callable[[np.void, np.ndarray, np.ndarray, np.ndarray], None]


def _sgd(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    # Fields of records are float64 scalars, which would widen float32 arrays; Python floats don't.
    momentum, nesterov, *_ = update["coefficients"].tolist()
    step = -float(update["learning_rate"]) * gradient
    velocity = moments[0]
    velocity[:] = momentum * velocity + step
    parameters += momentum * velocity + step if nesterov else velocity


def _adam(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    _, _, epsilon, beta_1, beta_2, root, rest, _ = update["coefficients"].tolist()
    first, second = moments
    first[:] = beta_1 * first + (1 - beta_1) * gradient
    second[:] = beta_2 * second + (1 - beta_2) * gradient**2
    rate = float(update["learning_rate"]) * root / rest
    parameters -= rate * first / (np.sqrt(second) + epsilon)


def _follow(mean: np.ndarray, share: float, values: np.ndarray) -> None:
    """Move a running mean (P,) by ``share`` towards values (P,), in place."""
    mean *= 1 - share
    mean += share * values


def _rmsprop(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    share, epsilon, momentum, centered, *_ = update["coefficients"].tolist()
    square, mean, velocity = moments
    _follow(square, share, gradient**2)
    _follow(mean, share, gradient)
    variance = np.maximum(square - mean**2, 0) if centered else square
    velocity *= momentum
    velocity += gradient / (np.sqrt(variance) + epsilon)
    parameters -= _step_size(update) * velocity


def _adagrad(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    initial, epsilon, *_ = update["coefficients"].tolist()
    moments[0] += gradient**2
    parameters -= _step_size(update) * gradient / (np.sqrt(moments[0] + initial) + epsilon)


def _adadelta(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    share, epsilon, *_ = update["coefficients"].tolist()
    square, square_step = moments
    _follow(square, share, gradient**2)
    step = np.sqrt(square_step + epsilon) / np.sqrt(square + epsilon) * gradient
    _follow(square_step, share, step**2)
    parameters -= _step_size(update) * step


def _nadam(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    share, share_of_square, epsilon, scale, *shares, _, _ = update["coefficients"].tolist()
    first, second = moments
    _follow(first, share, gradient)
    _follow(second, share_of_square, gradient**2)
    mixture = shares[0] * gradient + shares[1] * first
    parameters -= _step_size(update) * mixture / (scale * np.sqrt(second) + epsilon)


def _radam(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    share, share_of_square, epsilon, adaptive, *_ = update["coefficients"].tolist()
    first, second = moments
    _follow(first, share, gradient)
    _follow(second, share_of_square, gradient**2)
    step = first / (np.sqrt(second) + epsilon) if adaptive else first
    parameters -= _step_size(update) * step


def _lion(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    share, share_of_mean, *_ = update["coefficients"].tolist()
    mean = moments[0]
    parameters -= _step_size(update) * np.sign((1 - share) * mean + share * gradient)
    _follow(mean, share_of_mean, gradient)


def _lamb(
    update: np.void, parameters: np.ndarray, gradient: np.ndarray, moments: np.ndarray
) -> None:
    share, share_of_square, epsilon, of_mean, of_root, *_ = update["coefficients"].tolist()
    first, second = moments
    _follow(first, share, gradient)
    _follow(second, share_of_square, gradient**2)
    direction = of_mean * first / (of_root * np.sqrt(second) + epsilon)
    direction += float(update["weight_decay"]) * parameters
    parameters -= _step_size(update) * _trust_ratio(parameters, direction) * direction


def _trust_ratio(parameters: np.ndarray, direction: np.ndarray) -> float:
    """Return ‖parameters‖ / ‖direction‖, both (n,), in float64; 1 where one of them is 0."""
    norms = [math.sqrt(np.square(v, dtype=np.float64).sum()) for v in (parameters, direction)]
    return 1.0 if 0 in norms else norms[0] / norms[1]


def _step_size(update: np.void) -> float:
    return float(update["learning_rate"]) * float(update["rate_factor"])


#: By the name in the registry. AdamW is Adam; its decay is step 5 of every update but LAMB's.
UPDATE_RULES: dict[str, UpdateRule] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adam,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "nadam": _nadam,
    "radam": _radam,
    "lion": _lion,
    "lamb": _lamb,
}


def _groups(
    slots: np.ndarray, groups: np.ndarray, slot_by_slot: bool = False
) -> Iterator[tuple[slice, np.void]]:
    """Yield where each run of slots of one group is, or each slot, and the group's factors."""
    for begin, end, group in group_runs(slots, slot_by_slot).tolist():
        yield slice(begin, end), groups[group]


def penalty(settings: np.ndarray, plan: Plan, parameters: np.ndarray) -> float:
    """Return l2/2 · Σw² + l1 · Σ|w| over ``parameters`` (P,) or (V,), summed in float64."""
    total = 0.0
    for part, factors in _groups(plan.trained_slots, plan.groups):
        l2, l1 = settings["l2"] * factors["l2"], settings["l1"] * factors["l1"]
        w = parameters[part]
        squares = np.sum(np.square(w, dtype=np.float64)) if l2 else 0.0
        total += float(l2 / 2 * squares + l1 * (np.abs(w).sum(dtype=float) if l1 else 0.0))
    return total


def penalty_gradient(settings: np.ndarray, plan: Plan, parameters: np.ndarray) -> np.ndarray:
    """Return l2 · w + l1 · sign(w), shape (P,); sign(0) = 0."""
    gradient = np.zeros_like(parameters)
    for part, factors in _groups(plan.trained_slots, plan.groups):
        l2, l1 = settings["l2"] * factors["l2"], settings["l1"] * factors["l1"]
        gradient[part] = float(l2) * parameters[part]
        gradient[part] += float(l1) * np.sign(parameters[part])
    return gradient


def _gradient_noise(seed: int, update: np.void, n_parameters: int) -> np.ndarray:
    """Return this update's noise (P,), float64: four times sixteen numbers per sixteen columns."""
    normals = standard_normals(
        4,
        16 * -(-n_parameters // 64),
        seed,
        GRADIENT_NOISE_STREAM,
        int(update["step"]),
    )
    by_parameter = normals.reshape(4, -1, 16).transpose(1, 0, 2).reshape(-1)
    noise: np.ndarray = float(update["gradient_noise"]) * by_parameter[:n_parameters]
    return noise


def _clip_and_disturb(settings: np.ndarray, update: np.void, gradient: np.ndarray) -> None:
    """Steps 2 to 4 of ``Backend.optimizer_update`` on gradient (P,), in place."""
    bound, longest = float(settings["clip_value"]), float(settings["clip_norm"])
    if bound > 0:
        np.clip(gradient, -bound, bound, out=gradient)
    if longest > 0:
        norm = math.sqrt(np.square(gradient, dtype=np.float64).sum())
        gradient *= float(np.minimum(1, longest / (norm + 1e-6)))  # NaN stays NaN
    if update["gradient_noise"] > 0:
        noise = _gradient_noise(int(settings["seed"]), update, len(gradient))
        gradient += noise.astype(gradient.dtype)


def limit_norms(w: np.ndarray, max_norm: float) -> None:
    """Scale each column of w (I, O) that is longer than ``max_norm`` down to it, in place."""
    norms = np.sqrt(np.square(w, dtype=np.float64).sum(axis=0))
    w *= np.where(norms > max_norm, max_norm / norms, 1).astype(w.dtype)


def _shrink(weights: np.ndarray, amount: float) -> None:
    """Move every weight by ``amount`` towards 0 and not beyond, in place."""
    weights[:] = np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)


def _of_group(update: np.void, factors: np.void) -> np.void:
    """Return the record of an update with a group's learning rate and decay."""
    own = update.copy()
    own["learning_rate"] *= factors["learning_rate"]
    own["weight_decay"] *= factors["weight_decay"]
    return own


def optimizer_update(
    settings: np.ndarray,
    update: np.void,
    parameters: np.ndarray,
    gradient: np.ndarray,
    moments: np.ndarray,
    slots: np.ndarray,
    groups: np.ndarray,
    weight_sum: float,
    touched: np.ndarray | None = None,
) -> None:
    """Do the steps of ``Backend.optimizer_update``, arrays as there.

    Where ``touched`` (P,) is False, neither parameters nor moments change.
    """
    if touched is not None:
        kept = parameters[~touched], moments[:, ~touched]
    row = OPTIMIZERS.by_code(int(settings["optimizer"]))
    rule = UPDATE_RULES[row.name]
    for part, factors in _groups(slots, groups):
        l2 = float(settings["l2"] * factors["l2"])
        gradient[part] += l2 / weight_sum * parameters[part]
    _clip_and_disturb(settings, update, gradient)
    for part, factors in _groups(slots, groups, slot_by_slot=row.has_trust_ratio):
        own, l1 = _of_group(update, factors), float(settings["l1"] * factors["l1"])
        learning_rate, w = float(own["learning_rate"]), parameters[part]
        if not row.has_trust_ratio:
            w *= 1 - learning_rate * float(own["weight_decay"])
        rule(own, w, gradient[part], moments[:, part])
        if l1 != 0:
            _shrink(w, learning_rate * l1 / weight_sum)
    if touched is not None:
        parameters[~touched], moments[:, ~touched] = kept
