"""Reports of differences: as a table, JSON, CSV, Markdown, bare names, or a bar per module.

Apart from the reports of trees, because comparing needs NumPy and listing does without.
"""

from __future__ import annotations

from collections.abc import Iterator

from paraminspect.operations.diff import Comparison
from paraminspect.report._diff_records import Differences, records_of, sort_differences
from paraminspect.report._diff_stat import rendered_stat
from paraminspect.report._diff_text import as_markdown, as_table
from paraminspect.report._records import FORMATS
from paraminspect.report._screen import Screen

__all__ = ["rendered", "rendered_stat", "sort_differences"]


def rendered(
    style: str, comparison: Comparison, differences: Differences, screen: Screen | None
) -> Iterator[str]:
    """The differences in a style, on a terminal or (without one) in full."""
    if style == "table":
        return as_table(comparison, differences, screen)
    if style == "markdown":
        return as_markdown(comparison, differences)
    return FORMATS[style](records_of(comparison, differences))
