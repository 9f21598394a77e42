"""The dimensions of the test matrix: backend (with every instruction set) × dtype."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from helpers_quick import WithoutNumba, quick

from fastmlp import backends
from fastmlp.backends import BACKENDS, get_backend
from fastmlp.backends.compiled import CompiledBackend, available_isas
from fastmlp.backends.protocol import Backend


@pytest.fixture
def close_figures() -> Iterator[None]:
    """Close what a test has drawn; files of plots ask for it by ``pytestmark``."""
    from matplotlib import pyplot as plt

    yield
    plt.close("all")


def _labels() -> list[str]:
    """Every backend; the compiled one once for each instruction set that this machine has."""
    compiled = [f"compiled-{isa}" for isa in available_isas()]
    return [*compiled, *(name for name in BACKENDS if name != "compiled")]


@cache
def _backend(label: str) -> Backend:
    if label.startswith("compiled-"):
        # All threads always: one that finds itself faster alone would test nothing of the team.
        return CompiledBackend(isa=label.removeprefix("compiled-"), measures_pace=False)
    return get_backend(label)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--quick``."""
    text = "run a few cases of each test, without Numba, other instruction sets and slow files"
    parser.addoption("--quick", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Keep ``--quick`` from compiling with Numba in tests that go through all backends."""
    if config.getoption("quick"):
        backends.BACKENDS = WithoutNumba(BACKENDS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``--quick`` does not run; ``-k`` and ``-m`` have chosen before.

    Cases of Numba come first: of two workers, the first one begins with an eighth of all cases,
    which holds them all, so that both don't compile the same functions at the same time. A name
    that differs from process to process keeps pytest-xdist's workers from sharing the tests.
    """
    addresses = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if addresses:
        raise pytest.UsageError(f"give these cases ids without addresses: {addresses}")
    items.sort(key=lambda item: "numba" not in item.name)
    if config.getoption("quick"):
        chosen = list(quick(items))
        rest = set(items) - set(chosen)
        config.hook.pytest_deselected(items=[item for item in items if item in rest])
        items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt: a shell's background job is started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(params=_labels())
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn."""
    return _backend(request.param)


@pytest.fixture(params=[name for name in _labels() if name != "numpy"])
def threaded_backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend that uses ``n_threads``."""
    return _backend(request.param)


@pytest.fixture(params=[name for name in _labels() if name != "numba"])
def front_backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend that makes something of columns before the first layer."""
    return _backend(request.param)


@pytest.fixture(params=[label for label in _labels() if label.startswith("compiled-")])
def compiled_backend(request: pytest.FixtureRequest) -> Backend:
    """The compiled backend with each instruction set."""
    return _backend(request.param)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> np.dtype:
    """The type of all arrays of a call."""
    return np.dtype(request.param)
