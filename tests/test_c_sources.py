"""The C sources as a reader meets them: each file compiles alone, and every array has a shape."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).resolve().parents[1] / "csrc"
FILES = sorted(path for kind in ("*.inc", "*.h") for path in CSRC.rglob(kind))
COMPILER = shutil.which(os.environ.get("CC", "cc"))

#: Vectors that every machine has, whose headers are short; a file alone leaves functions unused.
AS_BUILT = [
    "-DFASTMLP_DOUBLE=0",
    "-DFASTMLP_BFLOAT16=0",
    "-DFASTMLP_VECTOR_BYTES=16",
    "-DFASTMLP_ISA_NAME=alone",
]
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


# -- shapes ---------------------------------------------------------------------------------------

_COMMENT = r"/\*(?:[^*]|\*(?!/))*\*/"
_ARRAY = re.compile(
    r"\b(?:real|operand|vec|words|lanes|float|double|u?int\d+_t|void|type)\s*\*\s*(?:const\s+)?"
    rf"(?P<name>\w+)\b(?!\s*\()[\[\w\]]*(?P<shape>\s*{_COMMENT})?"
)
#: What declares parameters: functions, their types, members that are functions, and macros.
_SIGNATURE = re.compile(
    rf"(?P<comment>{_COMMENT}\n)?^(?P<text>"
    r"(?:static|INLINE|EXPORT|typedef \w+ \(\*|void|int64_t|    \w+ \(\*)[^;{}#=]*?\([^;{}#=]*\)"
    r"|#define (?:[^\n]*\\\n)+[^\n]*)",
    re.MULTILINE,
)
#: Pointers to what only the other side knows.
_OPAQUE = {"shared", "state", "argument"}
_STRUCT = re.compile(r"^(?:typedef )?struct[^;{}]*\{(?P<body>[^{}]*)\}", re.MULTILINE)


def _shapeless(comment: str, text: str) -> list[str]:
    """Return the arrays in ``text`` whose shape stands neither behind them nor in the comment."""
    return [
        array["name"]
        for array in _ARRAY.finditer(text)
        if not array["shape"]
        and array["name"] not in _OPAQUE
        and not re.search(rf"\b{array['name']}\b[^().;]*\(", comment)
        and not re.search(rf"{array['name']} =|^#define \w+\([^)]*{array['name']}", text)
    ]


def test_the_checker_sees_an_array_without_shape():
    bare = "static void add(int64_t n, const real *a, real *b /* (n) */)\n{\n}\n"
    found = _SIGNATURE.search(f"/* a + b. */\n{bare}")
    assert found is not None
    assert _shapeless(found["comment"], found["text"]) == ["a"]
    assert _shapeless("/* a (n) + b. */", found["text"]) == []


@pytest.mark.skipif(not CSRC.is_dir(), reason="the sources are not here")
@pytest.mark.parametrize("path", [*FILES, *sorted(CSRC.rglob("*.c"))], ids=lambda path: path.name)
def test_every_array_has_a_shape(path):
    text = path.read_text(encoding="utf-8")
    for found in _SIGNATURE.finditer(text):
        assert not _shapeless(found["comment"] or "", found["text"]), found["text"]
    for struct in _STRUCT.finditer(text):
        fields = re.sub(r"\([^()]*\*[^()]*\)\(.*?\);", "", struct["body"], flags=re.DOTALL)
        for line in re.findall(rf"[^;]*;(?:[ ]*{_COMMENT})?", fields):
            field, _, comment = line.partition(";")
            array = _ARRAY.search(re.sub(_COMMENT, "", field))
            if array is not None and array["name"] not in _OPAQUE:
                assert "(" in comment, line
