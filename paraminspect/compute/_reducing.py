"""Reductions that NumPy lacks, or whose gradients need care."""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._functions import plain
from paraminspect.compute._steady import largest, root, smallest

Axes = tuple[int, ...] | None


def log_sum_exp(x: Any, axes: Axes, keepdims: bool) -> Any:
    """log(sum(exp(x))) along axes, without overflow."""
    top = numpy.max(plain(x), axis=axes, keepdims=True)
    top = numpy.where(numpy.isfinite(top), top, numpy.zeros((), top.dtype))
    total = np.log(np.sum(np.exp(x - top), axis=axes, keepdims=True)) + top
    return total if keepdims else np.sum(total, axis=axes)


def vector_norm(x: Any, order: float, axes: Axes, keepdims: bool) -> Any:
    """(sum |x|**order)**(1 / order) along axes; the derivative where it is 0 is 0."""
    if order == math.inf:
        return largest(np.abs(x), axes, keepdims)
    if order == -math.inf:
        return smallest(np.abs(x), axes, keepdims)
    if order == 0:
        return np.sum(np.sign(np.abs(x)), axis=axes, keepdims=keepdims)
    if order == 1:
        return np.sum(np.abs(x), axis=axes, keepdims=keepdims)
    if order == 2:
        return root(np.sum(x * x, axis=axes, keepdims=keepdims))
    return np.sum(np.abs(x) ** order, axis=axes, keepdims=keepdims) ** (1 / order)


def norm_as_numpy(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """`numpy.linalg.norm`: along one axis of vectors, along two of matrices."""
    if len(axes) == 2 and order not in (None, "fro"):
        raise ValueError(f"of matrices only ord=None and ord='fro' are computed, got {order!r}")
    if len(axes) == 1 and order is not None and type(order) not in (int, float):
        raise ValueError(f"ord must be a number, got {order!r}")
    if len(axes) > 2 and order is not None:
        raise ValueError(f"an ord needs one axis or two, got {len(axes)}")
    return vector_norm(x, 2 if order in (None, "fro") else order, axes, keepdims)
