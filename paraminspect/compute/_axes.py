"""Axes and sizes that a user wrote, and what is chosen or ordered along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from paraminspect.compute._functions import plain


def axis_of(axis: Any, ndim: int) -> int:
    """The axis, counted from the first; `IndexError` if there is none of this number."""
    if type(axis) is not int:
        raise TypeError(f"an axis is an integer, got {axis!r}")
    if not -ndim <= axis < ndim:
        raise IndexError(f"axis {axis} is out of bounds for an array of {ndim} axes")
    return axis % ndim


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """One axis or several, each once, counted from the first; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(axis_of(one, ndim) for one in given)
    if len(set(axes)) < len(axes):
        raise ValueError(f"an axis appears twice in {list(given)}")
    return axes


def order_of(order: Any, ndim: int) -> tuple[int, ...]:
    """All axes in a new order."""
    if not isinstance(order, tuple | list):
        raise TypeError(f"the order of the axes is a tuple, got {order!r}")
    axes = axes_of(order, ndim)
    if len(axes) != ndim:
        raise ValueError(f"the order {list(order)} does not name all {ndim} axes")
    return axes


def sizes_of(given: Any) -> tuple[int, ...]:
    """A shape as one size or a sequence of them, -1 for the one that is left."""
    sizes = tuple(given) if isinstance(given, tuple | list) else (given,)
    for size in sizes:
        if type(size) is not int or size < -1:
            raise TypeError(f"a shape is made of sizes, or -1 for what is left, got {size!r}")
    return sizes


def along_axis(x: Any, axis: int, part: Any) -> Any:
    """`x[..., part, ...]` with the index `part` on one axis."""
    return x[(*[slice(None)] * axis, part)]


def take_along(x: Any, indices: Any, axis: int) -> Any:
    """`x[..., indices[i, j, ...], ...]`: an element for each index, beside its own place."""
    grid = list(numpy.indices(indices.shape, sparse=True))
    grid[axis] = indices
    return x[tuple(grid)]


def order_along(x: Any, axis: int, descending: bool = False) -> Any:
    """The indices that sort along an axis; equal elements keep their order, NaN is the largest."""
    values = plain(x)
    if not descending:
        return numpy.argsort(values, axis=axis, kind="stable")
    backwards = numpy.argsort(numpy.flip(values, axis), axis=axis, kind="stable")
    return values.shape[axis] - 1 - numpy.flip(backwards, axis)


def index_of(choose: Callable[..., Any], x: Any, axis: int | None, keepdims: bool) -> Any:
    """`numpy.argmax` or `numpy.argmin` along an axis, or of the flat array; the first of equals."""
    values = plain(x)
    found = choose(values, axis=axis)
    if not keepdims:
        return found
    return (
        numpy.reshape(found, [1] * values.ndim) if axis is None else numpy.expand_dims(found, axis)
    )
