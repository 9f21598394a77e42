"""Count which lines the tests run, in C by gcov and in Python by coverage.

``python tools/coverage_of_lines.py [--more] [pytest's options]``: builds the core with counters,
runs the tests on it, and prints what no test has run. Fails below 95 % of the lines of either
language. ``--more`` adds to what an earlier run has counted, so that files can be run one after the
other.
Needs GCC with its gcov, and coverage and pytest-cov in this Python.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "coverage"
PACKAGE, OBJECTS = BUILD / "package", BUILD / "objects"
GOAL = 95.0

#: What the interpreter can't count: bodies that Numba compiles, and what only type checkers read.
SETTINGS = """
[run]
source = {package}
data_file = {build}/python
parallel = true
patch = subprocess
disable_warnings = no-data-collected
[report]
exclude_also =
    @([a-z]+_)*(kernel|entry_point)
    @intrinsic
    if TYPE_CHECKING:
    @overload
    @abstractmethod
    \\.\\.\\.$
"""


def build() -> None:
    """Install the package with a core that counts its lines."""
    settings = {
        "cmake.define.FASTMLP_COVERAGE": "ON",
        "cmake.build-type": "Debug",
        "install.strip": "false",
        "build-dir": str(OBJECTS),
    }
    options = (f"-C{key}={value}" for key, value in settings.items())
    install = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade")
    subprocess.run((*install, "--target", str(PACKAGE), *options, str(ROOT)), check=True)
    forget()
    (BUILD / "settings").write_text(SETTINGS.format(package=PACKAGE / "fastmlp", build=BUILD))


def forget() -> None:
    """Forget what was counted before."""
    for old in [*OBJECTS.rglob("*.gcda"), *BUILD.glob("python*")]:
        old.unlink()


def run_tests(options: list[str]) -> int:
    """Run the tests; return pytest's exit code."""
    counting = ("--cov", "--cov-append", f"--cov-config={BUILD / 'settings'}", "--cov-report=")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *counting)
    settings = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    return subprocess.run((*command, *options), cwd=ROOT, env=settings, check=False).returncode


def lines_of_c() -> dict[str, dict[int, int]]:
    """Return how often each line of ``csrc/`` ran, in whichever build it ran most often."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for counts in OBJECTS.rglob("*.gcda"):
        command = ("gcov", "--json-format", "--stdout", str(counts))
        text = subprocess.run(command, capture_output=True, check=True, cwd=BUILD).stdout
        for unit in map(json.loads, text.splitlines()):
            for file, line, count in lines_of(unit):
                found[file][line] = max(found[file].get(line, 0), count)
    return found


def lines_of(unit: dict) -> Iterator[tuple[str, int, int]]:
    """Yield the file, number and count of each of our lines in what gcov says of an object."""
    for file in unit["files"]:
        path = Path(unit["current_working_directory"], file["file"]).resolve()
        if path.is_relative_to(ROOT / "csrc"):
            name = str(path.relative_to(ROOT))
            yield from ((name, line["line_number"], line["count"]) for line in file["lines"])


def report_c() -> float:
    """Print which lines of C did not run; return the share of those that did, in percent."""
    found = lines_of_c()
    for name, lines in sorted(found.items()):
        missed = sorted(number for number, count in lines.items() if count == 0)
        if missed:
            print(f"{name}: {len(missed)} of {len(lines)} lines did not run: {missed}")
    n_lines = sum(map(len, found.values()))
    n_run = sum(count > 0 for lines in found.values() for count in lines.values())
    share = 100 * n_run / n_lines
    print(f"C: {n_run} of {n_lines} lines ran, {share:.2f} %")
    return share


def report_python() -> float:
    """Print the same of Python."""
    settings = f"--rcfile={BUILD / 'settings'}"
    coverage = (sys.executable, "-m", "coverage")
    subprocess.run((*coverage, "combine", "--quiet", settings), check=False, cwd=BUILD)
    shown = ("report", settings, "--show-missing", "--skip-covered", "--precision=2")
    done = subprocess.run((*coverage, *shown), capture_output=True, text=True, check=False)
    print(done.stdout.replace(f"{PACKAGE}/", ""), done.stderr)
    share = float(re.findall(r"^TOTAL.* ([\d.]+)%", done.stdout, re.MULTILINE)[0])
    print(f"Python: {share:.2f} %")
    return share


def main() -> int:
    """Build, test, report."""
    if shutil.which("gcov") is None:
        sys.exit("make coverage needs GCC with its gcov.")
    options = sys.argv[1:]
    if "--more" in options:
        options.remove("--more")
    else:
        build()
    code = run_tests(options)
    shares = report_python(), report_c()
    return int(code != 0 or min(shares) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
