"""What all pictures share: colours that colour-blind people can tell apart, and plain axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, FigureBase

from fastmlp.validation import check_ax, check_figure

__all__ = [
    "CATEGORIES",
    "FAINT",
    "INK",
    "NEGATIVE",
    "POSITIVE",
    "category_colors",
    "drawing_axes",
    "drawing_figure",
]

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


@contextmanager
def drawing_axes(ax: Axes | None, size: Sequence[float] | None = None) -> Iterator[Axes]:
    """Give ``ax``, or the axes of a new figure of this size in inches, to draw on.

    A new figure is closed if drawing raises.
    """
    check_ax(ax)
    if ax is not None:
        yield ax
        return
    with _closed_by_errors(plt.figure(figsize=size, layout="constrained")) as figure:
        yield figure.subplots()


@contextmanager
def drawing_figure(figure: FigureBase | None) -> Iterator[FigureBase]:
    """Give ``figure``, or a new one, which is closed if drawing raises, to draw on."""
    check_figure(figure)
    if figure is not None:
        yield figure
        return
    with _closed_by_errors(plt.figure(layout="constrained")) as new:
        yield new


@contextmanager
def _closed_by_errors(figure: Figure) -> Iterator[Figure]:
    try:
        yield figure
    except BaseException:
        plt.close(figure)
        raise
