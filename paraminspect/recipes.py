"""Recipes: arrays whose values are made when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import DType, Shape, count_elements
from paraminspect.errors import AddressError
from paraminspect.indexing import gather

if TYPE_CHECKING:
    import numpy as np

Make = Callable[[int, int], "np.ndarray[Any, Any]"]
"""Gives the flat elements from `start` to `stop`; the same values however they are cut."""


class Recipe:
    """An `Array` that makes its values on demand: nothing is held, and blocks are independent."""

    __slots__ = ("_make", "dtype", "shape")

    def __init__(self, shape: Shape, dtype: DType, make: Make) -> None:
        self.shape = shape
        self.dtype = dtype
        self._make = make

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array, made now."""
        if not 0 <= start <= stop <= count_elements(self.shape):
            raise AddressError(f"elements {start} to {stop} are outside shape {list(self.shape)}")
        return self._make(start, stop)

    def __getitem__(self, index: Any, /) -> np.ndarray[Any, Any]:
        return gather(self, index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if copy is False:
            raise ValueError("values that are still to be made cannot be had without a copy")
        values = self[...]
        return values if dtype is None else values.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"Recipe({list(self.shape)}, {self.dtype})"
