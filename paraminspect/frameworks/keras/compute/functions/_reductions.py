"""Reductions and orders of `keras.ops`: values alone, indices and counts in int32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._axes import axis_of, index_of, order_along, take_along
from paraminspect.compute._functions import plain
from paraminspect.compute._promotion import as_floats
from paraminspect.compute._reducing import log_sum_exp, norm_as_numpy
from paraminspect.compute._steady import largest, mean, smallest, variance
from paraminspect.frameworks.keras.compute.functions._arguments import along_one, axes_or_all

Function = Callable[..., Any]


def _whole(x: Any) -> Any:
    """Bools are counted in int32."""
    return x.astype(numpy.int32) if x.dtype.kind == "b" else x


def _reduction(function: Function) -> Function:
    """`function` gets the array, the axes, and whether they stay."""

    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axes_or_all(axis, x), keepdims)

    return reduce


def _sum(x: Any, axes: Any, keepdims: bool) -> Any:
    given = _whole(x)
    total = np.sum(given, axis=axes, keepdims=keepdims)
    return total if given.dtype.kind == "f" else total.astype(given.dtype)


def _index(choose: Function) -> Function:
    def reduce(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        place = None if axis is None else axis_of(axis, x.ndim)
        return index_of(choose, x, place, keepdims).astype(numpy.int32)

    return reduce


def _truth(function: Function) -> Function:
    return lambda x, axes, keepdims: function(plain(x) != 0, axis=axes, keepdims=keepdims)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    axes = axes_or_all(axis, x)
    if not 1 <= len(axes) <= 2:
        raise ValueError(f"a norm goes along one axis or two, got {len(axes)}")
    return norm_as_numpy(as_floats(x), ord, axes, keepdims)


def _cumsum(x: Any, axis: int | None = None) -> Any:
    given = _whole(x)
    return along_one(lambda x, axis: np.cumsum(x, axis=axis), given, axis).astype(given.dtype)


def _argsort(x: Any, axis: int | None = -1) -> Any:
    return along_one(order_along, x, axis).astype(numpy.int32)


def _sort(x: Any, axis: int | None = -1) -> Any:
    def sort(x: Any, axis: int) -> Any:
        return take_along(x, order_along(x, axis), axis)

    return along_one(sort, x, axis)


def _top_k(x: Any, k: int, sorted: bool = True) -> Any:
    if not x.ndim or not 0 <= k <= x.shape[-1]:
        raise ValueError(f"k={k} is out of range for the last axis of shape {list(x.shape)}")
    order = order_along(x, x.ndim - 1, descending=True)[..., :k]
    return take_along(x, order, x.ndim - 1), order.astype(numpy.int32)


REDUCTIONS: dict[str, Function] = {
    "sum": _reduction(_sum),
    "mean": _reduction(lambda x, axes, keepdims: mean(as_floats(x), axes, keepdims)),
    "var": _reduction(lambda x, axes, keepdims: variance(as_floats(x), axes, keepdims)),
    "std": _reduction(lambda x, axes, keepdims: np.sqrt(variance(as_floats(x), axes, keepdims))),
    **dict.fromkeys(("max", "amax"), _reduction(largest)),
    **dict.fromkeys(("min", "amin"), _reduction(smallest)),
    "argmax": _index(numpy.argmax),
    "argmin": _index(numpy.argmin),
    "any": _reduction(_truth(numpy.any)),
    "all": _reduction(_truth(numpy.all)),
    "logsumexp": _reduction(lambda x, axes, keepdims: log_sum_exp(as_floats(x), axes, keepdims)),
    "norm": _norm,
    "cumsum": _cumsum,
    "argsort": _argsort,
    "sort": _sort,
    "top_k": _top_k,
}
