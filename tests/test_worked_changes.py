"""The worked changes of the site fit the sources. ``make worked`` also builds and tests them."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "csrc").is_dir(), reason="the sources are not here")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "worked_changes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_of_them_together(tool, tmp_path):
    folder = tool.copied(tmp_path / "copy")
    changed = {
        name for diff in tool.CHANGES.glob("*.diff") for name in tool.hunks(diff.read_text())
    }
    for name in changed:
        text = (folder / name).read_text()
        assert text != (ROOT / name).read_text()
        if name.endswith(".py"):
            ast.parse(text)


def test_each_is_on_the_page_and_changes_every_backend(tool):
    page = (ROOT / "docs" / "development" / "adding.rst").read_text()
    diffs = sorted(tool.CHANGES.glob("*.diff"))
    assert [diff.stem for diff in diffs] == ["activation", "layer", "loss", "optimizer"]
    for diff in diffs:
        assert f"literalinclude:: worked/{diff.name}" in page
        assert any(name.startswith("csrc/") for name in tool.hunks(diff.read_text()))


def test_a_change_has_one_place(tool):
    hunk = tool.Hunk("one\ntwo\n", "one\n2\n")
    assert tool.applied("zero\none\ntwo\n", hunk) == "zero\none\n2\n"
    for text in ("one\n", "one\ntwo\none\ntwo\n"):
        with pytest.raises(ValueError, match="places for this, not one"):
            tool.applied(text, hunk)
