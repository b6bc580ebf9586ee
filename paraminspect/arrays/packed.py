"""Packed types: several elements to a byte, or to a block.

Only plain 4-bit elements are decoded. Their file formats do not say which half of a byte is first;
the low half is, as in ONNX and in NVIDIA's `__nv_fp4x2_e2m1`. Of 6-bit elements nobody documents
the order of bits: these are bytes, and no more.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from paraminspect.arrays import DTYPES, Array, DType, Opaque, Shape, count_elements
from paraminspect.arrays.indexed import Indexed

if TYPE_CHECKING:
    import numpy as np


@runtime_checkable
class Packed(Protocol):
    """An array of a packed type, which can tell its bytes."""

    @property
    def packed_bytes(self) -> Array:
        """The bytes as they are stored, as a 1-D array of uint8."""


class Nibbles(Indexed):
    """A view of an array of 4-bit elements whose `read` gives one NumPy element for each."""

    def __init__(self, data: Array, packed_bytes: Array) -> None:
        self.shape: Shape = data.shape
        self.dtype: DType = data.dtype
        self._bytes = packed_bytes

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array, 1-D."""
        import numpy as np

        pairs = self._bytes.read(start // 2, (stop + 1) // 2)
        halves = np.empty((len(pairs), 2), np.uint8)
        np.bitwise_and(pairs, 15, out=halves[:, 0])
        np.right_shift(pairs, 4, out=halves[:, 1])
        first = start % 2
        return halves.reshape(-1)[first : first + stop - start].view(self.dtype.to_numpy())


class BytesOf(Indexed):
    """The bytes of an array in C order, as a 1-D array of uint8."""

    def __init__(self, array: Array) -> None:
        self._array = array
        self._itemsize = array.dtype.nbits // 8
        self.shape: Shape = (count_elements(array.shape) * self._itemsize,)
        self.dtype: DType = DTYPES["uint8"]

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Bytes `start` to `stop`."""
        import numpy as np

        first = start // self._itemsize
        whole = self._array.read(first, -(-stop // self._itemsize)).view(np.uint8)
        return whole[start - first * self._itemsize :][: stop - start]


class Viewed(Indexed):
    """Bytes as elements of a dtype, as `bytes.view(dtype)` gives them in NumPy; little-endian."""

    def __init__(self, packed_bytes: Array, shape: Shape, dtype: DType) -> None:
        self.shape: Shape = shape
        self.dtype: DType = dtype
        self._bytes = packed_bytes

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array, 1-D."""
        itemsize = self.dtype.nbits // 8
        values = self._bytes.read(start * itemsize, stop * itemsize).view(self.dtype.to_numpy())
        return values.byteswap() if sys.byteorder == "big" else values


def viewed(array: Array, dtype: DType) -> Array:
    """`array`; if its elements are mere bytes, as many as `dtype` has, as elements of that."""
    is_void = array.dtype.name.startswith("void") and array.dtype.nbits == dtype.nbits
    if not is_void or not isinstance(array, Opaque) or array.packed_bytes is None:
        return array
    return Viewed(array.packed_bytes, array.shape, dtype)


def unpacked(array: Array) -> Array:
    """`array`; if it cannot be read, a view that can: of its elements, or of its bytes."""
    if isinstance(array, Opaque):
        return array if array.packed_bytes is None else array.packed_bytes
    if not array.dtype.is_packed or not isinstance(array, Packed):
        return array
    if array.dtype.nbits == 4 and array.dtype.block == 1:
        return Nibbles(array, array.packed_bytes)
    return array.packed_bytes
