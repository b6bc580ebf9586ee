"""Arrays that can only be made whole: made at the first read, and held until another is read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from paraminspect.arrays import DType, Shape
from paraminspect.recipes import Recipe


class Latest:
    """Holds the values of one array, the one that was read last; the memory is the whole array."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._maker: object = None
        self._values = np.empty(0)

    def whole(self, shape: Shape, dtype: DType, make: Callable[[], np.ndarray[Any, Any]]) -> Recipe:
        """An array whose values `make` gives, all at once."""
        to = dtype.to_numpy()

        def read(start: int, stop: int) -> np.ndarray[Any, Any]:
            with self._lock:
                if self._maker is not make:
                    self._values = np.ascontiguousarray(make(), to).reshape(-1)
                    self._maker = make
                values = self._values
            return values[start:stop]

        return Recipe(shape, dtype, read)
