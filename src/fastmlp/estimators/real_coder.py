"""The outputs of a regressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.backends import Backend
from fastmlp.estimators.coding import Judge, TargetCoder, mean_loss, parameters_of
from fastmlp.estimators.constants import quantiles_of, real_constant
from fastmlp.estimators.scores import pinball_loss, quantile_score, r2
from fastmlp.estimators.target_unit import MEDIAN, TargetUnit, loss_in_unit
from fastmlp.kept import kept_property
from fastmlp.network import Network
from fastmlp.plan.layout import custom_row
from fastmlp.plan.user_functions import CustomLoss
from fastmlp.registry import LOSSES, REGRESSOR_LOSSES, Loss
from fastmlp.validation import (
    check_any_positive,
    check_target_in_unit,
    check_target_range,
    check_target_width,
    check_unit_goes_on,
)

__all__ = ["RealCoder"]

#: Powers at which Tweedie's deviance is the limit of its formula: rows of the registry.
_TWEEDIE_LIMITS = {1.0: "poisson", 2.0: "gamma"}

#: Codes of the losses that quantiles minimise; the absolute error's is the median.
_OF_QUANTILES = (LOSSES["pinball"].code, LOSSES["absolute_error"].code)

#: A target counts as not learnt when its error is so many times a constant's; noise stays below.
_CLEARLY_WORSE = 1.05

#: Another target outweighs one whose constant has less than this share of its error.
_OUTWEIGHED = 0.1

#: A target is out of scale when it is larger, or varies less, than this.
LARGE_TARGET, SMALL_TARGET = 10.0, 0.1


def _loss_row(parameters: Any, dtype: np.dtype) -> Loss:
    """Return the registry's row for the loss that ``parameters`` ask for."""
    if isinstance(parameters.loss, CustomLoss):
        return custom_row(parameters.loss.name)
    name = REGRESSOR_LOSSES[parameters.loss]
    if name == "tweedie":
        # Kernels take the power in the network's real type, and can't divide by 1 − 1.
        name = _TWEEDIE_LIMITS.get(float(dtype.type(parameters.tweedie_power)), name)
    return LOSSES[name]


def _kind_of_unit(model: Any, row: Loss) -> str:
    """Return which kind of :class:`TargetUnit` a first fit takes."""
    wanted = model.standardize_target
    if wanted == "auto":
        # The unit of a loss that the user wrote is the user's own.
        wanted = not (row.in_sklearn or isinstance(model.loss, CustomLoss))
    if isinstance(wanted, str):
        return wanted
    return row.center if wanted else "none"


@dataclass(frozen=True, eq=False)
class RealCoder(TargetCoder):
    """Real targets, and how many outputs describe each.

    Attributes
    ----------
    quantiles : float or sequence of float
        As the user gave them; a single number has no axis of its own in predictions.
    unit : TargetUnit
        In which the network sees the targets; it stays that of the first fit.
    """

    quantiles: Any
    unit: TargetUnit

    @classmethod
    def of(
        cls, parameters: Any, y: np.ndarray, weights: np.ndarray | None, dtype: np.dtype
    ) -> RealCoder:
        """Return the coder of y (N,) or (N, T), weights (N,), for what ``parameters`` ask for."""
        row = _loss_row(parameters, dtype)
        kind, positive = _kind_of_unit(parameters, row), row.link == "exp"
        unit = TargetUnit.of(y.reshape(len(y), -1), weights, kind, positive=positive)
        return cls._in(unit, parameters, dtype)

    @classmethod
    def _in(cls, unit: TargetUnit, parameters: Any, dtype: np.dtype) -> RealCoder:
        asked = _loss_row(parameters, dtype)
        standard = loss_in_unit(asked, parameters_of(parameters, asked), unit, dtype)
        return cls(parameters.loss, *standard, dtype, 0.0, parameters.quantiles, unit)

    def under(self, parameters: Any, dtype: np.dtype) -> RealCoder:
        """See :meth:`TargetCoder.under`."""
        return RealCoder._in(self.unit, parameters, dtype)

    def check_goes_on(self, y: np.ndarray, *, incremental: bool) -> None:
        """Real targets may take any values, but not every loss goes with every unit."""
        if self.unit.standardizes:
            own = isinstance(self.loss, CustomLoss)
            check_unit_goes_on(str(self.loss), self.row.link, own, self.unit.center)

    @property
    def n_targets(self) -> int:
        """Columns T of y."""
        return len(self.unit.center)

    @property
    def n_outputs(self) -> int:
        """See :meth:`TargetCoder.n_outputs`."""
        return self.n_targets * self.row.outputs_of_one(int(np.size(self.quantiles)))

    def check(self, y: np.ndarray, *, whole: bool) -> None:
        """See :meth:`TargetCoder.check`."""
        check_target_width(y, self.n_targets)
        check_target_range(y, str(self.loss), self.row.target, self.dtype, self.unit.scale)
        if self.unit.standardizes:
            check_target_in_unit(y, self.unit.center, self.unit.scale, self.dtype)
        if whole:
            check_any_positive(y, str(self.loss), self.row.target)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """See :meth:`TargetCoder.encode`."""
        return self.unit.encode(y.reshape(len(y), -1), self.dtype)

    @kept_property
    def by_output(self) -> tuple[np.ndarray, np.ndarray]:
        """Factor and summand (C,) of what the link gives."""
        return self.unit.by_output(self.row.link, len(self.levels))

    def in_users_unit(self, outputs: np.ndarray) -> np.ndarray:
        """See :meth:`TargetCoder.in_users_unit`; float64 where the target was standardised.

        A target may be large beside its deviation: float32 tells the seconds since 1970 in steps
        of two minutes.
        """
        if not self.unit.standardizes:
            return outputs
        factor, summand = self.by_output
        wide = outputs.astype(np.float64)  # first: mixed types take NumPy longer
        wide *= factor
        wide += summand
        return wide

    def plain_target(self, y: np.ndarray) -> np.ndarray | None:
        """See :meth:`TargetCoder.plain_target`."""
        wanted = () if self.n_targets == 1 else (self.n_targets,)
        if y.dtype.kind not in "fiu" or y.shape[1:] != wanted:
            return None
        if not np.abs(y).max() <= np.finfo(self.dtype).max:  # NaN fails the comparison too
            return None
        self.check(y, whole=False)
        return self.encode(y)

    def by_target(self, columns: np.ndarray) -> np.ndarray:
        """Return columns (N, T) as users see them: (N,) where there is but one target."""
        return columns.ravel() if self.n_targets == 1 else np.ascontiguousarray(columns)

    def quantiles_of(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (N, T · Q) as (N, T, Q), less the axes that users did not ask for."""
        quantiles = outputs.reshape(len(outputs), self.n_targets, len(self.levels))
        quantiles = quantiles[:, 0] if self.n_targets == 1 else quantiles
        return quantiles if np.ndim(self.quantiles) else quantiles[..., 0]

    def classes_of_rows(self, target: np.ndarray) -> None:
        """Return None: real targets have no classes."""

    def strata(self, target: np.ndarray) -> None:
        """Return None: any rows may be held out."""

    def judge(self, backend: Backend, target: np.ndarray, weights: np.ndarray | None) -> Judge:
        """Return R², D² of quantiles, or minus the cost, by what the loss looks for.

        Where a target is the same in all rows that count, R² and D² would divide by 0 and are 0 by
        convention, however near the network comes: there it is minus the cost, too.
        """
        counting = target if weights is None else target[weights > 0]
        if (counting == counting[0]).all(axis=0).any():
            return self.minus_cost(backend, target, weights)
        if self.row.code in _OF_QUANTILES:
            return self._explained_pinball(target, weights)
        if self.row.code == LOSSES["squared_error"].code:
            loss = mean_loss(backend, target, weights)
            return Judge(lambda _, outputs: r2(target, outputs, weights), True, loss)
        return self.minus_cost(backend, target, weights)

    def _explained_pinball(self, target: np.ndarray, weights: np.ndarray | None) -> Judge:
        # The absolute error is twice the pinball loss of the median.
        factor = 2.0 if self.row.code == LOSSES["absolute_error"].code else 1.0

        def score(network: Network, outputs: np.ndarray) -> float:
            quantiles = outputs.reshape(len(outputs), self.n_targets, -1)
            return quantile_score(target, quantiles, self.levels, weights)

        def loss(network: Network, outputs: np.ndarray) -> float:
            quantiles = outputs.reshape(len(outputs), self.n_targets, -1)
            return factor * pinball_loss(target, quantiles, self.levels, weights)

        return Judge(score, takes_logits=False, loss=loss)

    @property
    def levels(self) -> np.ndarray:
        """Levels (Q,) of the quantiles that the loss looks for; the median for other losses."""
        return np.atleast_1d(self.quantiles) if self.row.link == "quantiles" else MEDIAN

    def constant_logits(
        self, target: np.ndarray, weights: np.ndarray | None, parameters: np.ndarray
    ) -> np.ndarray:
        """See :meth:`TargetCoder.constant_logits`."""
        return real_constant(self.row, target, weights, self.levels, parameters)

    def worst_target(
        self, outputs: np.ndarray, target: np.ndarray, weights: np.ndarray | None
    ) -> str | None:
        """See :meth:`TargetCoder.worst_target`; quantiles are judged together only."""
        if self.row.link == "quantiles":
            return None
        target, power = target.astype(np.float64), 1 if self.row.center == "median" else 2
        center = np.average(target, axis=0, weights=weights)
        if power == 1:
            center = np.array([quantiles_of(column, MEDIAN, weights)[0] for column in target.T])
        errors, constants = (
            np.average(np.abs(guess - target) ** power, axis=0, weights=weights)
            for guess in (outputs[:, : self.n_targets], center)
        )
        ratio = np.divide(errors, constants, out=np.zeros_like(errors), where=constants > 0)
        worst = int(np.argmax(ratio))
        if not ratio[worst] > _CLEARLY_WORSE:
            return None
        outweighed = constants[worst] < _OUTWEIGHED * constants.max()
        remedy = "Train for longer, or lower learning_rate_init."
        if outweighed and not (self.unit.standardizes or isinstance(self.loss, CustomLoss)):
            remedy = "Set standardize_target=True, so that all columns count equally."
        return (
            f"The network predicts column {worst} of y worse than a constant does: its error is "
            f"{ratio[worst]:.3g} times the constant's. {remedy}"
        )

    def remark(self, y: np.ndarray, *, whole: bool, weights: str) -> str | None:
        """See :meth:`TargetCoder.remark`."""
        if whole or self.unit.kind == "none" or len(y) == 0:
            return None
        one_value = (y == y[0]).reshape(len(y), -1).all(axis=0)
        if not (one_value & (self.unit.scale == 1)).any():
            return None
        return (
            "The first part has only one value of y, so standardize_target uses a scale of 1 for "
            "all following parts: begin with a part in which y varies."
        )

    @property
    def starts_at_constant(self) -> bool:
        """All but scikit-learn's own losses, whose first biases are drawn, and the user's."""
        return not (self.row.in_sklearn or isinstance(self.loss, CustomLoss))

    def scale_of_target(self, target: np.ndarray, weights: np.ndarray | None) -> list[str]:
        """See :meth:`TargetCoder.scale_of_target`."""
        if self.unit.standardizes:
            return self._far_from_unit(target, weights)
        deviation = target.std(axis=0, dtype=np.float64)
        size = np.sqrt(np.mean(np.square(target, dtype=np.float64), axis=0))
        column = int(np.argmax(np.maximum(size, 1 / np.maximum(deviation, 1e-300))))
        if size[column] <= LARGE_TARGET and deviation[column] >= SMALL_TARGET:
            return []
        own = isinstance(self.loss, CustomLoss)
        remedy = "scale it to about 1" if own else "set standardize_target=True"
        mean = target[:, column].mean(dtype=np.float64)
        return [
            f"{_named(column, target)} has the mean {mean:.2g} and the standard deviation "
            f"{deviation[column]:.2g}: {remedy}."
        ]

    def _far_from_unit(self, target: np.ndarray, weights: np.ndarray | None) -> list[str]:
        """Say so if a standardised target (N, T) is not one: the unit is that of another fit.

        ``weights`` (N,) are above 0.
        """
        present = TargetUnit.of(target, weights, self.unit.kind, positive=self.row.link == "exp")
        within = (present.scale >= SMALL_TARGET) & (present.scale <= LARGE_TARGET)
        within &= np.abs(present.center) <= LARGE_TARGET
        if within.all():
            return []
        return [
            f"{_named(int(np.argmin(within)), target)} is far from the center and scale that "
            "the first fit of the network found: fit with warm_start=False."
        ]


def _named(column: int, target: np.ndarray) -> str:
    """Return how a column of a target (N, T) is called in a sentence."""
    return "y" if target.shape[1] == 1 else f"Column {column} of y"
