"""Selections: the part of an array that an index selects, as an array that is read when asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Array, DType, Shape
from paraminspect.arrays.indexed import Indexed
from paraminspect.arrays.indexing import Axis, Index, boxes, normalize, read_axes, selected_shape

if TYPE_CHECKING:
    import numpy as np


class Selection(Indexed):
    """An `Array` of what an index selects of another: only what is asked for is read."""

    def __init__(self, array: Array, index: Index) -> None:
        self._array = array
        self._axes = normalize(index, array.shape)
        self.shape: Shape = selected_shape(self._axes)
        self.dtype: DType = array.dtype

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened selection, 1-D."""
        import numpy as np

        self.check_range(start, stop)
        lengths = [axis.length for axis in self._axes]
        parts = [self._box(box) for box in boxes(lengths, start, stop)]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([np.empty(0, self.dtype.to_numpy()), *parts])

    def _box(self, ranges: Sequence[range]) -> np.ndarray[Any, Any]:
        axes = [
            Axis(axis.start + axis.step * part.start, axis.step, len(part), True)
            for axis, part in zip(self._axes, ranges, strict=True)
        ]
        return read_axes(self._array, axes).reshape(-1)
