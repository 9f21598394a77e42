"""The look of every picture of the gallery, set anew before each page."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib as mpl
from cycler import cycler
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from fastmlp.plots.style import CATEGORIES, INK

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=CATEGORIES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "axes.titlepad": 10,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.figsize": (9, 4),
    "font.size": 11,
    "legend.frameon": False,
    "legend.fontsize": "small",
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def apply(_: dict[str, Any], __: str) -> None:
    """Put matplotlib into this style, and let no page hide an unfinished fit or a NaN."""
    mpl.rcdefaults()
    mpl.use("Agg")
    mpl.rcParams.update(STYLE)
    for category in (ConvergenceWarning, RuntimeWarning):
        warnings.simplefilter("error", category)
    # L-BFGS calls BLAS on short vectors: on a busy machine its threads cost ten times what they do.
    threadpool_limits(1, user_api="blas")
