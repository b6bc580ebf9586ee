"""Arrays that can only be made whole: made at the first read, and held until others are read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from paraminspect.arrays import DType, Shape
from paraminspect.arrays.lazy import Recipe
from paraminspect.runtime import Lock


class Latest:
    """Holds the values of the two arrays that were made last, and no more.

    Two, because a thread that writes one array may still be reading the one before.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # The C library keeps memory for each thread that calls LAPACK: so one calls it for all.
        self._maker = ThreadPoolExecutor(1)
        self._held: list[tuple[object, np.ndarray[Any, Any]]] = []

    def __reduce__(self) -> tuple[type[Latest], tuple[()]]:
        return Latest, ()

    def whole(self, shape: Shape, dtype: DType, make: Callable[[], np.ndarray[Any, Any]]) -> Recipe:
        """An array whose values `make` gives, all at once."""
        return Recipe(shape, dtype, _Whole(self, make, dtype).read)

    def values(self, whole: _Whole) -> np.ndarray[Any, Any]:
        """All values of an array, held or made now."""
        with self._lock:
            values = next((values for known, values in self._held if known is whole), None)
            if values is None:
                del self._held[:-1]  # before it is made: never three at a time
                values = self._maker.submit(whole.flat).result()
                self._held.append((whole, values))
        return values


class _Whole:
    """An array that is made whole, as often as the holder has given it up."""

    def __init__(
        self, latest: Latest, make: Callable[[], np.ndarray[Any, Any]], dtype: DType
    ) -> None:
        self._latest = latest
        self._make = make
        self._dtype = dtype

    def flat(self) -> np.ndarray[Any, Any]:
        return np.ascontiguousarray(self._make(), self._dtype.to_numpy()).reshape(-1)

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        return self._latest.values(self)[start:stop]
