"""The C sources as a reader meets them: each file compiles alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).resolve().parents[1] / "csrc"
FILES = sorted(path for kind in ("*.inc", "*.h") for path in CSRC.rglob(kind))
COMPILER = shutil.which(os.environ.get("CC", "cc"))

#: Vectors that every machine has, whose headers are short; a file alone leaves functions unused.
AS_BUILT = ["-DFASTMLP_DOUBLE=0", "-DFASTMLP_VECTOR_BYTES=16", "-DFASTMLP_ISA_NAME=alone"]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-const-variable"]


@pytest.mark.skipif(not CSRC.is_dir(), reason="the sources are not here")
@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
def test_each_file_compiles_alone(tmp_path):
    """So that a reader, and an editor, can open it alone. One run of the compiler is for all."""
    alone = []
    for path in FILES:
        alone.append(tmp_path / f"{path.stem}.c")
        alone[-1].write_text(f'#include "{path.relative_to(CSRC)}"\n')
    command = [COMPILER, "-std=gnu11", "-fsyntax-only", f"-I{CSRC}", *AS_BUILT, *WARNINGS]
    done = subprocess.run(
        [*command, "-Wno-psabi", *alone], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not CSRC.is_dir(), reason="the sources are not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_guards_itself(path):
    """By a name that no other file has, as names of files here are unique."""
    guard = f"FASTMLP_{path.stem.upper()}_{path.suffix[1:].upper()}"
    guard = {"FASTMLP_FASTMLP_H": "FASTMLP_H"}.get(guard, guard)
    assert f"\n#ifndef {guard}\n#define {guard}\n" in path.read_text(encoding="utf-8")
