"""Reports: a tree as a table, a drawn tree, JSON, CSV, Markdown or bare names.

A style is a function from a tree (with statistics, a limit and perhaps a terminal) to lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import IO

from paraminspect.report._machine import as_csv, as_json, as_jsonl, as_names, as_tsv
from paraminspect.report._rows import Screen, StatsByName, natural_key
from paraminspect.report._text import as_markdown, as_table, as_tree, module_table
from paraminspect.tree import ParameterTree

__all__ = ["STYLES", "Screen", "module_table", "sort_tree", "write"]

Style = Callable[[ParameterTree, StatsByName | None, int, Screen | None], Iterable[str]]

STYLES: dict[str, Style] = {
    "table": as_table,
    "tree": as_tree,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "tsv": as_tsv,
    "markdown": as_markdown,
    "names": as_names,
}

LINES_AT_ONCE = 10_000


def sort_tree(tree: ParameterTree, order: str | None) -> ParameterTree:
    """The tree in another order. By default a definition keeps its own; files sort naturally."""
    if order is None:
        order = "definition" if tree.format == "definition" else "name"
    if order == "definition":
        return tree
    names = sorted(tree.entries, key=natural_key)
    if order == "size":
        names.sort(key=lambda name: -tree.entries[name].nbytes)
    return replace(tree, entries={name: tree.entries[name] for name in names})


def write(lines: Iterable[str], stream: IO[str]) -> None:
    """Write lines in a few large pieces."""
    iterator: Iterator[str] = iter(lines)
    while piece := list(islice(iterator, LINES_AT_ONCE)):
        stream.write("\n".join(piece) + "\n")
