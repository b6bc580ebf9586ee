"""Datasets in chunks: found by the library, read and decoded here, block by block."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Shape
from paraminspect.errors import CheckpointError
from paraminspect.formats.files._reading import ByteSource, recycled
from paraminspect.formats.hdf5._chunk_index import ChunkIndex, StoredChunk
from paraminspect.formats.hdf5._filters import KNOWN, Filter, undo_filters
from paraminspect.formats.hdf5._layouts import DatasetBytes
from paraminspect.libhdf5.process import Library
from paraminspect.runtime import Lock

if TYPE_CHECKING:
    import numpy as np

CACHE_NBYTES = 32 << 20
"""Decoded chunks of a file that are kept, those that more blocks of values cross than one.
A diff has two files, and 150 MB in all."""
SLAB_SECONDS = 30
"""Seconds of the processor for the library to decode a chunk."""

_Key = tuple[str, int]


class ChunkCache:
    """Decoded chunks of one file, the least recently used ones given up first."""

    def __init__(self) -> None:
        self._lock = Lock()
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
        self.index = ChunkIndex(library, name, shape, chunk, itemsize)

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
        for place in chunks_of_box(start, part.shape, self.chunk):
            there, inside = [], []
            is_whole = True
            for s, n, p, c, end in zip(
                start, part.shape, place, self.chunk, self.shape, strict=True
            ):
                low, high = max(s, p * c), min(s + n, (p + 1) * c)
                there.append(slice(low - s, high - s))
                inside.append(slice(low - p * c, high - p * c))
                is_whole = is_whole and low == p * c and high == min((p + 1) * c, end)
            part[tuple(there)] = self._values(place, keep=not is_whole)[tuple(inside)]

    def _values(self, place: Shape, *, keep: bool) -> np.ndarray[Any, Any]:
        """The decoded chunk at a place of the grid; `keep` it if more of it will be wanted."""
        import numpy as np

        number = self.index.number(place)
        found = self.cache.get((self.name, number))
        if found is None:
            stored = self.index.locate(number)
            if stored is None:
                fill = np.frombuffer(self.fill, self._unit())
                return np.broadcast_to(fill.reshape((1,) * len(self.chunk)), self.chunk)
            found = self._decode(place, stored)
            if keep:
                self.cache.put((self.name, number), found)
        return found

    def _decode(self, place: Shape, stored: StoredChunk) -> np.ndarray[Any, Any]:
        import numpy as np

        if all(code in KNOWN for code, _ in self.filters):
            raw, nbytes = self.read_stored(stored, 0, stored.nbytes), self.index.chunk_nbytes
            try:
                data = undo_filters(raw.data, self.filters, stored.skipped, nbytes)
            except CheckpointError as error:
                raise self.error(f"the chunk at byte {stored.offset}: {error}") from None
            return np.frombuffer(data, self._unit()).reshape(self.chunk)
        start = [p * c for p, c in zip(place, self.chunk, strict=True)]
        count = [min(c, n - s) for s, c, n in zip(start, self.chunk, self.shape, strict=True)]
        _, got = self.library.ask("slab", SLAB_SECONDS, path=self.name, start=start, count=count)
        if len(got) != math.prod(count) * self.itemsize:
            raise self.error("the library gave another number of bytes")
        return np.frombuffer(got, self._unit()).reshape(count)

    def read_stored(self, stored: StoredChunk, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Bytes `start` to `stop` of a chunk as they are stored."""
        raw = recycled(stop - start)
        self.file.pread_into(raw.data, self.library.extent.base + stored.offset + start)
        return raw

    def _unit(self) -> str:
        """A NumPy type of the size of an element: only whole elements are moved."""
        return f"u{self.itemsize}" if self.itemsize in (1, 2, 4, 8) else f"V{self.itemsize}"


def chunks_of_box(start: Shape, count: Shape, chunk: Shape) -> Iterator[Shape]:
    """The places of the chunks that share elements with a box of `count` elements, not empty."""
    axes = zip(start, count, chunk, strict=True)
    return product(*(range(s // c, (s + n - 1) // c + 1) for s, n, c in axes))


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
