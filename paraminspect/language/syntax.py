"""Python's syntax, which the small language borrows, read without a word on the terminal."""

from __future__ import annotations

import ast
import warnings

UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError)
"""What text can raise that is no Python: nested too deep, or with too many digits, too."""


def read_expression(text: str) -> ast.expr:
    """The node of one expression; raises one of `UNREADABLE`."""
    with warnings.catch_warnings():
        # Python warns of what it may refuse some day: `'\\d'`, `1if x`.
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


def read_statements(text: str) -> list[ast.stmt]:
    """The nodes of a text's statements; raises one of `UNREADABLE`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text).body
