"""Hold the kernels against plain loops, here and on processors that QEMU emulates.

``python tools/emulate.py`` builds the driver of ``tests/kernels`` for this machine and for aarch64
and runs it: as it is; on x86-64 processors that lack AVX-512 or AVX, where an instruction too many
ends it; on aarch64. An emulated processor counts only if it ends kernels that are beyond it. Needs
CMake, a C compiler, and Debian's ``qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross``.
``--only native`` does the first alone, ``--list`` says which of the programs are missing.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "kernels"
PROGRAMS = ("qemu-x86_64", "qemu-aarch64", "aarch64-linux-gnu-gcc")

CROSS = (
    "-DCMAKE_SYSTEM_NAME=Linux",
    "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
    "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
)
#: Features that QEMU lacks, and says so for each thread.
QUIET = "-pcid,-x2apic,-tsc-deadline,-invpcid"


class Processor(NamedTuple):
    """One that is emulated: which kernels it runs, and which it must end."""

    name: str
    emulator: tuple[str, ...]
    isas: str
    beyond: tuple[str, ...]


X86 = [
    Processor("Nehalem, without AVX", ("qemu-x86_64", "-cpu", "Nehalem"), "v2", ("v3", "v4")),
    Processor(
        "Haswell, without AVX-512",
        ("qemu-x86_64", "-cpu", f"Haswell-noTSX,{QUIET}"),
        "v2 v3",
        ("v4",),
    ),
]
AARCH64 = Processor("aarch64", ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"), "neon", ())


def build(name: str, *options: str) -> Path:
    """Return the driver, built with some options of CMake."""
    folder = BUILD / name
    common = ("-G", "Ninja", "-DFASTMLP_KERNEL_TESTS=ON", "-DFASTMLP_WERROR=ON", *options)
    subprocess.run(
        ["cmake", "-S", ROOT, "-B", folder, *common], check=True, stdout=subprocess.DEVNULL
    )
    subprocess.run(["cmake", "--build", folder], check=True, stdout=subprocess.DEVNULL)
    return folder / "tests" / "kernels" / "kernels"


def check(name: str, driver: Path, emulator: tuple[str, ...] = (), isas: str | None = None) -> None:
    """Run the driver, and end if a number differs or other kernels ran than should."""
    print(f"--- {name}", flush=True)
    result = subprocess.run([*emulator, driver], stdout=subprocess.PIPE, text=True, check=False)
    print(result.stdout, end="", flush=True)
    if result.returncode != 0:
        sys.exit(f"the kernels failed on {name}: {result.returncode}")
    ran = result.stdout.splitlines()[-1].removeprefix("tested: ")
    if isas is not None and ran != isas:
        sys.exit(f"{name} ran the kernels {ran}, not {isas}")


def check_limits(processor: Processor, driver: Path) -> None:
    """End if an emulated processor runs what the real one could not."""
    for table in processor.beyond:
        command = [*processor.emulator, driver, "beyond", table]
        result = subprocess.run(command, capture_output=True, check=False)
        if result.returncode != -signal.SIGILL:
            sys.exit(f"{processor.name} did not end the kernels {table}, so it proves nothing")
    print(f"an illegal instruction ends it: {', '.join(processor.beyond)}", flush=True)


def main() -> None:
    """Run the driver wherever it can run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["native"], help="leave out what is emulated")
    parser.add_argument("--list", action="store_true", help="name missing programs, and end")
    options = parser.parse_args()
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if options.list:
        sys.exit(", ".join(missing) or 0)
    native = build("native")
    check(f"this machine, {platform.machine()}", native)
    if options.only:
        return
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; see `make help`")
    if platform.machine() == "x86_64":
        for processor in X86:
            check(processor.name, native, processor.emulator, processor.isas)
            check_limits(processor, native)
    check(AARCH64.name, build("aarch64", *CROSS), AARCH64.emulator, AARCH64.isas)


if __name__ == "__main__":
    main()
