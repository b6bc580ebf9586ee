"""Activations of `keras.ops`, and those that only `keras.activations` has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as np

from paraminspect.compute import _functions as f
from paraminspect.compute._arguments import floats
from paraminspect.compute._axes import axes_of, axis_of

Function = Callable[..., Any]


def _of_floats(function: Function) -> Function:
    return lambda x: function(floats(x))


def _gelu(x: Any, approximate: bool = True) -> Any:
    return f.gelu(floats(x), "tanh" if approximate else "none")


def _soft(function: Function) -> Function:
    def apply(x: Any, axis: Any = -1) -> Any:
        if not floats(x).ndim:
            raise ValueError("at least one axis is expected")
        axes = axes_of(axis, x.ndim)
        return function(x, axes[0] if len(axes) == 1 else axes)

    return apply


def _relu(x: Any) -> Any:
    return f.relu(x)


def _squareplus(x: Any, b: float = 4) -> Any:
    return (floats(x) + np.sqrt(x * x + b)) / 2


ACTIVATIONS: dict[str, Function] = {
    "relu": _relu,
    "relu6": _of_floats(f.relu6),
    "leaky_relu": lambda x, negative_slope=0.2: f.leaky_relu(floats(x), negative_slope),
    "softplus": _of_floats(lambda x: f.softplus(x, threshold=math.inf)),
    "softsign": _of_floats(lambda x: x / (1 + np.abs(x))),
    **dict.fromkeys(("silu", "swish"), _of_floats(f.silu)),
    "log_sigmoid": _of_floats(f.logsigmoid),
    "hard_sigmoid": _of_floats(f.hardsigmoid),
    **dict.fromkeys(("hard_silu", "hard_swish"), _of_floats(f.hardswish)),
    "hard_tanh": _of_floats(lambda x: np.clip(x, -1.0, 1.0)),
    "tanh_shrink": _of_floats(lambda x: x - np.tanh(x)),
    "hard_shrink": lambda x, threshold=0.5: f.shrink(floats(x), threshold, 0),
    "soft_shrink": lambda x, threshold=0.5: f.shrink(floats(x), threshold, threshold),
    "threshold": lambda x, threshold, default_value: f.above(floats(x), threshold, default_value),
    "elu": lambda x, alpha=1.0: f.elu(floats(x), alpha),
    "selu": _of_floats(f.selu),
    "celu": lambda x, alpha=1.0: f.celu(floats(x), alpha),
    "gelu": _gelu,
    "glu": lambda x, axis=-1: f.gated(floats(x), axis_of(axis, x.ndim)),
    "squareplus": _squareplus,
    "softmax": _soft(f.softmax),
    "log_softmax": _soft(f.log_softmax),
    "mish": _of_floats(f.mish),
    "exponential": _of_floats(np.exp),
    "linear": lambda x: x,
}
