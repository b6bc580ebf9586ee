"""Activations of `torch.nn.functional`, and those of `torch`, with their own arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

from paraminspect.compute import _functions as f
from paraminspect.compute._arguments import floats
from paraminspect.compute._maths import clipped
from paraminspect.compute._steady import where
from paraminspect.frameworks.pytorch.compute.functions._arguments import dim_of

Function = Callable[..., Any]


def _in_place(function: Function) -> Function:
    return lambda input, inplace=False: function(floats(input))


def _leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return f.leaky_relu(floats(input), negative_slope)


def _elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return f.elu(floats(input), alpha)


def _celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return f.celu(floats(input), alpha)


def _gelu(input: Any, *, approximate: str = "none") -> Any:
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate must be 'none' or 'tanh', got {approximate!r}")
    return f.gelu(floats(input), approximate)


def _softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    return f.softplus(floats(input), beta, threshold)


def _hardtanh(
    input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    return clipped(input, min_val, max_val).astype(input.dtype)


def _soft(function: Function) -> Function:
    """`dim` has no default: what `torch` takes without one depends on the number of axes."""

    def apply(input: Any, dim: int, dtype: str | None = None) -> Any:
        if dtype not in (None, "float32", "float64"):
            raise TypeError(f"dtype must be float32 or float64, got {dtype!r}")
        axis = dim_of(dim, input)
        x = floats(input if dtype is None else input.astype(dtype))
        if not x.ndim:  # one element, whatever it is
            return np.reshape(function(np.reshape(x, (1,)), 0), ())
        return function(x, axis)

    return apply


def _glu(input: Any, dim: int = -1) -> Any:
    return f.gated(floats(input), dim_of(dim, input))


def _prelu(input: Any, weight: Any) -> Any:
    count = weight.size
    if weight.ndim > 1 or count not in (1, input.shape[1] if input.ndim > 1 else 1):
        raise ValueError(f"weight {list(weight.shape)} does not fit input {list(input.shape)}")
    slopes = np.reshape(weight, (-1, *[1] * (input.ndim - 2)) if count > 1 else ())
    return where(floats(input) > 0, input, slopes * input)


def _relu(input: Any, inplace: bool = False) -> Any:
    return f.relu(input)


OF_TORCH: dict[str, Function] = {
    "relu": _relu,
    "softmax": _soft(f.softmax),
    "log_softmax": _soft(f.log_softmax),
    "selu": _in_place(f.selu),
    "celu": _celu,
    "prelu": _prelu,
}
"""Those that `torch` has too."""

ACTIVATIONS: dict[str, Function] = {
    "relu6": lambda input, inplace=False: f.relu6(input),
    "leaky_relu": _leaky_relu,
    "silu": _in_place(f.silu),
    "mish": _in_place(f.mish),
    "hardsigmoid": _in_place(f.hardsigmoid),
    "hardswish": _in_place(f.hardswish),
    "elu": _elu,
    "gelu": _gelu,
    "softplus": _softplus,
    "hardtanh": _hardtanh,
    "softshrink": lambda input, lambd=0.5: f.shrink(floats(input), lambd, lambd),
    "hardshrink": lambda input, lambd=0.5: f.shrink(floats(input), lambd, 0),
    "logsigmoid": lambda input: f.logsigmoid(floats(input)),
    "softsign": lambda input: floats(input) / (1 + np.abs(input)),
    "tanhshrink": lambda input: floats(input) - np.tanh(input),
    "softmin": _soft(lambda x, axis: f.softmax(-x, axis)),
    "glu": _glu,
}
"""Those of `torch.nn.functional` alone."""
