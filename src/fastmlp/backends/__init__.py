"""Three interpreters of the same plan, behind one name each.

Importing this package loads none of them: ``get_backend`` does, on first use, so that Numba's
import is paid only by those who ask for it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from fastmlp.backends.protocol import Backend, Executor, Rows, Totals

__all__ = ["BACKENDS", "Backend", "Executor", "Rows", "Totals", "get_backend"]

#: Name → (module, class).
BACKENDS = {
    "compiled": ("fastmlp.backends.compiled", "CompiledBackend"),
    "numba": ("fastmlp.backends.numba_jit", "NumbaBackend"),
    "numpy": ("fastmlp.backends.reference", "ReferenceBackend"),
}


@cache
def get_backend(name: str) -> Backend:
    """Return the backend called ``name``, one object per process."""
    module, cls = BACKENDS[name]
    backend: Backend = getattr(import_module(module), cls)()
    return backend
