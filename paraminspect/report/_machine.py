"""Reports for programs: complete, never cut, folded or coloured."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from paraminspect.errors import escape
from paraminspect.report._rows import STATS, Screen, StatsByName, record
from paraminspect.tree import ParameterTree

SCHEMA_VERSION = 1


def _records(
    tree: ParameterTree, stats: StatsByName | None, limit: int
) -> Iterator[dict[str, Any]]:
    for parameter in islice(tree.entries.values(), limit or None):
        yield record(tree, parameter, stats)


def as_json(
    tree: ParameterTree,
    stats: StatsByName | None,
    limit: int,
    screen: Screen | None,  # noqa: ARG001
) -> Iterator[str]:
    """One object, as the JSON contract has it, a line per parameter; pure ASCII."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "source": tree.source,
        "format": tree.format,
        "metadata": dict(tree.metadata),
    }
    yield json.dumps(head)[:-1] + ', "parameters": ['
    pending = None
    for row in _records(tree, stats, limit):
        if pending is not None:
            yield pending + ","
        pending = json.dumps(row, allow_nan=False)
    if pending is not None:
        yield pending
    yield f'], "totals": {json.dumps(asdict(tree.totals))}}}'


def as_jsonl(
    tree: ParameterTree,
    stats: StatsByName | None,
    limit: int,
    screen: Screen | None,  # noqa: ARG001
) -> Iterator[str]:
    """One object per parameter and line."""
    for row in _records(tree, stats, limit):
        yield json.dumps(row, allow_nan=False)


def as_names(
    tree: ParameterTree,
    stats: StatsByName | None,  # noqa: ARG001
    limit: int,
    screen: Screen | None,  # noqa: ARG001
) -> Iterator[str]:
    """One name a line, control characters escaped."""
    yield from map(escape, islice(tree.entries, limit or None))


def as_csv(
    tree: ParameterTree,
    stats: StatsByName | None,
    limit: int,
    screen: Screen | None,  # noqa: ARG001
) -> Iterator[str]:
    """Comma-separated values with a header."""
    return _separated(tree, stats, limit, "excel")


def as_tsv(
    tree: ParameterTree,
    stats: StatsByName | None,
    limit: int,
    screen: Screen | None,  # noqa: ARG001
) -> Iterator[str]:
    """Tab-separated values with a header."""
    return _separated(tree, stats, limit, "excel-tab")


def _separated(
    tree: ParameterTree, stats: StatsByName | None, limit: int, dialect: str
) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect, lineterminator="")
    header: list[str] = ["name", "shape", "dtype", "count", "nbytes", "trainable", "tied_to"]
    header += ["layer", "scheme", *(STATS if stats is not None else ())]
    rows: Iterator[list[Any]] = (
        [
            escape(row["name"]),
            "x".join(map(str, row["shape"])),
            *list(row.values())[2:6],
            escape(row["tied_to"] or ""),
            *list(row.values())[7:9],
            *row.get("stats", {}).values(),
        ]
        for row in _records(tree, stats, limit)
    )
    for row in (header, *rows):
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(row)
        yield buffer.getvalue()
