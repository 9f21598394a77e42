# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# (compiled functions take their types from their arguments)
"""Activations: z becomes h = f(z) in place, beside it its slope f'(z).

``h`` and ``slope`` are flat stretches of any length n. NaN stays NaN in h. The activations are in
``piecewise`` and ``smooth``, each of which does nothing for a code that it does not have.
"""

from __future__ import annotations

from fastmlp.backends.numba_jit.jit import entry_point
from fastmlp.backends.numba_jit.piecewise import activate_in_pieces
from fastmlp.backends.numba_jit.smooth import activate_smooth

__all__ = ["activate"]


@entry_point
def activate(activation, h, slope):
    """Turn z in ``h`` (n,) into f(z) and set ``slope`` (n,) to f'(z)."""
    activate_in_pieces(activation, h, slope)
    activate_smooth(activation, h, slope)
