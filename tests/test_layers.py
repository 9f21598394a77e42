"""Where the package raises and what imports what, as docs/ARCHITECTURE.md says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fastmlp

ROOT = Path(fastmlp.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))
#: Not for arguments of the library: our own tables, what the environment asks for, damaged models,
#: options of objects that lie below the checks, and what a backend does not have.
OTHER_ERRORS = {
    *("names.py", "registry.py", "backends/compiled.py", "plan/description.py"),
    *("options.py", "schedules/schedule.py", "backends/numba_jit/__init__.py"),
}


def path_of(module):
    return module.relative_to(ROOT).as_posix()


def raised(source):
    """Return the names of the exceptions that a module's code raises itself."""
    calls = (node.exc for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise))
    return {ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)}


@pytest.mark.parametrize("module", MODULES, ids=path_of)
def test_only_validation_raises_for_arguments(module):
    name = path_of(module)
    if not name.startswith("validation/") and name not in OTHER_ERRORS:
        assert not raised(module.read_text(encoding="utf-8")) & {"TypeError", "ValueError"}


def imports_at_the_top(module):
    """Return the modules of the package that one imports as it is loaded itself, not for types."""
    nodes = ast.parse(module.read_text(encoding="utf-8")).body
    return [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


@pytest.mark.parametrize("module", MODULES, ids=path_of)
def test_estimators_know_no_kernels_and_kernels_no_estimators(module):
    name, found = path_of(module), imports_at_the_top(module)
    below = (
        "backends/",
        "validation/",
        "plan/description.py",
        "plan.py",
        "network.py",
        "parameters.py",
        "initializers.py",
    )
    above = ("fastmlp.estimators", "fastmlp.historic", "fastmlp.plots", "fastmlp.cli")
    kernels = ("fastmlp.backends.compiled", "fastmlp.backends.numba_jit", "fastmlp.backends._core")
    if name.startswith(below):
        assert not [each for each in found if each.startswith(above)]
    if name.startswith("estimators/"):
        assert not [each for each in found if each.startswith(kernels)]


@pytest.mark.parametrize("module", sorted((ROOT / "validation").glob("*.py")), ids=path_of)
def test_only_wording_shows_a_value(module):
    """Elsewhere a representation, of any length, would get into an error text."""
    nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
    shown = [node for node in nodes if isinstance(node, ast.FormattedValue)]
    own = path_of(module) == "validation/wording.py"
    assert own or not [node.lineno for node in shown if node.conversion == ord("r")]
