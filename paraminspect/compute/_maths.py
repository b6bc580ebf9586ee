"""Mathematics element by element, for the frameworks' tables of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive

from paraminspect.compute._functions import plain, sigmoid
from paraminspect.compute._promotion import as_floats, is_array, promoted
from paraminspect.compute._special import erf
from paraminspect.compute._steady import where

Function = Callable[..., Any]


def stepwise(function: Function) -> Function:
    """A function that is constant between its steps: its derivative is 0, not missing."""
    stepped: Function = primitive(function)
    defvjp(stepped, lambda _, x: lambda g: numpy.zeros_like(g))
    return stepped


def of_numbers_too(function: Function) -> Function:
    """A plain number gives one, which leaves a float32 beside it what it is; NumPy's would not."""
    return lambda x: float(function(x)) if type(x) in (int, float) else function(x)


def on_floats(function: Function) -> Function:
    """The function, computed in float32 where integers are given."""
    return lambda x: function(as_floats(x))


OF_FLOATS: dict[str, Function] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "erf": erf,
    "sigmoid": sigmoid,
}
"""Functions that give floats, by NumPy's names."""

OF_ALL: dict[str, Function] = {
    "abs": np.abs,
    "negative": lambda x: -x,
    "square": lambda x: x * x,
    "sign": stepwise(numpy.sign),
    "floor": stepwise(numpy.floor),
    "ceil": stepwise(numpy.ceil),
    "trunc": stepwise(numpy.trunc),
    "round": stepwise(numpy.rint),
}
"""Functions that leave integers what they are."""

TESTS: dict[str, Function] = {
    "isnan": lambda x: numpy.isnan(plain(x)),
    "isinf": lambda x: numpy.isinf(plain(x)),
    "isfinite": lambda x: numpy.isfinite(plain(x)),
    "logical_not": lambda x: numpy.logical_not(plain(x)),
}
"""Questions about each element."""

LOGICAL: dict[str, Function] = {
    "logical_and": lambda x, y: numpy.logical_and(plain(x), plain(y)),
    "logical_or": lambda x, y: numpy.logical_or(plain(x), plain(y)),
    "logical_xor": lambda x, y: numpy.logical_xor(plain(x), plain(y)),
}
"""Truths of two arrays, element by element."""


def clipped(x: Any, low: Any, high: Any) -> Any:
    """`x` where it lies between the bounds, else the bound; None bounds nothing.

    A gradient flows where `x` is a bound, as in the frameworks; with `np.clip` it does not.
    """
    x = x if low is None else where(x < low, *promoted(low, x))
    return x if high is None else where(x > high, *promoted(high, x))


def chosen(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`; two numbers become float32 if one is a float."""
    x, y = promoted(x, y)
    if not is_array(x) and not is_array(y) and float in (type(x), type(y)):
        x, y = numpy.float32(x), numpy.float32(y)
    return where(condition, x, y)
