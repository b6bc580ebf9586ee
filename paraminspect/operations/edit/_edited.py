"""Edited arrays: values at some places of an array replaced by those of a formula, when read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from paraminspect.arrays import BLOCK_NBYTES, Array, DType, Shape
from paraminspect.arrays.casting import cast
from paraminspect.arrays.indexed import Indexed
from paraminspect.arrays.indexing import Axis, boxes
from paraminspect.errors import CastError, ParamInspectError
from paraminspect.operations.edit._formula import Formula

Values = np.ndarray[Any, Any]


class Edited(Indexed):
    """`base`, with the values of `formula` at the places that `axes` select; errors name `name`.

    Another dtype than that of `base` is possible where all places are selected.
    """

    shape: Shape
    dtype: DType

    def __init__(
        self,
        name: str,
        base: Array,
        axes: Sequence[Axis],
        formula: Formula,
        *,
        dtype: DType | None = None,
        unsafe: bool,
    ) -> None:
        self.base = base
        self.shape = base.shape
        self.dtype = dtype or base.dtype
        self._name = name
        self._axes = axes
        self._formula = formula
        self._unsafe = unsafe
        self._strides = [math.prod(self.shape[i + 1 :]) for i in range(len(self.shape))]
        self._lengths = tuple(axis.length for axis in axes)
        self._is_all = _selects_all(axes, self.shape)
        self.changed = self._stretch()

    def _stretch(self) -> tuple[int, int]:
        if not math.prod(self._lengths):
            return 0, 0
        ends = [(a.start, a.start + a.step * (a.length - 1)) for a in self._axes]
        low = sum(min(end) * stride for end, stride in zip(ends, self._strides, strict=True))
        high = sum(max(end) * stride for end, stride in zip(ends, self._strides, strict=True))
        return low, high + 1

    def read(self, start: int, stop: int) -> Values:
        """Elements `start` to `stop`, computed now; raises `CastError` for those that are lost."""
        low, high = self.changed
        if stop <= low or high <= start:
            return self.base.read(start, stop)
        if self._is_all:
            present = self.base.read(start, stop) if self._formula.uses_present else None
            return self._new(start, stop, present)
        values = np.array(self.base.read(start, stop))
        at = 0
        for box in boxes(self.shape, start, stop):
            count = math.prod(map(len, box))
            self._overlay(values[at : at + count].reshape([len(part) for part in box]), box)
            at += count
        return values

    def _overlay(self, values: Values, box: tuple[range, ...]) -> None:
        """Put the new values into those of a box of the array."""
        parts = [_within(axis, part) for axis, part in zip(self._axes, box, strict=True)]
        if not all(parts):
            return
        places = tuple(
            _as_slice(axis, inside, part.start)
            for axis, inside, part in zip(self._axes, parts, box, strict=True)
        )
        # In a box only one axis is cut, all before it have one position, all after it are whole:
        # so the places follow each other in the flattened selection too.
        strides = [math.prod(self._lengths[i + 1 :]) for i in range(len(self._lengths))]
        start = sum(part.start * stride for part, stride in zip(parts, strides, strict=True))
        stop = start + math.prod(map(len, parts))
        present = values[places].reshape(-1) if self._formula.uses_present else None
        values[places] = self._new(start, stop, present).reshape(values[places].shape)

    def _new(self, start: int, stop: int, present: Values | None) -> Values:
        """The new values of elements `start` to `stop` of the selection."""
        try:
            return self._cast(start, stop, present)
        except CastError:
            raise self._first_error() from None
        except ParamInspectError as error:
            raise error.at(self._name) from None

    def _cast(self, start: int, stop: int, present: Values | None) -> Values:
        values = np.atleast_1d(self._formula.read(start, stop, present))
        try:
            new = cast(values, self.dtype, unsafe=self._unsafe)
        except CastError as error:
            error.count *= (stop - start) // len(values)  # a number stands for all
            raise
        return np.broadcast_to(new, (stop - start,))

    def losses(self) -> Iterator[tuple[int, CastError]]:
        """Where blocks of the selection begin in which values are lost, and what is lost there."""
        count = math.prod(self._lengths)
        step = BLOCK_NBYTES // 8
        for start in range(0, count, step):
            try:
                self._cast(start, min(start + step, count), None)
            except CastError as error:
                yield start, error

    def _first_error(self) -> CastError:
        """The error of the first element that has one: threads meet them in any order."""
        losses = list(self.losses())
        start, error = losses[0]
        position = np.unravel_index(start + error.position, self._lengths)
        index = [a.start + a.step * int(i) for a, i in zip(self._axes, position, strict=True)]
        where = f"{self._name}{index}" if index else self._name
        lost = sum(error.count for _, error in losses)
        count = math.prod(self._lengths)
        also = f" ({lost} of {count} values are lost)" if lost > 1 else ""
        return CastError(f"{where}: {error}{also}", count=lost).unless(unsafe=True)


def _selects_all(axes: Sequence[Axis], shape: Shape) -> bool:
    """Whether the axes select every element in its order."""
    return all(
        axis.length == length and (axis.step == 1 or length == 1)
        for axis, length in zip(axes, shape, strict=True)
    )


def _within(axis: Axis, part: range) -> range:
    """Which of the positions of an axis, by their number, lie in a range of it."""
    if axis.step > 0:
        first = -(-(part.start - axis.start) // axis.step)
        stop = -(-(part.stop - axis.start) // axis.step)
    else:
        first = -(-(part.stop - 1 - axis.start) // axis.step)
        stop = -(-(part.start - 1 - axis.start) // axis.step)
    return range(max(first, 0), max(min(stop, axis.length), max(first, 0)))


def _as_slice(axis: Axis, inside: range, origin: int) -> slice:
    """The positions of an axis whose numbers are `inside`, counted from `origin`."""
    first = axis.start + axis.step * inside.start - origin
    stop = first + axis.step * len(inside)
    return slice(first, None if stop < 0 else stop, axis.step)
