"""Basic NumPy indices, normalized against a shape before any format sees them.

Formats do not slice as NumPy does (negative starts, steps, bounds past the end, empty arrays);
here every index becomes positions per axis, and is read through `Array.read` alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, NamedTuple

from paraminspect.arrays import BLOCK_NBYTES, Array, Shape
from paraminspect.errors import OutOfBoundsError, ShapeError, counted

if TYPE_CHECKING:
    import numpy as np

IndexItem = int | slice | EllipsisType
Index = tuple[IndexItem, ...]

MAXIMUM_AXES = 64
"""NumPy's own limit; files may have more."""

SMALL_READ_NBYTES = 1 << 16
"""A read of this much costs about what a system call costs: gaps within it are read through."""

MINIMUM_DENSITY = 1 / 16
"""Share of wanted elements from which a larger stretch is read whole and picked from."""


class Axis(NamedTuple):
    """What an index selects on one axis: `start`, `start + step`, ...: `length` positions."""

    start: int
    step: int
    length: int
    kept: bool
    """Whether the axis is in the result (an integer index drops it)."""

    def as_item(self) -> int | slice:
        """The item of an index that selects just this."""
        if not self.kept:
            return self.start
        if not self.length:
            return slice(0, 0)
        stop = self.start + self.step * self.length
        return slice(self.start, stop if stop >= 0 else None, self.step)


def normalize(index: Index, shape: Shape) -> tuple[Axis, ...]:
    """One `Axis` per axis of `shape`, with NumPy's meaning of negative, open and excess bounds."""
    if len(shape) > MAXIMUM_AXES:
        raise OutOfBoundsError(f"there are {len(shape)} axes; NumPy has at most {MAXIMUM_AXES}")
    given = sum(item is not Ellipsis for item in index)
    if given > len(shape):
        raise OutOfBoundsError(
            f"{counted(given, 'index', 'indices')} for {counted(len(shape), 'axis', 'axes')},"
            f" shape {list(shape)}"
        )
    if sum(item is Ellipsis for item in index) > 1:
        raise OutOfBoundsError("an index can have only a single '...'")
    filled = list(index)
    rest = [slice(None)] * (len(shape) - given)
    at = next((i for i, item in enumerate(filled) if item is Ellipsis), None)
    if at is None:
        filled += rest
    else:
        filled[at : at + 1] = rest
    return tuple(_axis(item, n, i) for i, (item, n) in enumerate(zip(filled, shape, strict=True)))


def _axis(item: IndexItem, length: int, number: int) -> Axis:
    if isinstance(item, slice):
        if item.step == 0:
            raise OutOfBoundsError("a slice step cannot be zero")
        start, stop, step = item.indices(length)
        # Not len(range(...)): of an array without elements an axis may be longer than C can count.
        length = max(0, (stop - start + step - (1 if step > 0 else -1)) // step)
        return Axis(start, step, length, True)
    if isinstance(item, EllipsisType):  # normalize has expanded the only one
        raise OutOfBoundsError("an index can have only a single '...'")
    if not -length <= item < length:
        raise OutOfBoundsError(
            f"index {item} is out of bounds for axis {number} with size {length}"
        )
    return Axis(item % length, 1, 1, False)


def selected_shape(axes: Sequence[Axis]) -> Shape:
    """The shape of what the axes select."""
    return tuple(axis.length for axis in axes if axis.kept)


def as_index(index: Any) -> Index:
    """A Python subscript as an `Index`; `OutOfBoundsError` for what is not basic indexing."""
    items = index if isinstance(index, tuple) else (index,)
    converted: list[IndexItem] = []
    for item in items:
        if isinstance(item, slice | EllipsisType):
            converted.append(item)
        elif hasattr(item, "__index__") and not isinstance(item, bool):
            converted.append(item.__index__())
        else:
            raise OutOfBoundsError(f"an index is made of integers, slices and '...', got {item!r}")
    return tuple(converted)


def boxes(shape: Sequence[int], start: int, stop: int) -> Iterator[tuple[range, ...]]:
    """Flat positions `start` to `stop` (C order) as boxes, in order: a range on each axis."""
    if start == stop:
        return
    if not shape:
        yield ()
        return
    inner = math.prod(shape[1:])
    row, before = divmod(start, inner)
    if before:  # the rest of the first row
        end = min(inner, before + stop - start)
        for box in boxes(shape[1:], before, end):
            yield range(row, row + 1), *box
        start, row = start + end - before, row + 1
    whole, after = divmod(stop - start, inner)
    if whole:
        yield range(row, row + whole), *map(range, shape[1:])
    for box in boxes(shape[1:], 0, after):
        yield range(row + whole, row + whole + 1), *box


def gather(array: Array, index: Any) -> np.ndarray[Any, Any]:
    """A new array with the values at a basic index, reading little more than these."""
    return read_axes(array, normalize(as_index(index), array.shape))


def read_axes(array: Array, axes: Sequence[Axis]) -> np.ndarray[Any, Any]:
    """A new array with what `axes` select, reading little more than that."""
    import numpy as np

    strides = [math.prod(array.shape[i + 1 :]) for i in range(len(axes))]
    try:
        out = np.empty([axis.length for axis in axes], array.dtype.to_numpy())
    except ValueError:  # without elements an array of a file may be longer than C can count
        shape = list(selected_shape(axes))
        raise ShapeError(f"NumPy holds no array of shape {shape}, not even an empty one") from None
    if out.size:
        _fill(array, axes, strides, 0, out)
    return out.reshape(selected_shape(axes))


def _fill(
    array: Array, axes: Sequence[Axis], strides: Sequence[int], base: int, out: np.ndarray[Any, Any]
) -> None:
    """Read the selection of `axes` into `out`; `base` is the flat offset of the outer axes."""
    if not axes:
        out[...] = array.read(base, base + 1)[0]
        return
    inner = math.prod(axis.length for axis in axes[1:])
    inner_span = 1 + sum(
        abs(a.step) * s * (a.length - 1) for a, s in zip(axes[1:], strides[1:], strict=True)
    )
    hop = abs(axes[0].step) * strides[0]
    at_once = _positions_at_once(hop, inner, inner_span, array.dtype.nbits)
    first, step = axes[0].start, axes[0].step
    for done in range(0, axes[0].length, max(at_once, 1)):
        part = out[done : done + max(at_once, 1)]
        position = base + (first + step * done) * strides[0]
        if at_once:
            piece = (Axis(0, step, len(part), True), *axes[1:])
            _fill_span(array, piece, strides, position, part)
        else:
            _fill(array, axes[1:], strides[1:], position, part[0])


def _positions_at_once(hop: int, inner: int, inner_span: int, nbits: int) -> int:
    """How many positions of the outer axis to read in one stretch; 0: not even one is dense."""
    small = SMALL_READ_NBYTES * 8 // nbits
    large = max(BLOCK_NBYTES * 8 // nbits, 1)
    if inner_span > small and (inner_span > large or inner / inner_span < MINIMUM_DENSITY):
        return 0
    dense = inner / max(hop, inner_span) >= MINIMUM_DENSITY
    reach = large if dense else small
    return max(1, 1 + (reach - inner_span) // max(hop, 1))


def _fill_span(
    array: Array,
    axes: Sequence[Axis],
    strides: Sequence[int],
    position: int,
    out: np.ndarray[Any, Any],
) -> None:
    """Read one stretch that holds the whole selection, and pick from it.

    `position` is the flat offset of the outer axes; the first axis counts from it.
    """
    import numpy as np

    steps = [axis.step * stride for axis, stride in zip(axes, strides, strict=True)]
    origin = position + sum(a.start * s for a, s in zip(axes, strides, strict=True))
    reach = [step * (axis.length - 1) for step, axis in zip(steps, axes, strict=True)]
    low = origin + sum(r for r in reach if r < 0)
    high = origin + sum(r for r in reach if r > 0) + 1
    span = array.read(low, high)
    # Not as_strided: it does not know bfloat16 and float8. Unlike it, this checks the bounds too.
    out[...] = np.ndarray(
        out.shape,
        span.dtype,
        buffer=np.ascontiguousarray(span).view(np.uint8).data,
        offset=(origin - low) * span.itemsize,
        strides=[step * span.itemsize for step in steps],
    )
