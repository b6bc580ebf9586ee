"""Expressions: the one small language of layer calls, sizes, schemes, `set` and `forward`.

Parsed with `ast`, checked against a white list, and evaluated by walking the nodes: no `eval`, no
attribute access, and a bound on the size of every result.
"""

from paraminspect.expressions._calls import (
    bind_arguments,
    call,
    format_call,
    format_value,
    signature,
)
from paraminspect.expressions._evaluation import CONSTANTS, OPERATORS, Operators
from paraminspect.expressions._expression import Expression, parse_expression

__all__ = [
    "CONSTANTS",
    "OPERATORS",
    "Expression",
    "Operators",
    "bind_arguments",
    "call",
    "format_call",
    "format_value",
    "parse_expression",
    "signature",
]
