"""Selections: the part of an array that an index selects, as an array that is read when asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.errors import AddressError
from paraminspect.indexing import Axis, Index, gather, normalize, read_axes, selected_shape

if TYPE_CHECKING:
    import numpy as np


class Selection:
    """An `Array` of what an index selects of another: only what is asked for is read."""

    def __init__(self, array: Array, index: Index) -> None:
        self._array = array
        self._axes = normalize(index, array.shape)
        self.shape: Shape = selected_shape(self._axes)
        self.dtype: DType = array.dtype

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened selection, 1-D."""
        import numpy as np

        if not 0 <= start <= stop <= count_elements(self.shape):
            raise AddressError(f"elements {start} to {stop} are outside shape {list(self.shape)}")
        lengths = [axis.length for axis in self._axes]
        boxes = [self._box(ranges) for ranges in _boxes(lengths, start, stop)]
        if len(boxes) == 1:
            return boxes[0]
        return np.concatenate([np.empty(0, self.dtype.to_numpy()), *boxes])

    def _box(self, ranges: Sequence[range]) -> np.ndarray[Any, Any]:
        axes = [
            Axis(axis.start + axis.step * part.start, axis.step, len(part), True)
            for axis, part in zip(self._axes, ranges, strict=True)
        ]
        return read_axes(self._array, axes).reshape(-1)

    def __getitem__(self, index: Any, /) -> np.ndarray[Any, Any]:
        return gather(self, index)


def _boxes(lengths: Sequence[int], start: int, stop: int) -> Iterator[tuple[range, ...]]:
    """Flat positions `start` to `stop` of a C-ordered array as rectangles, in order."""
    if start == stop:
        return
    if not lengths:
        yield ()
        return
    inner = math.prod(lengths[1:])
    row, before = divmod(start, inner)
    if before:  # the rest of the first row
        end = min(inner, before + stop - start)
        for box in _boxes(lengths[1:], before, end):
            yield range(row, row + 1), *box
        start, row = start + end - before, row + 1
    whole, after = divmod(stop - start, inner)
    if whole:
        yield range(row, row + whole), *map(range, lengths[1:])
    for box in _boxes(lengths[1:], 0, after):
        yield range(row + whole, row + whole + 1), *box
