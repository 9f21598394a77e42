"""Networks that are trained together as members of one: what they share and predict together.

What they predict together is the mean of what each predicts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp.names import Names
from fastmlp.plan.layout import Plan

__all__ = ["MEMBERS", "Members", "joint_logits", "members_of"]

#: How members differ; whether they have all layers to themselves, or the last one and scales.
MEMBERS = Names([("tabm-mini", False, ()), ("independent", True, ())])


class Members(NamedTuple):
    """How many members there are, and what each has to itself."""

    n_members: int
    n_shared: int  # first layers, which serve all
    n_scales: int  # rows of factors of the inputs of layer 0


def members_of(n_members: int, kind: str, n_layers: int, scaling: bool) -> Members:
    """Return what members of a kind share in a network of L layers, with a scaling layer or not."""
    if n_members == 1:
        return Members(1, n_layers, int(scaling))
    independent = MEMBERS[kind]
    n_scales = n_members if scaling or not independent else 0
    return Members(n_members, 0 if independent else n_layers - 1, n_scales)


@np.errstate(all="ignore")
def joint_logits(plan: Plan, logits: np.ndarray) -> np.ndarray:
    """Return the logits (B, C) whose link is the mean of the members' links.

    So losses, scores and decisions that are worked out of logits are those of the mean. It is
    taken in float64 and, of what a link makes exponentials, in logarithms: no certainty is rounded
    to 1, whose loss would be infinite.

    Parameters
    ----------
    plan : Plan
        Of k members.
    logits : ndarray, shape (B, k · C)
        Of each member.
    """
    if plan.n_members == 1:
        return logits
    by_member = logits.reshape(len(logits), plan.n_members, -1).astype(np.float64)
    joint = _JOINT.get(plan.loss_row.link, _mean)(by_member)
    if plan.loss_row.link == "quantiles":
        joint = _increments(by_member, len(plan.loss_parameters))
    return joint.astype(logits.dtype)


def _mean(z: np.ndarray) -> np.ndarray:
    """Return the mean (B, C) of z (B, k, C)."""
    mean: np.ndarray = z.mean(axis=1)
    return mean


def _log_mean_exp(z: np.ndarray) -> np.ndarray:
    """Return the logarithm (B, C) of the mean of exp z (B, k, C)."""
    from scipy.special import logsumexp  # noqa: PLC0415 - most networks have one member

    mean: np.ndarray = logsumexp(z, axis=1) - np.log(z.shape[1])
    return mean


def _of_classes(z: np.ndarray) -> np.ndarray:
    from scipy.special import log_softmax  # noqa: PLC0415

    return _log_mean_exp(log_softmax(z, axis=2))


def _of_answers(z: np.ndarray) -> np.ndarray:
    from scipy.special import log_expit  # noqa: PLC0415

    joint: np.ndarray = _log_mean_exp(log_expit(z)) - _log_mean_exp(log_expit(-z))
    return joint


def _of_gaussians(z: np.ndarray) -> np.ndarray:
    """Return means, and logits of the variance of the mixture: the floor stays as it is."""
    means, spread = np.split(z, 2, axis=2)
    variance = np.logaddexp(0, spread).mean(axis=1) + means.var(axis=1)
    return np.concatenate([means.mean(axis=1), _softplus_inverse(variance)], axis=1)


def _increments(z: np.ndarray, n_quantiles: int) -> np.ndarray:
    """Return logits (B, C) of the mean quantiles, which are increments from the lowest."""
    by_target = z.reshape(*z.shape[:2], -1, n_quantiles)
    lowest = by_target[..., :1].mean(axis=1)
    rest = _softplus_inverse(np.logaddexp(0, by_target[..., 1:]).mean(axis=1))
    return np.concatenate([lowest, rest], axis=2).reshape(len(z), -1)


def _softplus_inverse(y: np.ndarray) -> np.ndarray:
    inverse: np.ndarray = y + np.log(-np.expm1(-y))
    return inverse


#: By the link of the loss; members of all others are averaged as they are.
_JOINT = {
    "softmax": _of_classes,
    "logistic": _of_answers,
    "exp": _log_mean_exp,
    "gaussian": _of_gaussians,
}
