"""Who raced, how good each was, and who predicts."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from fastmlp.plots.style import CATEGORIES, FAINT, drawing_axes
from fastmlp.validation import check_places
from fastmlp.wrapped import fitted_model

__all__ = ["LeaderboardDisplay"]

#: Characters of a name on one line.
LINE = 44

#: Right ends of the columns beside the picture, in points from its edge.
WEIGHT_COLUMN, SECONDS_COLUMN = 48, 100


class LeaderboardDisplay:
    """Error of each candidate of a race, with its weight in the prediction and its seconds.

    Each candidate has a row, and the best one is on top. The points of those that predict are
    filled, and larger if they count more. A candidate that failed has a remark in its row instead
    of a point.

    Parameters
    ----------
    names : sequence of str, length M
        Names of the candidates.
    errors : array-like of shape (M,)
        Errors on held-out rows, NaN for a candidate that has none.
    weights : array-like of shape (M,)
        Weights in the mean that predicts, 0 for candidates that are not in it.
    seconds : array-like of shape (M,), optional
        How long each candidate took.
    remarks : sequence of str, length M, optional
        Why a candidate has no error.
    metric : str, default="error"
        What the errors are. This is the label of the scale.

    Attributes
    ----------
    points_ : matplotlib PathCollection
        Errors of the candidates that have one, in the order of the rows.
    order_ : ndarray of shape (M,)
        Which candidate is in each row, from top to bottom.
    weight_labels_ : list of matplotlib Annotation, length M
    seconds_labels_ : list of matplotlib Annotation, length M or 0
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        If there are no candidates, or if arguments differ in length or are no numbers.

    Examples
    --------
    >>> from fastmlp.plots import LeaderboardDisplay
    >>> display = LeaderboardDisplay(["slow", "fast"], [0.3, 0.2], [0.25, 0.75]).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['fast', 'slow']
    """

    def __init__(
        self,
        names: Sequence[str],
        errors: npt.ArrayLike,
        weights: npt.ArrayLike,
        *,
        seconds: npt.ArrayLike | None = None,
        remarks: Sequence[str] | None = None,
        metric: str = "error",
    ) -> None:
        places = check_places(names, errors, weights, seconds, remarks)
        self.names, self.errors, self.weights, self.seconds, self.remarks = places
        self.metric = metric

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None, **point_style: Any
    ) -> LeaderboardDisplay:
        """Draw the race of a fitted model of raw tables.

        Parameters
        ----------
        estimator : estimator with ``leaderboard_``, or a pipeline, search or the like around one
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        **point_style
            Passed on to ``Axes.scatter``.

        Returns
        -------
        LeaderboardDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator has no ``leaderboard_``.
        """
        board = fitted_model(estimator, "leaderboard_").leaderboard_
        return cls(
            [place.recipe for place in board],
            [place.error for place in board],
            [place.weight for place in board],
            seconds=[place.seconds for place in board],
            remarks=[place.remark for place in board],
            metric=board.metric,
        ).plot(ax=ax, **point_style)

    def plot(self, *, ax: Axes | None = None, **point_style: Any) -> LeaderboardDisplay:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        **point_style
            Passed on to ``Axes.scatter``.

        Returns
        -------
        LeaderboardDisplay
            The display itself. Its attributes hold what it drew.
        """
        with drawing_axes(ax, (8.0, 1.2 + 0.42 * len(self.names))) as self.ax_:
            self._draw(self.ax_, point_style)
        return self

    def _draw(self, ax: Axes, point_style: dict[str, Any]) -> None:
        self.figure_ = ax.figure
        self.order_ = np.argsort(self.errors, kind="stable")  # NaN comes last
        rows = np.arange(len(self.order_))
        weights, errors = self.weights[self.order_], self.errors[self.order_]
        known = np.isfinite(errors)
        look: dict[str, Any] = {
            "s": 30 + 220 * weights[known],
            "facecolors": np.where(weights[known] > 0, CATEGORIES[0], "white"),
            "edgecolors": np.where(weights[known] > 0, CATEGORIES[0], FAINT),
        }
        self.points_ = ax.scatter(errors[known], rows[known], zorder=3, **look | point_style)
        for row in rows[~known]:
            self._write_remark(row, self.remarks[self.order_[row]])
        self._set_scales(ax, rows)
        self.weight_labels_ = self._column(
            "weight", WEIGHT_COLUMN, [f"{100 * w:.0f} %" if w > 0 else "–" for w in weights]
        )
        self.seconds_labels_ = (
            self._column("seconds", SECONDS_COLUMN, [f"{s:.3g}" for s in self.seconds[self.order_]])
            if self.seconds is not None
            else []
        )

    def _set_scales(self, ax: Axes, rows: np.ndarray) -> None:
        ax.set(xlabel=f"{self.metric} on held-out rows", ylim=(len(rows) - 0.5, -0.5))
        ax.set_yticks(rows, [fill(self.names[candidate], LINE) for candidate in self.order_])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", color=FAINT, alpha=0.3)
        ax.margins(x=0.06)
        ax.spines[["top", "right", "left"]].set_visible(False)

    def _write_remark(self, row: int, remark: str) -> None:
        across = self.ax_.get_yaxis_transform()
        text = remark or "no error"
        self.ax_.text(0.5, row, text, color=FAINT, transform=across, ha="center", va="center")

    def _column(self, heading: str, right: float, texts: Sequence[str]) -> list[Annotation]:
        """Write a column beside the picture; return its entries."""
        beside: dict[str, Any] = {
            "xycoords": self.ax_.get_yaxis_transform(),
            "xytext": (right, 0),
            "textcoords": "offset points",
            "ha": "right",
            "va": "center",
            "annotation_clip": False,
        }
        self.ax_.annotate(heading, (1, -0.85), color=FAINT, **beside)
        return [self.ax_.annotate(text, (1, row), **beside) for row, text in enumerate(texts)]
