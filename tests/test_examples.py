"""Every example in a docstring of the package, and on a page, runs and shows what it says."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import re
from importlib import import_module
from importlib.util import find_spec

import matplotlib as mpl
import pytest
from helpers_pages import BLOCK, ROOT, examples_of, missing_library, pages

import fastmlp

MODULES = [
    "fastmlp",
    *(
        module.name
        for module in pkgutil.walk_packages(fastmlp.__path__, "fastmlp.")
        if not module.name.endswith(("__main__", "._core", "adapters.autogluon"))
        and not (module.name.startswith("fastmlp.export.torch") and find_spec("torch") is None)
    ),
]

PAGES = [path for path in pages() if examples_of(path).examples]


@pytest.fixture(autouse=True)
def _no_windows():
    mpl.use("Agg")


def examples(name):
    """Return the doctests of a module and of what it defines."""
    return [test for test in doctest.DocTestFinder().find(import_module(name)) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    for test in examples(name):
        assert runner.run(test).failed == 0, test.name


# What runs at which precision depends on the machine.
@pytest.mark.filterwarnings("ignore:.*matmul_precision")
@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_pages(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    assert runner.run(examples_of(path)).failed == 0


def test_every_python_on_a_page_is_run():
    """Blocks without prompts count, and one that says so may need a library that is not here."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        assert "code-block:: pycon" not in text
        announced = re.findall(r"^\.\. code-block:: python$|^```python$", text, re.M)
        blocks = list(BLOCK.finditer(text))
        assert len(announced) == len(blocks), path
        assert all(missing_library(block["options"] or "") != "fastmlp" for block in blocks)


@pytest.mark.parametrize("name", [name for name in fastmlp.__all__ if not name.startswith("_")])
def test_public_names_have_an_example(name):
    public = getattr(fastmlp, name)
    if inspect.isclass(public) and issubclass(public, Exception):
        assert public.__doc__
    else:
        assert ">>>" in (public.__doc__ or "")


def imported_names():
    """Yield the names of ours that the pages and the gallery import, with their modules."""
    gallery = sorted((ROOT / "docs" / "gallery").rglob("*.py"))
    for path in [*pages(), *gallery]:
        if path.name != "adding.rst":
            text = path.read_text(encoding="utf-8")
            for module, names in re.findall(r"from (fastmlp[.\w]*) import ([\w, ]+)", text):
                yield from ((module, name.strip()) for name in names.split(","))


def test_the_reference_has_what_the_pages_import():
    listed = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8").split()
    names = sorted(set(imported_names()))
    assert ("fastmlp", "MLPClassifier") in names
    missing = [
        (module, name)
        for module, name in names
        if f"{module}.{name}" not in listed
        and not (module in listed and name in import_module(module).__all__)
    ]
    assert missing == []
