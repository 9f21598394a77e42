"""What stands around the package: links that work on PyPI, news, and lower bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HOME = PROJECT["urls"]["Homepage"]
RAW = HOME.replace("github.com", "raw.githubusercontent.com")

LINK = re.compile(r"\]\(([^)\s]+)\)")


def links():
    """Return what the README links to."""
    return LINK.findall((ROOT / "README.md").read_text())


@pytest.mark.parametrize("link", links())
def test_a_link_of_the_readme_works_on_pypi_too(link):
    """There it has no folder beside it."""
    assert link.startswith("https://")
    for start in (f"{HOME}/blob/main/", f"{RAW}/main/"):
        if link.startswith(start):
            assert (ROOT / link.removeprefix(start).partition("#")[0]).is_file()


def test_the_readme_has_a_picture():
    assert any(link.endswith(".png") for link in links())


@pytest.mark.parametrize("url", [url for url in PROJECT["urls"].values() if "/blob/" in url])
def test_the_projects_pages_are_there(url):
    assert (ROOT / url.removeprefix(f"{HOME}/blob/main/")).is_file()


def test_fragments_of_news_have_a_kind():
    """Those of another name are left out of the changelog, without a word."""
    names = {path.name for path in (ROOT / "changes").iterdir()} - {"README.md", "template.md"}
    for name in names:
        assert re.fullmatch(r"(\+[\w-]+|\d+)\.(added|changed|fixed|removed)(\.\d+)?\.md", name), (
            name
        )


def test_every_dependency_has_a_lower_bound():
    """It is what `make test-oldest` installs."""
    for dependency in PROJECT["dependencies"]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+", dependency), dependency
