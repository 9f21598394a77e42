"""What a fit has learnt, as a program of simple steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp._version import __version__
from fastmlp.estimators.class_coder import ClassCoder
from fastmlp.estimators.labels import LabelCoding
from fastmlp.estimators.learnt import Learnt
from fastmlp.estimators.real_coder import RealCoder
from fastmlp.export.of_network import add_link, add_network
from fastmlp.export.program import Builder, Decision, Program
from fastmlp.export.steps import Constant, Dense, Select, Weights
from fastmlp.export.table_steps import Affine, BothClasses, SquareRoot
from fastmlp.export.values import Value
from fastmlp.network import Network
from fastmlp.plan.front import ONE_HOT, TABLE
from fastmlp.validation import check_can_be_exported

__all__ = ["add_predictions", "add_probabilities", "program_of"]


def program_of(owner: str, learnt: Learnt) -> Program:
    """Return the program of what a model, an ``owner``, has learnt."""
    network, coder = learnt.network, learnt.coder
    check_can_be_exported(owner, network.plan)
    to = Builder()
    x = to.value("x", network.plan.n_inputs, network.dtype)
    names = () if learnt.feature_names is None else tuple(map(str, learnt.feature_names))
    levels = tuple(np.flatnonzero(np.isin(network.plan.features["kind"], (TABLE, ONE_HOT))))
    about = _about(owner, network)
    facts: dict[str, Any] = {
        "x": x, "columns": (), "names": names, "levels": levels, "about": about,
    }  # fmt: skip
    if isinstance(coder, ClassCoder):
        return _classifier(to, network, coder, x, facts)
    assert isinstance(coder, RealCoder)
    return _regressor(to, network, coder, x, facts)


def _about(owner: str, network: Network) -> tuple[str, ...]:
    plan = network.plan
    sizes = [plan.n_inputs, *plan.layers["fan_out"].tolist()]
    members = f", {plan.n_members} members" if plan.has_members else ""
    layers = " -> ".join(map(str, sizes))
    return (f"{owner} of fastmlp {__version__}: {layers}{members}, {network.dtype}",)


def add_probabilities(
    to: Builder, network: Network, labels: LabelCoding, x: Value
) -> tuple[Value, Value, Value | None]:
    """Write a classifier down; return its logits, what is decided by, and its probabilities.

    What is decided by are the logits, or the members' mean. There are no probabilities where the
    loss knows none.
    """
    if labels.constant and network.plan.loss_row.link != "identity":
        numbers, remark = np.ones(1, x.dtype), "the only class"
        one = to.add(Constant, x, "certain", 1, numbers=numbers, remark=remark)
        return one, one, one
    logits = add_network(to, network, x)
    outputs = add_link(to, network.plan, logits)
    decided = logits if logits.rows == 1 else outputs
    if network.plan.loss_row.link == "identity":
        return logits, decided, None
    if labels.kind == "binary":
        outputs = to.add(BothClasses, outputs, "both", 2, remark="1 - p and p")
    return logits, decided, outputs


def _classifier(
    to: Builder, network: Network, coder: ClassCoder, x: Value, facts: dict[str, Any]
) -> Program:
    labels = coder.labels
    logits, decided, probabilities = add_probabilities(to, network, labels, x)
    answers: dict[str, Value] = {}
    if probabilities is not None:
        answers["probabilities"] = probabilities
    else:
        answers["decision_function"] = _margin(to, labels, decided)
    several = labels.kind == "multilabel"
    by_threshold = several or (decided.width == 1 and not labels.constant)
    of_probabilities = logits.rows > 1 and probabilities is not None
    threshold = (0.5 if of_probabilities else 0.0) if by_threshold else None
    decision = Decision(decided, threshold, several)
    return to.program(decided, answers, decision=decision, labels=labels.classes, **facts)


def _margin(to: Builder, labels: LabelCoding, logits: Value) -> Value:
    """Return what ``decision_function`` gives: of two outputs the difference."""
    if labels.kind != "binary" or logits.width == 1:
        return logits
    difference = Weights(np.array([[[-1.0], [1.0]]], logits.dtype))
    zero = np.zeros((1, 1), logits.dtype)
    remark = "the second less the first"
    return to.add(Dense, logits, "margin", 1, weights=difference, biases=zero, remark=remark)


def add_predictions(
    to: Builder, network: Network, coder: RealCoder, x: Value
) -> tuple[Value, Value, Value | None]:
    """Write a regressor down; return all that it predicts, its predictions, and its deviations.

    All are in the user's unit. Variances follow the means in the first.
    """
    outputs = add_link(to, network.plan, add_network(to, network, x))
    if coder.unit.standardizes:
        factors, summands = coder.by_output
        outputs = to.add(
            Affine,
            outputs,
            "unscaled",
            dtype=np.float64,
            factors=factors,
            summands=summands,
            remark="in the unit of y",
        )
    if coder.row.link != "gaussian":
        return outputs, outputs, None
    n = coder.n_targets
    means = to.add(Select, outputs, "means", n, places=np.arange(n))
    variances = to.add(Select, outputs, "variances", n, places=np.arange(n, 2 * n))
    return outputs, means, to.add(SquareRoot, variances, "deviations")


def _regressor(
    to: Builder, network: Network, coder: RealCoder, x: Value, facts: dict[str, Any]
) -> Program:
    core, predictions, deviations = add_predictions(to, network, coder, x)
    answers = {"predictions": predictions}
    if deviations is not None:
        answers["deviations"] = deviations
    return to.program(core, answers, **facts)
