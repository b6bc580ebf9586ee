"""Recipes: arrays whose values are made when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import DType, Shape
from paraminspect.arrays.indexed import Indexed

if TYPE_CHECKING:
    import numpy as np

Make = Callable[[int, int], "np.ndarray[Any, Any]"]
"""Gives the flat elements from `start` to `stop`; the same values however they are cut."""


class Recipe(Indexed):
    """An `Array` that makes its values on demand: nothing is held, and blocks are independent."""

    __slots__ = ("_make", "dtype", "shape")

    shape: Shape
    dtype: DType

    def __init__(self, shape: Shape, dtype: DType, make: Make) -> None:
        self.shape = shape
        self.dtype = dtype
        self._make = make

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array, made now."""
        self.check_range(start, stop)
        return self._make(start, stop)
