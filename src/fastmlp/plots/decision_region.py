"""Which class a classifier of two features gives to each point of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from sklearn.utils.validation import check_is_fitted

from fastmlp.plots.style import INK, category_colors, drawing_axes
from fastmlp.validation import (
    check_grid_resolution,
    check_plane,
    check_plane_classifier,
    check_points,
    check_regions,
)
from fastmlp.wrapped import unwrap

__all__ = ["DecisionRegionDisplay"]

#: How much colour a point has where the classes are level, and where one is certain.
FAINTEST, STRONGEST = 0.12, 0.55

#: Room around the points, as a share of their range.
MARGIN = 0.12

MARKERS = "osD^vP*X"


class DecisionRegionDisplay:
    """The plane in the colours of its classes, with the boundary between them and data points.

    The more probable a class is, the stronger is its colour. Classifiers without ``predict_proba``
    have plain regions.

    Parameters
    ----------
    proba : ndarray of shape (R, R, n_classes)
        Probability of each class at each point of a regular grid. [i, j] is the point with the
        i-th value of the second feature and the j-th value of the first feature.
    extent : tuple of float (left, right, bottom, top)
        Centres of the outermost points of the grid.
    classes : sequence, length n_classes
        Names of the classes in the legend.
    X : ndarray of shape (N, 2), optional
        Points to draw.
    y : ndarray of shape (N,), optional
        Their classes.
    feature_names : sequence of str, length 2, optional
        Labels of the axes.

    Attributes
    ----------
    image_ : matplotlib AxesImage
        The regions.
    boundaries_ : list of matplotlib QuadContourSet
        The lines on which two classes are equally probable.
    points_ : list of matplotlib PathCollection
        The points of each class, in the order of ``classes``.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit together, or do not hold numbers.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from fastmlp import MLPClassifier
    >>> from fastmlp.plots import DecisionRegionDisplay
    >>> X, y = make_moons(noise=0.1, random_state=0)
    >>> model = MLPClassifier(hidden_layer_sizes=(8,), solver="lbfgs", alpha=0.1, random_state=0)
    >>> model = model.fit(X, y)
    >>> display = DecisionRegionDisplay.from_estimator(model, X, y)
    >>> display.proba.shape
    (200, 200, 2)
    """

    def __init__(
        self,
        proba: np.ndarray,
        *,
        extent: tuple[float, float, float, float],
        classes: Sequence[Any],
        X: np.ndarray | None = None,
        y: np.ndarray | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.proba, self.extent = check_regions(proba, extent, classes, feature_names)
        self.X, self.y = check_points(X, y)
        self.classes = classes
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        ax: Axes | None = None,
        grid_resolution: int = 200,
        legend: bool = True,
    ) -> DecisionRegionDisplay:
        """Draw the regions of a fitted classifier around the points X.

        Parameters
        ----------
        estimator : classifier
            A classifier with ``predict_proba``, or at least ``predict``. It need not be of fastmlp,
            and it may be in a pipeline or a search.
        X : array-like of shape (N, 2)
            The points. They decide which part of the plane is drawn.
        y : array-like of shape (N,), optional
            Classes of the points. Without them, the points are not drawn.
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        grid_resolution : int, default=200
            Number of points of the grid along each feature.
        legend : bool, default=True
            Whether to name the classes.

        Returns
        -------
        DecisionRegionDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ValueError, TypeError
            If it is no classifier of one label per sample, X has not two features, y has not a
            label for each row of X, or ``grid_resolution`` is no integer above 1.
        """
        check_is_fitted(estimator)
        grid_resolution = check_grid_resolution(grid_resolution)
        unwrap(estimator)  # says so if a search keeps no model
        points = check_plane(X)
        labels = check_plane_classifier(estimator, y, len(points))
        low, high = _corners(points)
        display = cls(
            _class_shares(estimator, X, np.linspace(low, high, grid_resolution)),
            extent=(low[0], high[0], low[1], high[1]),
            classes=estimator.classes_,
            X=points,
            y=labels,
            feature_names=getattr(estimator, "feature_names_in_", None),
        )
        return display.plot(ax=ax, legend=legend)

    def plot(self, *, ax: Axes | None = None, legend: bool = True) -> DecisionRegionDisplay:
        """Draw regions, boundaries and points.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        legend : bool, default=True
            Whether to name the classes if points are drawn.

        Returns
        -------
        DecisionRegionDisplay
            The display itself. Its attributes hold what it drew.
        """
        with drawing_axes(ax) as self.ax_:
            self._draw(self.ax_, legend)
        return self

    def _draw(self, ax: Axes, legend: bool) -> None:
        self.figure_ = ax.figure
        colors = category_colors(len(self.classes))
        self.image_ = ax.imshow(
            self._shades(colors),
            extent=self.extent,
            origin="lower",
            aspect="auto",
            interpolation="bilinear",
        )
        self.boundaries_ = self._draw_boundaries()
        self.points_ = [] if self.y is None else self._draw_points(colors)
        if legend and self.points_:
            ax.legend(title="class", loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        first, second = self.feature_names if self.feature_names is not None else ("x₀", "x₁")
        ax.set(xlabel=first, ylabel=second)
        ax.locator_params(nbins=6)

    def _shades(self, colors: np.ndarray) -> np.ndarray:
        """Return the RGB image (R, R, 3): the winner's colour, paler the less certain it is."""
        level = 1 / len(self.classes)
        certainty = np.clip((self.proba.max(axis=2) - level) / (1 - level), 0, 1)
        strength = FAINTEST + (STRONGEST - FAINTEST) * certainty[..., np.newaxis]
        return np.asarray(1 - strength * (1 - colors[self.proba.argmax(axis=2)]))

    def _draw_boundaries(self) -> list[Any]:
        """Draw where a class is level with the best of the others; the last needs no line."""
        left, right, bottom, top = self.extent
        n_rows, n_columns = self.proba.shape[:2]
        sides = np.linspace(left, right, n_columns), np.linspace(bottom, top, n_rows)
        lines = []
        for k in range(len(self.classes) - 1):
            lead = self.proba[..., k] - np.delete(self.proba, k, axis=2).max(axis=2)
            if lead.min() < 0 < lead.max():
                lines.append(self.ax_.contour(*sides, lead, [0], colors=INK, linewidths=1.2))
        return lines

    def _draw_points(self, colors: np.ndarray) -> list[Any]:
        assert self.X is not None
        assert self.y is not None
        return [
            self.ax_.scatter(
                self.X[self.y == name, 0],
                self.X[self.y == name, 1],
                s=36,
                marker=MARKERS[k % len(MARKERS)],
                color=[colors[k]],
                edgecolor="white",
                linewidth=0.8,
                label=str(name),
            )
            for k, name in enumerate(self.classes)
        ]


def _corners(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two opposite corners (2,) of the plane's part to draw."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    return low - margin, high + margin


def _class_shares(estimator: Any, X: Any, sides: np.ndarray) -> np.ndarray:
    """Return probabilities (R, R, n_classes) on a grid; ones and zeros for predicted classes.

    Parameters
    ----------
    estimator : classifier
    X : array-like of shape (N, 2)
        What it was fitted to resembles this: the grid is a data frame if X is one.
    sides : ndarray of shape (R, 2)
        Values of the two features.
    """
    grid = np.stack(np.meshgrid(*sides.T), axis=2).reshape(-1, 2)
    given = type(X)(grid, columns=X.columns) if hasattr(X, "iloc") else grid
    if hasattr(estimator, "predict_proba"):
        shares = np.asarray(estimator.predict_proba(given))
    else:
        shares = (np.asarray(estimator.predict(given))[:, np.newaxis] == estimator.classes_) * 1.0
    return shares.reshape(len(sides), len(sides), -1)
