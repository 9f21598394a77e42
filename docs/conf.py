"""How Sphinx builds the site; ``make docs`` runs it with warnings as errors."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from inspect import isfunction
from pathlib import Path
from typing import Any

from sphinx.util import logging

# For gallery_style.py, which the examples' reset names.
sys.path.insert(0, str(Path(__file__).parent))

import fastmlp

project = "fastmlp"
author = "The fastmlp developers"
copyright = f"2025, {author}"
version = release = fastmlp.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "myst_parser",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["templates"]
exclude_patterns = ["_build", "gallery"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = "code"

# Every name of ours that a page refers to must be there. The inventories of other libraries would
# have to be fetched, so their names are not looked up.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(sklearn|numpy|scipy|pandas|matplotlib)\..*")]

# Pages in Markdown are files that are read on GitHub too: their headings are targets of links.
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]

linkcheck_timeout = 20
linkcheck_anchors = False

# Formulas are set without a network: one file of MathJax, which draws them as SVG, so that there
# are no fonts to load either (Firefox refuses those of a page that was opened as a file).
mathjax_path = "mathjax/tex-svg-full.js"

# One page per public name: what a module's __all__ holds, wherever it is defined.
autosummary_ignore_module_all = False
autosummary_imported_members = True
# The adapters are read without the libraries that they adapt to.
autodoc_mock_imports = ["autogluon", "onnx", "skl2onnx"]
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "reset_modules": ("gallery_style.apply",),
    "backreferences_dir": "auto_gallery/backreferences",
    "doc_module": ("fastmlp",),
    "reference_url": {"fastmlp": None},
    "image_srcset": ["2x"],
    "capture_repr": (),
    "show_signature": False,
    "download_all_examples": False,
    "write_computation_times": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "fastmlp"
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "light"}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "quickstart": []}


def _skip_foreign(_: Any, __: str, ___: str, member: Any, skip: bool, ____: Any) -> bool:
    """Leave out what other libraries document: scikit-learn's routing of metadata, its mixins."""
    module = getattr(member, "__module__", None) or "fastmlp"
    return skip or not module.startswith("fastmlp")


#: Modules whose public names have a page each, there or as names of the package.
PUBLIC = ("averaging", "dask", "data", "embeddings", "historic")
PUBLIC += ("optimizers", "plots", "schedules", "tabular")


def _public_names() -> Iterator[tuple[str, list[str]]]:
    """Yield each public name as people write it, with the places where its page may be."""
    for module in (fastmlp, *(import_module(f"fastmlp.{name}") for name in PUBLIC)):
        for name in (name for name in module.__all__ if not name.startswith("_")):
            places = [f"{module.__name__}.{name}", f"fastmlp.{name}"]
            yield places[0], places
            public = getattr(module, name)
            for member, value in vars(public).items() if isinstance(public, type) else ():
                if isfunction(value) and not member.startswith("_"):
                    yield f"{places[0]}.{member}", [f"{place}.{member}" for place in places]


def _check_reference(_: Any, env: Any) -> None:
    """Warn, which ends the build, of each public name or method that the reference lacks."""
    documented = env.get_domain("py").objects
    for name, places in _public_names():
        if not any(place in documented for place in places):
            logging.getLogger(__name__).warning("the reference lacks %s", name)


def _ship_mathjax(app: Any, error: Exception | None) -> None:
    """Copy the file of MathJax that the pages load; its package has 24 MB of others."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", mathjax_path)
        files = metadata.files("sphinx-mathjax-offline") or []
        (file,) = (each for each in files if each.name == target.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)


def setup(app: Any) -> None:
    """Connect the functions above."""
    app.connect("autodoc-skip-member", _skip_foreign)
    app.connect("env-check-consistency", _check_reference)
    app.connect("build-finished", _ship_mathjax)
