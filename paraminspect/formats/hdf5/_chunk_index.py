"""Where the chunks of a dataset are: the library says so, and it is checked here.

A position must be a multiple of the chunk's shape and inside the grid; no chunk may be there twice,
or which of the two is read would depend on the reader; each must lie in the HDF5 file.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from paraminspect.arrays import Shape
from paraminspect.errors import CheckpointError
from paraminspect.libhdf5.process import Library
from paraminspect.runtime import Lock

if TYPE_CHECKING:
    import numpy as np

MAXIMUM_CHUNK_NBYTES = 256 << 20
"""A chunk is decoded whole; h5py makes them of a megabyte, and Keras makes none."""
INDEX_SECONDS = 30
"""Seconds of the processor for the library to find all chunks."""


class StoredChunk(NamedTuple):
    """Where a chunk lies, counted from the begin of the HDF5 file."""

    offset: int
    nbytes: int
    skipped: int
    """Bit i: the i-th filter was not applied."""


class ChunkIndex:
    """Finds the stored chunks of a dataset; the library is asked once, when first needed."""

    def __init__(
        self, library: Library, name: str, shape: Shape, chunk: Shape, itemsize: int
    ) -> None:
        self.library = library
        self.name = name
        self.shape = shape
        self.chunk = chunk
        self.grid = tuple(-(-n // c) for n, c in zip(shape, chunk, strict=True))
        self.chunk_nbytes = math.prod(chunk) * itemsize
        self._lock = Lock()
        self._found: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None = None

    def number(self, place: Shape) -> int:
        """The number of a chunk in the grid, in C order."""
        number = 0
        for position, length in zip(place, self.grid, strict=True):
            number = number * length + position
        return number

    def locate(self, number: int) -> StoredChunk | None:
        """Where a chunk lies; None if it was never written."""
        import numpy as np

        with self._lock:
            if self._found is None:
                self._found = self._read()
        numbers, rows = self._found
        at = int(np.searchsorted(numbers, number))
        if at == len(numbers) or numbers[at] != number:
            return None
        return StoredChunk(*rows[at].tolist())

    def _read(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The numbers of the stored chunks, ascending, and where each lies."""
        import numpy as np

        table = self._ask()
        ndim = len(self.chunk)
        places, rest = np.divmod(table[:, :ndim], np.array(self.chunk, np.uint64))
        rows = table[:, ndim:]
        # A chunk outside the shape is left from a dataset that was larger once.
        inside = (places < np.array(self.grid, np.uint64)).all(axis=1)
        places, rows = places[inside], rows[inside]
        if rest.any() or not self._fit(rows):
            raise self._error("a chunk is not where one can be: the file is damaged")
        numbers = np.zeros(len(places), np.uint64)
        for axis, length in enumerate(self.grid):
            numbers = numbers * np.uint64(length) + places[:, axis]
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        if (numbers[1:] == numbers[:-1]).any():
            raise self._error("a chunk is stored twice: the file is damaged")
        return numbers, rows[order]

    def _ask(self) -> np.ndarray[Any, Any]:
        """A row for each chunk: its position, offset, bytes and filter mask."""
        import numpy as np

        if self.chunk_nbytes > MAXIMUM_CHUNK_NBYTES:
            nbytes = self.chunk_nbytes
            raise self._error(f"its chunks of {nbytes} bytes are too large to be decoded")
        if math.prod(self.grid) >> 63:
            raise self._error(f"its shape {list(self.shape)} has more chunks than can be counted")
        count, data = self.library.ask("chunks", INDEX_SECONDS, path=self.name)
        width = len(self.chunk) + 3
        table = np.frombuffer(data, np.uint64)
        if type(count) is not int or table.size != count * width:
            raise self._error("the library gave another number of chunks")
        return table.reshape(count, width)

    def _fit(self, rows: np.ndarray[Any, Any]) -> bool:
        """Whether all chunks lie in the file, and are not larger than a filter can make them."""
        offsets, nbytes = rows[:, 0], rows[:, 1]
        # Deflate makes incompressible data larger by some bytes for each 16 KiB of it, a checksum
        # by four. What is stored larger than an eighth more is not a chunk, and is not read.
        end, most = self.library.extent.size, self.chunk_nbytes + (self.chunk_nbytes >> 3) + 4096
        # Each is compared before their sum, which wraps around where 64 bits do not suffice.
        fits = (offsets <= end) & (nbytes <= end) & (offsets + nbytes <= end) & (nbytes <= most)
        return bool(fits.all())

    def _error(self, message: str) -> CheckpointError:
        return self.library.error(f"dataset {self.name!r}: {message}")
