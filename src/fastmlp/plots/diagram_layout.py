"""Where the circles of a layer lie in a network's diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LAYER_SPACING", "RADIUS", "LayerLayout"]

#: In units of the distance between two circles of a layer.
LAYER_SPACING = 3.0
RADIUS = 0.4


@dataclass(frozen=True)
class LayerLayout:
    """Circles one above the other, around height 0.

    Attributes
    ----------
    x : float
        Of all circles.
    shown : ndarray of int, shape (K,)
        Which units have a circle.
    centers : ndarray of shape (K, 2)
        Of these circles, the first unit on top.
    dots : ndarray of shape (3, 2) or None
        The ellipsis in place of the units left out.
    """

    x: float
    shown: np.ndarray
    centers: np.ndarray
    dots: np.ndarray | None

    @classmethod
    def of(cls, width: int, max_units: int, x: float) -> LayerLayout:
        """Lay out a layer of ``width`` units with at most ``max_units`` circles."""
        if width <= max_units:
            heights = (width - 1) / 2 - np.arange(width)
            return cls(x, np.arange(width), _column(x, heights), None)
        n_top = (max_units + 1) // 2
        heights = max_units / 2 - np.arange(max_units + 1)
        gap = heights[n_top]
        shown = np.r_[:n_top, width - (max_units - n_top) : width]
        dots = _column(x, gap + np.array([0.25, 0.0, -0.25]))
        return cls(x, shown, _column(x, np.delete(heights, n_top)), dots)

    @property
    def n_slots(self) -> int:
        """Height of the layer: its circles and the place of the dots."""
        return len(self.shown) + (self.dots is not None)


def _column(x: float, heights: np.ndarray) -> np.ndarray:
    return np.column_stack([np.full_like(heights, x), heights])
