"""How Sphinx builds the site; ``make docs`` runs it with warnings as errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

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
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["templates"]
exclude_patterns = ["_build", "gallery"]
default_role = "code"
nitpicky = False

# One page per public name: what a module's __all__ holds, wherever it is defined.
autosummary_ignore_module_all = False
autodoc_typehints = "none"
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
html_context = {"default_mode": "light"}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"guide": [], "index": []}


def _skip_foreign(_: Any, __: str, ___: str, member: Any, skip: bool, ____: Any) -> bool:
    """Leave out what other libraries document: scikit-learn's routing of metadata, its mixins."""
    module = getattr(member, "__module__", None) or "fastmlp"
    return skip or not module.startswith("fastmlp")


def setup(app: Any) -> None:
    """Connect the filter above."""
    app.connect("autodoc-skip-member", _skip_foreign)
