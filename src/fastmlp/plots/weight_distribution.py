"""How the weights of each layer are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from fastmlp.plots.style import CATEGORIES, INK, drawing_axes
from fastmlp.validation import check_bins, check_layer_arrays, check_layer_names
from fastmlp.wrapped import fitted_model

__all__ = ["WeightDistributionDisplay"]

#: Height of the tallest bar, where the next layer's base line is at 1.
PEAK = 0.8

#: Above a histogram's base line: the layer's name, and the share of zeros, over the tallest bar.
NAME_HEIGHT, ZEROS_HEIGHT = 0.3, 0.89

#: Bars over the whole scale where the data would carry more.
MOST_BINS = 60


class WeightDistributionDisplay:
    """A histogram for each layer, with the first layer on top and all on one scale.

    Each histogram has its own height. Exact zeros are left out, because a sparse layer would be one
    bar. Their share is written above the histogram instead. A layer that has only zeros is one bar
    at 0.

    Parameters
    ----------
    layers : sequence of array-like of any shape, length L
        The numbers of each layer. They can be weights, activations or gradients.
    names : sequence of str, length L, optional
        Names of the layers. None means "layer 1", "layer 2" and so on.
    quantity : str, default="weight"
        What the numbers are. This is the label of the scale.
    bins : int or None, default=None
        Number of bars over the whole scale. None chooses it for each layer, at most 60: the
        narrower of the bars of Sturges (1926) and of Freedman and Diaconis (1981).

    Attributes
    ----------
    histograms_ : list of matplotlib StepPatch, length L
        The outlines. Heights are counts divided by the largest one of the layer, times 0.8.
    zero_shares_ : ndarray of shape (L,)
        Share of exact zeros in each layer.
    zero_labels_ : list of matplotlib Text, length L
        The same in words.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError, TypeError
        If there are no layers, a layer is empty, numbers are not finite, there are too few names,
        or ``bins`` is below 1.

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
        bins: int | None = None,
    ) -> None:
        self.layers = check_layer_arrays(layers)
        self.names = check_layer_names(names, len(self.layers))
        self.quantity = quantity
        self.bins = None if bins is None else check_bins(bins)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None, bins: int | None = None, **patch_style: Any
    ) -> WeightDistributionDisplay:
        """Draw the weights of a fitted network.

        Parameters
        ----------
        estimator : estimator with ``coefs_``, or a pipeline, search or the like around one
            It may be of fastmlp or of scikit-learn.
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        bins : int or None, default=None
            Number of bars over the whole scale. None chooses it for each layer.
        **patch_style
            Colours and lines, passed on to ``Axes.stairs``.

        Returns
        -------
        WeightDistributionDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator has no ``coefs_``.
        ValueError, TypeError
            If ``bins`` is neither None nor an integer above 0.
        """
        coefs = fitted_model(estimator, "coefs_").coefs_
        shapes = [" × ".join(str(width) for width in np.shape(w)) for w in coefs]
        names = [f"layer {i}\n{shape}" for i, shape in enumerate(shapes, start=1)]
        return cls(coefs, names=names, bins=bins).plot(ax=ax, **patch_style)

    def plot(self, *, ax: Axes | None = None, **patch_style: Any) -> WeightDistributionDisplay:
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. None makes a new figure.
        **patch_style
            Colours and lines, passed on to ``Axes.stairs``.

        Returns
        -------
        WeightDistributionDisplay
            The display itself. Its attributes hold what it drew.
        """
        with drawing_axes(ax, (6.4, 1.4 + 0.8 * len(self.layers))) as self.ax_:
            self._draw(self.ax_, patch_style)
        return self

    def _draw(self, ax: Axes, patch_style: dict[str, Any]) -> None:
        self.figure_ = ax.figure
        n_layers = len(self.layers)
        reach = max(float(np.abs(values).max()) for values in self.layers) or 1.0
        self.zero_shares_ = np.array([np.mean(values == 0) for values in self.layers])
        self.histograms_ = [
            self._draw_layer(values, reach, n_layers - 1 - row, patch_style)
            for row, values in enumerate(self.layers)
        ]
        self.zero_labels_ = [
            self._write_zeros(share, n_layers - 1 - row)
            for row, share in enumerate(self.zero_shares_)
        ]
        ax.axvline(0, color=INK, linewidth=0.8, linestyle=":", zorder=0)
        ax.set(xlabel=self.quantity, xlim=(-reach, reach), ylim=(-0.05, n_layers))
        ax.set_yticks(np.arange(n_layers) + NAME_HEIGHT, self.names[::-1])
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)

    def _draw_layer(
        self, values: np.ndarray, reach: float, base: int, style: dict[str, Any]
    ) -> StepPatch:
        drawn = values[values != 0]
        if drawn.size == 0:
            half = reach / MOST_BINS
            counts, edges = np.array([values.size]), np.array([-half, half])
        else:
            # An even number of bars over a symmetric scale keeps the signs apart.
            n_bins = self.bins or 2 * _bars_per_side(drawn, reach)
            counts, edges = np.histogram(drawn, np.linspace(-reach, reach, n_bins + 1))
        heights = base + PEAK * counts / counts.max()
        look: dict[str, Any] = {"color": CATEGORIES[0], "alpha": 0.85} | style
        return self.ax_.stairs(heights, edges, baseline=base, fill=True, **look)

    def _write_zeros(self, share: float, base: int) -> Text:
        """Write within the axes, where no neighbour's names can be."""
        text = "no zeros" if share == 0 else f"{100 * share:.3g} % zeros"
        return self.ax_.text(
            1.0,
            base + ZEROS_HEIGHT,
            text,
            transform=self.ax_.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize="small",
        )


def _bars_per_side(values: np.ndarray, reach: float) -> int:
    """Return into how many bars [0, reach] is divided for these numbers (n,), n ≥ 1."""
    edges = np.histogram_bin_edges(values, "auto")
    width = edges[1] - edges[0] if np.ptp(values) > 0 else 0.0
    narrowest = 2 * reach / MOST_BINS
    return int(np.ceil(reach / max(width, narrowest) - 1e-9))
