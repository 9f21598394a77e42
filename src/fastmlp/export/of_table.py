"""From what a fit remembers of a raw table to steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp.export.program import Builder
from fastmlp.export.steps import Concatenate, Constant, Scale, Select
from fastmlp.export.table_steps import (
    IsMissing,
    OneHot,
    Pieces,
    RawColumn,
    ReadCalendar,
    ReadCodes,
    ReadNumbers,
    ReadRanks,
    RobustScale,
    Turn,
)
from fastmlp.export.values import CODES, Value
from fastmlp.tables.columns import Nature, levels_of
from fastmlp.tables.coordinates import Rotations
from fastmlp.tables.encoders import (
    MISSING_CODE,
    RARE_CODE,
    CalendarEncoder,
    CategoryEncoder,
    Encoder,
    NumberEncoder,
    RankEncoder,
)
from fastmlp.tables.inputs import BIN_SCALE, Inputs
from fastmlp.tables.piecewise import PiecewiseEncoding
from fastmlp.tables.reading import Reading
from fastmlp.tables.sources import open_table

__all__ = ["Encoded", "add_inputs", "add_reading", "raw_columns", "raw_values"]

EPOCH, SECOND = np.datetime64("1970-01-01", "us"), np.timedelta64(1, "s")


class Encoded(NamedTuple):
    """The numbers and the codes of a row; None where there are none."""

    numbers: Value | None
    codes: Value | None


def raw_columns(reading: Reading) -> tuple[RawColumn, ...]:
    """Return the columns that are read, in the order of the table."""
    labels = reading.names or tuple(map(str, range(len(reading.encoders))))
    triples = zip(labels, reading.encoders, reading.report, strict=True)
    return tuple(
        _raw_column(label, encoder, report.range)
        for label, encoder, report in triples
        if encoder is not None
    )


def _raw_column(label: str, encoder: Encoder, ends: Any) -> RawColumn:
    if isinstance(encoder, CalendarEncoder):
        low, high = ((np.datetime64(end, "us") - EPOCH) / SECOND for end in ends)
        zone = f", in the time of {encoder.zone}" if encoder.zone else ""
        remark = f"seconds since 1970-01-01 00:00{zone}; NaN if missing"
        return RawColumn(label, "date", remark, float(low), float(high))
    if isinstance(encoder, NumberEncoder):
        what = {Nature.BOOLEANS: "0 or 1; ", Nature.DURATIONS: "seconds; "}.get(encoder.nature, "")
        low, high = ends if np.isfinite(ends).all() else (0.0, 1.0)
        return RawColumn(label, "number", f"{what}NaN if missing", float(low), float(high))
    assert isinstance(encoder, (CategoryEncoder, RankEncoder))
    n_levels = len(encoder.codes if isinstance(encoder, CategoryEncoder) else encoder.ranks)
    kind = "a category" if isinstance(encoder, CategoryEncoder) else "an ordered category"
    return RawColumn(label, "text", f"{kind} of {n_levels} known levels; NULL if missing")


def raw_values(reading: Reading, X: Any) -> list[np.ndarray]:
    """Return the columns of a raw table that are read, each (N,), as ``RawColumn`` has them."""
    table = open_table(X)
    places = reading.places(table)
    return [
        _values(encoder, table.column(int(place), getattr(encoder, "zone", None)), table.n_rows)
        for encoder, place in zip(reading.encoders, places, strict=True)
        if encoder is not None
    ]


def _values(encoder: Encoder, column: Any, n_rows: int) -> np.ndarray:
    if isinstance(encoder, (CategoryEncoder, RankEncoder)):
        levels = levels_of(column, n_rows)
        texts: np.ndarray = np.array([*levels.texts, None], object)[levels.codes]
        return texts
    if column.nature is Nature.NOTHING:
        return np.full(n_rows, np.nan)
    if isinstance(encoder, CalendarEncoder):
        return np.asarray((column.values - EPOCH) / SECOND)
    return np.asarray(column.values, np.float64)


def add_reading(to: Builder, reading: Reading) -> Encoded:
    """Write down how the columns of a raw table are read."""
    encoders = [each for each in reading.encoders if each is not None]
    numbers = _add_numbers(to, encoders, single=reading.dtype == np.float32)
    columns = [i for i, each in enumerate(encoders) if isinstance(each, CategoryEncoder)]
    if not columns:
        return Encoded(numbers, None)
    codes = tuple(each.codes for each in encoders if isinstance(each, CategoryEncoder))
    read = to.add(
        ReadCodes,
        (),
        "codes",
        len(columns),
        dtype=CODES,
        columns=tuple(columns),
        codes=codes,
        unknown=RARE_CODE,
        missing=MISSING_CODE,
        remark="the code of each category",
    )
    return Encoded(numbers, read)


def _add_numbers(to: Builder, encoders: Sequence[Encoder], *, single: bool) -> Value | None:
    """Write down the numbers of a row in the order of the table; None without any."""
    read: list[Value] = []
    run: list[int] = []
    for place, encoder in enumerate([*encoders, None]):
        if isinstance(encoder, NumberEncoder):
            run.append(place)
            continue
        if run and not isinstance(encoder, CategoryEncoder):
            read.append(_add_run(to, run, single))
            run = []
        if isinstance(encoder, RankEncoder):
            name = f"rank{place}"
            read.append(
                to.add(ReadRanks, (), name, 1, dtype=np.float64, column=place, ranks=encoder.ranks)
            )
        elif isinstance(encoder, CalendarEncoder):
            read.append(_add_calendar(to, place, encoder))
    if len(read) < 2:
        return read[0] if read else None
    width = sum(each.width for each in read)
    return to.add(Concatenate, read, "numbers", width)


def _add_run(to: Builder, columns: list[int], single: bool) -> Value:
    name = f"numbers{columns[0]}"
    return to.add(
        ReadNumbers,
        (),
        name,
        len(columns),
        dtype=np.float64,
        columns=tuple(columns),
        single=single,
    )


def _add_calendar(to: Builder, place: int, encoder: CalendarEncoder) -> Value:
    return to.add(
        ReadCalendar,
        (),
        f"date{place}",
        len(encoder.parts),
        dtype=np.float64,
        column=place,
        parts=encoder.parts,
        start=float((encoder.start - EPOCH) / SECOND),
        remark=", ".join(encoder.parts),
    )


def add_inputs(to: Builder, inputs: Inputs, row: Encoded, dtype: np.dtype) -> Value:
    """Write down how numbers and codes become inputs of a network, (1, I) of its type."""
    parts = [] if row.numbers is None else _add_of_numbers(to, inputs, row.numbers)
    if inputs.levels is not None and row.codes is not None:
        parts.append(
            to.add(
                OneHot,
                row.codes,
                "levels",
                inputs.levels.n_outputs,
                dtype=np.float32,
                places=inputs.levels.places,
                firsts=inputs.levels.firsts,
                remark="an input for each level",
            )
        )
    parts = [each for each in parts if each.width]
    if inputs.scale != 1 and parts:
        factors = np.full((1, 1), inputs.scale, np.float32)
        parts = [to.add(Scale, _joined(to, parts, "unscaled"), "scaled", factors=factors)]
    if inputs.n_codes and row.codes is not None:
        places = np.arange(row.codes.width)
        parts.append(to.add(Select, row.codes, "levels", dtype=np.float32, places=places))
    if not parts:
        some = row.numbers or row.codes
        assert some is not None
        zero = np.zeros(1, np.float32)
        parts = [to.add(Constant, some, "nothing", 1, dtype=np.float32, numbers=zero)]
    x = _joined(to, parts, "inputs")
    if x.dtype == dtype:
        return x
    return to.add(Select, x, "inputs", dtype=dtype, places=np.arange(x.width))


def _joined(to: Builder, parts: list[Value], name: str) -> Value:
    """Write down values side by side, if there are several."""
    if len(parts) == 1:
        return parts[0]
    return to.add(Concatenate, parts, name, sum(each.width for each in parts))


def _add_of_numbers(to: Builder, inputs: Inputs, numbers: Value) -> list[Value]:
    """Write down what is made of the numbers of a row, as float32."""
    every, scaling = numbers, inputs.scaling
    if inputs.rotations is not None and len(inputs.rotations.pairs):
        turned = _add_turned(to, inputs.rotations, numbers, "turned")
        every = to.add(Concatenate, (numbers, turned), "places", numbers.width + turned.width)
    parts = [
        to.add(
            RobustScale,
            every,
            "robust",
            len(scaling.kept),
            dtype=np.float32,
            places=scaling.kept,
            centres=scaling.centres,
            factors=scaling.factors,
            remark="numbers: centred, scaled, smoothly clipped",
        ),
        to.add(
            IsMissing,
            every,
            "missing",
            len(scaling.indicated),
            dtype=np.float32,
            places=scaling.indicated,
            remark="1 where a number is missing",
        ),
    ]
    if inputs.piecewise is not None:
        parts.append(_add_pieces(to, inputs.piecewise, every, "pieces"))
    if inputs.pairs is not None and inputs.piecewise_of_pairs is not None:
        turned = _add_turned(to, inputs.pairs, numbers, "pairs")
        parts.append(_add_pieces(to, inputs.piecewise_of_pairs, turned, "pieces_of_pairs"))
    return parts


def _add_turned(to: Builder, rotations: Rotations, numbers: Value, name: str) -> Value:
    return to.add(
        Turn,
        numbers,
        name,
        rotations.eastward.size,
        pairs=rotations.pairs,
        eastward=rotations.eastward,
        northward=rotations.northward,
        remark="pairs of numbers, turned",
    )


def _add_pieces(to: Builder, encoding: PiecewiseEncoding, x: Value, name: str) -> Value:
    ends = np.zeros(encoding.n_outputs, np.int64)
    if encoding.is_open:
        ends[encoding.firsts] += 1
        ends[encoding.lasts] += 2
    return to.add(
        Pieces,
        x,
        name,
        encoding.n_outputs,
        dtype=np.float32,
        places=encoding.columns,
        starts=encoding.starts,
        widths=encoding.widths,
        ends=ends,
        scale=BIN_SCALE,
        remark="numbers: how far each fills its bins",
    )
