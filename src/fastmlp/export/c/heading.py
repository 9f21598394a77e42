"""The head of a file: what it is, how to use it, what it declares."""

from __future__ import annotations

from fastmlp.export.c.body import Source
from fastmlp.export.c.interface import Interface
from fastmlp.export.c.text import comment_text, one_comment

__all__ = ["declarations", "heading"]


def heading(interface: Interface, source: Source, notes: list[str]) -> list[str]:
    """Return the comment at the beginning of a file."""
    program, upper = interface.program, interface.name.upper()
    lines = [
        *program.about,
        "",
        "C99 and its mathematics library, no allocation, nothing that changes: any number of",
        "threads may call at once. Compile this file alone. Where its functions are called:",
        f"    #define {upper}_DECLARATIONS",
        "    #include (this file)",
        f"Networks compute in {interface.real}, sums term after term: answers differ by rounding",
        "from those in Python, as they do from one compiler and library to another.",
        f"It tests itself: compile it with -D{upper}_SELF_TEST and run what comes out.",
        "",
        *notes,
    ]
    if program.names:
        lines += ["", "Columns of x:"]
        lines += [f"  x[{i}]  {each}" for i, each in enumerate(program.names)]
    return ["/*", *(f" * {comment_text(line)}".rstrip() for line in lines), " */", ""]


def declarations(interface: Interface, source: Source) -> list[str]:
    """Return what other files need."""
    upper = interface.name.upper()
    lines = [f"#ifndef {upper}_DECLARED", f"#define {upper}_DECLARED", ""]
    lines += interface.constants() + interface.struct(source) + interface.label_declaration()
    for public in interface.publics:
        lines += [one_comment(public.about), f"{interface.signature(public)};", ""]
    return [*lines, f"#endif /* {upper}_DECLARED */", ""]
