"""Schemes: how they are written, and which there are.

A scheme is a call in the expression language, `kaiming_uniform(a=5**0.5)`; a bare name is a call
without arguments, a bare number a constant. A list is drawn in turn: each item is a scheme that
draws anew, or an expression of `x`, the value so far: `[uniform(-10, 10), x * (abs(x) >= 5)]`.
"""

from paraminspect.init.schemes._calls import SchemeFunction, Undrawn, checked
from paraminspect.init.schemes._parsing import parse_scheme
from paraminspect.init.schemes._table import ALIASES, FAMILIES, IN_PLACE, SCHEMES
from paraminspect.init.schemes._target import (
    Number,
    Scheme,
    Size,
    Target,
    Text,
    Value,
)
from paraminspect.init.schemes._user import UserFunctions, user_scheme

__all__ = [
    "ALIASES",
    "FAMILIES",
    "IN_PLACE",
    "SCHEMES",
    "Number",
    "Scheme",
    "SchemeFunction",
    "Size",
    "Target",
    "Text",
    "Undrawn",
    "UserFunctions",
    "Value",
    "checked",
    "parse_scheme",
    "user_scheme",
]
