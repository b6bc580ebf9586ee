"""Shapes, pieces, joints and products of `mx.np` and `mx.npx`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np

from paraminspect.compute import _shaping as s
from paraminspect.compute._arguments import array, made_shape
from paraminspect.compute._axes import axes_of, axis_of, order_of, sizes_of
from paraminspect.compute._einsum import einsum
from paraminspect.frameworks.mxnet.compute.functions._arguments import same_dtype

Function = Callable[..., Any]


def _transpose(a: Any, axes: Any = None) -> Any:
    return np.transpose(a, None if axes is None else order_of(axes, a.ndim))


def _concatenate(seq: Sequence[Any], axis: int | None = 0) -> Any:
    same_dtype(*seq)
    return s.joined([s.flat(x) for x in seq], 0) if axis is None else s.joined(seq, axis)


def _concat(*arrays: Any, dim: int = 1) -> Any:
    return _concatenate(arrays, dim)


def _stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    same_dtype(*arrays)
    return s.stacked(arrays, axis)


def _rows(arrays: Sequence[Any]) -> Any:
    same_dtype(*arrays)
    return s.stacked_rows(arrays)


def _columns(arrays: Sequence[Any]) -> Any:
    same_dtype(*arrays)
    return s.stacked_columns(arrays)


SHAPES: dict[str, Function] = {
    "reshape": lambda a, newshape: np.reshape(a, sizes_of(newshape)),
    "ravel": lambda x: s.flat(x),
    "transpose": _transpose,
    "swapaxes": lambda a, axis1, axis2: np.swapaxes(
        a, axis_of(axis1, a.ndim), axis_of(axis2, a.ndim)
    ),
    "moveaxis": lambda a, source, destination: s.moved(a, source, destination),
    "expand_dims": lambda a, axis: s.expanded(a, [axis_of(axis, a.ndim + 1)]),
    "squeeze": lambda a, axis=None: s.squeezed_strictly(a, axis),
    "broadcast_to": lambda array, shape: s.broadcast(array, made_shape(shape)),
    "repeat": lambda a, repeats, axis=None: s.repeated(a, repeats, axis),
    "tile": lambda A, reps: s.tiled(A, reps),
    "roll": lambda a, shift, axis=None: s.rolled(a, shift, axis),
    "flip": lambda m, axis=None: s.flipped(m, axes_of(axis, m.ndim)),
    "tril": lambda m, k=0: s.triangle(m, k, upper=False),
    "split": lambda ary, indices_or_sections, axis=0: s.split_as_numpy(
        ary, indices_or_sections, axis
    ),
    "concatenate": _concatenate,
    "concat": _concat,
    "stack": _stack,
    "vstack": _rows,
    "hstack": _columns,
    "batch_flatten": lambda data: np.reshape(data, (data.shape[0], -1)),
}
"""`concat` is that of `mx.nd`, the others are those of `mx.np` and `mx.npx`."""


def matmul(a: Any, b: Any) -> Any:
    """The matrix product, batches broadcast."""
    array("a", a)
    array("b", b)
    same_dtype(a, b)
    return np.matmul(a, b)


def _dot(a: Any, b: Any) -> Any:
    same_dtype(a, b)
    return np.dot(a, b)


def _batch_dot(lhs: Any, rhs: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    if not 3 <= lhs.ndim == rhs.ndim or lhs.shape[:-2] != rhs.shape[:-2]:
        raise ValueError(
            f"two batches of matrices are expected, got {list(lhs.shape)} and {list(rhs.shape)}"
        )
    lhs = np.swapaxes(lhs, -1, -2) if transpose_a else lhs
    return matmul(lhs, np.swapaxes(rhs, -1, -2) if transpose_b else rhs)


def _einsum(subscripts: Any, *operands: Any) -> Any:
    for x in operands:
        array("an operand", x)
    same_dtype(*operands)
    return einsum(subscripts, *operands)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    same_dtype(a, b)
    return np.tensordot(a, b, axes=axes)


PRODUCTS: dict[str, Function] = {
    "matmul": matmul,
    "dot": _dot,
    "outer": lambda a, b: s.flat(a)[:, None] * s.flat(b),
    "tensordot": _tensordot,
    "einsum": _einsum,
    "batch_dot": _batch_dot,
}
