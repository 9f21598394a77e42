"""The parts of a file, in their order."""

from __future__ import annotations

from typing import Any

from fastmlp.export.c.arrays import Arrays
from fastmlp.export.c.body import Source
from fastmlp.export.c.functions import Functions, core_functions, public_functions
from fastmlp.export.c.heading import declarations, heading
from fastmlp.export.c.helpers import functions
from fastmlp.export.c.interface import Interface
from fastmlp.export.c.self_test import self_test
from fastmlp.export.c.text import field_names
from fastmlp.export.program import Program

__all__ = ["written"]


def written(program: Program, name: str, rows: Any, notes: list[str]) -> str:
    """Return a program as a file of C99.

    Parameters
    ----------
    program : Program
    name : str
        With which all identifiers begin.
    rows : array or list of arrays
        Of the self-test, as ``Program.values`` takes them.
    notes : list of str
        Lines for the head of the file.
    """
    interface = Interface(program, name)
    source = Source(
        prefix=f"{name}_",
        real=interface.real,
        arrays=Arrays(f"{name}_"),
        fields=tuple(field_names(each.label for each in program.columns)),
    )
    made = Functions()
    core_functions(interface, source, made)
    public_functions(interface, source, made)
    helpers = functions(source.helpers, source.prefix, source.real)
    sizes = [
        f"Constants: {source.arrays.n_bytes} bytes. Stack: about {made.n_bytes} bytes for numbers."
    ]
    text = [
        *heading(interface, source, [*sizes, *notes]),
        *declarations(interface, source),
        f"#ifndef {name.upper()}_DECLARATIONS",
        "",
        *interface.includes(source),
        *source.arrays.lines,
        *interface.label_table(),
        *_spaced(helpers),
        *_spaced(made.texts),
        *self_test(interface, source, rows),
        f"#endif /* {name.upper()}_DECLARATIONS */",
    ]
    return "\n".join(text) + "\n"


def _spaced(functions: list[Any]) -> list[str]:
    """Return functions with an empty line after each."""
    lines: list[str] = []
    for each in functions:
        lines += [*([each] if isinstance(each, str) else each), ""]
    return lines
