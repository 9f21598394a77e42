"""The pages of the gallery read as they are meant to: a heading is text, not a comment of code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fastmlp.registry import ACTIVATIONS

PAGES = sorted(Path(__file__).parents[1].glob("docs/gallery/*/plot_*.py"))
#: The adornment under a heading of reStructuredText, in a comment.
UNDERLINE = re.compile(r"# ([=\-~^\"'#*+])\1{2,}\s*")


def headings_in_code(source):
    """Return the headings whose comment does not begin with ``# %%``, which makes it text."""
    lines, found, is_text = source.splitlines(), [], False
    for number, line in enumerate(lines):
        is_text = line.startswith("#") and (is_text or line.startswith("# %%"))
        if UNDERLINE.fullmatch(line) and not is_text:
            found.append(lines[number - 1])
    return found


def test_a_heading_in_code_is_found():
    heading = "# Title\n# -----\n"
    assert headings_in_code(f"x = 1\n\n{heading}") == ["# Title"]
    assert headings_in_code(f"# %%\n{heading}# text\n") == []
    assert headings_in_code(f"# %%\n# text\n\n{heading}") == ["# Title"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_headings_are_text(page):
    assert headings_in_code(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_import_public_names_only(page):
    modules = re.findall(r"(?:from|import) (fastmlp[\w.]*)", page.read_text(encoding="utf-8"))
    assert set(modules) <= {"fastmlp", "fastmlp.embeddings", "fastmlp.plots", "fastmlp.schedules"}


def test_every_activation_has_its_picture():
    (page,) = (page for page in PAGES if page.stem == "plot_5_activations")
    text = page.read_text(encoding="utf-8")
    assert [name for name in ACTIVATIONS.names if f'"{name}"' not in text] == []
