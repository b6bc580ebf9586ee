"""Slices for programs: JSON, CSV and TSV, written from blocks as pieces of text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from paraminspect.arrays import block_ranges, count_elements
from paraminspect.arrays.widening import Values, widen
from paraminspect.errors import ShapeError, escape
from paraminspect.operations.slicing import Slice
from paraminspect.report._records import SCHEMA_VERSION
from paraminspect.report._rows import strict

ROW_NBYTES = 1 << 16
"""Bytes of values that are turned into text at a time: a Python number takes ten times as many."""


class Piece(NamedTuple):
    """Values from one row of the last axis; a long row comes in several pieces."""

    row: int
    begins: bool
    ends: bool
    values: list[Any]


def pieces(slice_: Slice) -> Iterator[Piece]:
    """The values in C order as Python numbers: exactly them, floats as float64."""
    data = slice_.data
    length = data.shape[-1] if data.shape else 1
    for start, stop in block_ranges(data, ROW_NBYTES):
        values = _python_numbers(data.read(start, stop))
        done = start
        while done < stop:
            row, column = divmod(done, length)
            end = min(stop, (row + 1) * length)
            yield Piece(
                row, column == 0, end == (row + 1) * length, values[done - start : end - start]
            )
            done = end


def _python_numbers(values: Values) -> list[Any]:
    numbers: list[Any] = (values if values.dtype.kind == "b" else widen(values)).tolist()
    return numbers


def as_json(source: str, slices: Sequence[Slice], precision: int | None) -> Iterator[str]:  # noqa: ARG001 (as every style)
    """One object, as the JSON contract has it; a complex number is a list of its two parts."""
    yield json.dumps({"schema_version": SCHEMA_VERSION, "source": source})[:-1] + ', "slices": [\n'
    for number, slice_ in enumerate(slices):
        yield ",\n" * (number > 0)
        yield from _with_values(slice_)
    yield "\n]}\n"


def _with_values(slice_: Slice) -> Iterator[str]:
    if not count_elements(slice_.data.shape):
        _check_empty(slice_.data.shape)
    yield json.dumps(slice_record(slice_))[:-1] + ', "values":\n'
    yield from _nested(slice_)
    yield "}"


def slice_record(slice_: Slice) -> dict[str, Any]:
    """What is known of a slice without reading it, by the keys of the JSON contract."""
    record = {
        "name": slice_.name,
        "index": slice_.index,
        "shape": list(slice_.data.shape),
        "dtype": slice_.dtype.name,
    }
    return {**record, "note": slice_.note} if slice_.note else record


def _nested(slice_: Slice) -> Iterator[str]:
    """Nested lists, a line per row (or piece of a long one)."""
    shape = slice_.data.shape
    if not count_elements(shape):
        yield json.dumps(_empty(shape))
        return
    if not shape:
        [piece] = pieces(slice_)
        yield _tokens(piece.values)
        return
    rows = [math.prod(shape[i:-1]) for i in range(len(shape))]  # rows in a list of each depth
    for piece in pieces(slice_):
        opened = sum(piece.row % n == 0 for n in rows) if piece.begins else 0
        closed = sum((piece.row + 1) % n == 0 for n in rows) if piece.ends else 0
        last = piece.ends and closed == len(rows)
        yield "[" * opened + _tokens(piece.values) + "]" * closed + ("" if last else ",\n")


MAXIMUM_EMPTY = 1_000_000
"""Lists without an element that are written: the shape of an array of none may be beyond all."""


def _check_empty(shape: Sequence[int]) -> None:
    if math.prod(shape[: shape.index(0)]) > MAXIMUM_EMPTY:
        raise ShapeError(
            f"shape {list(shape)} has no element, and more than {MAXIMUM_EMPTY} empty lists"
        )


def _empty(shape: Sequence[int]) -> list[Any]:
    return [_empty(shape[1:]) for _ in range(shape[0])] if shape[0] else []


def _tokens(values: list[Any]) -> str:
    return json.dumps([_plain(value) for value in values], allow_nan=False)[1:-1]


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return [strict(value.real), strict(value.imag)]
    return strict(value) if isinstance(value, float) else value


def as_csv(source: str, slices: Sequence[Slice], precision: int | None) -> Iterator[str]:  # noqa: ARG001 (as every style)
    """A line per row of the last axis, with commas; what more axes there are follow one another."""
    return _separated(slices, precision, ",")


def as_tsv(source: str, slices: Sequence[Slice], precision: int | None) -> Iterator[str]:  # noqa: ARG001 (as every style)
    """The same with tabs."""
    return _separated(slices, precision, "\t")


def as_txt(source: str, slices: Sequence[Slice], precision: int | None) -> Iterator[str]:  # noqa: ARG001 (as every style)
    """The same with spaces."""
    return _separated(slices, precision, " ")


def _separated(slices: Sequence[Slice], precision: int | None, separator: str) -> Iterator[str]:
    """As `numpy.loadtxt` reads it; several slices have a line `# NAME[INDEX] ...` each."""
    for slice_ in slices:
        if len(slices) > 1:
            yield f"# {escape(slice_.title)} {slice_.dtype} {list(slice_.data.shape)}\n"
        between = separator if len(slice_.data.shape) > 1 else "\n"
        for piece in pieces(slice_):
            cells = between.join(_cell(value, precision) for value in piece.values)
            yield cells + ("\n" if piece.ends else between)


def _cell(value: Any, precision: int | None) -> str:
    if isinstance(value, complex):
        sign = "" if math.copysign(1, value.imag) < 0 else "+"
        return f"{_cell(value.real, precision)}{sign}{_cell(value.imag, precision)}j"
    if isinstance(value, float) and precision is not None:
        return f"{value:.{precision}e}"
    return repr(value)
