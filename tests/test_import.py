"""What ``import fastmlp`` brings along, and what it must not."""

from __future__ import annotations

import pytest
from helpers_process import run_python

import fastmlp

SLOW_MODULES = [
    "numba",
    "llvmlite",
    "fastmlp.custom",
    "matplotlib",
    "rich",
    "click",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.preprocessing",
    "sklearn.neural_network",
    "fastmlp.config",
    "fastmlp.tables",
    "fastmlp.tabular",
    "fastmlp.training.loop",
    "fastmlp.backends.numba_jit",
    "fastmlp.backends.reference",
]


@pytest.fixture(scope="module")
def loaded_modules():
    """Names of the modules that a fresh interpreter has after ``import fastmlp``."""
    code = "import sys, fastmlp; print(*sys.modules, sep='\\n')"
    return set(run_python(code).split())


@pytest.mark.parametrize("module", SLOW_MODULES)
def test_import_leaves_out(module, loaded_modules):
    assert "fastmlp.estimators.classifier" in loaded_modules
    assert module not in loaded_modules


def test_public_names_exist():
    for name in fastmlp.__all__:
        assert getattr(fastmlp, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        fastmlp.nonsense  # noqa: B018
