"""How the loss fell, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from sklearn.utils.validation import check_is_fitted

from fastmlp.validation import check_curve

__all__ = ["LossCurveDisplay"]


class LossCurveDisplay:
    """Training loss and, where there is one, the validation score of each epoch.

    Parameters
    ----------
    loss_curve : sequence of float, length n_epochs
        Training loss after each epoch.
    validation_scores : sequence of float, length n_epochs, optional
        Score on the held-out part after each epoch; NaN where there was none.
    name : str, optional
        Label of the loss in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the loss is drawn.
    score_ax_ : matplotlib Axes or None
        Its twin with the validation score on the right-hand scale.
    line_ : matplotlib Line2D
        The loss.
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError
        A curve is no flat sequence of numbers, or the two differ in length.

    Examples
    --------
    >>> from fastmlp.plots import LossCurveDisplay
    >>> display = LossCurveDisplay([0.9, 0.5, 0.3], validation_scores=[0.7, 0.8, 0.9]).plot()
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        loss_curve: Sequence[float],
        *,
        validation_scores: Sequence[float] | None = None,
        name: str | None = None,
    ) -> None:
        self.loss_curve, self.validation_scores = check_curve(loss_curve, validation_scores)
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None, name: str | None = None, **line_style: Any
    ) -> LossCurveDisplay:
        """Draw the curve of a fitted estimator.

        Parameters
        ----------
        estimator : estimator with ``loss_curve_``
            ``validation_scores_`` is drawn too unless it is missing or None.
        ax : matplotlib Axes, optional
            Where to draw; a new figure when None.
        name : str, optional
            Label of the loss; the class's name when None.
        **line_style
            Goes to ``Axes.plot`` for the loss.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            The estimator has no ``loss_curve_``.
        """
        check_is_fitted(estimator, "loss_curve_")
        display = cls(
            estimator.loss_curve_,
            validation_scores=getattr(estimator, "validation_scores_", None),
            name=name or type(estimator).__name__,
        )
        return display.plot(ax=ax, **line_style)

    def plot(self, *, ax: Axes | None = None, **line_style: Any) -> LossCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when None.
        **line_style
            Goes to ``Axes.plot`` for the loss.

        Returns
        -------
        LossCurveDisplay
            The display itself, with what it drew in its attributes.
        """
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        epochs = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = ax.plot(
            epochs, self.loss_curve, **{"color": "C0", "label": self.name} | line_style
        )
        ax.set(xlabel="epoch", ylabel="training loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.spines[["top", "right"]].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        scores = self.validation_scores
        self.score_ax_ = None if scores is None else self._plot_scores(epochs, scores)
        return self

    def _plot_scores(self, epochs: np.ndarray, scores: np.ndarray) -> Axes:
        """Draw the scores on the right; a scale has its line's colour instead of a legend."""
        score_ax = self.ax_.twinx()
        score_ax.plot(epochs, scores, color="C1", linestyle="--")
        score_ax.spines[["top", "left"]].set_visible(False)
        for ax, label, color in (
            (self.ax_, "training loss", self.line_.get_color()),
            (score_ax, "validation score", "C1"),
        ):
            ax.set_ylabel(label, color=color)
            ax.tick_params(axis="y", colors=color)
        return score_ax
