"""Fits of which only a sample of the rows is at hand: what follows from it for all rows.

What follows from all data at once in other fits, such as the classes, the target's unit and first
weights, follows from the sample here, and so do all checks of parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import validation
from fastmlp.backends import Rows
from fastmlp.data.source import Piece
from fastmlp.data.stacks import chosen, stacked
from fastmlp.data.survey import Survey
from fastmlp.estimators.class_weights import ClassWeights
from fastmlp.estimators.coding import TargetCoder
from fastmlp.estimators.learnt import is_in_training
from fastmlp.estimators.preparation import ValidationRows, checked_parameters, prepare
from fastmlp.registry import LOSSES
from fastmlp.training.shuffling import random_state_of

if TYPE_CHECKING:
    from fastmlp.estimators.fitting import Fitting

__all__ = [
    "Encoder",
    "PieceCheck",
    "parameters_for_parts",
    "prepare_on_sample",
    "prepare_on_survey",
    "rows_to_draw",
    "seed_of",
]

#: Rows that are drawn, within the bytes that their numbers take in float64.
FEWEST_DRAWN, MOST_DRAWN, BYTES_DRAWN = 1_000, 100_000, 1 << 23

#: Of the rows that are drawn, early stopping holds out so many at most.
SHARE_HELD_OUT = 0.5


def parameters_for_parts(model: Any) -> SimpleNamespace:
    """Return a model's parameters, of a fit that never has all rows at once."""
    validation.check_not_in_training(type(model).__name__, is_in_training(model))
    _, parameters, _ = checked_parameters(model, incremental=False)
    validation.check_streams(vars(parameters))
    return parameters


def seed_of(random_state: Any) -> int:
    """Return the seed of the numbers that rows draw."""
    return int(random_state_of(random_state).randint(0, 2**31 - 1))


def rows_to_draw(n_columns: int) -> int:
    """Return how many rows of so many columns are drawn."""
    return int(np.clip(BYTES_DRAWN // (8 * n_columns), FEWEST_DRAWN, MOST_DRAWN))


def prepare_on_survey(
    model: Any,
    parameters: SimpleNamespace,
    found: Survey,
    began: float,
    validation_rows: ValidationRows,
) -> tuple[Fitting, np.ndarray]:
    """Return the fitting of a model to the sample, and what those rows drew that are held out.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
    parameters : namespace
        Of ``parameters_for_parts``.
    found : Survey
    began : float
        What the clock showed when the fit was called.
    validation_rows : ValidationRows
        What the user brings to judge the fit by.

    Raises
    ------
    ValueError, TypeError
        If the rows are not as they must be; the text does not say where they lie.
    """
    n_held = _rows_to_hold_out(parameters, validation_rows, found)
    held, sample = _split(found, n_held)
    if held is not None:
        validation_rows = ValidationRows(held.X, held.y, held.weights)
    return prepare_on_sample(model, sample, began, validation_rows), found.keys[:n_held]


def prepare_on_sample(
    model: Any, sample: Piece, began: float, validation_rows: ValidationRows
) -> Fitting:
    """Return the fitting of a model to rows that stand for all, wherever all are looked at."""
    return prepare(
        model,
        sample.X,
        sample.y,
        sample.weights,
        incremental=False,
        classes=None,
        began=began,
        validation_rows=validation_rows,
    )


def _rows_to_hold_out(parameters: SimpleNamespace, given: ValidationRows, found: Survey) -> int:
    """Return how many of the rows that were drawn judge the network."""
    if not parameters.early_stopping or given.X is not None:
        return 0
    wanted = round(float(parameters.validation_fraction) * found.n_rows)
    return max(1, min(wanted, int(SHARE_HELD_OUT * len(found.sample))))


def _split(found: Survey, n_held: int) -> tuple[Piece | None, Piece]:
    """Return the rows that are held out, the first ones of the sample, and the others.

    Behind these comes a row of each label that none of them has.
    """
    rows = np.arange(len(found.sample))
    held = chosen(found.sample, rows[:n_held]) if n_held else None
    others = chosen(found.sample, rows[n_held:])
    have = set(np.unique(np.asarray(others.y)).tolist()) if found.firsts else set()
    rare = [piece for label, piece in found.firsts.items() if label not in have]
    return held, stacked([others, *rare])


@dataclass(frozen=True)
class PieceCheck:
    """What a piece must be like on its own, to say where a row lies that is not.

    Attributes
    ----------
    owner : str
        Name of the estimator.
    dtype : dtype
    numeric_y : bool
        Whether y holds real numbers.
    loss : str or None
        A loss of the library's, which may not have a value for every y.
    """

    owner: str
    dtype: np.dtype
    numeric_y: bool
    loss: str | None = None

    @classmethod
    def of(cls, model: Any) -> PieceCheck:
        """Return the check for a model."""
        dtype = np.dtype(np.float32 if model.dtype == "auto" else model.dtype)
        loss = getattr(model, "loss", None)
        known = loss if isinstance(loss, str) and loss in LOSSES else None
        return cls(type(model).__name__, dtype, model._numeric_target, known)

    def __call__(self, piece: Piece) -> None:
        """Raise ValueError or TypeError, with its place, for a piece that is not as it must be."""
        columns = validation.stand_in(self.owner)
        with validation.naming_piece(piece.place):
            _, y, _ = validation.check_data(
                columns, piece.X, piece.y, dtype=self.dtype, reset=True, numeric_y=self.numeric_y
            )
            if self.loss is not None:
                kind = LOSSES[self.loss].target
                validation.check_target_range(y, self.loss, kind, self.dtype, np.ones(1))
            if piece.weights is not None and piece.weights.any():
                validation.check_sample_weight(piece.weights, len(piece), self.dtype)


@dataclass(frozen=True, eq=False)
class Encoder:
    """Makes of a piece what the network of a fitting to a sample learns from.

    Attributes
    ----------
    columns : object
        What X is compared with.
    coder : TargetCoder
    classes : ClassWeights
    numeric_y : bool
        Whether y holds real numbers.
    """

    columns: Any
    coder: TargetCoder
    classes: ClassWeights
    numeric_y: bool

    @classmethod
    def of(cls, fitting: Fitting) -> Encoder:
        """Return what encodes the rows of a fitting."""
        model, coder, rows = fitting.model, fitting.coder, fitting.data.rows
        owner = type(model).__name__
        columns = validation.stand_in(owner, rows.X.shape[1], fitting.feature_names)
        class_weight = getattr(fitting.parameters, "class_weight", None)
        classes = ClassWeights.of(class_weight, coder, rows.target, fitting.sample_weight)
        return cls(columns, coder, classes, model._numeric_target)

    def __call__(self, piece: Piece) -> Rows:
        """Return the rows of a piece; ValueError or TypeError if they are not as they must be."""
        dtype = self.coder.dtype
        X, y, _ = validation.check_data(
            self.columns, piece.X, piece.y, dtype=dtype, reset=False, numeric_y=self.numeric_y
        )
        own = validation.check_sample_weight(piece.weights, len(X), dtype)
        self.coder.check(y, whole=False)
        target = self.coder.encode(y)
        return Rows(
            np.asarray(X, dtype), target, self.classes.times(own, self.coder, target, whole=False)
        )
