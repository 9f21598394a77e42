"""The regressor of raw tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from sklearn.base import RegressorMixin

from fastmlp import validation
from fastmlp.data.source import Piece
from fastmlp.data.survey import Survey
from fastmlp.estimators.scores import quantile_score, r2
from fastmlp.estimators.target_unit import TargetUnit
from fastmlp.tables import EncodedTable
from fastmlp.tabular.aims import Extent, RealAim
from fastmlp.tabular.base import BaseTabular, Ensemble
from fastmlp.tabular.documentation import with_shared_parts
from fastmlp.tabular.loss_metrics import real_metric
from fastmlp.tabular.member import Member
from fastmlp.tabular.portfolio import Portfolio
from fastmlp.tabular.problem import Problem
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.split import Split
from fastmlp.tabular.transforms import worth_trying

if TYPE_CHECKING:
    from fastmlp.export.program import Program

__all__ = ["TabularRegressor"]


@dataclass
class _Seen:
    """Looks at real targets, piece by piece, and remembers their ends.

    Attributes
    ----------
    loss : str
    transform : str or None
        ``target_transform``.
    recipe : Recipe or None
    extent : Extent or None
        Of what has been seen.
    """

    loss: str
    transform: str | None
    recipe: Recipe | None
    extent: Extent | None = None

    def __call__(self, piece: Piece) -> None:
        """Raise unless the targets and weights of a piece are as they must be."""
        y, weights = validation.check_scored(piece.y, piece.weights, len(piece), numeric_y=True)
        y = y.astype(np.float64)
        validation.check_target_of_loss(y, weights, self.loss, whole=False)
        validation.check_target_transforms(y, self.loss, self.transform, self.recipe)
        extent = Extent.of(y)
        self.extent = extent if self.extent is None else self.extent.joined(extent)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """What is known of real targets.

    Attributes
    ----------
    shape : tuple of int
        Of the targets of a row: (), or (T,).
    seen : _Seen
        Of all rows.
    """

    shape: tuple[int, ...]
    seen: _Seen

    def encoded(
        self, y: Any, weights: np.ndarray | None, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return targets (N,) or (N, T) in the user's unit, and the rows' weights."""
        y, _ = validation.check_scored(y, None, n_rows, numeric_y=True)
        y = y.astype(np.float64)
        validation.check_target_width(y, int(np.prod(self.shape)))
        return y.reshape(-1, *self.shape), weights

    def judging(
        self, y: Any, sample_weight: Any, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return target (V, …) and weights (V,) of ``n_rows`` rows that the user judges by."""
        y, weights = validation.check_scored(y, sample_weight, n_rows, numeric_y=True)
        y, weights = self.encoded(y, weights, n_rows)
        counted = y if weights is None else y[weights > 0]
        seen = self.seen
        validation.check_target_of_loss(y, weights, seen.loss)
        validation.check_target_transforms(counted, seen.loss, seen.transform, seen.recipe)
        return y, weights

    def n_counting(self, found: Survey) -> int:
        """Return how many rows there are of a weight."""
        return found.n_rows


@dataclass(frozen=True, eq=False)
class _Published:
    ensemble: Ensemble
    aim: RealAim


@with_shared_parts
class TabularRegressor(RegressorMixin, BaseTabular):
    """Regressor of raw tables: a few networks that were chosen in a race.

    Parameters
    ----------
    loss : str, default="squared_error"
        The loss that networks minimise, by the name that it has in :class:`MLPRegressor`. With
        "pinball" the model predicts quantiles, and with "gaussian_nll" a standard deviation beside
        the mean.
    quantiles : float or sequence of float, default=0.5
        Levels for "pinball", between 0 and 1, in ascending order.
    huber_delta : float, default=None
        The size of the error from which "huber" and "smooth_l1" are straight lines, in the unit of
        y. With several targets, and in the metric of these losses, it is a multiple of the standard
        deviation of each target. None is that deviation, estimated from the deciles of the target.
    tweedie_power : float, default=1.5
        For "tweedie", between 1 and 2; see :class:`MLPRegressor`.
    target_transform : {"auto", "log", "quantile"} or None, default="auto"
        What networks learn in the place of the target: its logarithm, or the normal deviate of its
        rank. With "auto", if a target is never negative and has a skewness above 1, the best recipe
        of a race also tries one of them, and the held-out rows decide. ``preset="fast"`` has no
        time for that, and a ``recipe`` decides by itself.
    {recipes}
    metric : str or callable, default=None
        The metric by which epochs and candidates are chosen: "rmse", "mae", the name of the loss if
        neither of them suits it, the name of a metric of scikit-learn, or a scorer. None is the
        metric that suits the loss.
    {limits}
    {others}
    n_threads : int, default=None
        See :class:`MLPRegressor`.

    Attributes
    ----------
    {attributes}

    Notes
    -----
    Predictions leave the range of the targets of the fit by at most a twentieth of it. They do not
    leave it at an end where at least one in a hundred targets lies, for example because prices have
    been cut off there. They are not negative if no target is.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastmlp import TabularRegressor
    >>> X = pd.DataFrame({"area": [30.0, 50.0, None, 90.0] * 40,
    ...                   "town": ["Oslo", "Rome", "Rome", None] * 40})
    >>> y = [300.0, 250.0, 200.0, 500.0] * 40
    >>> model = TabularRegressor(preset="fast", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        loss: str = "squared_error",
        *,
        quantiles: float | Sequence[float] = 0.5,
        huber_delta: float | None = None,
        tweedie_power: float = 1.5,
        target_transform: str | None = "auto",
        preset: str = "default",
        recipe: Recipe | None = None,
        partners: Sequence[Any] | None = None,
        metric: Any = None,
        time_limit: float | None = None,
        n_members: int | None = None,
        n_folds: int | None = None,
        refit: bool = False,
        validation_fraction: float = 0.15,
        categorical_features: Any = "auto",
        ordinal_features: Any = None,
        drop: Any = None,
        callbacks: Sequence[Callable[[Member], object]] | None = None,
        verbose: bool | str = False,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.loss = loss
        self.quantiles = quantiles
        self.huber_delta = huber_delta
        self.tweedie_power = tweedie_power
        self.target_transform = target_transform
        self.preset = preset
        self.recipe = recipe
        self.partners = partners
        self.metric = metric
        self.time_limit = time_limit
        self.n_members = n_members
        self.n_folds = n_folds
        self.refit = refit
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.ordinal_features = ordinal_features
        self.drop = drop
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
        self.n_threads = n_threads

    _published: _Published

    def _problem(
        self,
        table: EncodedTable,
        y: Any,
        sample_weight: Any,
        given: dict[str, Any],
        seen: _Seen | None,
    ) -> tuple[Problem, _Numbers]:
        y, weights = validation.check_scored(y, sample_weight, len(table), numeric_y=True)
        y = y.astype(np.float64)
        validation.check_target_of_loss(y, weights, given["loss"])
        counted = y if weights is None else y[weights > 0]
        transform = self.target_transform
        validation.check_target_transforms(counted, given["loss"], transform, self.recipe)
        if seen is None:
            seen = self._first_sight(given)
            seen.extent = Extent.of(counted)
        assert seen.extent is not None
        aim = RealAim.of(seen.extent, given["loss"], given["quantiles"])
        validation.check_metric_of_quantiles(self.metric, aim.has_axis_of_quantiles)
        scales = _scales_of(y, weights)
        options = self._options(scales, given)
        metric = real_metric(self.metric, aim, options, scales if y.ndim > 1 else 1.0)
        settings = {**options, "n_threads": given["n_threads"]}
        problem = Problem(table, y, weights, aim, metric, settings).counting()
        return problem, _Numbers(y.shape[1:], seen)

    def _first_sight(self, given: dict[str, Any]) -> _Seen:
        return _Seen(given["loss"], self.target_transform, self.recipe)

    def _options(self, scales: np.ndarray, given: dict[str, Any]) -> dict[str, Any]:
        """Return the loss and its numbers, by the names of MLPRegressor, for ``scales`` (T,)."""
        loss, delta = given["loss"], given["huber_delta"]
        if delta is None:
            # Several targets count in their own scales.
            delta = float(scales[0]) if len(scales) == 1 else 1.0
        return {
            "loss": loss,
            "quantiles": given["quantiles"],
            "huber_delta": delta,
            "smooth_l1_beta": delta,
            "tweedie_power": given["tweedie_power"],
        }

    def _portfolio(self, n_rows: int) -> Portfolio:
        portfolio = super()._portfolio(n_rows)
        if self.target_transform in (None, "auto"):
            return portfolio
        entrants = [each.with_(transform=self.target_transform) for each in portfolio.entrants]
        return portfolio._replace(entrants=tuple(entrants))

    def _transform_to_try(self, problem: Problem, targets: Any) -> str | None:
        is_open = self.target_transform == "auto" and self.recipe is None and self.preset != "fast"
        if not (is_open and validation.takes_transforms(problem.settings["loss"])):
            return None
        return worth_trying(problem.target, float(np.min(targets.seen.extent.least)))

    def _publish(
        self, ensemble: Ensemble, problem: Problem, splits: list[Split], learnt: Any
    ) -> None:
        assert isinstance(problem.aim, RealAim)
        self._published = _Published(ensemble, problem.aim)

    def _program(self) -> Program:
        from fastmlp.tabular.exporting import program_of_numbers  # noqa: PLC0415 - seldom needed

        published: _Published = self._fitted()
        ensemble = published.ensemble
        return program_of_numbers(
            type(self).__name__, ensemble, ensemble.reader.reading, published.aim
        )

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> np.ndarray: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True]) -> tuple[np.ndarray, np.ndarray]: ...
    @overload
    def predict(self, X: Any, return_std: bool) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...
    def predict(
        self, X: Any, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the predicted targets, in the unit of y.

        Parameters
        ----------
        X : data frame, array-like or source, of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation as well, which ``loss="gaussian_nll"`` learns.
            It is that of the mixture of what all networks predict.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions. With several ``quantiles`` there is a last axis for them.
        std : ndarray, of the shape of y
            Standard deviations, only with ``return_std``.
        """
        published: _Published = self._fitted()
        aim = published.aim
        if return_std:
            validation.check_return_std(aim.loss, "gaussian" if aim.has_deviation else "identity")
        prediction = published.ensemble.predict(X)
        if not return_std:
            return aim.answer(prediction)
        return validation.MeanAndStd((aim.answer(prediction), aim.deviation(prediction)))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R² of the prediction, or for "pinball" D², the share of its loss explained.

        Parameters
        ----------
        X : data frame, array-like or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` brings y and the weights itself.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
            1 for a perfect prediction, 0 for the best constant.
        """
        published: _Published = self._fitted()
        aim = published.aim
        prediction, y, sample_weight = self._asked(published.ensemble, X, y, sample_weight)
        y, weights = validation.check_scored(y, sample_weight, len(prediction), numeric_y=True)
        validation.check_target_width(y, aim.center.size)
        y = y.reshape(len(y), -1)
        if aim.quantiles is None:
            return r2(y, aim.answer(prediction).reshape(y.shape), weights)
        return quantile_score(y, aim.by_level(prediction), aim.levels, weights)


def _scales_of(y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the deviations (T,) of targets (N,) or (N, T) with weights (N,), by their deciles."""
    unit = TargetUnit.of(y.reshape(len(y), -1), weights, "median", positive=False)
    return unit.scale
