"""Arrays in chunks; two of them are compared chunk by chunk as these are stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from paraminspect.arrays import Array, DType
from paraminspect.formats.files._reading import StoredArray
from paraminspect.formats.hdf5._chunks import ChunkedBytes, boxes, chunks_of_box

_PROBE_NBYTES = 4096
"""Most chunks that differ do so here: what compresses them depends on all of their values."""


class ChunkedArray(StoredArray):
    """An array whose bytes are in chunks."""

    __slots__ = ("chunks",)

    def __init__(self, chunks: ChunkedBytes, dtype: DType, byteorder: Literal["<", ">"]) -> None:
        super().__init__(chunks, 0, chunks.shape, dtype, byteorder)
        self.chunks = chunks

    def sameness(self, other: Array) -> Callable[[int, int], bool]:
        """What tells that two stretches are the same: their chunks are stored as the same bytes."""
        if not isinstance(other, ChunkedArray) or _kind(self) != _kind(other):
            return lambda _start, _stop: False
        left, right = self.chunks, other.chunks
        known: dict[int, bool] = {}

        def is_same_chunk(number: int) -> bool:
            if number not in known:
                known[number] = _are_stored_alike(left, right, number)
            return known[number]

        def is_same(start: int, stop: int) -> bool:
            return all(
                is_same_chunk(left.index.number(place))
                for _, begin, count in boxes(left.shape, start, stop)
                for place in chunks_of_box(begin, count, left.chunk)
            )

        return is_same


def _kind(array: ChunkedArray) -> tuple[object, ...]:
    """What must be equal for equal stored bytes to mean equal values."""
    chunks = array.chunks
    return array.dtype, array.byteorder, array.shape, chunks.chunk, tuple(chunks.filters)


def _are_stored_alike(left: ChunkedBytes, right: ChunkedBytes, number: int) -> bool:
    """Whether a chunk is the same bytes, through the same filters, in both; or in neither file."""
    one, two = left.index.locate(number), right.index.locate(number)
    if one is None or two is None:
        return one is two and left.fill == right.fill
    if (one.nbytes, one.skipped) != (two.nbytes, two.skipped):
        return False
    start = 0
    for stop in (min(_PROBE_NBYTES, one.nbytes), one.nbytes):
        pair = left.read_stored(one, start, stop), right.read_stored(two, start, stop)
        if pair[0].data != pair[1].data:
            return False
        start = stop
    return True
