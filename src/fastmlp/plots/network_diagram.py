"""A network as it is drawn on blackboards: units as circles, weights as lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from fastmlp.plots.diagram_layout import LAYER_SPACING, RADIUS, LayerLayout
from fastmlp.plots.style import FAINT, INK, NEGATIVE, POSITIVE, drawing_axes
from fastmlp.validation import check_diagram
from fastmlp.wrapped import fitted_model

__all__ = ["NetworkDiagramDisplay"]

#: Points: the thickest line.
WIDEST = 3.0


class NetworkDiagramDisplay:
    r"""Units as circles, layer by layer, joined by lines that show the weights.

    A line is blue for a positive weight and vermilion for a negative one. Its width is proportional
    to the size of the weight beside the largest one of the network. A weight of exactly zero has no
    line, so pruned connections are gone. If a layer is wider than ``max_units``, its first and last
    units are drawn, with dots between them.

    Parameters
    ----------
    layer_sizes : sequence of int, length L + 1
        Widths from the input to the output.
    coefs : sequence of array-like of shape (fan_in, fan_out), length L, optional
        The weights. Without them, lines are thin and grey.
    unit_values : sequence of array-like of shape (width,), length L + 1, optional
        Numbers to write into the circles, such as activations.
    max_units : int, default=10
        Maximum number of circles for a layer, at least 2.
    quantity : str, default="weight"
        What ``coefs`` are, such as "gradient". The legend says it.

    Attributes
    ----------
    units_ : list of matplotlib PatchCollection, length L + 1
        The circles of each layer.
    edges_ : list of matplotlib LineCollection, length L
        The lines between two layers, ordered by the unit where they begin.
    labels_ : list of matplotlib Text, length L + 1
        Name and width of each layer.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two layers, a width is below 1, ``max_units`` is below 2, or arrays
        do not hold numbers or do not fit the widths.

    Examples
    --------
    >>> from fastmlp.plots import NetworkDiagramDisplay
    >>> display = NetworkDiagramDisplay([4, 5, 3]).plot()
    >>> [label.get_text() for label in display.labels_]
    ['input\n4', 'hidden\n5', 'output\n3']
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        *,
        coefs: Sequence[npt.ArrayLike] | None = None,
        unit_values: Sequence[npt.ArrayLike] | None = None,
        max_units: int = 10,
        quantity: str = "weight",
    ) -> None:
        self.layer_sizes, self.coefs, self.unit_values = check_diagram(
            layer_sizes, coefs, unit_values, max_units
        )
        self.max_units = int(max_units)
        self.quantity = quantity

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None, max_units: int = 10
    ) -> NetworkDiagramDisplay:
        """Draw a fitted network.

        Parameters
        ----------
        estimator : estimator with ``coefs_``, or a pipeline, search or the like around one
            It may be of fastmlp or of scikit-learn.
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        max_units : int, default=10
            Maximum number of circles for a layer.

        Returns
        -------
        NetworkDiagramDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator has no ``coefs_``.
        ValueError
            If ``max_units`` is below 2.
        """
        coefs = fitted_model(estimator, "coefs_").coefs_
        sizes = [len(coefs[0]), *(w.shape[1] for w in coefs)]
        return cls(sizes, coefs=coefs, max_units=max_units).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> NetworkDiagramDisplay:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.

        Returns
        -------
        NetworkDiagramDisplay
            The display itself. Its attributes hold what it drew.
        """
        layouts = [
            LayerLayout.of(width, self.max_units, LAYER_SPACING * layer)
            for layer, width in enumerate(self.layer_sizes)
        ]
        height = max(layout.n_slots for layout in layouts)
        with drawing_axes(ax, (1.8 * len(layouts) + 0.6, 0.5 * height + 1.4)) as self.ax_:
            self._draw(self.ax_, layouts, height)
        return self

    def _draw(self, ax: Axes, layouts: Sequence[LayerLayout], height: int) -> None:
        self.figure_ = ax.figure
        self.edges_ = [
            self._draw_edges(layer, *pair) for layer, pair in enumerate(pairwise(layouts))
        ]
        self.units_ = [self._draw_units(layout) for layout in layouts]
        self._write_values(layouts)
        self.labels_ = [
            ax.text(layout.x, -height / 2 - 0.3, name, ha="center", va="top", color=INK)
            for layout, name in zip(layouts, self._names(), strict=True)
        ]
        if self.coefs is not None:
            self._add_legend()
        ax.set(xlim=(-0.8, layouts[-1].x + 0.8), ylim=(-height / 2 - 1.6, height / 2 + 0.1))
        ax.set_aspect("equal")
        ax.set_axis_off()

    def _names(self) -> list[str]:
        n_hidden = len(self.layer_sizes) - 2
        hidden = ["hidden"] if n_hidden == 1 else [f"hidden {i + 1}" for i in range(n_hidden)]
        names = ["input", *hidden, "output"]
        return [f"{name}\n{width:,}" for name, width in zip(names, self.layer_sizes, strict=True)]

    def _draw_edges(self, layer: int, left: LayerLayout, right: LayerLayout) -> LineCollection:
        ends = [[start, end] for start in left.centers for end in right.centers]
        if self.coefs is None:
            edges = LineCollection(ends, colors=FAINT, linewidths=0.5, zorder=1)
        else:
            weights = self.coefs[layer][np.ix_(left.shown, right.shown)].ravel()
            sizes = np.abs(weights) / (self._largest_weight() or 1.0)
            colors = [
                to_rgba(POSITIVE if weight > 0 else NEGATIVE, 0.25 + 0.75 * size)
                for weight, size in zip(weights, sizes, strict=True)
            ]
            edges = LineCollection(ends, colors=colors, linewidths=WIDEST * sizes, zorder=1)
        self.ax_.add_collection(edges)
        return edges

    def _largest_weight(self) -> float:
        return max(float(np.abs(w).max()) for w in self.coefs or ())

    def _draw_units(self, layout: LayerLayout) -> PatchCollection:
        circles = PatchCollection(
            [Circle(center, RADIUS) for center in layout.centers],
            facecolor="white",
            edgecolor=INK,
            linewidth=1.2,
            zorder=2,
        )
        self.ax_.add_collection(circles)
        if layout.dots is not None:
            self.ax_.plot(*layout.dots.T, ".", color=INK, markersize=3, zorder=2)
        return circles

    def _write_values(self, layouts: Sequence[LayerLayout]) -> None:
        for layout, values in zip(layouts, self.unit_values or [], strict=False):
            for (x, y), value in zip(layout.centers, values[layout.shown], strict=True):
                text = f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")  # never −0.00
                self.ax_.text(x, y, text, ha="center", va="center", fontsize="small", zorder=3)

    def _add_legend(self) -> None:
        lines = [
            Line2D([], [], color=color, linewidth=2, label=label)
            for color, label in ((POSITIVE, "positive"), (NEGATIVE, "negative"))
        ]
        self.ax_.legend(
            handles=lines,
            title=f"{self.quantity}, width by size",
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=2,
            frameon=False,
            fontsize="small",
            title_fontsize="small",
        )
