"""Reports: a tree as a table, a drawn tree, JSON, CSV, Markdown or bare names.

A style is a function from a view (a tree, perhaps statistics and a terminal) to lines.
"""

from paraminspect.report._records import STYLES as RECORD_STYLES
from paraminspect.report._rows import View, format_nbytes
from paraminspect.report._screen import Screen
from paraminspect.report._styles import MODULES, STYLES, Style, sort_tree, write

__all__ = [
    "MODULES",
    "RECORD_STYLES",
    "STYLES",
    "Screen",
    "Style",
    "View",
    "format_nbytes",
    "sort_tree",
    "write",
]
