"""How the loss fell, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fastmlp.plots.style import FAINT, drawing_axes
from fastmlp.validation import check_curve
from fastmlp.wrapped import fitted_model

__all__ = ["LossCurveDisplay"]

#: What the right-hand scale is called, and the label by which a twin of ours is known again.
SCORE = "validation score"

#: Of a score alone on its scale; beside other curves it has the colour of its loss.
SCORE_COLOR = "C1"


class LossCurveDisplay:
    """The training loss of each epoch, and its validation score if it has one.

    Several curves can be drawn into one axes. Each takes the next colour of the axes' cycle. Scores
    are dashed lines in the same colours, on one scale that all of them share. A legend has the
    names.

    Parameters
    ----------
    loss_curve : sequence of float, length n_epochs
        Training loss after each epoch.
    validation_scores : sequence of float, length n_epochs, optional
        Score on the held-out rows after each epoch, NaN for an epoch without one.
    name : str, optional
        Label of the loss in the legend, which is drawn if there are two curves or more.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the loss is drawn.
    score_ax_ : matplotlib Axes or None
        Its twin with the validation score on the right-hand scale; one for all curves on ``ax_``.
    line_ : matplotlib Line2D
        The loss.
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        If a curve is no flat sequence of numbers, or the two differ in length.

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
        estimator : estimator with ``loss_curve_``, or a pipeline, search or the like around one
            Its ``validation_scores_`` are drawn too, if it has any.
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        name : str, optional
            Label of the loss. None means the name of the class.
        **line_style
            Passed on to ``Axes.plot`` for the loss.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator has no ``loss_curve_``.
        """
        network = fitted_model(estimator, "loss_curve_")
        display = cls(
            network.loss_curve_,
            validation_scores=getattr(network, "validation_scores_", None),
            name=name or type(network).__name__,
        )
        return display.plot(ax=ax, **line_style)

    def plot(self, *, ax: Axes | None = None, **line_style: Any) -> LossCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        **line_style
            Passed on to ``Axes.plot`` for the loss.

        Returns
        -------
        LossCurveDisplay
            The display itself. Its attributes hold what it drew.
        """
        with drawing_axes(ax) as self.ax_:
            self._draw(self.ax_, line_style)
        return self

    def _draw(self, ax: Axes, line_style: dict[str, Any]) -> None:
        self.figure_ = ax.figure
        shared = len(ax.lines) > 0
        epochs = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = ax.plot(epochs, self.loss_curve, **{"label": self.name} | line_style)
        ax.set(xlabel="epoch", ylabel="training loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.spines[["top", "right"]].set_visible(False)
        score_ax = _score_twin(ax)
        if shared and score_ax is not None:
            _give_score_the_colour_of_its_loss(ax, score_ax)
        if self.validation_scores is not None:
            score_ax = score_ax or _new_score_twin(ax)
            color = self.line_.get_color() if shared else SCORE_COLOR
            score_ax.plot(epochs, self.validation_scores, color=color, linestyle="--")
        self.score_ax_ = None if self.validation_scores is None else score_ax
        if shared:
            _add_legend(ax, score_ax)
        elif score_ax is not None:
            _color_scale(ax, self.line_.get_color())
            _color_scale(score_ax, SCORE_COLOR)


def _score_twin(ax: Axes) -> Axes | None:
    """Return the scale of the scores that an earlier curve has put on these axes, if any."""
    place = ax.get_position(original=True).bounds
    twins: list[Axes] = ax.get_shared_x_axes().get_siblings(ax)
    for twin in twins:
        # Subplots with a common x-axis are siblings too, elsewhere on the figure.
        if twin.get_label() == SCORE and twin.get_position(original=True).bounds == place:
            return twin
    return None


def _new_score_twin(ax: Axes) -> Axes:
    twin = ax.twinx()
    twin.set_label(SCORE)
    twin.set_ylabel(SCORE)
    twin.spines[["top", "left"]].set_visible(False)
    return twin


def _color_scale(ax: Axes, color: Any) -> None:
    """Give a scale its only line's colour: then it needs no legend."""
    ax.yaxis.label.set_color(color)
    ax.tick_params(axis="y", colors=color)


def _give_score_the_colour_of_its_loss(ax: Axes, score_ax: Axes) -> None:
    """Undo what is right for one curve only: scales in the colours of the lines on them."""
    first = score_ax.lines[0]
    if score_ax.yaxis.label.get_color() == first.get_color():
        first.set_color(ax.lines[0].get_color())
        for scale in (ax, score_ax):
            scale.yaxis.label.set_color(plt.rcParams["axes.labelcolor"])
            scale.tick_params(axis="y", colors=plt.rcParams["ytick.color"])


def _add_legend(ax: Axes, score_ax: Axes | None) -> None:
    """Name the curves where losses have fallen and scores have risen out of the way."""
    handles, _ = ax.get_legend_handles_labels()
    if not handles:
        return
    if score_ax is not None:
        handles.append(Line2D([], [], color=FAINT, linestyle="--", label=SCORE))
    # On the twin, which lies above: lines of its own must not cross the legend.
    (score_ax or ax).legend(handles=handles, loc="center right")
