"""Mathematics, comparisons, choices and activations of `mx.np` and `mx.npx`.

MXNet computes `exp` of integers, and an integer array times 0.5, in integers: both are refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._arguments import array, array_or_number, dtype_of, floats
from paraminspect.compute._axes import axis_of
from paraminspect.compute._functions import plain
from paraminspect.compute._maths import (
    OF_ALL,
    OF_FLOATS,
    TESTS,
    chosen,
    clipped,
    of_numbers_too,
    stepwise,
)
from paraminspect.compute._promotion import divide, is_array, is_whole, of_two
from paraminspect.compute._steady import maximum, minimum, where

Function = Callable[..., Any]


def _of_x(function: Function) -> Function:
    return lambda x: function(x)


def _of_data(function: Function) -> Function:
    return lambda data: function(floats(data))


def _on_floats(function: Function) -> Function:
    return lambda x: function(floats(x) if is_array(x) else x)


_NAMES = {
    **{name: name for name in OF_FLOATS if name not in ("exp2", "rsqrt", "erf", "sigmoid")},
    **{name: name for name in OF_ALL if name != "round"},
    "absolute": "abs",
    "rint": "round",
}
_IMPLEMENTED = {**{name: _on_floats(f) for name, f in OF_FLOATS.items()}, **OF_ALL}

OF_NUMBERS_TOO: dict[str, Function] = {
    name: _of_x(of_numbers_too(_IMPLEMENTED[of])) for name, of in _NAMES.items()
}
"""What a plain number may be given to, as to Python's `math`."""


def checked(function: Function) -> Function:
    """An operator, of which MXNet makes no integers where a number is none."""

    def apply(x1: Any, x2: Any) -> Any:
        for one, other in ((x1, x2), (x2, x1)):
            if is_whole(one) and type(other) is float and not other.is_integer():
                raise TypeError(f"MXNet makes an integer of {other} beside {one.dtype}")
        return function(x1, x2)

    return apply


def _of_x1_and_x2(function: Function) -> Function:
    def apply(x1: Any, x2: Any) -> Any:
        if not is_array(x1) and not is_array(x2):
            raise TypeError("one of x1 and x2 must be an array")
        return function(x1, x2)

    return apply


def _round(x: Any, decimals: int = 0) -> Any:
    rounded: Function = stepwise(lambda x: numpy.round(x, decimals))
    return rounded(x)


def _clip(a: Any, a_min: Any, a_max: Any) -> Any:
    if a_min is None and a_max is None:
        raise TypeError("one of a_min and a_max must be given")
    for bound in (a_min, a_max):
        if bound is not None and type(bound) not in (int, float):
            raise TypeError(f"a bound must be a number, got {bound!r}")
    return clipped(a, a_min, a_max)


def choose(condition: Any, x: Any = None, y: Any = None) -> Any:
    """The values may be numbers; the condition alone gives the indices where it holds."""
    array("condition", condition)
    holds = plain(condition) != 0
    if x is None and y is None:
        return tuple(numpy.nonzero(holds))
    for name, value in (("x", x), ("y", y)):
        array_or_number(name, value)
    if not is_array(x) and not is_array(y):
        x, y = float(x), float(y)
    return chosen(holds, x, y)


_BINARY: dict[str, Function] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "power": operator.pow,
    **dict.fromkeys(("mod", "remainder"), operator.mod),
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
    "round": _round,
    "clip": _clip,
    "cast": lambda data, dtype: data.astype(dtype_of(dtype, "")),
    **{name: _of_x1_and_x2(checked(of_two(function))) for name, function in _BINARY.items()},
    **dict.fromkeys(("divide", "true_divide"), _of_x1_and_x2(divide)),
}
"""What takes arrays, or two operands."""


def _soft(data: Any, axis: Any, temperature: float | None, function: Function) -> Any:
    x = floats(data) if temperature is None else floats(data) / temperature
    if not x.ndim:
        return np.reshape(function(np.reshape(x, (1,)), axis_of(axis, 1)), ())
    return function(x, axis_of(axis, x.ndim))


def _softmax(
    data: Any, length: None = None, axis: int = -1, temperature: float | None = None
) -> Any:
    """Its second argument is the length of each row, not the axis."""
    return _soft(data, axis, temperature, f.softmax)


def _log_softmax(data: Any, axis: int = -1, temperature: float | None = None) -> Any:
    return _soft(data, axis, temperature, f.log_softmax)


ACTIVATED: dict[str, Function] = {
    "relu": f.relu,
    "sigmoid": f.sigmoid,
    "tanh": np.tanh,
    "softrelu": f.softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
}


def _activation(data: Any, act_type: str) -> Any:
    if act_type not in ACTIVATED:
        raise ValueError(f"act_type must be one of {', '.join(ACTIVATED)}, got {act_type!r}")
    return ACTIVATED[act_type](floats(data))


def _leaky_relu(data: Any, gamma: Any = None, act_type: str = "leaky", slope: float = 0.25) -> Any:
    """Five activations in one function; `gamma` are the slopes of `prelu`, along axis 1."""
    known: dict[str, Function] = {
        "leaky": lambda x: f.leaky_relu(x, slope),
        "elu": lambda x: f.elu(x, slope),
        "selu": f.selu,
        "gelu": f.gelu,
        "prelu": lambda x: where(x > 0, x, _slopes(gamma, x) * x),
    }
    if act_type not in known:
        raise ValueError(f"act_type must be one of {', '.join(known)}, got {act_type!r}")
    if (act_type == "prelu") != (gamma is not None):
        raise TypeError("gamma goes with act_type='prelu'")
    return known[act_type](floats(data))


def _slopes(gamma: Any, x: Any) -> Any:
    return np.reshape(gamma, (-1, *[1] * (x.ndim - 2))) if gamma.size > 1 else gamma


ACTIVATIONS: dict[str, Function] = {
    "relu": lambda data: f.relu(data),
    "sigmoid": _of_data(f.sigmoid),
    "erf": _of_data(OF_FLOATS["erf"]),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "activation": _activation,
    "leaky_relu": _leaky_relu,
}
"""Those of `mx.npx`."""
