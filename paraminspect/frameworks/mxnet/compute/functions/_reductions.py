"""Reductions and orders of `mx.np`: values alone, indices in int64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._arguments import dtype_of, floats
from paraminspect.compute._axes import axes_of, axis_of, index_of, order_along, take_along
from paraminspect.compute._functions import plain
from paraminspect.compute._promotion import as_floats
from paraminspect.compute._reducing import norm_as_numpy
from paraminspect.compute._shaping import flat
from paraminspect.compute._steady import largest, mean, root, smallest, variance

Function = Callable[..., Any]


def _in(dtype: str | None, x: Any) -> Any:
    return x if dtype is None else x.astype(dtype_of(dtype, ""))


def _axes(axis: Any, x: Any) -> tuple[int, ...]:
    """An array of no axes has the axis 0, as a sum sees it."""
    if not x.ndim and axis is not None:
        axes_of(axis, 1)
        return ()
    return axes_of(axis, x.ndim)


def _sum(a: Any, axis: Any = None, dtype: str | None = None, keepdims: bool = False) -> Any:
    given = _in(dtype, a)
    total = np.sum(given, axis=_axes(axis, a), keepdims=keepdims)
    return total.astype(given.dtype) if given.dtype.kind in "iu" else total


def _mean(
    a: Any, axis: Any = None, dtype: str | None = None, out: None = None, keepdims: bool = False
) -> Any:
    return mean(as_floats(_in(dtype, a)), _axes(axis, a), keepdims)


def _variance(
    a: Any,
    axis: Any = None,
    dtype: str | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
) -> Any:
    x, axes = floats(_in(dtype, a)), _axes(axis, a)
    count = int(numpy.prod([a.shape[i] for i in axes])) if a.ndim else 1
    found = variance(x, axes, keepdims)
    if ddof == 0:
        return found
    return found * (count / (count - ddof) if count > ddof else float("nan"))


def _deviation(
    a: Any,
    axis: Any = None,
    dtype: str | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
) -> Any:
    return root(_variance(a, axis, dtype, out, ddof, keepdims))


def _extreme(function: Function) -> Function:
    def reduce(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(a, axis=axes_of(axis, a.ndim), keepdims=keepdims)

    return reduce


def _index(choose: Function) -> Function:
    def reduce(a: Any, axis: int | None = None) -> Any:
        return index_of(choose, a, None if axis is None else axis_of(axis, a.ndim), False)

    return reduce


def _truth(function: Function) -> Function:
    def reduce(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(plain(a) != 0, axis=axes_of(axis, a.ndim), keepdims=keepdims)

    return reduce


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return norm_as_numpy(floats(x), ord, axes_of(axis, x.ndim), keepdims)


def _cumsum(a: Any, axis: int | None = None) -> Any:
    return np.cumsum(flat(a), axis=0) if axis is None else np.cumsum(a, axis=axis_of(axis, a.ndim))


def _argsort(a: Any, axis: int = -1) -> Any:
    return order_along(a, axis_of(axis, a.ndim))


def _sort(a: Any, axis: int = -1) -> Any:
    return take_along(a, _argsort(a, axis), axis_of(axis, a.ndim))


REDUCTIONS: dict[str, Function] = {
    "sum": _sum,
    "mean": _mean,
    "var": _variance,
    "std": _deviation,
    **dict.fromkeys(("max", "amax"), _extreme(largest)),
    **dict.fromkeys(("min", "amin"), _extreme(smallest)),
    "argmax": _index(numpy.argmax),
    "argmin": _index(numpy.argmin),
    "any": _truth(numpy.any),
    "all": _truth(numpy.all),
    "norm": _norm,
    "cumsum": _cumsum,
    "argsort": _argsort,
    "sort": _sort,
}
