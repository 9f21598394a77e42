"""The examples of the site's pages: lines with prompts, and blocks of Python without them."""

from __future__ import annotations

import ast
import doctest
import io
import re
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

#: A block of Python in reStructuredText, with its options, or in Markdown.
BLOCK = re.compile(
    r"^\.\. code-block:: python\n(?P<options>(?: +:.*\n)*)\n(?P<rst>(?:(?: +.*)?\n)+)"
    r"|^```python\n(?P<md>(?:.*\n)*?)```$",
    re.M,
)


#: A line that puts another file of the site in its place.
INCLUDE = re.compile(r"^\.\. include:: /(.+)$", re.M)


def pages():
    """Return the paths of all pages that people write: not what the build makes."""
    made = {"_build", "auto_gallery", "generated"}
    found = [path for path in DOCS.rglob("*.rst") if not made & set(path.parts)]
    return sorted([path for path in found if "gallery" not in path.parts] + [ROOT / "README.md"])


def missing_library(options):
    """Return the library that ``:class: needs-…`` names and that is not here, or None."""
    for name in re.findall(r"needs-([\w.]+)", options):
        try:
            found = find_spec(name) is not None
        except ModuleNotFoundError:  # of what a submodule is in
            found = False
        if not found:
            return name
    return None


def _as_prompt(match):
    """Return a block as one example, whose output is not looked at."""
    options = match["options"] or ""
    if missing_library(options):
        return "\n"
    source = dedent(match["rst"] or match["md"])
    ast.parse(source)
    return f"\n>>> with SILENCE(): exec({source!r})\n\n"


def _included(match):
    """Return the text of a file that a page includes."""
    return (DOCS / match[1]).read_text(encoding="utf-8")


def examples_of(path):
    """Return a page's examples in their order, as one doctest."""
    text = INCLUDE.sub(_included, path.read_text(encoding="utf-8"))
    text = BLOCK.sub(_as_prompt, text)
    names = {"SILENCE": lambda: redirect_stdout(io.StringIO())}
    name = str(path.relative_to(ROOT))
    return doctest.DocTestParser().get_doctest(text, names, name, str(path), 0)
