"""Mathematics, comparisons and choices of `keras.ops`, element by element."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy

from paraminspect.compute._arguments import array_or_number, dtype_of
from paraminspect.compute._functions import plain
from paraminspect.compute._maths import (
    LOGICAL,
    OF_ALL,
    OF_FLOATS,
    TESTS,
    chosen,
    clipped,
    of_numbers_too,
    on_floats,
    stepwise,
)
from paraminspect.compute._promotion import as_floats, divide, is_array, of_two
from paraminspect.compute._steady import maximum, minimum

Function = Callable[..., Any]


def _of_x(function: Function) -> Function:
    return lambda x: function(x)


_NAMES = {
    **{name: name for name in (*OF_FLOATS, *OF_ALL) if name not in ("reciprocal", "round")},
    "absolute": "abs",
}
_FLOATS = (*OF_FLOATS, "floor", "ceil", "trunc")
_IMPLEMENTED = {
    **OF_ALL,
    **{name: on_floats((OF_FLOATS | OF_ALL)[name]) for name in _FLOATS},
}

OF_NUMBERS_TOO: dict[str, Function] = {
    name: _of_x(of_numbers_too(_IMPLEMENTED[of])) for name, of in _NAMES.items()
}
"""What a plain number may be given to, as to Python's `math`."""


def _of_x1_and_x2(function: Function) -> Function:
    def apply(x1: Any, x2: Any) -> Any:
        if not is_array(x1) and not is_array(x2):
            raise TypeError("one of x1 and x2 must be an array")
        return function(x1, x2)

    return apply


def _round(x: Any, decimals: int = 0) -> Any:
    rounded: Function = stepwise(lambda x: numpy.round(x, decimals))
    return rounded(x)


def _clip(x: Any, x_min: Any, x_max: Any) -> Any:
    for name, bound in (("x_min", x_min), ("x_max", x_max)):
        array_or_number(name, bound)
    return clipped(x, x_min, x_max)


def _where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """The values may be numbers; the condition alone gives the indices where it holds."""
    if not is_array(condition):
        raise TypeError(f"the condition must be an array, got {condition!r}")
    holds = plain(condition) != 0
    if x1 is None and x2 is None:
        return [found.astype("int32") for found in numpy.nonzero(holds)]
    for name, value in (("x1", x1), ("x2", x2)):
        array_or_number(name, value)
    if type(x1) is type(x2) is int:
        x1, x2 = numpy.int32(x1), numpy.int32(x2)
    return chosen(holds, x1, x2)


_BINARY: dict[str, Function] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "power": operator.pow,
    "mod": operator.mod,
    "floor_divide": operator.floordiv,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "maximum": maximum,
    "minimum": minimum,
}

ELEMENTWISE: dict[str, Function] = {
    **{name: _of_x(function) for name, function in TESTS.items()},
    "reciprocal": _of_x(lambda x: 1 / as_floats(x)),
    "round": _round,
    "clip": _clip,
    "where": _where,
    "cast": lambda x, dtype: x.astype(dtype_of(dtype, "")),
    **{name: _of_x1_and_x2(of_two(function)) for name, function in _BINARY.items()},
    **dict.fromkeys(("divide", "true_divide"), _of_x1_and_x2(divide)),
    **{name: _of_x1_and_x2(function) for name, function in LOGICAL.items()},
}
"""What takes arrays, or two operands."""
