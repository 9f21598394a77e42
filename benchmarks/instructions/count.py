"""Count the instructions of the core's kernels and hold them against a stored budget.

A count under ``valgrind --tool=callgrind`` does not depend on the machine's load or clock, so a
slip of a few percent shows even on a busy machine. It is no time: what waits for memory or for a
long latency costs no instruction. Run it from anywhere: ``python count.py [--record]``.
Needs valgrind, CMake, Ninja and a C compiler; nothing of Python but its standard library.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUDGET = HERE / "budget.json"
#: valgrind translates AVX2 but not AVX-512. The text of the kernels is the same for both.
ISA = "v3"
#: Percent that a count may be above its budget: with the compiler of the budget (up to its minor
#: version), and with another one, which chooses and unrolls differently.
TOLERANCE = 3.0
TOLERANCE_OTHER_COMPILER = 20.0


class Comparison(NamedTuple):
    """One case: its count, its budget (None when it has none) and what to say of the two."""

    case: str
    counted: int
    budget: int | None
    tolerance: float

    @property
    def percent(self) -> float:
        """How far the count is above the budget."""
        return 100 * (self.counted / self.budget - 1) if self.budget else 0.0

    @property
    def failed(self) -> bool:
        """Whether the count is over the budget, or nobody has set one."""
        return self.budget is None or self.percent > self.tolerance

    @property
    def verdict(self) -> str:
        """One or two words for the table."""
        if self.budget is None:
            return "NO BUDGET"
        if self.failed:
            return "OVER"
        return "below: tighten the budget" if self.percent < -TOLERANCE else "ok"


def run(*command: str | Path) -> str:
    """Return what a command prints; end with its messages when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build_driver(build: Path) -> Path:
    """Compile the core and the driver, as a release; return the driver."""
    options = ("-DCMAKE_BUILD_TYPE=Release", "-DFASTMLP_INSTRUCTIONS=ON")
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, *options)
    run("cmake", "--build", build)
    return build / "benchmarks" / "instructions" / "instructions"


def count(driver: Path, case: str) -> int:
    """Return the number of instructions that a case executes inside ``measured``."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        tool = ("valgrind", "--tool=callgrind", "--toggle-collect=measured")
        run(*tool, f"--callgrind-out-file={profile}", driver, ISA, case)
        total = re.search(r"^totals: (\d+)$", profile.read_text(), re.MULTILINE)
    if total is None or int(total[1]) == 0:
        sys.exit(f"callgrind has counted nothing for {case}")
    return int(total[1])


def count_all(driver: Path) -> dict[str, Any]:
    """Return the counts of all cases in the form in which a budget is stored."""
    cases = run(driver, "list").split()
    counts = {case: count(driver, case) for case in cases}
    return {"compiler": run(driver, "compiler").strip(), "instructions": counts}


def major(compiler: str) -> str:
    """Return "GNU 12" of "GNU 12.2.0"."""
    return compiler.partition(".")[0]


def compare(counted: dict[str, Any], budget: dict[str, Any]) -> list[Comparison]:
    """Hold each count against its budget."""
    same = major(counted["compiler"]) == major(budget["compiler"])
    tolerance = TOLERANCE if same else TOLERANCE_OTHER_COMPILER
    budgets = budget["instructions"]
    return [
        Comparison(case, n, budgets.get(case), tolerance)
        for case, n in counted["instructions"].items()
    ]


def report(comparisons: list[Comparison]) -> None:
    """Print the table."""
    print(f"{'case':24}{'counted':>12}{'budget':>12}{'change':>10}")
    for c in comparisons:
        budget = "none" if c.budget is None else f"{c.budget:,}"
        print(f"{c.case:24}{c.counted:>12,}{budget:>12}{c.percent:>+9.1f}%  {c.verdict}")


def check(counted: dict[str, Any]) -> int:
    """Print the comparison with the stored budget; return the process's exit code."""
    budget = json.loads(BUDGET.read_text())
    comparisons = compare(counted, budget)
    report(comparisons)
    print(f"\ncompiler {counted['compiler']}, budget of {budget['compiler']}, kernels {ISA}")
    print(f"a count may be {comparisons[0].tolerance:g} % above its budget")
    stale = sorted(set(budget["instructions"]) - set(counted["instructions"]))
    if stale:
        print(f"the budget names cases that do not exist: {', '.join(stale)}")
    failed = [c.case for c in comparisons if c.failed]
    if failed:
        print(f"over the budget: {', '.join(failed)}. If that is meant: make instructions-record")
    return int(bool(failed or stale))


def main() -> int:
    """Build, count, and compare or record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="make the counts the new budget")
    parser.add_argument("--build-dir", type=Path, default=ROOT / "build" / "instructions")
    arguments = parser.parse_args()
    missing = [tool for tool in ("valgrind", "cmake", "ninja") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"not found: {', '.join(missing)}")
    counted = count_all(build_driver(arguments.build_dir))
    if not arguments.record:
        return check(counted)
    BUDGET.write_text(json.dumps(counted, indent=2) + "\n")
    print(f"recorded {len(counted['instructions'])} counts in {BUDGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
