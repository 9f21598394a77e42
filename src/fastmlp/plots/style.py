"""What all pictures share: colours that colour-blind people can tell apart, and plain axes."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

__all__ = ["CATEGORIES", "FAINT", "INK", "NEGATIVE", "POSITIVE", "category_colors", "drawing_axes"]

#: Okabe & Ito (2008), "Color Universal Design", without black and with yellow, pale on white, last.
CATEGORIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")

#: Signs: blue and vermilion differ for every kind of colour vision.
POSITIVE, NEGATIVE = "#0072B2", "#D55E00"

#: Text and outlines; things in the background.
INK, FAINT = "#222222", "#999999"


def category_colors(n_categories: int) -> np.ndarray:
    """Return an RGB row per category, shape (n_categories, 3).

    Beyond the palette, colours are spread over matplotlib's "turbo".
    """
    if n_categories <= len(CATEGORIES):
        return np.array([to_rgb(color) for color in CATEGORIES[:n_categories]])
    return np.asarray(plt.get_cmap("turbo")(np.linspace(0.05, 0.95, n_categories))[:, :3])


def drawing_axes(ax: Axes | None, size: Sequence[float] | None = None) -> Axes:
    """Return ``ax``, or the axes of a new figure of this size in inches."""
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax
