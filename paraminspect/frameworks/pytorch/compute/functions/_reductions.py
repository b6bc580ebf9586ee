"""Reductions and orders of `torch`: those along one axis that give indices too give a pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._arguments import dtype_of, flag, floats
from paraminspect.compute._axes import along_axis, index_of, order_along, take_along
from paraminspect.compute._functions import plain
from paraminspect.compute._promotion import as_floats, is_array, promoted
from paraminspect.compute._reducing import log_sum_exp, vector_norm
from paraminspect.compute._steady import largest, maximum, mean, minimum, root, smallest, variance
from paraminspect.frameworks.pytorch.compute.functions._arguments import dim_of, dims_of

Function = Callable[..., Any]


def _in(dtype: str | None, x: Any) -> Any:
    return x if dtype is None else x.astype(dtype_of(dtype, ""))


def _sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: str | None = None) -> Any:
    return np.sum(_in(dtype, input), axis=dims_of(dim, input), keepdims=keepdim)


def _mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: str | None = None) -> Any:
    return mean(floats(_in(dtype, input)), dims_of(dim, input), keepdim)


def _variance(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Unbiased without `correction=0`; `var(x, False)` says `unbiased`, not an axis."""
    if type(dim) is bool and unbiased is None:
        dim, unbiased = None, dim
    if unbiased is not None:
        flag("unbiased", unbiased)
        if correction is not None:
            raise TypeError("unbiased and correction say the same: give one")
    correction = correction if correction is not None else 0 if unbiased is False else 1
    axes = dims_of(dim, floats(input))
    count = int(numpy.prod([input.shape[axis] for axis in axes])) if input.ndim else 1
    found = variance(input, axes, keepdim)
    free = max(count - correction, 0)
    return found if correction == 0 else found * (count / free if free else float("inf"))


def _deviation(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    return root(_variance(input, dim, unbiased, keepdim, correction=correction))


def _extreme(function: Function, index: Function, of_two: Function) -> Function:
    """`max`, and `min`: of all, of two tensors, or `(values, indices)` along an axis."""

    def reduce(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        other = dim if is_array(dim) else other
        if other is not None:
            if not is_array(other) or keepdim or not (dim is None or dim is other):
                raise TypeError("two arrays are compared, or one along an axis")
            return of_two(*promoted(input, other))
        if dim is None:
            if keepdim:
                raise TypeError("keepdim needs a dim")
            return function(input)
        axis = dim_of(dim, input)
        if not input.ndim:
            return input, numpy.zeros((), numpy.int64)
        indices = index_of(index, input, axis, keepdims=True)
        values = take_along(input, indices, axis)
        if keepdim:
            return values, indices
        return along_axis(values, axis, 0), along_axis(indices, axis, 0)

    return reduce


def _of_axes(function: Function) -> Function:
    def reduce(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
        return function(input, axis=dims_of(dim, input), keepdims=keepdim)

    return reduce


def _index(choose: Function) -> Function:
    def reduce(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        axis = None if dim is None else dim_of(dim, input)
        return index_of(choose, input, axis if input.ndim else None, keepdim)

    return reduce


def _truth(function: Function) -> Function:
    def reduce(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return function(plain(input) != 0, axis=dims_of(dim, input), keepdims=keepdim)

    return reduce


def _log_sum_exp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    return log_sum_exp(as_floats(input), dims_of(dim, input), keepdim)


def _norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Any:
    if p == "nuc":
        raise ValueError("p='nuc' is not computed")
    if p != "fro" and type(p) not in (int, float):
        raise TypeError(f"p must be a number or 'fro', got {p!r}")
    if p == "fro" and isinstance(dim, tuple | list) and len(dim) > 2:
        raise ValueError(f"p='fro' goes along one dim or two, got {list(dim)}: give p=2")
    return vector_norm(floats(input), 2 if p == "fro" else p, dims_of(dim, input), keepdim)


def _cumulated(input: Any, dim: int, *, dtype: str | None = None) -> Any:
    axis = dim_of(dim, input)
    x = _in(dtype, input)
    return np.cumsum(x, axis=axis) if x.ndim else np.sum(x)


def _argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    axis = dim_of(dim, input)
    return order_along(input, axis, descending) if input.ndim else numpy.zeros((), numpy.int64)


def _sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    order = _argsort(input, dim, descending)
    return (take_along(input, order, dim_of(dim, input)) if input.ndim else input), order


def _topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    axis = dim_of(dim, input)
    if not 0 <= k <= (input.shape[axis] if input.ndim else 1):
        raise ValueError(f"k={k} is out of range for axis {dim} of shape {list(input.shape)}")
    if not input.ndim:
        return input, numpy.zeros((), numpy.int64)
    order = along_axis(order_along(input, axis, descending=largest), axis, slice(0, k))
    return take_along(input, order, axis), order


REDUCTIONS: dict[str, Function] = {
    "sum": _sum,
    "mean": _mean,
    "var": _variance,
    "std": _deviation,
    "max": _extreme(largest, numpy.argmax, maximum),
    "min": _extreme(smallest, numpy.argmin, minimum),
    "amax": _of_axes(largest),
    "amin": _of_axes(smallest),
    "argmax": _index(numpy.argmax),
    "argmin": _index(numpy.argmin),
    "any": _truth(numpy.any),
    "all": _truth(numpy.all),
    "logsumexp": _log_sum_exp,
    "cumsum": _cumulated,
    "argsort": _argsort,
    "sort": _sort,
    "topk": _topk,
}

OF_PYTHON: dict[str, Function] = {"norm": _norm}
"""Those of `torch` that do not take NumPy's names of arguments."""
