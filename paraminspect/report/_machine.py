"""Reports for programs: complete, never cut, folded or coloured."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from paraminspect.errors import escape
from paraminspect.report._rows import KEYS, STATS, Facts, View, facts, named, record

SCHEMA_VERSION = 1

CODES = ("quantized", "weights", "decodable")
"""Columns for the fields of `Codes`, where any parameter has them; in JSON an object."""


@functools.cache
def _encoder() -> Callable[[object], str]:
    import json  # a table starts without

    return json.JSONEncoder(allow_nan=False).encode


def _encode(value: object) -> str:
    return _encoder()(value)


def _records(view: View) -> Iterator[dict[str, Any]]:
    for parameter in islice(view.tree.entries.values(), view.limit or None):
        yield record(view, parameter)


def as_json(view: View) -> Iterator[str]:
    """One object, as the JSON contract has it, a line per parameter; pure ASCII."""
    tree = view.tree
    head = {
        "schema_version": SCHEMA_VERSION,
        "source": tree.source.path,
        "format": tree.source.format,
        "metadata": dict(tree.metadata),
        "others": dict(tree.source.others),
        "optimizer": len(tree.source.optimizer),
    }
    yield _encode(head)[:-1] + ', "parameters": ['
    pending = None
    for line in as_jsonl(view):
        if pending is not None:
            yield pending + ","
        pending = line
    if pending is not None:
        yield pending
    totals = asdict(tree.totals)
    if totals["weights"] == totals["count"]:
        del totals["weights"]
    yield f'], "totals": {_encode(totals)}}}'


def as_jsonl(view: View) -> Iterator[str]:
    """One object per parameter and line.

    A hundred thousand parameters differ in little but their names: equal facts are encoded once.
    """
    if view.stats is not None:
        yield from map(_encode, _records(view))
        return
    made: dict[Facts, str] = {}
    for p in islice(view.tree.entries.values(), view.limit or None):
        if p.codes is not None:
            yield _encode(record(view, p))
            continue
        known = facts(view.tree, p)
        if known not in made:
            made[known] = _encode(named(known))[1:]
        yield f'{{"name": {_encode(p.name)}, {made[known]}'


def as_names(view: View) -> Iterator[str]:
    """One name a line, control characters escaped."""
    return map(escape, islice(view.tree.entries, view.limit or None))


def as_csv(view: View) -> Iterator[str]:
    """Comma-separated values with a header; a shape is written `8x4`."""
    return _separated(view, "excel")


def as_tsv(view: View) -> Iterator[str]:
    """Tab-separated values with a header; a shape is written `8x4`."""
    return _separated(view, "excel-tab")


def _separated(view: View, dialect: str) -> Iterator[str]:
    import csv  # a table starts without

    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect, lineterminator="")
    for row in _rows(view):
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(row)
        yield buffer.getvalue()


def _rows(view: View) -> Iterator[list[Any]]:
    codes = CODES if any(p.codes for p in view.tree.entries.values()) else ()
    yield ["name", *KEYS, *codes, *(STATS if view.stats is not None else ())]
    for row in _records(view):
        row["name"] = escape(row["name"])
        row["shape"] = "x".join(map(str, row["shape"]))
        row["tied_to"] = escape(row["tied_to"] or "")
        row["stored_path"] = escape(row["stored_path"] or "")
        quantized = row.pop("quantized", dict.fromkeys(codes)).values()
        stats = row.pop("stats", {})
        yield [*row.values(), *map(_escaped, quantized), *stats.values()]


def _escaped(value: object) -> object:
    return escape(value) if isinstance(value, str) else value
