"""What this installation is and what it found on this machine."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

import numpy as np

from fastmlp._version import __version__

__all__ = ["config_dict", "show_config"]

_REPORTED_PACKAGES = ("numpy", "scikit-learn", "scipy", "numba", "threadpoolctl")


def _version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def config_dict() -> dict[str, str]:
    """Return the facts that ``show_config`` prints.

    Returns
    -------
    dict of str to str
        Version, instruction sets, the cache that products are cut for, threads, compiler, and the
        versions of what fastmlp stands on.

    Examples
    --------
    >>> from fastmlp.config import config_dict
    >>> config_dict()["fastmlp"] == __import__("fastmlp").__version__
    True
    """
    from fastmlp.backends import _core, compiled, get_backend  # noqa: PLC0415 - keeps import light
    from fastmlp.registry import MATMUL_PRECISIONS  # noqa: PLC0415
    from fastmlp.threads import default_threads  # noqa: PLC0415

    backend = get_backend("compiled")
    assert isinstance(backend, compiled.CompiledBackend)
    return {
        "fastmlp": __version__,
        "instruction set": backend.isa,
        "instruction sets available": ", ".join(compiled.available_isas()),
        "FASTMLP_ISA": os.environ.get("FASTMLP_ISA", "not set"),
        "level-2 cache": compiled.level_2_cache(),
        "FASTMLP_L2": os.environ.get("FASTMLP_L2", "not set"),
        "matmul_precision": ", ".join(
            name if same == name else f"{name} (here the same as {same})"
            for name in MATMUL_PRECISIONS
            for same in [backend.runs_as(name, np.dtype(np.float32))]
        ),
        "threads by default": str(default_threads()),
        "compiler": _core.COMPILER,
        "python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}",
        **{package: _version_of(package) for package in _REPORTED_PACKAGES},
    }


def show_config() -> None:
    """Print version, instruction set, threads, compiler and dependencies.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.show_config()  # doctest: +ELLIPSIS
    fastmlp ...
    """
    facts = config_dict()
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")
