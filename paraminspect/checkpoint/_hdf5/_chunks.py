"""Datasets in chunks: found by the library, read and decoded here, block by block."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Shape
from paraminspect.checkpoint._files import ByteSource
from paraminspect.checkpoint._hdf5._filters import KNOWN, Filter, undo_filters
from paraminspect.checkpoint._hdf5._layouts import DatasetBytes
from paraminspect.errors import CheckpointError
from paraminspect.libhdf5.process import Library

if TYPE_CHECKING:
    import numpy as np

MAXIMUM_CHUNK_NBYTES = 256 << 20
"""A chunk is decoded whole; h5py makes them of a megabyte, and Keras makes none."""
CACHE_NBYTES = 32 << 20
"""Decoded chunks of a file that are kept: blocks of values cross the same chunks again and again.
A diff has two files, and 150 MB in all."""
SLAB_SECONDS = 30
"""Seconds of the processor for the library to find all chunks, or to decode one."""


_Key = tuple[str, int]


class ChunkCache:
    """Decoded chunks of one file, the least recently used ones given up first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chunks: OrderedDict[_Key, np.ndarray[Any, Any]] = OrderedDict()
        self._nbytes = 0

    def get(self, key: _Key) -> np.ndarray[Any, Any] | None:
        """The chunk, if it is still here."""
        with self._lock:
            if key in self._chunks:
                self._chunks.move_to_end(key)
            return self._chunks.get(key)

    def put(self, key: _Key, chunk: np.ndarray[Any, Any]) -> None:
        """Keep a chunk, in the place of others."""
        with self._lock:
            if key not in self._chunks:
                self._chunks[key] = chunk
                self._nbytes += chunk.nbytes
            while self._nbytes > CACHE_NBYTES and len(self._chunks) > 1:
                self._nbytes -= self._chunks.popitem(last=False)[1].nbytes


class ChunkedBytes(DatasetBytes):
    """A dataset in chunks, each compressed for itself; one that was never written is filled.

    The library only tells where the chunks are. What it alone can decode, it decodes chunk by
    chunk.
    """

    def __init__(
        self,
        library: Library,
        name: str,
        shape: Shape,
        itemsize: int,
        fill: bytes,
        file: ByteSource,
        chunk: Shape,
        filters: Sequence[Filter],
        cache: ChunkCache,
    ) -> None:
        super().__init__(library, name, shape, itemsize)
        self.fill = fill
        self.file = file
        self.chunk = chunk
        self.filters = filters
        self.cache = cache
        self.grid = tuple(-(-n // c) for n, c in zip(shape, chunk, strict=True))
        self._lock = threading.Lock()
        self._index: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None = None

    def release(self) -> None:
        """As `DatasetBytes` says, and close the file."""
        super().release()
        self.file.release()

    def read_elements(self, buffer: memoryview, start: int) -> None:
        """As `DatasetBytes` says."""
        import numpy as np

        out = np.frombuffer(buffer, self._unit())
        for at, begin, count in boxes(self.shape, start, start + out.size):
            self._fill_box(out[at : at + math.prod(count)].reshape(count), begin)

    def _fill_box(self, part: np.ndarray[Any, Any], start: Shape) -> None:
        """Put the values of the box from `start` on, of the shape of `part`, there."""
        axes = zip(start, part.shape, self.chunk, strict=True)
        places = product(*(range(s // c, (s + n - 1) // c + 1) for s, n, c in axes))
        for place in places:
            low = [max(s, p * c) for s, p, c in zip(start, place, self.chunk, strict=True)]
            high = [
                min(s + n, (p + 1) * c)
                for s, n, p, c in zip(start, part.shape, place, self.chunk, strict=True)
            ]
            there = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
            inside = tuple(
                slice(a - p * c, b - p * c)
                for a, b, p, c in zip(low, high, place, self.chunk, strict=True)
            )
            part[there] = self._values(place)[inside]

    def _values(self, place: Shape) -> np.ndarray[Any, Any]:
        """The decoded chunk at a place of the grid."""
        import numpy as np

        number = 0
        for position, length in zip(place, self.grid, strict=True):
            number = number * length + position
        key = (self.name, number)
        found = self.cache.get(key)
        if found is None:
            row = self._locate(number)
            if row is None:
                fill = np.frombuffer(self.fill, self._unit())
                return np.broadcast_to(fill.reshape((1,) * len(self.chunk)), self.chunk)
            found = self._decode(place, *row)
            self.cache.put(key, found)
        return found

    def _decode(self, place: Shape, offset: int, size: int, skipped: int) -> np.ndarray[Any, Any]:
        import numpy as np

        if all(code in KNOWN for code, _ in self.filters):
            raw = bytearray(size)
            self.file.pread_into(raw, self.library.extent.base + offset)
            try:
                data = undo_filters(bytes(raw), self.filters, skipped, self._chunk_nbytes())
            except CheckpointError as error:
                raise self.error(f"the chunk at byte {offset}: {error}") from None
            return np.frombuffer(data, self._unit()).reshape(self.chunk)
        start = [p * c for p, c in zip(place, self.chunk, strict=True)]
        count = [min(c, n - s) for s, c, n in zip(start, self.chunk, self.shape, strict=True)]
        _, got = self.library.ask("slab", SLAB_SECONDS, path=self.name, start=start, count=count)
        if len(got) != math.prod(count) * self.itemsize:
            raise self.error("the library gave another number of bytes")
        return np.frombuffer(got, self._unit()).reshape(count)

    def _locate(self, number: int) -> tuple[int, int, int] | None:
        """Offset, bytes and filter mask of a chunk; None if it was never written."""
        import numpy as np

        with self._lock:
            if self._index is None:
                self._index = self._read_index()
        numbers, rows = self._index
        at = int(np.searchsorted(numbers, number))
        if at == len(numbers) or numbers[at] != number:
            return None
        offset, size, skipped = rows[at].tolist()
        return offset, size, skipped

    def _read_index(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The numbers of the stored chunks in the grid, ascending, and where each lies."""
        import numpy as np

        nbytes = self._chunk_nbytes()
        if nbytes > MAXIMUM_CHUNK_NBYTES:
            raise self.error(f"its chunks of {nbytes} bytes are too large to be decoded")
        if math.prod(self.grid) >> 63:
            raise self.error(f"its shape {list(self.shape)} has more chunks than can be counted")
        count, data = self.library.ask("chunks", SLAB_SECONDS, path=self.name)
        ndim = len(self.shape)
        table = np.frombuffer(data, np.uint64)
        if type(count) is not int or table.size != count * (ndim + 3):
            raise self.error("the library gave another number of chunks")
        table = table.reshape(count, ndim + 3)
        places, rest = np.divmod(table[:, :ndim], np.array(self.chunk, np.uint64))
        rows = table[:, ndim:]
        # A chunk outside the shape is left from a dataset that was larger once.
        inside = (places < np.array(self.grid, np.uint64)).all(axis=1)
        places, rows = places[inside], rows[inside]
        end = self.library.extent.size
        fits = (rows[:, 0] <= end) & (rows[:, 1] <= end) & (rows[:, 0] + rows[:, 1] <= end)
        if rest.any() or not fits.all() or (rows[:, 1] > nbytes + (nbytes >> 3) + 4096).any():
            raise self.error("a chunk is not where one can be: the file is damaged")
        numbers = np.zeros(len(places), np.uint64)
        for axis, length in enumerate(self.grid):
            numbers = numbers * np.uint64(length) + places[:, axis]
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        if (numbers[1:] == numbers[:-1]).any():
            raise self.error("a chunk is stored twice: the file is damaged")
        return numbers, rows[order]

    def _chunk_nbytes(self) -> int:
        return math.prod(self.chunk) * self.itemsize

    def _unit(self) -> str:
        """A NumPy type of the size of an element: only whole elements are moved."""
        return f"u{self.itemsize}" if self.itemsize in (1, 2, 4, 8) else f"V{self.itemsize}"


def boxes(shape: Shape, start: int, stop: int) -> Iterator[tuple[int, Shape, Shape]]:
    """The flat stretch `start` to `stop` (C order) as boxes: `(place in it, start, count)`.

    At most two for every axis, each as large as can be.
    """
    begin = start
    while start < stop:
        axis, inner = len(shape), 1
        # The box has the axes from `axis` on in full, and several positions of the one before.
        while axis and stop - start >= inner * shape[axis - 1]:
            if start % (inner * shape[axis - 1]):
                break
            axis -= 1
            inner *= shape[axis]
        first, rest = [], start
        for length in reversed(shape):
            rest, position = divmod(rest, length)
            first.append(position)
        first.reverse()
        length, count = 1, shape
        if axis:
            length = min(shape[axis - 1] - first[axis - 1], (stop - start) // inner)
            count = (1,) * (axis - 1) + (length,) + shape[axis:]
        yield start - begin, tuple(first), count
        start += length * inner
