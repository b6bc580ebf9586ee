"""Shapes, pieces and joints of `keras.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _shaping as s
from paraminspect.compute._arguments import made_shape
from paraminspect.compute._axes import along_axis, axes_of, axis_of, order_of, sizes_of, take_along
from paraminspect.compute._functions import plain
from paraminspect.compute._promotion import is_array

Function = Callable[..., Any]


def _transpose(x: Any, axes: Any = None) -> Any:
    return np.transpose(x, None if axes is None else order_of(axes, x.ndim))


def _expand_dims(x: Any, axis: Any) -> Any:
    count = len(axis) if isinstance(axis, tuple | list) else 1
    return s.expanded(x, axes_of(axis, x.ndim + count))


def _unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    place = axis_of(axis, x.ndim)
    if num not in (None, x.shape[place]):
        raise ValueError(f"axis {axis} has length {x.shape[place]}, not {num}")
    return [along_axis(x, place, i) for i in range(x.shape[place])]


def _indices(given: Any, length: int) -> Any:
    indices = numpy.asarray(plain(given))
    if indices.dtype.kind != "i":
        raise TypeError(f"indices must be integers, got {indices.dtype}")
    if indices.size and not -length <= indices.min() <= indices.max() < length:
        raise IndexError(f"an index is out of range for an axis of length {length}")
    return indices


def _take(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        return _take(s.flat(x), indices, 0)
    place = axis_of(axis, x.ndim)
    return along_axis(x, place, _indices(indices, x.shape[place]))


def _take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        return _take(x, s.flat(indices))
    place = axis_of(axis, x.ndim)
    if indices.ndim != x.ndim:
        raise ValueError(f"indices must have {x.ndim} axes, got shape {list(indices.shape)}")
    beside = [
        (m, n) for i, (m, n) in enumerate(zip(indices.shape, x.shape, strict=True)) if i != place
    ]
    if any(m != n and m != 1 and n != 1 for m, n in beside):
        raise ValueError(f"indices {list(indices.shape)} do not fit shape {list(x.shape)}")
    both = [max(m, n) for m, n in zip(indices.shape, x.shape, strict=True)]
    both[place] = indices.shape[place]
    whole = [*both[:place], x.shape[place], *both[place + 1 :]]
    chosen = numpy.broadcast_to(_indices(indices, x.shape[place]), both)
    return take_along(s.broadcast(x, tuple(whole)), chosen, place)


def item(x: Any, index: Any) -> Any:
    """`x[index]`; TensorFlow takes a list for a tuple, and no array of integers."""
    for part in index if isinstance(index, tuple) else (index,):
        if is_array(x) and (isinstance(part, list) or (is_array(part) and part.dtype.kind != "b")):
            raise TypeError("a list or array of indices is no index: write take(x, ..., axis=0)")
    return x[index]


SHAPES: dict[str, Function] = {
    "reshape": lambda x, newshape: np.reshape(x, sizes_of(newshape)),
    "ravel": lambda x: s.flat(x),
    "transpose": _transpose,
    "swapaxes": lambda x, axis1, axis2: np.swapaxes(
        x, axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    ),
    "moveaxis": lambda x, source, destination: s.moved(x, source, destination),
    "expand_dims": _expand_dims,
    "squeeze": lambda x, axis=None: s.squeezed_strictly(x, axis),
    "broadcast_to": lambda x, shape: s.broadcast(x, made_shape(shape)),
    "repeat": lambda x, repeats, axis=None: s.repeated(x, repeats, axis),
    "tile": lambda x, repeats: s.tiled(x, repeats),
    "roll": lambda x, shift, axis=None: s.rolled(x, shift, axis),
    "flip": lambda x, axis=None: s.flipped(x, axes_of(axis, x.ndim)),
    "tril": lambda x, k=0: s.triangle(x, k, upper=False),
    "triu": lambda x, k=0: s.triangle(x, k, upper=True),
    "split": lambda x, indices_or_sections, axis=0: s.split_as_numpy(x, indices_or_sections, axis),
    "unstack": _unstack,
    "take": _take,
    "take_along_axis": _take_along_axis,
}

JOINTS: dict[str, Function] = {
    "concatenate": lambda xs, axis=0: s.joined(xs, axis),
    "stack": lambda x, axis=0: s.stacked(x, axis),
}
