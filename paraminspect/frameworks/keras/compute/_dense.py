"""Dense layers, embeddings, and the layers that merge several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_last
from paraminspect.compute._functions import plain
from paraminspect.compute._run import Part
from paraminspect.compute._steady import maximum, minimum
from paraminspect.errors import ShapeError, counted
from paraminspect.frameworks.keras.compute._activations import activation_of

BRANCHES = "branches"
"""The part that holds what feeds a layer of several inputs (`frameworks.keras`)."""


def dense(part: Part, x: Any) -> Any:
    """activation(x @ kernel + bias)."""
    kernel, bias = part.p["kernel"], part.p.get("bias")
    expect_last(x, kernel.shape[0], "features")
    y = np.matmul(x, kernel)
    return activation_of(part.a.activation)(y if bias is None else y + bias)


def einsum_dense(part: Part, x: Any) -> Any:
    """activation(einsum(equation, x, kernel) + bias)."""
    y = np.einsum(part.a.equation.replace(" ", ""), x, part.p["kernel"])
    bias = part.p.get("bias")
    return activation_of(part.a.activation)(y if bias is None else y + bias)


def embedding(part: Part, x: Any) -> Any:
    """The rows that the integers in `x` choose."""
    if part.a.mask_zero:
        raise ShapeError("mask_zero=True is not computed: no mask is passed on")
    rows = part.p["embeddings"]
    indices = plain(x).astype(numpy.int64)
    outside = (indices < 0) | (indices >= rows.shape[0])
    if outside.any():
        wrong = indices[outside].flat[0]
        raise ShapeError(f"index {wrong} is not one of the {counted(rows.shape[0], 'row')}")
    return rows[indices]


def inputs_of(part: Part, inputs: Sequence[Any]) -> list[Any]:
    """What a merging layer merges: its branches applied to its input, or its inputs."""
    branches = part.children.get(BRANCHES)
    if branches is None:
        is_list = len(inputs) == 1 and isinstance(inputs[0], tuple | list)
        return list(inputs[0] if is_list else inputs)
    return [branch(*inputs) for branch in branches.children.values()]


def merging(merge: Callable[[Part, list[Any]], Any]) -> Compute:
    """A layer that makes one of several inputs."""
    return lambda part, *inputs: merge(part, inputs_of(part, inputs))


def _dot(part: Part, inputs: list[Any]) -> Any:
    left, right = inputs
    axes = (part.a.axes,) * 2 if isinstance(part.a.axes, int) else tuple(part.a.axes)
    if part.a.normalize:
        left, right = (_unit(x, axis) for x, axis in zip(inputs, axes, strict=True))
    one, other = (np.moveaxis(x, axis, -1) for x, axis in zip((left, right), axes, strict=True))
    a = np.reshape(one, (one.shape[0], -1, one.shape[-1]))
    b = np.reshape(other, (other.shape[0], -1, other.shape[-1]))
    y = np.matmul(a, np.swapaxes(b, 1, 2))
    return np.reshape(y, (one.shape[0], *((*one.shape[1:-1], *other.shape[1:-1]) or (1,))))


def _unit(x: Any, axis: int) -> Any:
    square = np.sum(x * x, axis=axis, keepdims=True)
    return x / np.sqrt(maximum(square, 1e-12))


DENSE: dict[str, Compute] = {
    "Dense": dense,
    "EinsumDense": einsum_dense,
    "Embedding": embedding,
    "Add": merging(lambda part, xs: reduce(lambda x, y: x + y, xs)),
    "Subtract": merging(lambda part, xs: xs[0] - xs[1]),
    "Multiply": merging(lambda part, xs: reduce(lambda x, y: x * y, xs)),
    "Average": merging(lambda part, xs: reduce(lambda x, y: x + y, xs) / len(xs)),
    "Maximum": merging(lambda part, xs: reduce(maximum, xs)),
    "Minimum": merging(lambda part, xs: reduce(minimum, xs)),
    "Concatenate": merging(lambda part, xs: np.concatenate(xs, axis=part.a.axis)),
    "Dot": merging(_dot),
}
"""Layer kind to computation."""
