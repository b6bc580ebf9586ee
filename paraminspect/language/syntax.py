"""Python's syntax, which the small language borrows, read without printing any warning."""

from __future__ import annotations

import ast
import warnings

UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError)
"""What `ast.parse` raises for text that is not Python, nested too deep or with too many digits."""


def read_expression(text: str) -> ast.expr:
    """The node of one expression; raises one of `UNREADABLE`."""
    with warnings.catch_warnings():
        # Python warns about what it may refuse some day: `'\\d'`, `1if x`.
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


def read_statements(text: str) -> list[ast.stmt]:
    """The nodes of a text's statements; raises one of `UNREADABLE`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text).body
