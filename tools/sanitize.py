"""Run tests on a core built for a sanitizer: ``python tools/sanitize.py [address] [thread]``.

``address`` looks for memory that is not ours and for undefined behaviour, ``thread`` for data
races; both run by default. Python itself is an ordinary one, into which the sanitizer's library is
preloaded: it sees every allocation and every lock, and every access to memory by the core. Before
the tests count, a fault made on purpose must be found. Needs GCC with its sanitizers, and what the
tests need; of Python only its standard library.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "sanitize"

PREAMBLE = """
import threading
import numpy as np
from fastmlp.backends import get_backend
kernels = get_backend("compiled").kernels(np.dtype(np.float32))
"""

#: Writes behind an array.
OUT_OF_BOUNDS = """
kernels.activate(1, np.zeros(100, "f4"), np.zeros(90, "f4"), np.zeros(100, "f4"))
"""

#: Reads numbers from an odd address.
MISALIGNED = """
odd = np.zeros(401, "u1")[1:].view("f4")
kernels.activate(1, odd, np.zeros(100, "f4"), np.zeros(100, "f4"))
"""

#: Two threads shorten the same weights.
RACE = """
w = np.ones((1000, 1000), "f4")

def shorten():
    for _ in range(50):
        kernels.limit_norms(w, 0.5)

threads = [threading.Thread(target=shorten) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Sanitizer(NamedTuple):
    """What one of them needs, what it is shown, and which tests it watches."""

    libraries: tuple[str, ...]
    options: dict[str, str]
    #: Faulty programs, each with what a report of it says.
    planted: dict[str, str]
    tests: tuple[str, ...]
    left_out: tuple[str, ...]
    #: Tests that run on the fastest instruction set alone.
    on_fastest: str = "determinism"
    variables: Mapping[str, str] = {}


SANITIZERS = {
    "address": Sanitizer(
        libraries=("libasan.so", "libubsan.so"),
        options={
            # Python keeps much until its end. Too large an array is a MemoryError, as elsewhere.
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"
            ":max_allocation_size_mb=4096",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
        planted={OUT_OF_BOUNDS: "heap-buffer-overflow|unknown-crash", MISALIGNED: "misaligned"},
        tests=(
            "test_kernels_*.py",
            "test_network_*.py",
            "test_training_loop.py",
            "test_determinism.py",
            "test_estimators.py",
            "test_normalization_parameter.py",
            "test_regularisers.py",
            "test_early_stopping.py",
            "test_predictor.py",
            "test_historic.py",
            "test_sparse.py",
            "test_pieces.py",
            "test_shuffling.py",
            "test_damaged_pickles.py",
            "test_concurrent_refit.py",
        ),
        left_out=("error_of_sums", "kernels_isa"),  # slow, and others run the same code
    ),
    "thread": Sanitizer(
        libraries=("libtsan.so",),
        options={"TSAN_OPTIONS": "halt_on_error=1"},
        planted={RACE: "data race"},
        tests=(
            "test_determinism.py",
            "test_exchange.py",  # every way in which threads exchange what they learn
            "test_row_blocks.py",  # L-BFGS
            "test_predictor.py",
            "test_short_predictions.py",
            "test_concurrent_refit.py",
        ),
        # A fork of several threads is beyond this sanitizer, and its own memory grows.
        left_out=("fork", "memory", "fits_and_slopes"),
        on_fastest="test_",
        variables={"FASTMLP_HARD": "1"},  # teams of every number of threads from 1 to 8
    ),
}


def compiler() -> str:
    """Return the C compiler that CMake takes."""
    return os.environ.get("CC") or shutil.which("cc") or "gcc"


def library(name: str) -> str:
    """Return where the compiler has a sanitizer's library; end with what to do when it has none."""
    command = (compiler(), f"-print-file-name={name}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = Path(done.stdout.strip())
    if done.returncode != 0 or not found.is_absolute():
        sys.exit(f"make sanitize needs GCC with its sanitizers, but {command[0]} has no {name}.")
    return str(found)


def build(name: str) -> Path:
    """Install the package with a core for the sanitizer; return the folder that it is in."""
    target = BUILD / name / "package"
    settings = {
        "cmake.define.FASTMLP_SANITIZE": name,
        "cmake.build-type": "Debug",
        "install.strip": "false",
        "build-dir": str(BUILD / name / "objects"),
    }
    install = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade")
    options = (f"-C{key}={value}" for key, value in settings.items())
    subprocess.run((*install, "--target", str(target), *options, str(ROOT)), check=True)
    return target


def environment(sanitizer: Sanitizer, package: Path, reports: Path) -> dict[str, str]:
    """Return the environment of a Python that is watched."""
    log = f"log_path={reports}/report"
    return {
        **os.environ,
        "LD_PRELOAD": " ".join(map(library, sanitizer.libraries)),
        **{name: f"{value}:{log}" for name, value in sanitizer.options.items()},
        **sanitizer.variables,
        "PYTHONPATH": str(package),
        "PYTHONMALLOC": "malloc",  # so that each object of Python's is an allocation
        "OPENBLAS_NUM_THREADS": "1",
    }


def found_in(reports: Path) -> str:
    """Return what a sanitizer reported, and clear it away."""
    files = sorted(reports.glob("report*"))
    text = "".join(file.read_text(errors="replace") for file in files)
    for file in files:
        file.unlink()
    return re.sub(r"^.*failed to allocate.*\n", "", text, flags=re.MULTILINE)  # a MemoryError


def require_sight(sanitizer: Sanitizer, settings: dict[str, str], reports: Path) -> None:
    """End unless each fault made on purpose is reported."""
    for program, words in sanitizer.planted.items():
        command = (sys.executable, "-c", PREAMBLE + program)
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
        found = done.stderr + found_in(reports)
        if done.returncode == 0 or not re.search(words, found):
            sys.exit(f"A planted fault was not found:\n{program}\n{found}")


def isas(settings: dict[str, str]) -> list[str]:
    """Return the instruction sets that run here, slowest first."""
    code = "from fastmlp.backends.compiled import available_isas as i; print(*i())"
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    return done.stdout.split()


def run_tests(sanitizer: Sanitizer, settings: dict[str, str]) -> int:
    """Run the tests, but those of other backends, and some on the fastest instruction set alone.

    Return pytest's exit code.
    """
    slower = [f"({sanitizer.on_fastest} and compiled-{isa})" for isa in isas(settings)[:-1]]
    left_out = ["numba", "numpy", *slower, *sanitizer.left_out]
    files = [str(file) for name in sanitizer.tests for file in sorted((ROOT / "tests").glob(name))]
    # What goes to the real stderr stays visible: reports of undefined behaviour know no other way.
    options = ("-q", "--capture=sys", "-p", "no:cacheprovider")
    workers = ("-n", os.environ.get("WORKERS", "2"))
    chosen = ("-k", " and ".join(f"not {words}" for words in left_out), *files)
    command = (sys.executable, "-m", "pytest", *options, *workers, *chosen)
    return subprocess.run(command, env=settings, cwd=ROOT, check=False).returncode


def watch(name: str) -> bool:
    """Build, plant a fault, run the tests; return whether all is well."""
    sanitizer, reports = SANITIZERS[name], BUILD / name / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    found_in(reports)
    settings = environment(sanitizer, build(name), reports)
    require_sight(sanitizer, settings, reports)
    code = run_tests(sanitizer, settings)
    found = found_in(reports)
    print(found)
    print(f"{name}: {'reports, see above' if found else 'no report'}; pytest's exit code is {code}")
    return code == 0 and not found


def main() -> int:
    """Run what the command line names, or all."""
    names = sys.argv[1:] or list(SANITIZERS)
    if not set(names) <= set(SANITIZERS):
        sys.exit(f"usage: python {Path(__file__).name} [{'|'.join(SANITIZERS)}] …")
    well = [watch(name) for name in names]
    return int(not all(well))


if __name__ == "__main__":
    sys.exit(main())
