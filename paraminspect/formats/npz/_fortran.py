"""Arrays that lie in Fortran order: the first axis changes fastest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from paraminspect.arrays.indexing import as_index, gather, normalize
from paraminspect.formats.files._reading import FileArray, StoredArray
from paraminspect.runtime import Lock

if TYPE_CHECKING:
    import numpy as np

SLABS = 2
"""Slabs of an array that are kept: threads that read it in order are never further apart."""


class FortranArray(FileArray):
    """An `Array` over values in Fortran order: the stored array has the axes the other way round.

    Each piece in C order is strewn over the whole file; so slabs of `slab_nbytes` bytes are turned
    at once, and kept until all of their elements have been read.
    """

    __slots__ = ("_lock", "_slabs", "slab_nbytes", "stored")

    def __init__(self, stored: StoredArray, slab_nbytes: int) -> None:
        super().__init__(stored.file, stored.shape[::-1], stored.dtype)
        self.stored = stored
        self.slab_nbytes = slab_nbytes
        self._lock = Lock()
        self._slabs: list[_Slab] = []

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array (C order), 1-D."""
        import numpy as np

        out = np.empty(stop - start, self.dtype.to_numpy())
        done = start
        while done < stop:
            with self._lock:
                part = self._take(done, stop)
            out[done - start : done - start + len(part)] = part
            done += len(part)
        return out

    def _take(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """At least one of the elements from `start` on; a slab that has given all is dropped."""
        slab = next((slab for slab in self._slabs if slab.start <= start < slab.stop), None)
        if slab is None:
            del self._slabs[: 1 - SLABS]
            slab = self._turned(start)
            self._slabs.append(slab)
        part = slab.values[start - slab.start : stop - slab.start]
        slab.unread -= len(part)
        if slab.unread <= 0:
            self._slabs.remove(slab)
        return part

    def _turned(self, position: int) -> _Slab:
        """The slab: one position on the outer axes, a few on the next, all on the inner ones."""
        most = max(1, self.slab_nbytes * 8 // self.dtype.nbits)
        inner_counts = [math.prod(self.shape[i + 1 :]) for i in range(len(self.shape))]
        axis = next(i for i, count in enumerate(inner_counts) if count <= most)
        inner = inner_counts[axis]
        outer, rest = divmod(position, self.shape[axis] * inner)
        at_once = most // inner
        first = rest // inner // at_once * at_once
        index: list[int | slice] = [slice(first, first + at_once)]
        for length in reversed(self.shape[:axis]):
            outer, here = divmod(outer, length)
            index.insert(0, here)
        return _Slab(position - rest + first * inner, self.gather(tuple(index)).reshape(-1))

    def gather(self, index: Any) -> np.ndarray[Any, Any]:
        """The values at a basic index: that of the stored array, turned."""
        import numpy as np

        axes = normalize(as_index(index), self.shape)
        turned = tuple(axis.as_item() for axis in reversed(axes))
        return np.asarray(gather(self.stored, turned).T, order="C")


class _Slab:
    """Elements from `start` to `stop` in C order; `unread` counts those not given out yet."""

    def __init__(self, start: int, values: np.ndarray[Any, Any]) -> None:
        self.start = start
        self.stop = start + len(values)
        self.values = values
        self.unread = len(values)
