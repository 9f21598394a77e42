"""What predicts after a race, as a program of simple steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp._version import __version__
from fastmlp.estimators.exporting import add_predictions, add_probabilities
from fastmlp.export.of_table import Encoded, add_inputs, add_reading, raw_columns
from fastmlp.export.program import Builder, Decision, Program
from fastmlp.export.steps import Select
from fastmlp.export.table_steps import (
    Clip,
    Exponential,
    FromDeviates,
    Moments,
    Temper,
    WeightedSum,
    Whole,
)
from fastmlp.export.values import Value
from fastmlp.tables.reading import Reading
from fastmlp.tabular.aims import ClassAim, RealAim
from fastmlp.tabular.base import Ensemble
from fastmlp.tabular.member import Learner
from fastmlp.tabular.partner import PartnerLearner
from fastmlp.tabular.transforms import Logarithm, Quantiles, Transform
from fastmlp.validation import check_can_be_exported, raise_partner

__all__ = ["program_of_classes", "program_of_numbers"]


def program_of_classes(
    owner: str, ensemble: Ensemble, reading: Reading, classes: np.ndarray, temperature: float
) -> Program:
    """Return the program of a classifier of raw tables."""
    to = Builder()
    p = _add_ensemble(to, owner, ensemble, reading)
    if p.width > len(classes):
        p = to.add(Select, p, "known", len(classes), places=np.arange(len(classes)))
    if temperature != 1:
        remark = f"calibrated: softmax(log p / {temperature:.4g})"
        p = to.add(Temper, p, "calibrated", temperature=temperature, remark=remark)
    decision, answers = Decision(p), {"probabilities": p}
    facts = _facts(owner, ensemble, reading)
    return to.program(p, answers, decision=decision, labels=classes, **facts)


def program_of_numbers(owner: str, ensemble: Ensemble, reading: Reading, aim: RealAim) -> Program:
    """Return the program of a regressor of raw tables."""
    to = Builder()
    y = _add_ensemble(to, owner, ensemble, reading)
    answers = {"predictions": y}
    if aim.has_deviation:
        y = _add_moments(to, aim, y, back=True)
        n = y.width // 2
        answers = {
            "predictions": to.add(Select, y, "means", n, places=np.arange(n)),
            "deviations": to.add(Select, y, "deviations", n, places=np.arange(n, 2 * n)),
        }
    return to.program(y, answers, **_facts(owner, ensemble, reading))


def _facts(owner: str, ensemble: Ensemble, reading: Reading) -> dict[str, Any]:
    n_networks = sum(len(member.learners) for member in ensemble.members)
    line = f"{owner} of fastmlp {__version__}: {n_networks} network{'s' * (n_networks > 1)}"
    return {"x": None, "columns": raw_columns(reading), "about": (line,)}


def _add_ensemble(to: Builder, owner: str, ensemble: Ensemble, reading: Reading) -> Value:
    """Write down the weighted mean of what all networks predict of a row."""
    to.part = "read"
    row = add_reading(to, reading)
    predictions: list[Value] = []
    weights: list[float] = []
    for member, weight in zip(ensemble.members, ensemble.weights.tolist(), strict=True):
        for learner in member.learners:
            if isinstance(learner, PartnerLearner):
                raise_partner(owner, learner.estimators[0])
            to.part = f"network{len(predictions)}"
            predictions.append(_add_learner(to, learner, row))
            weights.append(weight / len(member.learners))
    to.part = "mean"
    if len(predictions) == 1:
        return predictions[0]
    remark = f"the weighted mean of {len(predictions)} networks"
    return to.add(WeightedSum, predictions, "mean", weights=np.array(weights), remark=remark)


def _add_learner(to: Builder, learner: Learner, row: Encoded) -> Value:
    """Write down what a network predicts of a row, as its aim has it, in float64."""
    learnt = learner.network._learnt
    network, coder = learnt.network, learnt.coder
    check_can_be_exported(type(learner.network).__name__, network.plan)
    x = add_inputs(to, learner.inputs, row, network.dtype)
    aim = learner.aim
    if isinstance(aim, ClassAim):
        _, _, p = add_probabilities(to, network, coder.labels, x)
        assert p is not None
        places = np.asarray(coder.labels.classes, np.int64)
        return to.add(Whole, p, "p", aim.n_classes, dtype=np.float64, places=places)
    assert isinstance(aim, RealAim)
    outputs, _, _ = add_predictions(to, network, coder, x)
    if aim.has_deviation:
        return _add_moments(to, aim, outputs, back=False)
    return _add_bounds(to, aim, _add_back(to, learner.transform, outputs))


def _add_moments(to: Builder, aim: RealAim, y: Value, *, back: bool) -> Value:
    low, high, centre = map(np.atleast_1d, (aim.low, aim.high, aim.center))
    name = "deviating" if back else "moments"
    return to.add(Moments, y, name, dtype=np.float64, back=back, low=low, high=high, centre=centre)


def _add_back(to: Builder, transform: Transform | None, y: Value) -> Value:
    """Write the way back from a transformed target down."""
    if transform is None:
        return y
    if isinstance(transform, Logarithm):
        return to.add(Exponential, y, "exponential", dtype=np.float64)
    assert isinstance(transform, Quantiles)
    first = transform.transformers[0]
    quantiles = np.stack([each.quantiles_[:, 0] for each in transform.transformers])
    return to.add(
        FromDeviates,
        y,
        "quantiles",
        dtype=np.float64,
        references=first.references_,
        quantiles=quantiles,
        remark="from normal deviates to quantiles of the target",
    )


def _add_bounds(to: Builder, aim: RealAim, y: Value) -> Value:
    n_quantiles = y.width // aim.center.size
    low, high = (np.repeat(np.atleast_1d(each), n_quantiles) for each in (aim.low, aim.high))
    return to.add(Clip, y, "bounded", dtype=np.float64, low=low, high=high)
