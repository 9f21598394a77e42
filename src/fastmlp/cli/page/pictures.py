"""Pictures as SVG within a page, in the page's own colours."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["FAINT", "INK", "LINES", "picture"]

#: Colours that stand for variables of the page, so that it can be dark too.
INK, FAINT = "#010203", "#040506"
LINES = ("#110101", "#110202", "#110303", "#110404", "#110505", "#110606")
_VARIABLES = MappingProxyType(
    {INK: "var(--ink)", FAINT: "var(--faint)"}
    | {color: f"var(--line{place})" for place, color in enumerate(LINES)}
)

_STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "svg.fonttype": "none",  # texts stay texts, in the page's type
        "text.parse_math": False,  # names of columns may have dollars
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=LINES),
        "axes.unicode_minus": True,
        "legend.frameon": False,
        "legend.labelcolor": INK,
        "font.size": 10.5,
        "font.family": "sans-serif",
    }
)

#: What stands before the picture itself.
_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r' (width|height)="[^"]*"')
_NAME = re.compile(r'(\bid="|url\(#|href="#)')


def picture(name: str, draw: Callable[[Axes], None], size: tuple[float, float] = (4.8, 3.3)) -> str:
    """Return a picture (inches) as SVG to be put into a page.

    Parameters
    ----------
    name : str
        Of its own on the page; what the picture refers to within itself begins with it.
    draw : callable
        Draws on axes.
    size : tuple of float
    """
    style: Any = {**_STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = _METADATA.sub("", _HEAD.sub("", file.getvalue()))
    text = _NAME.sub(rf"\g<1>{name}-", text)
    for color, variable in _VARIABLES.items():
        text = text.replace(color, variable)
    head, _, rest = text.partition(">")
    return f'{_SIZE.sub("", head)} role="img">{rest}'
