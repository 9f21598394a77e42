"""How every function of this backend is compiled, and how its cache stays fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from fastmlp import plan, registry

__all__ = ["kernel", "parallel_kernel", "reduction_kernel"]

# Fused multiply-add is allowed and signed zeros may be lost; a sum keeps its order, and NaN and
# Inf stay what they are.
_ELEMENTWISE = {"contract", "nsz"}
# A sum over a stretch of fixed length may run in vector lanes: the order is then fixed by the
# length, so it is the same for every number of threads.
_REDUCTION = {"reassoc", "contract", "nsz"}


def _source_stamp() -> bytes:
    """Return a digest of all sources that the compiled code of this package depends on."""
    sources = [
        *sorted(Path(__file__).parent.glob("*.py")),
        str(plan.__file__),
        str(registry.__file__),
    ]
    return hashlib.sha256(b"".join(Path(str(source)).read_bytes() for source in sources)).digest()


_STAMP = _source_stamp()


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    """Return the dispatcher of ``function``, cached until any source of the package changes.

    Numba's own stamp covers the file of the function only, so a caller would keep the machine code
    of a callee in another file that has since been edited or upgraded.
    """
    dispatcher = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    dispatcher._cache._cache_file._source_stamp = _STAMP
    return dispatcher


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function whose sums must keep their order."""
    return _compile(function, fastmath=_ELEMENTWISE)


def reduction_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function whose sums may run in vector lanes."""
    return _compile(function, fastmath=_REDUCTION)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that hands out work with ``prange``."""
    return _compile(function, fastmath=_ELEMENTWISE, parallel=True)
