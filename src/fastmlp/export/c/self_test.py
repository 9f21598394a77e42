"""The self-test of a file: some rows with the answers that are due."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.export.c.body import Source
from fastmlp.export.c.interface import Interface
from fastmlp.export.c.text import C_TYPES, number, string, wrapped
from fastmlp.export.changes import widened
from fastmlp.export.values import Value

__all__ = ["rounding", "self_test"]

#: Differences that are allowed: so many units in the last place of the largest number of an answer,
#: and so many times what float64 throughout would change in it.
ULPS, TIMES = 64, 8


def rounding(interface: Interface, rows: Any) -> dict[str, float]:
    """Return by how much each answer may differ from what the steps give in NumPy."""
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


def self_test(interface: Interface, source: Source, rows: Any) -> list[str]:
    """Return a program that checks the functions on some rows."""
    upper, prefix = interface.name.upper(), source.prefix
    program = interface.program
    found, allowed = program.values(rows), rounding(interface, rows)
    n_rows = len(next(iter(found.values())))
    lines = [f"#ifdef {upper}_SELF_TEST", "", "#include <stdio.h>", ""]
    lines += _rows(interface, source, rows)
    lines += _due_classes(interface, source, found, allowed)
    numbers = {name: found[value.name][:, 0] for name, value in program.answers.items()}
    for name, value in program.answers.items():
        kind = C_TYPES[value.dtype]
        items = [number(each, value.dtype) for each in numbers[name].ravel()]
        lines += [f"static const {kind} {prefix}due_{name}[{n_rows} * {value.width}] = {{"]
        lines += [*wrapped(items), "};", ""]
    return [
        *lines,
        "/* Returns the largest difference of n numbers from those that are due; NaN is such. */",
        f"static double {prefix}farthest(size_t n, const {_kind(interface)} *found, "
        f"const {_kind(interface)} *due, double farthest)",
        "{",
        "    for (size_t i = 0; i < n; i++) {",
        "        double far = found[i] == due[i] ? 0 : fabs((double)found[i] - (double)due[i]);",
        "        if (!(far <= farthest)) farthest = far;",
        "    }",
        "    return farthest;",
        "}",
        "",
        "int main(void)",
        "{",
        *(f"    {line}" for line in _main(interface, source, n_rows, allowed)),
        "}",
        "",
        f"#endif /* {upper}_SELF_TEST */",
        "",
    ]


def _due_classes(
    interface: Interface, source: Source, found: dict[str, np.ndarray], allowed: dict[str, float]
) -> list[str]:
    """Return the classes that are due; -1 where rounding may decide."""
    decision = interface.program.decision
    if decision is None:
        return []
    numbers = found[decision.value.name][:, 0].astype(np.float64)
    sure = decision.margin(numbers) > 2 * max(allowed.values())
    due = np.where(sure, decision.of(numbers), -1)
    width = decision.value.width if decision.several else 1
    begin = f"static const int {source.prefix}due_classes[{len(due)} * {width}] = {{"
    return [begin, *wrapped(map(str, due.ravel().tolist())), "};", ""]


def _kind(interface: Interface) -> str:
    """Return the type of all answers."""
    return C_TYPES[next(iter(interface.program.answers.values())).dtype]


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
    prefix, answers = source.prefix, interface.program.answers
    lines = ["double far = 0, allowed = 0;", "int failures = 0;"]
    for public in interface.publics:
        if public.decides:
            lines += _decisions(interface, source, n_rows)
            continue
        names = {value.name: name for name, value in answers.items()}
        outputs = [(argument, names[value.name], value) for argument, value in public.outputs]
        lines += [
            f"{C_TYPES[value.dtype]} {public.name}_{argument}[{value.width}];"
            for argument, _, value in outputs
        ]
        row = f"&{prefix}rows[r]" if interface.program.x is None else f"{prefix}rows[r]"
        arguments = ", ".join([row, *(f"{public.name}_{argument}" for argument, *_ in outputs)])
        tolerance = number(np.float64(max(allowed[name] for _, name, _ in outputs)), DOUBLE)
        lines += ["far = 0;", f"allowed = {tolerance};"]
        lines += [
            f"for (size_t r = 0; r < {n_rows}; r++) {{",
            f"    {prefix}{public.name}({arguments});",
        ]
        lines += [_compared(prefix, public.name, *each) for each in outputs]
        lines += [
            "}",
            "failures += !(far <= allowed);",
            f'printf("%s: at most %g from what is due on {n_rows} rows, allowed %g\\n", '
            f'"{prefix}{public.name}", far, allowed);',
        ]
    return [*lines, "return failures > 0;"]


def _decisions(interface: Interface, source: Source, n_rows: int) -> list[str]:
    """Return the lines that count wrong classes."""
    decision, prefix = interface.program.decision, source.prefix
    row = f"&{prefix}rows[r]" if interface.program.x is None else f"{prefix}rows[r]"
    due = f"{prefix}due_classes"
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


DOUBLE = np.dtype(np.float64)


def _compared(prefix: str, public: str, argument: str, name: str, value: Value) -> str:
    width = value.width
    due = f"{prefix}due_{name} + {width} * r"
    return f"    far = {prefix}farthest({width}, {public}_{argument}, {due}, far);"
