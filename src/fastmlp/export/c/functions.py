"""The functions of a file: one for each part of the program, and the public ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastmlp.export.c.body import Body, Place, Source
from fastmlp.export.c.calls import write_steps
from fastmlp.export.c.interface import Interface, Public
from fastmlp.export.c.text import C_TYPES, one_comment
from fastmlp.export.program import needed
from fastmlp.export.values import Step, Value

__all__ = ["Functions", "core_functions", "public_functions"]


@dataclass
class Functions:
    """What has been written.

    Attributes
    ----------
    texts : list of list of str
        The lines of each function.
    n_bytes : int
        How many numbers are on the stack at most, in bytes.
    """

    texts: list[list[str]] = field(default_factory=list)
    n_bytes: int = 0


def _function(signature: str, lines: list[str], about: str) -> list[str]:
    return [one_comment(about), signature, "{", *(f"    {line}" for line in lines), "}"]


def _parameter(value: Value, *, is_output: bool) -> str:
    const = "" if is_output else "const "
    return f"{const}{C_TYPES[value.dtype]} {value.name}[{value.size}]"


def core_functions(interface: Interface, source: Source, made: Functions) -> None:
    """Write a function for each part of the program, and one that calls them in turn."""
    program = interface.program
    made_by = {step.output.name: name for name, steps in program.parts for step in steps}
    lines: list[str] = []
    largest = own = 0
    for part, steps in program.parts:
        ins, outs = _crossing(part, steps, program.core_steps, made_by, program.core)
        largest = max(largest, _part(interface, source, made, part, steps, ins, outs))
        for each in outs:
            if each.name != program.core.name:
                lines.append(f"{C_TYPES[each.dtype]} {each.name}[{each.size}];")
                own += each.n_bytes
        called = [interface.row_name] if _takes_row(steps) else []
        called += [each.name for each in (*ins, *outs)]
        lines.append(f"{source.prefix}part_{part}({', '.join(called)});")
    core = _parameter(program.core, is_output=True)
    signature = f"static void {source.prefix}core({interface.row}, {core})"
    made.texts.append(_function(signature, lines, "What all answers are made of."))
    made.n_bytes = largest + own + program.core.n_bytes


def _part(
    interface: Interface,
    source: Source,
    made: Functions,
    part: str,
    steps: tuple[Step, ...],
    ins: list[Value],
    outs: list[Value],
) -> int:
    """Write the function of a part; return how large its arrays are."""
    given = {each.name: Place(each.name) for each in ins} | {"x": Place("x")}
    body = Body(source, steps, given, {each.name: Place(each.name) for each in outs})
    write_steps(body)
    arguments = [interface.row] if _takes_row(steps) else []
    arguments += [_parameter(each, is_output=False) for each in ins]
    arguments += [_parameter(each, is_output=True) for each in outs]
    signature = f"static void {source.prefix}part_{part}({', '.join(arguments)})"
    made.texts.append(_function(signature, body.lines, _about(ins, outs)))
    return body.n_bytes


def _takes_row(steps: tuple[Step, ...]) -> bool:
    """Return whether some of the steps read the row itself."""
    return any(not step.inputs or step.inputs[0].name == "x" for step in steps)


def _crossing(
    part: str,
    steps: tuple[Step, ...],
    every: tuple[Step, ...],
    made_by: dict[str, str],
    core: Value,
) -> tuple[list[Value], list[Value]]:
    """Return the values that a part takes from others, and those that it gives to them."""
    ins = {each.name: each for step in steps for each in step.inputs}
    from_others = [each for each in ins.values() if made_by.get(each.name, part) != part]
    elsewhere = {
        each.name for step in every if made_by[step.output.name] != part for each in step.inputs
    } | {core.name}
    return from_others, [step.output for step in steps if step.output.name in elsewhere]


def _about(ins: list[Value], outs: list[Value]) -> str:
    given = " and ".join(each.name for each in ins) or "a row"
    return f"Makes {' and '.join(each.name for each in outs)} of {given}."


def public_functions(interface: Interface, source: Source, made: Functions) -> None:
    """Write the public functions."""
    most = 0
    for public in interface.publics:
        lines, n_bytes = _lines(interface, source, public)
        made.texts.append([interface.signature(public), "{", *(f"    {x}" for x in lines), "}"])
        most = max(most, n_bytes)
    made.n_bytes += most


def _lines(interface: Interface, source: Source, public: Public) -> tuple[list[str], int]:
    program = interface.program
    core, row = program.core, interface.row_name
    wanted = {value.name: Place(name) for name, value in public.outputs}
    if core.name in wanted:  # its only output
        return [f"{source.prefix}core({row}, {wanted[core.name]});"], 0
    begin = [
        f"{C_TYPES[core.dtype]} core[{core.size}];",
        f"{source.prefix}core({row}, core);",
    ]
    values = [value for _, value in public.outputs]
    if public.decides and program.decision is not None:
        values = [program.decision.value]
    steps = needed(program.steps, values, [core])
    body = Body(source, steps, {core.name: Place("core")}, wanted)
    write_steps(body)
    for _, value in public.outputs:
        at = body.at(value)
        if at != wanted[value.name]:  # it lies in the core
            line = f"{wanted[value.name].item('i')} = {at.item('i')};"
            body.lines.append(f"for (size_t i = 0; i < {value.width}; i++) {line}")
    lines = [*begin, *body.lines]
    if public.decides:
        lines += _decision(interface, body)
    return lines, body.n_bytes


def _decision(interface: Interface, body: Body) -> list[str]:
    decision = interface.program.decision
    assert decision is not None
    z, width = body.at(decision.value), decision.value.width
    if decision.threshold is None:
        if width == 1:
            return ["(void)core;", "return 0;"]
        better = f"{z.item('i')} > {z.item('best')}"
        return [
            "int best = 0;",
            f"for (int i = 1; i < {width}; i++) best = {better} ? i : best;",
            "return best;",
        ]
    threshold = f"{decision.threshold:g}"
    if decision.several:
        line = f"labels[i] = {z.item('i')} > {threshold};"
        return [f"for (size_t i = 0; i < {width}; i++) {line}"]
    return [f"return {z.item(0)} > {threshold};"]
