"""Reports for programs: complete, never cut, folded or coloured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from paraminspect.errors import escape
from paraminspect.report._records import encode, json_object, separated
from paraminspect.report._rows import KEYS, STATS, Facts, View, facts, named, record

CODES = ("quantized", "weights", "decodable")
"""Columns for the fields of `Codes`, where any parameter has them; in JSON an object."""


def _records(view: View) -> Iterator[dict[str, Any]]:
    for parameter in islice(view.tree.entries.values(), view.limit or None):
        yield record(view, parameter)


def as_json(view: View) -> Iterator[str]:
    """One object, as the JSON contract has it, a line per parameter; pure ASCII."""
    tree = view.tree
    head = {
        "source": tree.source.path,
        "format": tree.source.format,
        "metadata": dict(tree.metadata),
        "others": dict(tree.source.others),
        "optimizer": len(tree.source.optimizer),
    }
    totals = asdict(tree.totals)
    if totals["weights"] == totals["count"]:
        del totals["weights"]
    return json_object(head, "parameters", as_jsonl(view), {"totals": totals})


def as_jsonl(view: View) -> Iterator[str]:
    """One object per parameter and line.

    A hundred thousand parameters differ in little but their names: equal facts are encoded once.
    """
    if view.stats is not None:
        yield from map(encode, _records(view))
        return
    made: dict[Facts, str] = {}
    for p in islice(view.tree.entries.values(), view.limit or None):
        if p.codes is not None:
            yield encode(record(view, p))
            continue
        known = facts(view.tree, p)
        if known not in made:
            made[known] = encode(named(known))[1:]
        yield f'{{"name": {encode(p.name)}, {made[known]}'


def as_names(view: View) -> Iterator[str]:
    """One name a line, control characters escaped."""
    return map(escape, islice(view.tree.entries, view.limit or None))


def as_csv(view: View) -> Iterator[str]:
    """Comma-separated values with a header; a shape is written `8x4`."""
    return separated("csv", _rows(view))


def as_tsv(view: View) -> Iterator[str]:
    """Tab-separated values with a header; a shape is written `8x4`."""
    return separated("tsv", _rows(view))


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
