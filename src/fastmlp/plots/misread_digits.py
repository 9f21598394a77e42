"""The images that a classifier got wrong, beginning with the most confident mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import FigureBase

from fastmlp.plots.style import drawing_figure
from fastmlp.validation import check_images, check_readings
from fastmlp.wrapped import unwrap

__all__ = ["MisreadDigitsDisplay"]


class MisreadDigitsDisplay:
    r"""A grid of misread images. It says what each one is and what it was taken for.

    Parameters
    ----------
    images : ndarray of shape (M, height, width)
        The images, in the order in which they are shown.
    truth : ndarray of shape (M,)
        What each image is.
    predicted : ndarray of shape (M,)
        What each image was taken for.
    confidence : ndarray of shape (M,)
        Probability of the predicted class.

    Attributes
    ----------
    figure_ : matplotlib Figure or SubFigure
    axes_ : ndarray of matplotlib Axes, shape (M,)

    Raises
    ------
    ValueError, TypeError
        If the arrays do not have one length, or images or confidence do not hold numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.plots import MisreadDigitsDisplay
    >>> image = np.eye(8)[np.newaxis]
    >>> display = MisreadDigitsDisplay(
    ...     image, truth=np.array([1]), predicted=np.array([7]), confidence=np.array([0.93])
    ... )
    >>> display.plot().axes_[0].get_title()
    '1 read as 7\n93 %'
    """

    def __init__(
        self,
        images: np.ndarray,
        *,
        truth: np.ndarray,
        predicted: np.ndarray,
        confidence: np.ndarray,
    ) -> None:
        self.images, self.truth, self.predicted, self.confidence = check_readings(
            images, truth, predicted, confidence
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        image_shape: tuple[int, int],
        max_images: int = 12,
        figure: FigureBase | None = None,
    ) -> MisreadDigitsDisplay:
        """Draw the most confident mistakes of a fitted classifier.

        Parameters
        ----------
        estimator : classifier with ``predict_proba``
            It may be in a pipeline or a search.
        X : array-like of shape (N, height · width)
            One flattened image a row.
        y : array-like of shape (N,)
            The true classes.
        image_shape : tuple of int (height, width)
            Shape of each image.
        max_images : int, default=12
            The largest number of images to show.
        figure : matplotlib Figure or SubFigure, optional
            Where to draw. None makes a new figure.

        Returns
        -------
        MisreadDigitsDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ValueError, TypeError
            If the estimator has no ``predict_proba``, X and y are not as above, or ``max_images``
            is no integer above 0.
        """
        unwrap(estimator)  # says so if a search keeps no model
        images, y = check_images(estimator, X, y, image_shape, max_images)
        probabilities = estimator.predict_proba(X)
        predicted = estimator.classes_[probabilities.argmax(axis=1)]
        confidence = probabilities.max(axis=1)
        wrong = np.flatnonzero(predicted != y)
        shown = wrong[np.argsort(-confidence[wrong], kind="stable")[:max_images]]
        display = cls(
            images[shown],
            truth=y[shown],
            predicted=predicted[shown],
            confidence=confidence[shown],
        )
        return display.plot(figure=figure)

    def plot(self, *, figure: FigureBase | None = None) -> MisreadDigitsDisplay:
        """Draw the grid.

        Parameters
        ----------
        figure : matplotlib Figure or SubFigure, optional
            Where to draw. None makes a new figure.

        Returns
        -------
        MisreadDigitsDisplay
            The display itself. Its attributes hold what it drew.
        """
        with drawing_figure(figure) as self.figure_:
            self._draw(self.figure_)
        return self

    def _draw(self, figure: FigureBase) -> None:
        if len(self.images) == 0:
            figure.text(0.5, 0.5, "no mistakes", ha="center", va="center")
            self.axes_ = np.empty(0, dtype=object)
            return
        n_columns = math.ceil(math.sqrt(len(self.images)))
        n_rows = math.ceil(len(self.images) / n_columns)
        grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for ax in grid:
            ax.set_axis_off()
        self.axes_ = grid[: len(self.images)]
        for row, ax in enumerate(self.axes_):
            ax.imshow(self.images[row], cmap="gray_r")
            ax.set_title(self._title(row), fontsize="small")

    def _title(self, row: int) -> str:
        reading = f"{self.truth[row]} read as {self.predicted[row]}"
        return f"{reading}\n{100 * self.confidence[row]:.0f} %"
