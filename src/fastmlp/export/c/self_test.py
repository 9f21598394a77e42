"""The self-test of a file: some rows with the expected answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.export.c.body import Source
from fastmlp.export.c.interface import Interface, Public
from fastmlp.export.c.text import C_TYPES, number, numbers, string, wrapped
from fastmlp.export.changes import widened

__all__ = ["rounding", "self_test"]

DOUBLE = np.dtype(np.float64)

#: Differences that are allowed: so many units in the last place of the largest number of an answer,
#: and so many times what float64 throughout would change in it.
ULPS, TIMES = 64, 8


def rounding(interface: Interface, rows: Any) -> dict[str, float]:
    """Return how much each answer may differ from what the steps give in NumPy."""
    program = interface.program
    exact, found = widened(program).values(rows), program.values(rows)
    allowed = {}
    for name, value in program.answers.items():
        numbers, wide = found[value.name].astype(np.float64), exact[value.name]
        finite = np.isfinite(numbers) & np.isfinite(wide)
        size = max(1.0, float(np.abs(numbers[finite]).max(initial=0)))
        eps = float(np.finfo(np.float32 if interface.real == "float" else np.float64).eps)
        moved = float(np.abs(numbers - wide)[finite].max(initial=0))
        allowed[name] = max(ULPS * eps * size, TIMES * moved)
    return allowed


#: How far numbers are from those that are due; KIND is their type.
FARTHEST = """
/* Returns the largest difference of n numbers from those that are due; NaN is such. */
static double $farthest(size_t n, const KIND *found, const KIND *due, double farthest)
{
    for (size_t i = 0; i < n; i++) {
        double far = found[i] == due[i] ? 0 : fabs((double)found[i] - (double)due[i]);
        if (!(far <= farthest)) farthest = far;
    }
    return farthest;
}
"""


def self_test(interface: Interface, source: Source, rows: Any) -> list[str]:
    """Return a program that checks the functions on some rows."""
    upper, program = interface.name.upper(), interface.program
    found, allowed = program.values(rows), rounding(interface, rows)
    n_rows = len(next(iter(found.values())))
    kind = C_TYPES[next(iter(program.answers.values())).dtype]  # of all answers
    return [
        f"#ifdef {upper}_SELF_TEST",
        "",
        "#include <stdio.h>",
        "",
        *_rows(interface, source, rows),
        *_due_numbers(interface, source, found),
        *_due_classes(interface, source, found, allowed),
        FARTHEST.strip().replace("KIND", kind).replace("$", source.prefix),
        "",
        "int main(void)",
        "{",
        *(f"    {line}" for line in _main(interface, source, n_rows, allowed)),
        "}",
        "",
        f"#endif /* {upper}_SELF_TEST */",
        "",
    ]


def _due_numbers(interface: Interface, source: Source, found: dict[str, np.ndarray]) -> list[str]:
    """Return the expected answers."""
    lines = []
    for name, value in interface.program.answers.items():
        due = found[value.name]
        begin = f"static const {C_TYPES[value.dtype]} {source.prefix}due_{name}"
        lines += [f"{begin}[{len(due)} * {value.width}] = {{", *wrapped(numbers(due)), "};", ""]
    return lines


def _due_classes(
    interface: Interface, source: Source, found: dict[str, np.ndarray], allowed: dict[str, float]
) -> list[str]:
    """Return the expected classes; -1 where rounding may decide."""
    decision = interface.program.decision
    if decision is None:
        return []
    numbers = found[decision.value.name][:, 0].astype(np.float64)
    sure = decision.margin(numbers) > 2 * max(allowed.values())
    due = np.where(sure, decision.of(numbers), -1)
    width = decision.value.width if decision.several else 1
    begin = f"static const int {source.prefix}due_classes[{len(due)} * {width}] = {{"
    return [begin, *wrapped(map(str, due.ravel().tolist())), "};", ""]


def _rows(interface: Interface, source: Source, rows: Any) -> list[str]:
    program, prefix = interface.program, source.prefix
    if program.x is not None:
        items = [number(each, program.x.dtype) for each in rows.ravel()]
        begin = f"static const {interface.real} {prefix}rows[{len(rows)}][{program.x.width}] = {{"
        width = program.x.width
        by_row = [wrapped(items[i : i + width], "     ") for i in range(0, len(items), width)]
        inner = [line for row in by_row for line in ["    {", *row, "    },"]]
        return [begin, *inner, "};", ""]
    begin = f"static const {prefix}row {prefix}rows[{len(rows[0])}] = {{"
    lines = [begin]
    for i in range(len(rows[0])):
        items = [_cell(column[i]) for column in rows]
        lines += ["    {", *wrapped(items, "     "), "    },"]
    return [*lines, "};", ""]


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return string(value)
    return number(np.float64(value), np.dtype(np.float64))


def _main(
    interface: Interface, source: Source, n_rows: int, allowed: dict[str, float]
) -> list[str]:
    lines = ["double far = 0, allowed = 0;", "int failures = 0;"]
    for public in interface.publics:
        if public.decides:
            lines += _decisions(interface, source, n_rows)
        else:
            lines += _differences(interface, source, public, n_rows, allowed)
    return [*lines, "return failures > 0;"]


def _differences(
    interface: Interface,
    source: Source,
    public: Public,
    n_rows: int,
    allowed: dict[str, float],
) -> list[str]:
    """Return the lines that compare the numbers of a function with the expected ones."""
    prefix, lines, calls = source.prefix, [], []
    names = {value.name: name for name, value in interface.program.answers.items()}
    for argument, value in public.outputs:
        found = f"{public.name}_{argument}"
        lines.append(f"{C_TYPES[value.dtype]} {found}[{value.width}];")
        due = f"{prefix}due_{names[value.name]} + {value.width} * r"
        calls.append(f"    far = {prefix}farthest({value.width}, {found}, {due}, far);")
    arguments = [_row(interface, prefix), *(f"{public.name}_{each}" for each, _ in public.outputs)]
    most = max(allowed[names[value.name]] for _, value in public.outputs)
    told = f"%s: at most %g from the expected numbers on {n_rows} rows, allowed %g\\n"
    return [
        *lines,
        "far = 0;",
        f"allowed = {number(np.float64(most), DOUBLE)};",
        f"for (size_t r = 0; r < {n_rows}; r++) {{",
        f"    {prefix}{public.name}({', '.join(arguments)});",
        *calls,
        "}",
        "failures += !(far <= allowed);",
        f'printf("{told}", "{prefix}{public.name}", far, allowed);',
    ]


def _row(interface: Interface, prefix: str) -> str:
    """Return row r as an argument."""
    return f"&{prefix}rows[r]" if interface.program.x is None else f"{prefix}rows[r]"


def _decisions(interface: Interface, source: Source, n_rows: int) -> list[str]:
    """Return the lines that count wrong classes."""
    decision, prefix = interface.program.decision, source.prefix
    row, due = _row(interface, prefix), f"{prefix}due_classes"
    if decision is None or not decision.several:
        call = f"{prefix}predict({row})"
        line = f"failures += {due}[r] >= 0 && {call} != {due}[r];"
        return [f"for (size_t r = 0; r < {n_rows}; r++) {line}"]
    width = decision.value.width
    return [
        f"int labels[{width}];",
        f"for (size_t r = 0; r < {n_rows}; r++) {{",
        f"    {prefix}predict({row}, labels);",
        f"    for (size_t i = 0; i < {width}; i++) {{",
        f"        int due = {due}[{width} * r + i];",
        "        failures += due >= 0 && due != labels[i];",
        "    }",
        "}",
    ]
