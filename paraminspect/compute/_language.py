"""The language of a `forward`: what may be called in it, and what its operators make of dtypes.

Names and defaults are PyTorch's where it has the function, NumPy's otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._arguments import checked_shape, told
from paraminspect.compute._special import erf
from paraminspect.compute._steady import (
    largest,
    maximum,
    mean,
    minimum,
    smallest,
    variance,
    where,
)
from paraminspect.errors import ExpressionError


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        axis = tuple(dim) if isinstance(dim, list) else dim
        return function(x, axis=axis, keepdims=keepdim)

    return reduce


def _variance(x: Any, dim: Any = None, keepdim: bool = False, correction: int = 1) -> Any:
    """Unbiased, as `torch.var`; `correction=0` is NumPy's and Keras's."""
    found = _reduction(variance)(x, dim, keepdim)
    count = np.size(x) // max(np.size(found), 1)
    free = max(count - correction, 0)
    return found if correction == 0 else found * (count / free if free else float("inf"))


def _clipped(x: Any, low: Any, high: Any) -> Any:
    """As `torch.clamp`, a gradient flows where `x` is a bound; with `np.clip` it does not."""
    x = x if low is None else where(x < low, *promoted(low, x))
    return x if high is None else where(x > high, *promoted(high, x))


def _alike(tensors: Sequence[Any]) -> list[Any]:
    floats = [x for x in tensors if x.dtype.kind == "f"]
    return [_beside(x, floats[0]) for x in tensors] if floats else list(tensors)


def _of_numbers_too(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain number gives one, which leaves a float32 beside it what it is; NumPy's would not."""

    def apply(x: Any) -> Any:
        return float(function(x)) if type(x) in (int, float) else function(x)

    return apply


def _concatenate(tensors: Any, dim: int = 0) -> Any:
    if not isinstance(tensors, tuple | list):
        raise ExpressionError("cat takes a list of tensors: cat([a, b], dim=1)")
    return np.concatenate(_alike(tensors), axis=dim)


def arange(*bounds: float) -> Any:
    """Numbers from a first, or 0, to before a last by a step; int64, or float32 with a fraction."""
    numbers = numpy.arange(*bounds)
    return numbers if numbers.dtype.kind == "i" else numbers.astype("float32")


def promoted(left: Any, right: Any) -> tuple[Any, Any]:
    """Two operands, as in the frameworks: beside floats, integers and bools become of their dtype.

    NumPy makes float64 of float32 and int64; autograd does so in the gradient of `2 ** x`.
    """
    return _beside(left, right), _beside(right, left)


def _beside(operand: Any, other: Any) -> Any:
    if getattr(getattr(other, "dtype", None), "kind", "") != "f":
        return operand
    if type(operand) in (int, float):
        return numpy.asarray(operand, other.dtype)
    is_whole = getattr(getattr(operand, "dtype", None), "kind", "") in ("i", "u", "b")
    return operand.astype(other.dtype) if is_whole else operand


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": _of_numbers_too(np.abs),
    "exp": _of_numbers_too(np.exp),
    "log": _of_numbers_too(np.log),
    "sqrt": _of_numbers_too(np.sqrt),
    "sin": _of_numbers_too(np.sin),
    "cos": _of_numbers_too(np.cos),
    "tanh": _of_numbers_too(np.tanh),
    "erf": _of_numbers_too(erf),
    "maximum": lambda x, y: maximum(*promoted(x, y)),
    "minimum": lambda x, y: minimum(*promoted(x, y)),
    "clip": _clipped,
    "where": lambda condition, x, y: where(condition, *promoted(x, y)),
    "sum": _reduction(np.sum),
    "mean": _reduction(mean),
    "max": _reduction(largest),
    "min": _reduction(smallest),
    "var": _variance,
    "norm": f.norm,
    "matmul": lambda x, y: np.matmul(x, y),
    "mm": lambda x, y: np.matmul(x, y),
    "einsum": lambda rule, *operands: np.einsum(rule, *operands),
    "reshape": f.reshape,
    "view": f.reshape,
    "flatten": f.flatten,
    "transpose": f.transpose,
    "permute": lambda x, *axes: np.transpose(x, axes),
    "expand_dims": lambda x, axis: np.expand_dims(x, axis),
    "squeeze": lambda x, axis=None: np.squeeze(x, axis),
    "cat": _concatenate,
    "concatenate": _concatenate,
    "stack": lambda tensors, dim=0: np.stack(_alike(tensors), axis=dim),
    "split": f.split,
    "shape": lambda x: tuple(x.shape),
    "arange": arange,
    "ones": lambda *shape: numpy.ones(checked_shape(shape, 0), "float32"),
    "zeros": lambda *shape: numpy.zeros(checked_shape(shape, 0), "float32"),
    "causal_mask": f.causal_mask,
    "masked_fill": f.masked_fill,
    "attend": lambda q, k, v, heads, mask=None: f.attend(q, k, v, heads, mask)[0],
    "relu": f.relu,
    "relu6": f.relu6,
    "leaky_relu": f.leaky_relu,
    "sigmoid": f.sigmoid,
    "silu": f.silu,
    "softplus": f.softplus,
    "gelu": f.gelu,
    "elu": f.elu,
    "selu": f.selu,
    "hardsigmoid": f.hardsigmoid,
    "hardswish": f.hardswish,
    "mish": f.mish,
    "softmax": f.softmax,
    "log_softmax": f.log_softmax,
}

FUNCTIONS = {name: told(name, function) for name, function in _FUNCTIONS.items()}
"""What may be called in a `forward`, besides the children of the module."""
