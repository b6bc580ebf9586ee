"""Arrays as an expression takes them: in the type in which it computes, broadcast to a shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from paraminspect.arrays import Array, Shape, count_elements
from paraminspect.arrays.indexing import boxes
from paraminspect.errors import ShapeError
from paraminspect.operations.edit._functions import check_held
from paraminspect.operations.edit._names import QUOTE
from paraminspect.runtime import Lock

Values = np.ndarray[Any, Any]


class View:
    """An array as if broadcast to a shape, in its flat order."""

    def __init__(self, name: str, array: Array, shape: Shape) -> None:
        own = without_leading_ones(array.shape)
        if broadcast([own, shape]) != shape:
            raise ShapeError(
                f"{name.removeprefix(QUOTE)} has shape {list(array.shape)},"
                f" which cannot be broadcast to {list(shape)}"
            )
        self._array = array
        self._shape = shape
        self._is_same = own == without_leading_ones(shape)
        self._is_number = not own
        self._lock = Lock()
        self._held: Values | None = None
        if not self._is_same:
            check_held(2 * array.dtype.nbytes(count_elements(own)), name.removeprefix(QUOTE))

    def read(self, start: int, stop: int) -> Values:
        """Flat elements `start` to `stop`, 1-D; 0-D if the array is a number."""
        if self._is_same:
            return widened(self._array.read(start, stop))
        with self._lock:
            if self._held is None:
                values = widened(self._array[...]).reshape(without_leading_ones(self._array.shape))
                self._held = values if self._is_number else np.broadcast_to(values, self._shape)
        return self._held if self._is_number else flat(self._held, start, stop)


def broadcast(shapes: Sequence[Shape]) -> Shape | None:
    """The shape to which all can be broadcast, if there is one; NumPy's own ends at 32 axes."""
    ndim = max(map(len, shapes), default=0)
    result = []
    for lengths in zip(*((1,) * (ndim - len(shape)) + shape for shape in shapes), strict=True):
        other = {length for length in lengths if length != 1}
        if len(other) > 1:
            return None
        result.append(other.pop() if other else 1)
    return tuple(result)


def without_leading_ones(shape: Shape) -> Shape:
    """A shape without the axes that broadcasting adds."""
    kept = list(shape)
    while kept and kept[0] == 1:
        del kept[0]
    return tuple(kept)


def flat(values: Values, start: int, stop: int) -> Values:
    """Flat elements `start` to `stop` of any view; NumPy's own `flat` ends at 32 axes."""
    if values.flags.c_contiguous:
        return values.reshape(-1)[start:stop]
    parts = [
        values[tuple(slice(part.start, part.stop) for part in box)].reshape(-1)
        for box in boxes(values.shape, start, stop)
    ]
    return np.concatenate([np.empty(0, values.dtype), *parts])


def widened(values: Values) -> Values:
    """Values in the type in which they are computed."""
    name = values.dtype.name
    if name.startswith(("float", "bfloat")) and values.dtype.itemsize < 4:
        return values.astype(np.float32)
    if name.startswith(("int", "uint")) and values.dtype.itemsize < 8:
        return values.astype(np.int64)
    return values
