"""Reports of differences: as a table, JSON, CSV, Markdown, bare names, or a bar per module.

A style is a function from a comparison, its differences and perhaps a terminal to lines. Apart
from the reports of trees, because comparing needs NumPy and listing does without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from paraminspect.operations.diff import Comparison
from paraminspect.report._diff_records import (
    Differences,
    as_csv,
    as_json,
    as_jsonl,
    as_names,
    as_tsv,
    sort_differences,
)
from paraminspect.report._diff_stat import as_stat
from paraminspect.report._diff_text import as_markdown, as_table
from paraminspect.report._screen import Screen

__all__ = ["STYLES", "as_stat", "sort_differences"]

STYLES: dict[str, Callable[[Comparison, Differences, Screen | None], Iterator[str]]] = {
    "table": as_table,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "tsv": as_tsv,
    "markdown": as_markdown,
    "names": as_names,
}
