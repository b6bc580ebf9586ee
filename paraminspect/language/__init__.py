"""Expressions: the one small language of layer calls, sizes, schemes, `set` and `forward`.

Parsed with `ast`, checked against a white list, and evaluated by walking the nodes: no `eval`, no
attribute access, and a bound on the size of every result.
"""

from paraminspect.language._calls import bind_arguments, call, format_call, format_value, signature
from paraminspect.language._evaluation import CONSTANTS, OPERATORS, Operators
from paraminspect.language._expression import Expression, parse_expression

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
