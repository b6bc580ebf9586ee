"""Reports: a tree as a table, a drawn tree, JSON, CSV, Markdown or bare names.

A style is a function from a view (a tree, perhaps statistics and a terminal) to lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import IO, NamedTuple

from paraminspect.report._drawing import as_tree
from paraminspect.report._machine import as_csv, as_json, as_jsonl, as_names, as_tsv
from paraminspect.report._outline import as_modules, module_records
from paraminspect.report._records import FORMATS, Records
from paraminspect.report._rows import View, natural_key
from paraminspect.report._table import as_markdown, as_table
from paraminspect.tree import ParameterTree


class Style(NamedTuple):
    """A way to report, and the options of a view that mean something to it."""

    lines: Callable[[View], Iterable[str]]
    takes: frozenset[str]


RECORDS = frozenset(("stats", "sort", "stored"))
TABLE = RECORDS | {"metadata"}

STYLES: dict[str, Style] = {
    "table": Style(as_table, TABLE),
    "tree": Style(as_tree, frozenset(("depth",))),
    "json": Style(as_json, TABLE),
    "jsonl": Style(as_jsonl, RECORDS),
    "csv": Style(as_csv, RECORDS),
    "tsv": Style(as_tsv, RECORDS),
    "markdown": Style(as_markdown, TABLE),
    "names": Style(as_names, frozenset(("sort",))),
}


def _of_modules(written: Callable[[Records], Iterable[str]]) -> Style:
    return Style(lambda view: written(module_records(view)), MODULE_OPTIONS)


MODULE_OPTIONS = frozenset(("depth", "sort"))
MODULES = {
    "table": Style(as_modules, MODULE_OPTIONS),
    **{name: _of_modules(written) for name, written in FORMATS.items()},
}
"""Tables with a depth: of modules, not of parameters."""

LINES_AT_ONCE = 10_000


def sort_tree(tree: ParameterTree, order: str | None) -> ParameterTree:
    """The tree in another order. By default that of the model, where the source tells it.

    Other sources sort by name, naturally.
    """
    if order is None:
        order = "definition" if tree.source.is_in_order else "name"
    if order == "definition":
        return tree
    names = sorted(tree.entries, key=natural_key(tree.architecture.separator))
    if order == "size":
        names.sort(key=lambda name: -tree.entries[name].nbytes)
    return replace(tree, entries={name: tree.entries[name] for name in names})


def write(lines: Iterable[str], stream: IO[str]) -> None:
    """Write lines in a few large pieces."""
    iterator: Iterator[str] = iter(lines)
    while piece := list(islice(iterator, LINES_AT_ONCE)):
        stream.write("\n".join(piece) + "\n")
