"""Say what is wrong with built distributions: ``python tools/check_wheel.py FILE …``.

A wheel for Linux must have a manylinux or musllinux tag, be at most 3 MB, hold no sources, and
export nothing but what Python and threadpoolctl look up. A source distribution must hold what a
build needs. Needs ``nm`` of binutils for the names.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 3_000_000
EXPORTED = {"PyInit__core", "fastmlp_get_num_threads", "fastmlp_set_num_threads"}
NEEDED = ("pyproject.toml", "CMakeLists.txt", "csrc/fastmlp.h", "src/fastmlp/backends/_core.pyx")


def exported_names(library: bytes) -> set[str]:
    """Return the names that an ELF library defines for others."""
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(library)
        file.flush()
        command = ["nm", "--dynamic", "--defined-only", "--format=posix", file.name]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = {line.split()[0] for line in listed.splitlines()}
    return {name for name in names if not name.startswith(("_init", "_fini"))}


def faults_of_wheel(path: Path) -> Iterator[str]:
    """Yield what is wrong with a wheel."""
    if path.stat().st_size > MOST_BYTES:
        yield f"it has {path.stat().st_size:,} bytes; {MOST_BYTES:,} are allowed"
    if "-linux_" in path.name:
        yield "its tag is that of one machine: repair it by auditwheel"
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        for name in names:
            if name.endswith((".c", ".h", ".inc", ".pyx", ".pxd")):
                yield f"it holds a source: {name}"
        for needed in ("fastmlp/py.typed", "licenses/LICENSE"):
            if not any(name.endswith(needed) for name in names):
                yield f"{needed} is missing"
        cores = [name for name in names if name.startswith("fastmlp/backends/_core.cpython")]
        if len(cores) != 1:
            yield f"it has {len(cores)} compiled cores"
        for core in cores if "linux_" in path.name else ():
            found = exported_names(wheel.read(core))
            if found != EXPORTED:
                yield f"{core} exports {sorted(found)}"


def faults_of_sources(path: Path) -> Iterator[str]:
    """Yield what is wrong with a source distribution."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in NEEDED:
        if needed not in names:
            yield f"{needed} is missing"
    for name in sorted(names):
        if name.endswith((".so", ".pyc")) or name.startswith((".git/", ".ci/", ".venv", "build/")):
            yield f"it holds {name}"


def main() -> None:
    """Check each file, and end with 1 if anything is wrong."""
    faults = 0
    for path in map(Path, sys.argv[1:]):
        check = faults_of_wheel if path.suffix == ".whl" else faults_of_sources
        found = list(check(path))
        faults += len(found)
        print(
            f"{path.name}: {path.stat().st_size:,} bytes, {'; '.join(found) or 'as it should be'}"
        )
    sys.exit(faults > 0 or len(sys.argv) == 1)


if __name__ == "__main__":
    main()
