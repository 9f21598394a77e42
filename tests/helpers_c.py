"""Exported files, compiled and called."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.export.values import Value

FLAGS = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def compilers() -> list[str]:
    """Return the C compilers that there are, each once; a test of none says what it needs."""
    found = {os.path.realpath(path) for path in map(shutil.which, ("cc", "gcc", "clang")) if path}
    return sorted(found) or ["none"]


def compile_c(compiler: str, *arguments: str | Path) -> None:
    """Compile; the errors of the compiler are the test's."""
    if compiler == "none":
        pytest.skip("needs a C compiler: cc, gcc or clang")
    command = [compiler, *FLAGS, *map(str, arguments), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]


def run(program: Path) -> str:
    """Return what a program prints; it must end well."""
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


_TYPES = {"float32": ctypes.c_float, "float64": ctypes.c_double}


class Exported:
    """A model in a library of exported ones."""

    def __init__(self, library: ctypes.CDLL, name: str, program: Any) -> None:
        self._library, self._name, self.program = library, name, program
        texts = [each.kind == "text" for each in program.columns]

        class Row(ctypes.Structure):
            _fields_ = tuple(
                (f"c{i}", ctypes.c_char_p if is_text else ctypes.c_double)
                for i, is_text in enumerate(texts)
            )

        self._row = Row

    def _arguments(self, rows: Any) -> list[Any]:
        """Return the first argument of each call."""
        x = self.program.x
        if x is not None:
            return [
                np.ascontiguousarray(row, x.dtype).ctypes.data_as(ctypes.c_void_p) for row in rows
            ]
        texts = [
            [None if v is None else v.encode() for v in column] if each.kind == "text" else column
            for each, column in zip(self.program.columns, rows, strict=True)
        ]
        return [ctypes.byref(self._row(*cells)) for cells in zip(*texts, strict=True)]

    def answers(self, rows: Any) -> dict[str, np.ndarray]:
        """Return all answers (N, width) by their names."""
        answers = self.program.answers
        if "probabilities" in answers:
            return self._called("predict_proba", ["probabilities"], rows)
        if "decision_function" in answers:
            return self._called("decision_function", ["decision_function"], rows)
        found = self._called("predict", ["predictions"], rows)
        if "deviations" in answers:
            both = self._called("predict_std", ["predictions", "deviations"], rows)
            np.testing.assert_array_equal(both["predictions"], found["predictions"])
            return both
        return found

    def _called(self, function: str, outputs: list[str], rows: Any) -> dict[str, np.ndarray]:
        values: list[Value] = [self.program.answers[name] for name in outputs]
        given = self._arguments(rows)
        found = [np.empty((len(given), each.width), each.dtype) for each in values]
        call = self._library[f"{self._name}_{function}"]
        call.restype = None
        for i, row in enumerate(given):
            call(row, *(each[i].ctypes.data_as(ctypes.c_void_p) for each in found))
        return dict(zip(outputs, found, strict=True))

    def classes(self, rows: Any) -> np.ndarray:
        """Return the number of each row's class (N,), or which labels it has (N, K)."""
        call = self._library[f"{self._name}_predict"]
        decision = self.program.decision
        given = self._arguments(rows)
        if not decision.several:
            return np.array([call(row) for row in given])
        found = np.empty((len(given), decision.value.width), np.int32)
        for row, out in zip(given, found, strict=True):
            call(row, out.ctypes.data_as(ctypes.c_void_p))
        return found


def library_of(compiler: str, cases: dict[str, Any], folder: Path, **options: Any) -> Any:
    """Return a library of several models, by their names, compiled as one file."""
    for name, model in cases.items():
        model.to_c(folder / f"{name}.c", name=name, **options)
    text = "\n".join((folder / f"{name}.c").read_text() for name in cases)
    (folder / "all.c").write_text(text)
    compile_c(compiler, "-O0", "-shared", "-fPIC", folder / "all.c", "-o", folder / "all.so")
    library = ctypes.CDLL(str(folder / "all.so"))
    return {name: Exported(library, name, model._program()) for name, model in cases.items()}
