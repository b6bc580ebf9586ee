"""Products of `torch`, which promote nothing: the dtypes must be equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

from paraminspect.compute._arguments import array
from paraminspect.compute._einsum import einsum
from paraminspect.frameworks.pytorch.compute.functions._arguments import same_dtype

Function = Callable[..., Any]


def matmul(input: Any, other: Any) -> Any:
    """The matrix product, batches broadcast."""
    for name, x in (("input", input), ("other", other)):
        array(name, x)
    same_dtype(input, other)
    return np.matmul(input, other)


def _of_axes(input: Any, other: Any, ndim: int) -> Any:
    if input.ndim != ndim or other.ndim != ndim:
        raise ValueError(
            f"arrays of {ndim} axes are expected, got shapes"
            f" {list(input.shape)} and {list(other.shape)}"
        )
    return matmul(input, other)


def _bmm(input: Any, mat2: Any) -> Any:
    if input.ndim == mat2.ndim == 3 and input.shape[0] != mat2.shape[0]:
        raise ValueError(f"batches of {input.shape[0]} and {mat2.shape[0]} are not one")
    return _of_axes(input, mat2, 3)


def _dot(input: Any, tensor: Any) -> Any:
    return _of_axes(input, tensor, 1)


def _outer(input: Any, vec2: Any) -> Any:
    array("vec2", vec2)
    if input.ndim != 1 or vec2.ndim != 1:
        raise ValueError("arrays of one axis are expected")
    return input[:, None] * vec2


def _einsum(equation: Any, *operands: Any) -> Any:
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], list) else operands
    for x in given:
        array("an operand", x)
    same_dtype(*given)
    return einsum(equation, *given)


def _linear(input: Any, weight: Any, bias: Any = None) -> Any:
    if weight.ndim != 2:
        raise ValueError(f"weight must be (out, in), got shape {list(weight.shape)}")
    same_dtype(input, weight, *(() if bias is None else (bias,)))
    y = np.matmul(input, weight.T)
    return y if bias is None else y + bias


PRODUCTS: dict[str, Function] = {
    "matmul": matmul,
    "mm": lambda input, mat2: _of_axes(input, mat2, 2),
    "bmm": _bmm,
    "dot": _dot,
    "outer": _outer,
    "einsum": _einsum,
    "linear": _linear,
}
