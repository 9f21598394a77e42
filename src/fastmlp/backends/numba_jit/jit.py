"""How every function of this backend is compiled, and how its cache stays fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numba

from fastmlp import optimizers, registry
from fastmlp.plan import layout, records

__all__ = [
    "entry_point",
    "exact_entry_point",
    "exact_kernel",
    "kernel",
    "parallel_kernel",
    "reduction_kernel",
    "scalar_kernel",
    "view_kernel",
]

# Fused multiply-add is allowed and signed zeros may be lost; a sum keeps its order, and NaN and
# Inf stay what they are.
_ELEMENTWISE = {"contract", "nsz"}
# A sum over a stretch of fixed length may run in vector lanes: the order is then fixed by the
# length, so it is the same for every number of threads.
_REDUCTION = {"reassoc", "contract", "nsz"}
# A third of the time to compile goes into making functions callable from Python and from C.
_NO_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _source_stamp() -> bytes:
    """Return a digest of all sources that the compiled code of this package depends on."""
    package = sorted(Path(__file__).parent.glob("*.py"))
    named = [str(module.__file__) for module in (layout, records, registry, optimizers)]
    sources = [*map(str, package), *named]
    return hashlib.sha256(b"".join(Path(source).read_bytes() for source in sources)).digest()


_STAMP = _source_stamp()


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    """Return the dispatcher of ``function``, cached until any source of the package changes.

    Numba's own stamp covers the file of the function only, so a caller would keep the machine code
    of a callee in another file that has since been edited or upgraded.

    Without Numba's runtime (``_nrt``) a slice costs no atomic count of references, which is most of
    a small batch's time, and code that would allocate is refused.
    """
    options = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False, **options}
    dispatcher = numba.njit(**options)(function)
    cache_file = dispatcher._cache._cache_file
    cache_file._source_stamp = _STAMP
    cache_file._load_index = partial(_load_index, cache_file._load_index)
    return dispatcher


def _load_index(load: Callable[[], dict[Any, Any]]) -> dict[Any, Any]:
    """Return what a cache holds: nothing if it names a class that this version no longer has.

    Numba unpickles the types of a function's arguments before it compares stamps.
    """
    try:
        return load()
    except (AttributeError, ImportError):
        return {}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls; its sums keep their order."""
    return _compile(function, fastmath=_ELEMENTWISE, **_NO_WRAPPERS)


def scalar_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of numbers into its callers, so that their loops become vectors."""
    return _compile(function, fastmath=_ELEMENTWISE, forceinline=True, **_NO_WRAPPERS)


def view_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that returns a part of an array into its callers.

    Called, it would have to count a reference to the array.
    """
    return _compile(function, fastmath=_ELEMENTWISE, inline="always", **_NO_WRAPPERS)


def reduction_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls, and whose sums may run in vector lanes."""
    return _compile(function, fastmath=_REDUCTION, **_NO_WRAPPERS)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls and that hands out work with ``prange``."""
    return _compile(function, fastmath=_ELEMENTWISE, parallel=True, **_NO_WRAPPERS)


def entry_point(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls; its sums keep their order."""
    return _compile(function, fastmath=_ELEMENTWISE)


def exact_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls, with every operation rounded by itself."""
    return _compile(function, **_NO_WRAPPERS)


def exact_entry_point(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, with every operation rounded by itself."""
    return _compile(function)
