"""Records: the rows of a report for programs, complete and never cut, in any format."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paraminspect.errors import escape
from paraminspect.report._rows import format_number

SCHEMA_VERSION = 1

DIALECTS = {"csv": "excel", "tsv": "excel-tab"}

BETWEEN = {"names": " = ", "worst_index": ","}
"""What parts the items of a list in a cell; those of a shape are parted by an x."""


@dataclass(frozen=True)
class Records:
    """Rows, the columns of a table that they fill, and what a JSON object has around them."""

    rows: Iterable[dict[str, Any]]
    columns: Sequence[str]
    """`grad norm` is the value `norm` of the object `grad` of a row."""
    key: str
    """What the list of the rows is called in JSON."""
    head: Mapping[str, Any] = field(default_factory=dict)
    tail: Mapping[str, Any] = field(default_factory=dict)


@functools.cache
def _encoder() -> Callable[[object], str]:
    import json  # a table starts without

    return json.JSONEncoder(allow_nan=False).encode


def encode(value: object) -> str:
    """Strict JSON in pure ASCII."""
    return _encoder()(value)


def json_object(
    head: Mapping[str, Any], key: str, rows: Iterable[str], tail: Mapping[str, Any]
) -> Iterator[str]:
    """One object around encoded rows, a line each."""
    yield f'{encode({"schema_version": SCHEMA_VERSION, **head})[:-1]}, "{key}": ['
    pending = None
    for row in rows:
        if pending is not None:
            yield pending + ","
        pending = row
    if pending is not None:
        yield pending
    yield f"], {encode(tail)[1:]}" if tail else "]}"


def separated(style: str, rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Rows of cells, the header among them, as `csv` or `tsv`."""
    import csv  # a table starts without

    buffer = io.StringIO()
    writer = csv.writer(buffer, DIALECTS[style], lineterminator="")
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(row)
        yield buffer.getvalue()


def markdown(
    header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()
) -> str:
    """A Markdown table; the columns `right` are aligned there."""
    from tabulate import tabulate

    right = set(right)
    align = ["right" if name in right else "left" for name in header]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    return tabulate(cells[1:], cells[0], "pipe", disable_numparse=True, colalign=align)


def _as_json(records: Records) -> Iterator[str]:
    return json_object(records.head, records.key, map(encode, records.rows), records.tail)


def _as_jsonl(records: Records) -> Iterator[str]:
    return map(encode, records.rows)


def _as_csv(records: Records) -> Iterator[str]:
    return separated("csv", _table(records))


def _as_tsv(records: Records) -> Iterator[str]:
    return separated("tsv", _table(records))


def _as_markdown(records: Records) -> Iterator[str]:
    header, *rows = ([_text(cell) for cell in row] for row in _table(records))
    yield from markdown(header, rows).splitlines()


def _as_names(records: Records) -> Iterator[str]:
    """Each name once, control characters escaped."""
    names = (name for row in records.rows for name in row.get("names", [row.get("name")]))
    return map(escape, dict.fromkeys(names))


FORMATS: dict[str, Callable[[Records], Iterator[str]]] = {
    "json": _as_json,
    "jsonl": _as_jsonl,
    "csv": _as_csv,
    "tsv": _as_tsv,
    "markdown": _as_markdown,
    "names": _as_names,
}
"""What a program reads a table in. Every command that prints a table has all of them."""

STYLES = ("table", *FORMATS)


def _table(records: Records) -> Iterator[list[Any]]:
    yield list(records.columns)
    for row in records.rows:
        yield [_cell(column, _value(row, column)) for column in records.columns]


def _value(row: Mapping[str, Any], column: str) -> Any:
    outer, _, inner = column.partition(" ")
    value = row[outer]
    return (value or {}).get(inner) if inner else value


def _cell(column: str, value: Any) -> Any:
    """A shape as `8x4`, text with its control characters escaped."""
    if isinstance(value, list):
        return BETWEEN.get(column, "x").join(escape(str(item)) for item in value)
    return escape(value) if isinstance(value, str) else value


def _text(cell: Any) -> str:
    return format_number(cell) if isinstance(cell, float) else "" if cell is None else str(cell)
