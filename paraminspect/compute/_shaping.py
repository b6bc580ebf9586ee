"""Shapes, pieces and joints of arrays, which the frameworks' tables share without their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._axes import along_axis, axes_of, axis_of, sizes_of
from paraminspect.compute._promotion import alike
from paraminspect.compute._steady import where


def flat(x: Any) -> Any:
    """All elements along one axis."""
    return np.reshape(x, (-1,))


def expanded(x: Any, axes: Sequence[int]) -> Any:
    """`x` with axes of length 1 at these places of the result."""
    for axis in sorted(axes):
        x = np.expand_dims(x, axis)
    return x


def squeezed(x: Any, axes: Sequence[int]) -> Any:
    """`x` without these axes, which have length 1."""
    return np.reshape(x, tuple(n for axis, n in enumerate(x.shape) if axis not in axes))


def moved(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to new places, the others in their order."""
    places = axes_of(source, x.ndim), axes_of(destination, x.ndim)
    if len(places[0]) != len(places[1]):
        raise ValueError(f"{source!r} and {destination!r} name unequal numbers of axes")
    order = [axis for axis in range(x.ndim) if axis not in places[0]]
    for place, axis in sorted(zip(places[1], places[0], strict=True)):
        order.insert(place, axis)
    return np.transpose(x, order)


def pieces(x: Any, sizes: Sequence[int], axis: int) -> tuple[Any, ...]:
    """Pieces of these sizes along an axis."""
    ends = numpy.cumsum(sizes).tolist()
    return tuple(
        along_axis(x, axis, slice(end - size, end)) for size, end in zip(sizes, ends, strict=True)
    )


def cut(x: Any, places: Sequence[int], axis: int) -> tuple[Any, ...]:
    """Pieces between these places along an axis, as `numpy.split` cuts."""
    bounds = zip([0, *places], [*places, x.shape[axis]], strict=True)
    return tuple(along_axis(x, axis, slice(start, end)) for start, end in bounds)


def equal_pieces(x: Any, count: Any, axis: int) -> tuple[Any, ...]:
    """So many pieces of equal size along an axis."""
    if type(count) is not int or count < 1 or x.shape[axis] % count:
        raise ValueError(f"axis {axis} of length {x.shape[axis]} is not {count!r} equal pieces")
    return pieces(x, [x.shape[axis] // count] * count, axis)


def rolled(x: Any, shift: Any, axis: Any) -> Any:
    """Elements shifted along axes, those that leave at the end coming back; None: as if flat."""
    if axis is None:
        return np.reshape(rolled(flat(x), shift, 0), x.shape)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,)
    if len(shifts) != len(axes) or any(type(one) is not int for one in shifts):
        raise ValueError(f"shifts {shift!r} do not go with axes {axis!r}")
    for by, one in zip(shifts, axes, strict=True):
        place = axis_of(one, x.ndim)
        positions = numpy.arange(x.shape[place])
        x = along_axis(x, place, numpy.roll(positions, by))
    return x


def flipped(x: Any, axes: Sequence[int]) -> Any:
    """Elements in the opposite order along axes."""
    for axis in axes:
        x = along_axis(x, axis, slice(None, None, -1))
    return x


def triangle(x: Any, diagonal: int, upper: bool) -> Any:
    """`x` with zeros below (`upper`) or above a diagonal of its last two axes."""
    if x.ndim < 2:
        raise ValueError(f"a triangle needs two axes, got shape {list(x.shape)}")
    if type(diagonal) is not int:
        raise TypeError(f"a diagonal is an integer, got {diagonal!r}")
    distance = numpy.arange(x.shape[-1]) - numpy.arange(x.shape[-2])[:, None]
    kept = distance >= diagonal if upper else distance <= diagonal
    return where(kept, x, numpy.zeros((), x.dtype))


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` repeated to a shape."""
    if numpy.broadcast_shapes(x.shape, shape) != shape:
        raise ValueError(f"shape {list(x.shape)} does not broadcast to {list(shape)}")
    return where(numpy.ones(shape, bool), x, numpy.zeros((), x.dtype))


def squeezed_strictly(x: Any, axis: Any) -> Any:
    """`x` without axes of length 1: all of them, or those named, which must be so."""
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else axes_of(axis, x.ndim)
    for one in axes:
        if x.shape[one] != 1:
            raise ValueError(f"axis {one} has length {x.shape[one]}, not 1")
    return squeezed(x, axes)


def split_as_numpy(x: Any, given: Any, axis: int) -> list[Any]:
    """So many equal pieces, or the pieces between the places of a list."""
    place = axis_of(axis, x.ndim)
    if not isinstance(given, tuple | list):
        return list(equal_pieces(x, given, place))
    ends = [*sizes_of(given), x.shape[place]]
    if not given or min(ends) < 0 or sorted(ends) != ends:
        raise ValueError(f"places {list(given)} do not cut axis {axis} of shape {list(x.shape)}")
    return list(cut(x, given, place))


def repeated(x: Any, repeats: Any, axis: Any) -> Any:
    """Each element so many times along an axis; None: of the flat array."""
    if type(repeats) is not int or repeats < 0:
        raise TypeError(f"repeats must be an integer from 0 on, got {repeats!r}")
    if axis is None:
        return np.repeat(flat(x), repeats, axis=0)
    return np.repeat(x, repeats, axis=axis_of(axis, x.ndim))


def tiled(x: Any, repeats: Any) -> Any:
    """`x` so many times along its last axes, or along new ones ahead."""
    counts = sizes_of(repeats)
    if min(counts, default=0) < 0:
        raise ValueError(f"repeats must be from 0 on, got {list(counts)}")
    counts = (*[1] * (x.ndim - len(counts)), *counts)
    x = np.reshape(x, (1,) * (len(counts) - x.ndim) + x.shape)
    for axis, count in enumerate(counts):
        if count != 1:
            x = np.concatenate([x] * count, axis) if count else along_axis(x, axis, slice(0))
    return x


def joined(arrays: Sequence[Any], axis: Any) -> Any:
    """Arrays joined along an axis that they have."""
    return np.concatenate(alike(arrays), axis=axis_of(axis, arrays[0].ndim))


def stacked(arrays: Sequence[Any], axis: Any) -> Any:
    """Arrays of one shape joined along a new axis."""
    return np.stack(alike(arrays), axis=axis_of(axis, arrays[0].ndim + 1))


def stacked_rows(arrays: Sequence[Any]) -> Any:
    """`vstack`: vectors are rows."""
    return joined([np.reshape(x, (1,) * (2 - x.ndim) + x.shape) for x in arrays], 0)


def stacked_columns(arrays: Sequence[Any]) -> Any:
    """`hstack`: along the second axis, or the only one."""
    whole = [np.reshape(x, (1,) * (1 - x.ndim) + x.shape) for x in arrays]
    return joined(whole, min(1, whole[0].ndim - 1))
