"""What must work where nothing but the wheel is installed. Run with ``python -I``, anywhere.

``package VERSION``: contents and every backend; ``hint``: the command line without its extra;
``picture FILE``: a picture was written; ``table FILE``: write a table to try the command line with.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import fastmlp
from fastmlp.backends import BACKENDS


def check_package(version: str) -> None:
    """Check origin, version and contents, then train on every backend."""
    root = Path(fastmlp.__file__).parent
    assert root.is_relative_to(sysconfig.get_path("purelib")), f"imported from {root}"
    assert fastmlp.__version__ == metadata.version("fastmlp") == version
    files = {str(file) for file in metadata.files("fastmlp")}
    assert any(file.endswith("licenses/LICENSE") for file in files), "the licence is missing"
    assert any(file.startswith("fastmlp/backends/_core") for file in files), "no compiled core"
    assert "fastmlp/py.typed" in files, "the marker of a typed package is missing"
    assert "fastmlp/cli/page/page.html" in files, "the template of reports is missing"
    sources = [file for file in files if file.endswith((".c", ".h", ".inc", ".pyx", ".pxd"))]
    assert not sources, f"sources in the wheel: {sources}"
    print(f"package {version} in {root}: {len(files)} files")
    for backend in BACKENDS:
        check_backend(backend)


def check_backend(backend: str) -> None:
    """Check that a classifier and a regressor learn."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    classifier = fastmlp.MLPClassifier(
        hidden_layer_sizes=(64,),
        max_iter=60,
        n_iter_no_change=60,
        tol=0,
        backend=backend,
        random_state=0,
    )
    accuracy = classifier.fit(X[:1300], y[:1300]).score(X[1300:], y[1300:])
    assert accuracy > 0.85, f"{backend}: test accuracy {accuracy}"
    target = np.sin(X @ np.linspace(-1, 1, 64))
    regressor = fastmlp.MLPRegressor(
        hidden_layer_sizes=(32,), solver="lbfgs", backend=backend, random_state=0
    )
    r2 = regressor.fit(X, target).score(X, target)
    assert r2 > 0.9, f"{backend}: R2 {r2}"
    print(f"backend {backend}: test accuracy {accuracy:.3f}, R2 {r2:.3f}")


def check_hint() -> None:
    """Check that the console script says what to install."""
    script = Path(sysconfig.get_path("scripts")) / "fastmlp"
    result = subprocess.run([script, "info"], capture_output=True, text=True, check=False)
    assert result.returncode == 1, result
    assert 'pip install "fastmlp[cli]"' in result.stderr, result
    print(f"without the extra: {result.stderr.strip()}")


def check_picture(path: str) -> None:
    """Check that the file is a PNG with something in it."""
    content = Path(path).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n"), content[:8]
    assert len(content) > 10_000, len(content)
    print(f"{path}: {len(content)} bytes")


def write_table(path: str) -> None:
    """Write a small table of gaps, words and numbers."""
    rows = [f"{i % 17},{'' if i % 9 == 0 else i % 5},{'abc'[i % 3]}" for i in range(200)]
    kinds = ["large" if i % 17 > 8 else "small" for i in range(200)]
    lines = [",".join(pair) for pair in zip(rows, kinds, strict=True)]
    Path(path).write_text("\n".join(["size,count,word,kind", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are few on purpose
    what, *arguments = sys.argv[1:]
    checks = {"package": check_package, "hint": check_hint, "picture": check_picture}
    {**checks, "table": write_table}[what](*arguments)
