"""Each kind of step as lines of C."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

import numpy as np

from fastmlp.export import steps, table_steps
from fastmlp.export.c.body import Body, Place
from fastmlp.export.c.text import C_TYPES, number
from fastmlp.export.values import Step, Value
from fastmlp.validation import check_c_texts

__all__ = ["write_steps"]

INT, DOUBLE, BYTE = np.dtype(np.int32), np.dtype(np.float64), np.dtype(np.int8)


def write_steps(body: Body) -> None:
    """Write all steps of a body down."""
    for step in body.steps:
        if isinstance(step, steps.Select) and body.alias(step):
            continue
        body.remark(step)
        body.lines += _lines(step, body, body.declare(step))


@singledispatch
def _lines(step: Step, body: Body, out: Place) -> list[str]:
    """Return the lines of a step whose output lies at ``out``."""
    raise NotImplementedError(type(step).__name__)


def _each(n: int, line: str) -> list[str]:
    """Return a line for each number i below n."""
    if n == 1:
        return [line.replace(" + i]", "]").replace("[i]", "[0]")]
    return [f"for (size_t i = 0; i < {n}; i++) {line}"]


def _by_row(rows: int, *lines: str) -> list[str]:
    """Return lines for each of the members, whose number is m, or for the only row."""
    if rows == 1:
        return list(lines)
    return [f"for (size_t m = 0; m < {rows}; m++)", *(f"    {line}" for line in lines)]


def _row(place: Place | str, value: Value | int, rows: int, width: int | None = None) -> str:
    """Return where row m of a value is; it may have one row for all."""
    n_rows = value if isinstance(value, int) else value.rows
    width = value.width if isinstance(value, Value) else width
    return f"{place} + {width} * m" if rows > 1 and n_rows > 1 else str(place)


@_lines.register
def _(step: steps.Constant, body: Body, out: Place) -> list[str]:
    dtype = step.output.dtype
    lines = [f"{out.item(i)} = {number(x, dtype)};" for i, x in enumerate(step.numbers)]
    return [f"(void)({body.at(step.inputs[0])});", *lines]


@_lines.register
def _(step: steps.Select, body: Body, out: Place) -> list[str]:
    (value,), places = step.inputs, step.places
    x, kind, cast = body.at(value), C_TYPES[step.output.dtype], ""
    if value.dtype != step.output.dtype:
        cast = f"({kind})"
    if len(places) == 1:
        return [f"{out.item(0)} = {cast}{x.item(int(places[0]))};"]
    if (np.diff(places) == 1).all():
        begin = f"{places[0]} + i" if places[0] else "i"
        return _each(len(places), f"{out.item('i')} = {cast}{x.item(begin)};")
    which = body.source.arrays.of_numbers("places", places, INT)
    return _each(len(places), f"{out.item('i')} = {cast}{x.item(f'{which}[i]')};")


@_lines.register
def _(step: steps.Concatenate, body: Body, out: Place) -> list[str]:
    lines, begin = [], 0
    for value in step.inputs:
        if not body.is_joined(value):
            at = f"{begin} + i" if begin else "i"
            line = f"{out.item(at)} = {body.at(value).item('i')};"
            lines += _each(value.width, line)
        begin += value.width
    return lines


@_lines.register
def _(step: steps.Waves, body: Body, out: Place) -> list[str]:
    arrays, x = body.source.arrays, body.at(step.inputs[0]).item(0)
    w = arrays.of_numbers(f"frequencies_{step.output.name}", step.frequencies)
    if step.phases is None:
        return [f"{body.source.helper('waves')}({len(step.frequencies)}, {x}, {w}, {out});"]
    b = arrays.of_numbers(f"phases_{step.output.name}", step.phases)
    return [f"{body.source.helper('cosines')}({len(step.frequencies)}, {x}, {w}, {b}, {out});"]


@_lines.register
def _(step: steps.Bins, body: Body, out: Place) -> list[str]:
    arrays, x = body.source.arrays, body.at(step.inputs[0]).item(0)
    starts = arrays.of_numbers(f"starts_{step.output.name}", step.starts)
    scales = arrays.of_numbers(f"scales_{step.output.name}", step.scales)
    return [f"{body.source.helper('bins')}({len(step.starts)}, {x}, {starts}, {scales}, {out});"]


@_lines.register
def _(step: steps.Embed, body: Body, out: Place) -> list[str]:
    arrays, x = body.source.arrays, body.at(step.inputs[0]).item(0)
    table, width = step.table, step.output.width
    name = arrays.of_numbers(f"table_{step.output.name}", table.values)
    level = f"{body.source.helper('level')}({x}, {len(table.values)})"
    item, kind = f"{name}[{width} * {level} + i]", body.source.real
    if table.scales is not None:
        scales = arrays.of_numbers(f"unit_{step.output.name}", table.scales, step.output.dtype)
        item = f"({kind}){item} * {scales}[i]"
    return _each(width, f"{out.item('i')} = {item};")


@_lines.register
def _(step: steps.Scale, body: Body, out: Place) -> list[str]:
    (value,), rows, width = step.inputs, step.output.rows, step.output.width
    if step.factors.size == 1:
        factor = number(step.factors[0, 0], step.output.dtype)
        item = body.at(value).item("i")
        return _each(width, f"{out.item('i')} = {item} * {factor};")
    factors = body.source.arrays.of_numbers(f"factors_{step.output.name}", step.factors)
    many = rows > 1
    at = f"{width} * m + i" if many else "i"
    read = at if value.rows > 1 else "i"
    line = f"{out.item(at)} = {body.at(value).item(read)} * {factors}[{at}];"
    return _by_row(rows, *_each(width, line))


@_lines.register
def _(step: steps.Dense, body: Body, out: Place) -> list[str]:
    (value,), rows, source = step.inputs, step.output.rows, body.source
    n_copies, n_in, n_out = step.weights.values.shape
    w = source.arrays.of_numbers(f"w_{step.output.name}", step.weights.values)
    b = source.arrays.of_numbers(f"b_{step.output.name}", step.biases)
    x = _row(body.at(value), value, rows)
    of_w = _row(w, n_copies, rows, n_in * n_out)
    of_b, z = _row(b, len(step.biases), rows, n_out), _row(out, step.output, rows)
    helper, unit = "dense", ""
    if step.weights.scales is not None:
        helper = f"dense_{step.weights.values.dtype.name}"
        unit = source.arrays.of_numbers(
            f"unit_{step.output.name}", step.weights.scales, step.output.dtype
        )
        unit = f"{_row(unit, n_copies, rows, n_out)}, "
    call = f"{source.helper(helper)}({n_in}, {n_out}, {x}, {of_w}, {unit}{of_b}, {z});"
    return _by_row(rows, call)


@_lines.register
def _(step: steps.Add, body: Body, out: Place) -> list[str]:
    first, second = step.inputs
    rows, width = step.output.rows, step.output.width
    at = f"{width} * m + i" if rows > 1 else "i"
    items = f"{body.at(first).item(at)} + {body.at(second).item('i')}"
    return _by_row(rows, *_each(width, f"{out.item(at)} = {items};"))


@_lines.register
def _(step: steps.Normalize, body: Body, out: Place) -> list[str]:
    (value,), rows, source = step.inputs, step.output.rows, body.source
    gains = source.arrays.of_numbers(f"gain_{step.output.name}", step.gains)
    shifts = source.arrays.of_numbers(f"shift_{step.output.name}", step.shifts)
    x, y, size = _row(body.at(value), value, rows), _row(out, step.output, rows), value.width
    helper, n = source.helper("normalize"), step.n_groups
    return _by_row(rows, f"{helper}({n}, {size // n}, {x}, {gains}, {shifts}, {y});")


@_lines.register
def _(step: steps.Activate, body: Body, out: Place) -> list[str]:
    (value,), rows, width = step.inputs, step.output.rows, step.output.width
    f = body.source.helper(step.function) if step.function != "identity" else ""
    if step.shares is None:
        z = body.at(value).item("i")
        return _each(rows * width, f"{out.item('i')} = {f}({z});")
    shares = body.source.arrays.of_numbers(f"alpha_{step.output.name}", step.shares)
    at = f"{width} * m + i" if rows > 1 else "i"
    z = body.at(value).item(at)
    line = f"{out.item(at)} = {z} + {shares}[i] * ({f}({z}) - {z});"
    return _by_row(rows, *_each(width, line))


@_lines.register
def _(step: steps.Link, body: Body, out: Place) -> list[str]:
    (value,), rows, width = step.inputs, step.output.rows, step.output.width
    if step.function == "logistic":
        f, z = body.source.helper("logistic"), body.at(value).item("i")
        return _each(rows * width, f"{out.item('i')} = {f}({z});")
    if step.function == "exp":
        f, z = "expf" if body.source.real == "float" else "exp", body.at(value).item("i")
        return _each(rows * width, f"{out.item('i')} = {f}({z});")
    counts = {
        "softmax": f"{width}",
        "gaussian": f"{width // 2}",
        "quantiles": f"{width // max(step.n_quantiles, 1)}, {step.n_quantiles}",
    }[step.function]
    z, y = _row(body.at(value), value, rows), _row(out, step.output, rows)
    return _by_row(rows, f"{body.source.helper(step.function)}({counts}, {z}, {y});")


@_lines.register
def _(step: steps.MeanOfMembers, body: Body, out: Place) -> list[str]:
    (value,) = step.inputs
    helper, n = ("mixture", value.width // 2) if step.of_gaussians else ("mean", value.width)
    return [f"{body.source.helper(helper)}({value.rows}, {n}, {body.at(value)}, {out});"]


# -- raw tables ----------------------------------------------------------------------------------


@_lines.register
def _(step: table_steps.ReadNumbers, body: Body, out: Place) -> list[str]:
    cast = "(float)" if step.single else ""
    fields = [body.source.fields[i] for i in step.columns]
    return [f"{out.item(i)} = {cast}row->{each};" for i, each in enumerate(fields)]


def _lookup(body: Body, column: int, known: Mapping[str, int]) -> tuple[str, str, str]:
    """Return the column, and the sorted texts and their numbers as arguments of helpers."""
    texts = sorted(known, key=lambda text: text.encode(errors="surrogatepass"))
    arrays, where = body.source.arrays, f"row->{body.source.fields[column]}"
    check_c_texts("level of a category", texts)
    if not texts:
        return where, "NULL", "NULL"
    codes = np.array([known[text] for text in texts], np.int32)
    return where, arrays.of_texts("texts", texts), arrays.of_numbers("codes", codes)


@_lines.register
def _(step: table_steps.ReadRanks, body: Body, out: Place) -> list[str]:
    where, texts, ranks = _lookup(body, step.column, step.ranks)
    helper = body.source.helper("rank")
    return [f"{out.item(0)} = {helper}({where}, {len(step.ranks)}, {texts}, {ranks});"]


@_lines.register
def _(step: table_steps.ReadCodes, body: Body, out: Place) -> list[str]:
    helper, lines = body.source.helper("code"), []
    for i, (column, known) in enumerate(zip(step.columns, step.codes, strict=True)):
        where, texts, codes = _lookup(body, column, known)
        others = f"{step.unknown}, {step.missing}"
        call = f"{helper}({where}, {len(known)}, {texts}, {codes}, {others})"
        lines.append(f"{out.item(i)} = {call};")
    return lines


@_lines.register
def _(step: table_steps.ReadCalendar, body: Body, out: Place) -> list[str]:
    name, where = f"of_{step.output.name}", f"row->{body.source.fields[step.column]}"
    kind = body.source.helper("date")
    lines = [f"{kind} {name} = {kind}_of({where});"]
    for i, part in enumerate(step.parts):
        wave, _, cycle = part.partition("_of_")
        if part == "days":
            item = f"({where} - {number(np.float64(step.start), DOUBLE)}) / 86400"
        elif wave in ("sin", "cos"):
            item = f"{wave}({name}.angle_of_{cycle})"
        else:
            item = f"{name}.{part}"
        lines.append(f"{out.item(i)} = {item};")
    return lines


@_lines.register
def _(step: table_steps.Turn, body: Body, out: Place) -> list[str]:
    arrays, (n_angles, n_pairs) = body.source.arrays, step.eastward.shape
    pairs = arrays.of_numbers("pairs", step.pairs, INT)
    east = arrays.of_numbers("eastward", step.eastward)
    north = arrays.of_numbers("northward", step.northward)
    x, helper = body.at(step.inputs[0]), body.source.helper("turn")
    return [f"{helper}({n_angles}, {n_pairs}, {x}, {pairs}, {east}, {north}, {out});"]


@_lines.register
def _(step: table_steps.RobustScale, body: Body, out: Place) -> list[str]:
    arrays = body.source.arrays
    places = arrays.of_numbers("places", step.places, INT)
    centres = arrays.of_numbers("centres", step.centres)
    factors = arrays.of_numbers(f"factors_{step.output.name}", step.factors)
    x, helper, n = body.at(step.inputs[0]), body.source.helper("robust"), len(step.places)
    return [f"{helper}({n}, {x}, {places}, {centres}, {factors}, {out});"]


@_lines.register
def _(step: table_steps.IsMissing, body: Body, out: Place) -> list[str]:
    x = body.at(step.inputs[0])
    if len(step.places) == 1:
        return [f"{out.item(0)} = isnan({x.item(int(step.places[0]))}) ? 1.0f : 0.0f;"]
    which = body.source.arrays.of_numbers("places", step.places, INT)
    line = f"{out.item('i')} = isnan({x.item(f'{which}[i]')}) ? 1.0f : 0.0f;"
    return _each(len(step.places), line)


@_lines.register
def _(step: table_steps.Pieces, body: Body, out: Place) -> list[str]:
    arrays = body.source.arrays
    places = arrays.of_numbers("places", step.places, INT)
    starts = arrays.of_numbers(f"starts_{step.output.name}", step.starts)
    widths = arrays.of_numbers("widths", step.widths)
    ends = arrays.of_numbers("ends", step.ends, BYTE)
    x, helper, n = body.at(step.inputs[0]), body.source.helper("pieces"), len(step.places)
    scale = number(np.float64(step.scale), DOUBLE)
    return [f"{helper}({n}, {x}, {places}, {starts}, {widths}, {ends}, {scale}, {out});"]


@_lines.register
def _(step: table_steps.OneHot, body: Body, out: Place) -> list[str]:
    arrays = body.source.arrays
    places = arrays.of_numbers("levels", step.places, INT)
    firsts = arrays.of_numbers("firsts", step.firsts, INT)
    codes, helper = body.at(step.inputs[0]), body.source.helper("one_hot")
    n_categories, n = len(step.firsts), step.output.width
    return [f"{helper}({n_categories}, {n}, {codes}, {places}, {firsts}, {out});"]


@_lines.register
def _(step: table_steps.Affine, body: Body, out: Place) -> list[str]:
    arrays, x = body.source.arrays, body.at(step.inputs[0])
    if len(step.factors) == 1:
        factor, summand = number(step.factors[0], DOUBLE), number(step.summands[0], DOUBLE)
        return [f"{out.item(0)} = {factor} * {x.item(0)} + {summand};"]
    factors = arrays.of_numbers("target_scale", step.factors)
    summands = arrays.of_numbers("target_center", step.summands)
    line = f"{out.item('i')} = {factors}[i] * {x.item('i')} + {summands}[i];"
    return _each(len(step.factors), line)


@_lines.register
def _(step: table_steps.BothClasses, body: Body, out: Place) -> list[str]:
    p = body.at(step.inputs[0]).item(0)
    return [f"{out.item(0)} = 1 - {p};", f"{out.item(1)} = {p};"]


@_lines.register
def _(step: table_steps.Whole, body: Body, out: Place) -> list[str]:
    (value,), places = step.inputs, step.places
    p = body.at(value)
    if len(places) == step.output.width:
        return _each(len(places), f"{out.item('i')} = {p.item('i')};")
    zeros = _each(step.output.width, f"{out.item('i')} = 0;")
    pairs = enumerate(places.tolist())
    return zeros + [f"{out.item(place)} = {p.item(i)};" for i, place in pairs]


@_lines.register
def _(step: table_steps.WeightedSum, body: Body, out: Place) -> list[str]:
    lines: list[str] = []
    for value, weight in zip(step.inputs, step.weights, strict=True):
        sign = "+=" if lines else "="
        line = f"{out.item('i')} {sign} {number(weight, DOUBLE)} * {body.at(value).item('i')};"
        lines += _each(step.output.width, line)
    return lines


@_lines.register
def _(step: table_steps.Temper, body: Body, out: Place) -> list[str]:
    (value,), helper = step.inputs, body.source.helper("temper")
    temperature = number(np.float64(step.temperature), DOUBLE)
    return [f"{helper}({value.width}, {temperature}, {body.at(value)}, {out});"]


@_lines.register
def _(step: table_steps.Exponential, body: Body, out: Place) -> list[str]:
    x = body.at(step.inputs[0]).item("i")
    return _each(step.output.width, f"{out.item('i')} = exp({x});")


@_lines.register
def _(step: table_steps.SquareRoot, body: Body, out: Place) -> list[str]:
    (value,) = step.inputs
    root = "sqrtf" if value.dtype == np.float32 else "sqrt"
    return _each(value.width, f"{out.item('i')} = {root}({body.at(value).item('i')});")


@_lines.register
def _(step: table_steps.FromDeviates, body: Body, out: Place) -> list[str]:
    arrays, x, (n_targets, n) = body.source.arrays, body.at(step.inputs[0]), step.quantiles.shape
    shares = arrays.of_numbers("shares", step.references)
    quantiles = arrays.of_numbers("target_quantiles", step.quantiles)
    by_target = step.output.width // n_targets
    at = f"{quantiles} + {n} * (i / {by_target})" if n_targets > 1 else quantiles
    call = f"{body.source.helper('from_deviate')}({x.item('i')}, {n}, {shares}, {at})"
    return _each(step.output.width, f"{out.item('i')} = {call};")


@_lines.register
def _(step: table_steps.Clip, body: Body, out: Place) -> list[str]:
    arrays, x = body.source.arrays, body.at(step.inputs[0]).item("i")
    low, high = arrays.of_numbers("low", step.low), arrays.of_numbers("high", step.high)
    y = f"{x} < {low}[i] ? {low}[i] : {x} > {high}[i] ? {high}[i] : {x}"
    return _each(step.output.width, f"{out.item('i')} = {y};")


@_lines.register
def _(step: table_steps.Moments, body: Body, out: Place) -> list[str]:
    arrays, x, n = body.source.arrays, body.at(step.inputs[0]), step.output.width // 2
    centre = arrays.of_numbers("centre", step.centre)
    first, second = x.item("i"), x.item(f"{n} + i")
    lines = [f"for (size_t i = 0; i < {n}; i++) {{", f"    double a = {first}, v = {second};"]
    if step.back:
        lines += [
            "    v -= a * a;",
            f"    {out.item('i')} = a + {centre}[i];",
            f"    {out.item(f'{n} + i')} = sqrt(v < 0 ? 0 : v);",
        ]
        return [*lines, "}"]
    low, high = arrays.of_numbers("low", step.low), arrays.of_numbers("high", step.high)
    return [
        *lines,
        f"    double widest = {high}[i] - {low}[i], d = sqrt(v) < widest ? sqrt(v) : widest;",
        f"    a = (a < {low}[i] ? {low}[i] : a > {high}[i] ? {high}[i] : a) - {centre}[i];",
        f"    {out.item('i')} = a;",
        f"    {out.item(f'{n} + i')} = a * a + d * d;",
        "}",
    ]
