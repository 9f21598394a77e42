"""How the weights of each layer are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch

from fastmlp.plots.fitted import fitted_network
from fastmlp.plots.style import CATEGORIES, INK, drawing_axes
from fastmlp.validation import check_bins, check_layer_arrays, check_layer_names

__all__ = ["WeightDistributionDisplay"]

#: Height of the tallest bar, where the next layer's base line is at 1.
PEAK = 0.8

#: Of what is written beside a histogram, above its base line.
LABEL_HEIGHT = 0.3


class WeightDistributionDisplay:
    """A histogram per layer, the first layer on top, all on one scale.

    Each histogram has its own height. Exact zeros are left out of it, because a sparse layer would
    be one bar, and their share is written beside it instead.

    Parameters
    ----------
    layers : sequence of array-like of any shape, length L
        The numbers of each layer: weights, or just as well activations or gradients.
    names : sequence of str, length L, optional
        What the layers are called; "layer 1", "layer 2", … when None.
    quantity : str, default="weight"
        What the numbers are; the label of the scale.
    bins : int, default=60
        Bars over the whole scale.

    Attributes
    ----------
    histograms_ : list of matplotlib StepPatch, length L
        Outlines: heights are counts divided by the layer's largest, times 0.8.
    zero_shares_ : ndarray of shape (L,)
        Share of exact zeros in each layer.
    zero_labels_ : list of matplotlib Text, length L
        The same in words.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        No layers, an empty one, numbers that are not finite, too few names, or ``bins`` below 1.

    Examples
    --------
    >>> from fastmlp.plots import WeightDistributionDisplay
    >>> display = WeightDistributionDisplay([[0.5, -0.5, 0.0, 0.0], [1.0, 2.0]]).plot()
    >>> [label.get_text() for label in display.zero_labels_]
    ['50 % zeros', 'no zeros']
    """

    def __init__(
        self,
        layers: Sequence[npt.ArrayLike],
        *,
        names: Sequence[str] | None = None,
        quantity: str = "weight",
        bins: int = 60,
    ) -> None:
        self.layers = check_layer_arrays(layers)
        self.names = check_layer_names(names, len(self.layers))
        self.quantity = quantity
        self.bins = check_bins(bins)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None, bins: int = 60, **patch_style: Any
    ) -> WeightDistributionDisplay:
        """Draw the weights of a fitted network.

        Parameters
        ----------
        estimator : estimator with ``coefs_``, or pipeline that ends with one
            Of fastmlp or scikit-learn.
        ax : matplotlib Axes, optional
            Where to draw; a new figure when None.
        bins : int, default=60
            Bars over the whole scale.
        **patch_style
            Colours and lines; goes to ``Axes.stairs``.

        Returns
        -------
        WeightDistributionDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            The estimator has no ``coefs_``.
        ValueError, TypeError
            ``bins`` is no integer above 0.
        """
        coefs = fitted_network(estimator, "coefs_").coefs_
        shapes = [" × ".join(str(width) for width in np.shape(w)) for w in coefs]
        names = [f"layer {i}\n{shape}" for i, shape in enumerate(shapes, start=1)]
        return cls(coefs, names=names, bins=bins).plot(ax=ax, **patch_style)

    def plot(self, *, ax: Axes | None = None, **patch_style: Any) -> WeightDistributionDisplay:
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure when None.
        **patch_style
            Colours and lines; goes to ``Axes.stairs``.

        Returns
        -------
        WeightDistributionDisplay
            The display itself, with what it drew in its attributes.
        """
        n_layers = len(self.layers)
        self.ax_ = ax = drawing_axes(ax, (6.4, 1.4 + 0.8 * n_layers))
        self.figure_ = ax.figure
        edges = self._edges()
        self.zero_shares_ = np.array([np.mean(values == 0) for values in self.layers])
        self.histograms_ = [
            self._draw_layer(values, edges, n_layers - 1 - row, patch_style)
            for row, values in enumerate(self.layers)
        ]
        self.zero_labels_ = [
            self._write_zeros(share, n_layers - 1 - row)
            for row, share in enumerate(self.zero_shares_)
        ]
        ax.axvline(0, color=INK, linewidth=0.8, linestyle=":", zorder=0)
        ax.set(xlabel=self.quantity, xlim=edges[[0, -1]], ylim=(-0.05, n_layers))
        ax.set_yticks(np.arange(n_layers) + LABEL_HEIGHT, self.names[::-1])
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        return self

    def _edges(self) -> np.ndarray:
        """Return the bounds of the bars (bins + 1,), zero at their middle."""
        largest = max(float(np.abs(values).max()) for values in self.layers)
        reach = largest or 1.0
        return np.linspace(-reach, reach, self.bins + 1)

    def _draw_layer(
        self, values: np.ndarray, edges: np.ndarray, base: int, style: dict[str, Any]
    ) -> StepPatch:
        counts, _ = np.histogram(values[values != 0], edges)
        heights = base + PEAK * counts / max(counts.max(), 1)
        look: dict[str, Any] = {"color": CATEGORIES[0], "alpha": 0.85} | style
        return self.ax_.stairs(heights, edges, baseline=base, fill=True, **look)

    def _write_zeros(self, share: float, base: int) -> Any:
        text = "no zeros" if share == 0 else f"{100 * share:.3g} % zeros"
        return self.ax_.text(
            1.01,
            base + LABEL_HEIGHT,
            text,
            transform=self.ax_.get_yaxis_transform(),
            va="center",
        )
