"""Mathematics, comparisons and choices of `torch`, element by element."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._arguments import array_or_number, floats
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
from paraminspect.compute._promotion import divide, is_array, of_two, promoted
from paraminspect.compute._steady import maximum, minimum, where

Function = Callable[..., Any]


def _of_input(function: Function) -> Function:
    return lambda input: function(input)


_NAMES = {
    **{name: name for name in (*OF_FLOATS, *OF_ALL) if name != "round"},
    **{f"a{name}": f"arc{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "absolute": "abs",
    "neg": "negative",
}
_IMPLEMENTED = {**{name: on_floats(f) for name, f in OF_FLOATS.items()}, **OF_ALL}


def _round(input: Any, *, decimals: int = 0) -> Any:
    rounded: Function = stepwise(lambda x: numpy.round(x, decimals))
    return rounded(input)


def _check_operands(*operands: Any) -> None:
    for name, operand in zip(("input", "other"), operands, strict=True):
        array_or_number(name, operand)
    if not any(map(is_array, operands)):
        raise TypeError("one of the operands must be an array")


def _scaled_by(function: Function) -> Function:
    def apply(input: Any, other: Any, *, alpha: float = 1) -> Any:
        _check_operands(input, other)
        return of_two(function)(input, other if alpha == 1 else of_two(operator.mul)(other, alpha))

    return apply


def _with_other(function: Function) -> Function:
    def apply(input: Any, other: Any) -> Any:
        _check_operands(input, other)
        return function(*promoted(input, other))

    return apply


def _divide(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    _check_operands(input, other)
    if rounding_mode is None:
        return divide(input, other)
    if rounding_mode == "floor":
        return of_two(operator.floordiv)(input, other)
    if rounding_mode == "trunc":
        return OF_ALL["trunc"](divide(input, other))
    raise ValueError(f"rounding_mode must be 'floor' or 'trunc', got {rounding_mode!r}")


def _power(input: Any, exponent: Any) -> Any:
    _check_operands(input, exponent)
    return of_two(operator.pow)(input, exponent)


def _of_tensors(function: Function) -> Function:
    def apply(input: Any, other: Any) -> Any:
        if not is_array(other):
            raise TypeError(f"other must be an array, got {other!r}: clamp takes numbers")
        return function(*promoted(input, other))

    return apply


def _logical(function: Function) -> Function:
    def apply(input: Any, other: Any) -> Any:
        if not is_array(other):
            raise TypeError(f"other must be an array, got {other!r}")
        return function(input, other)

    return apply


def _clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    if min is None and max is None:
        raise ValueError("one of min and max must be given")
    if is_array(min) != is_array(max) and min is not None and max is not None:
        raise TypeError("min and max must be both numbers or both arrays")
    return clipped(input, min, max)


def _where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """The values may be numbers; the condition alone gives the indices where it holds."""
    if not is_array(condition) or condition.dtype.kind != "b":
        raise TypeError("the condition must be an array of bools")
    if input is None and other is None:
        return tuple(numpy.nonzero(plain(condition)))
    if input is None or other is None:
        raise TypeError("both values must be given")
    return chosen(condition, input, other)


def _masked_fill(input: Any, mask: Any, value: Any) -> Any:
    if mask.dtype.kind != "b":
        raise TypeError(f"the mask must be an array of bools, got {mask.dtype}")
    if is_array(value) and numpy.ndim(plain(value)):
        raise TypeError("the value must be a number")
    if type(value) is float and input.dtype.kind != "f":
        value = int(value) if value.is_integer() else _no_float(input)
    return where(mask, promoted(value, input)[0], input)


def _no_float(input: Any) -> Any:
    raise TypeError(f"a float does not fit into {input.dtype}")


def _threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    return f.above(floats(input), threshold, value)


OF_NUMBERS_TOO: dict[str, Function] = {
    **{name: _of_input(of_numbers_too(_IMPLEMENTED[of])) for name, of in _NAMES.items()},
    "add": _scaled_by(operator.add),
    **dict.fromkeys(("sub", "subtract"), _scaled_by(operator.sub)),
    **dict.fromkeys(("mul", "multiply"), _with_other(operator.mul)),
    **dict.fromkeys(("div", "divide", "true_divide"), _divide),
    "floor_divide": _with_other(operator.floordiv),
    "remainder": _with_other(operator.mod),
    "pow": _power,
    "where": _where,
}
"""What a plain number may be given to, as to Python's `math`."""

ELEMENTWISE: dict[str, Function] = {
    **{name: _of_input(function) for name, function in TESTS.items()},
    "round": _round,
    **{name: _with_other(getattr(operator, name)) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    "maximum": _of_tensors(maximum),
    "minimum": _of_tensors(minimum),
    **{name: _logical(function) for name, function in LOGICAL.items()},
    **dict.fromkeys(("clamp", "clip"), _clamp),
    "masked_fill": _masked_fill,
    "threshold": _threshold,
}
"""What takes tensors only."""
