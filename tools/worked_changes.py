"""Try the worked changes of the site: ``python tools/worked_changes.py``.

``docs/development/worked`` has a diff for each kind of thing that can be added to the library. All
of them are applied to one copy of the sources, which is then built and installed into a folder. The
tests that concern them run there, on every backend. Needs what a build and the tests need.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CHANGES = ROOT / "docs" / "development" / "worked"
BUILD = ROOT / "build" / "worked"

#: What a copy consists of.
SOURCES = (
    "src",
    "csrc",
    "tests",
    "docs",
    "CMakeLists.txt",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)

#: Words by which the cases that concern the changes are chosen. To compile a network with Numba
#: takes a minute, and shows nothing that its kernels do not.
CASES = (
    "(hard_tanh or charbonnier or signum or Signum or block or names_every_row or every_loss)"
    " and not (numba and every_combination)"
)

#: The files that they are in.
TESTS = (
    "test_accuracy.py",
    "test_best_constant.py",
    "test_export_c.py",
    "test_export_onnx.py",
    "test_kernels_activations.py",
    "test_kernels_losses.py",
    "test_kernels_normalizations.py",
    "test_kernels_optimizers.py",
    "test_optimizers.py",
    "test_parameter_table.py",
    "test_registry.py",
    "test_standardize_target.py",
)


class Hunk(NamedTuple):
    """What a stretch of a file is, and what it becomes."""

    before: str
    after: str


def hunks(diff: str) -> dict[str, list[Hunk]]:
    """Return the hunks of a unified diff by the file that they change."""
    found: dict[str, list[Hunk]] = {}
    for part in re.split(r"^--- a/.*\n\+\+\+ b/", diff, flags=re.M)[1:]:
        name, *bodies = re.split(r"^@@.*\n", part, flags=re.M)
        for body in bodies:
            lines = body.splitlines(keepends=True)
            before, after = (
                "".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +")
            )
            found.setdefault(name.strip(), []).append(Hunk(before, after))
    return found


def applied(text: str, hunk: Hunk) -> str:
    """Return a text after a change; raise ValueError unless there is one place for it."""
    places = text.count(hunk.before)
    if places != 1:
        raise ValueError(f"there are {places} places for this, not one:\n{hunk.before}")
    return text.replace(hunk.before, hunk.after)


def apply(diff: Path, folder: Path) -> None:
    """Apply a diff to the files in a folder, wherever in them its lines are by now."""
    for name, changes in hunks(diff.read_text(encoding="utf-8")).items():
        text = (folder / name).read_text(encoding="utf-8")
        for hunk in changes:
            try:
                text = applied(text, hunk)
            except ValueError as error:
                raise ValueError(f"{diff.name}, {name}: {error}") from None
        (folder / name).write_text(text, encoding="utf-8")


def copied(folder: Path) -> Path:
    """Return a fresh copy of the sources with all changes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unwanted = shutil.ignore_patterns("*.so", "__pycache__", "_build", "auto_gallery", "generated")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    for diff in sorted(CHANGES.glob("*.diff")):
        apply(diff, folder)
    return folder


def install(source: Path, target: Path) -> None:
    """Install a copy into a folder. Its speed does not matter, so it is built in a hurry."""
    shutil.rmtree(target, ignore_errors=True)
    settings = {
        "cmake.define.FASTMLP_OPTIMIZATION": "-O1",
        "cmake.define.FASTMLP_WERROR": "ON",
        "build-dir": str(BUILD / "objects"),
    }
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target")
    options = (f"-C{key}={value}" for key, value in settings.items())
    subprocess.run((*command, str(target), *options, str(source)), check=True)


def passed(source: Path, package: Path) -> bool:
    """Run the tests that concern the changes; return whether all of them passed."""
    settings = {**os.environ, "PYTHONPATH": str(package)}
    options = ("-q", "-p", "no:cacheprovider", "-n", os.environ.get("WORKERS", "2"), "-k", CASES)
    paths = (str(source / "tests" / name) for name in TESTS)
    command = (sys.executable, "-m", "pytest", *options, *paths)
    return subprocess.run(command, env=settings, cwd=source, check=False).returncode == 0


def main() -> int:
    """Apply, build, test."""
    source = copied(BUILD / "source")
    install(source, BUILD / "package")
    return int(not passed(source, BUILD / "package"))


if __name__ == "__main__":
    sys.exit(main())
