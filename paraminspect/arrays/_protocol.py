"""Arrays: dtypes as checkpoints know them, and the protocol of anything that has values.

Importing this module does not import NumPy, so that listing never pays for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from paraminspect.arrays._dtypes import DTYPES, DType
from paraminspect.arrays.numpy_like import NumpyLike, frozen
from paraminspect.errors import DTypeError, ShapeError, UnsetError, brief

if TYPE_CHECKING:
    import numpy as np

Shape = tuple[int, ...]

BLOCK_NBYTES = 1 << 22
"""Bytes of values that are held at a time by default: large enough for the disk, small for L2."""


@runtime_checkable
class Array(Protocol):
    """Values with a shape: in memory, in a file, or still to be drawn. Nobody asks which.

    `read` is the one way in that never takes more memory than asked for; indexing is for people.
    """

    @property
    def shape(self) -> Shape:
        """The lengths of the axes."""

    @property
    def dtype(self) -> DType:
        """The type of the elements."""

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array (C order), 1-D, in native byte order.

        The result may be a buffer that the next `read` overwrites: copy what is to be kept.
        """

    def __getitem__(self, index: Any, /) -> np.ndarray[Any, Any]:
        """The values at a basic NumPy index, a new array; no more than these are read."""


@runtime_checkable
class Patched(Protocol):
    """An array that differs from its `base` only within a stretch of its elements."""

    @property
    def base(self) -> Array:
        """An array of the same shape and dtype."""

    @property
    def changed(self) -> tuple[int, int]:
        """The stretch: from the first flat element to the one after the last."""


@runtime_checkable
class Encoded(Protocol):
    """An array that its file holds encoded: decoding is most of the work of reading it."""

    def sameness(self, other: Array) -> Callable[[int, int], bool]:
        """What tells of elements `start` to `stop` that both arrays have the same bits there.

        It decodes nothing: False means that the two may differ.
        """


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unset(NumpyLike):
    """An array that has a shape and a dtype, and no values yet."""

    shape: Shape
    dtype: DType

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:  # noqa: ARG002 (the protocol's)
        """Raise `UnsetError`."""
        raise UnsetError(
            "a definition has no values yet: draw them with `init`, or open a checkpoint"
        )

    def __getitem__(self, index: Any, /) -> np.ndarray[Any, Any]:
        return self.read(0, 0)

    def __repr__(self) -> str:
        return f"Unset({list(self.shape)}, {self.dtype}): no values yet"

    __str__ = __repr__


class InMemory(NumpyLike):
    """An array whose values are held in memory: any NumPy array, views and byte orders too.

    The array is not copied: who gives it does not write to it any more.
    """

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values = values
        self.shape: Shape = values.shape
        self.dtype: DType = DType.of(values.dtype)

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` in C order, whatever the order in memory."""
        return self.values.flat[start:stop].astype(self.values.dtype.newbyteorder("="), copy=False)

    def __getitem__(self, index: Any, /) -> Any:
        import numpy as np

        return frozen(np.array(self.values[index], self.values.dtype.newbyteorder("=")), index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        import numpy as np

        values = np.asarray(self.values, dtype, copy=copy).view()
        values.flags.writeable = bool(copy)
        return values


def copied(values: Any) -> InMemory:
    """Values that a caller gives, copied: what is written to theirs later is not in it.

    Raises `ShapeError` and `DTypeError` for what is not an array of numbers.
    """
    import numpy as np

    try:
        array = np.array(values)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"values must be an array of numbers: {error}") from None
    if array.dtype.kind not in "biufc" and array.dtype.name not in DTYPES:
        raise DTypeError(f"values must be an array of numbers, got {array.dtype} ({brief(values)})")
    return InMemory(array)


@dataclass(frozen=True, eq=False)
class Opaque(NumpyLike):
    """An array whose values are there and are no numbers of ours; `why` goes on from "values".

    `packed_bytes` are its bytes as they are stored, 1-D and of uint8, where these can be had.
    `may_be_numbers` says that they are numbers whose dtype the file does not name.
    """

    shape: Shape
    dtype: DType
    why: str
    packed_bytes: Array | None = None
    may_be_numbers: bool = False

    def refusal(self) -> DTypeError:
        """The error for who needs the values, with the argument that says what they are."""
        error = DTypeError(f"values of the type {self.dtype} {self.why}")
        return error.unless(void_dtype=...) if self.may_be_numbers else error

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:  # noqa: ARG002 (the protocol's)
        """Raise `DTypeError`."""
        raise self.refusal()

    def __getitem__(self, index: Any, /) -> np.ndarray[Any, Any]:
        return self.read(0, 0)

    def __repr__(self) -> str:
        return f"Opaque({list(self.shape)}, {self.dtype})"

    __str__ = __repr__


def count_elements(shape: Shape) -> int:
    """How many elements a shape has (1 for a scalar)."""
    return math.prod(shape)


def block_ranges(
    array: Array, nbytes: int = BLOCK_NBYTES, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, int]]:
    """`(start, stop)` of consecutive flat blocks of `array`, each of at most `nbytes` bytes.

    They cover the whole array, or elements `start` to `stop` of it; no type's block is cut.
    """
    end = count_elements(array.shape) if stop is None else stop
    step = max(1, nbytes * 8 // max(array.dtype.nbits, 8)) * array.dtype.block
    for at in range(start, end, step):
        yield at, min(at + step, end)
