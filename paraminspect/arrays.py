"""Arrays: dtypes as checkpoints know them, and the protocol of anything that has values.

Importing this module does not import NumPy, so that listing never pays for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from paraminspect.errors import DTypeError, ShapeError, UnsetError, brief
from paraminspect.numpy_like import NumpyLike, frozen

if TYPE_CHECKING:
    import numpy as np

Shape = tuple[int, ...]

BLOCK_NBYTES = 1 << 22
"""Bytes of values that are held at a time by default: large enough for the disk, small for L2."""


@dataclass(frozen=True, eq=False)
class DType:
    """The type of an element: `name` as NumPy and ml_dtypes spell it, `nbits` as stored.

    Checkpoints hold types that NumPy lacks, and types smaller than a byte: so it is our own value.
    It equals what NumPy takes for this type, and NumPy takes it for one of its own:

        >>> import numpy as np
        >>> DTYPES["float32"] == np.float32, DTYPES["float32"] == "float32"
        (True, True)
        >>> np.zeros(2, DTYPES["float16"])
        array([0., 0.], dtype=float16)
    """

    name: str
    nbits: int

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return (self.name, self.nbits) == (other.name, other.nbits)
        if other is None:  # NumPy takes it for float64
            return False
        if isinstance(other, str) and other == self.name:
            return True
        try:
            return bool(self.to_numpy() == other)
        except (DTypeError, TypeError):
            return False

    def __hash__(self) -> int:
        return hash((self.name, self.nbits))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype: where NumPy looks for it."""
        return self.to_numpy()

    @property
    def itemsize(self) -> int:
        """The bytes of an element as NumPy holds it: at least one."""
        return (self.nbits + 7) // 8

    def nbytes(self, count: int) -> int:
        """Bytes that `count` elements take when stored densely."""
        return (count * self.nbits + 7) // 8

    def to_numpy(self) -> np.dtype[Any]:
        """The NumPy dtype, from ml_dtypes where NumPy has none (sub-byte ones use a byte each)."""
        import numpy as np

        if self.name in _ML_DTYPES:
            import ml_dtypes

            extra: np.dtype[Any] = np.dtype(getattr(ml_dtypes, self.name))
            return extra
        try:
            return np.dtype(self.name)
        except TypeError:
            raise DTypeError(f"NumPy has no dtype for {self.name}") from None

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> DType:
        """The dtype of a NumPy array, byte order aside."""
        name = dtype.name
        return DTYPES.get(name) or cls(name, dtype.itemsize * 8)


_ML_DTYPES = {
    "bfloat16": 16,
    "float8_e3m4": 8,
    "float8_e4m3": 8,
    "float8_e4m3b11fnuz": 8,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float4_e2m1fn": 4,
    "int4": 4,
    "uint4": 4,
    "int2": 2,
    "uint2": 2,
}

DTYPES: dict[str, DType] = {
    name: DType(name, nbits)
    for name, nbits in {
        "bool": 8,
        "int8": 8,
        "uint8": 8,
        "int16": 16,
        "uint16": 16,
        "int32": 32,
        "uint32": 32,
        "int64": 64,
        "uint64": 64,
        "float16": 16,
        "float32": 32,
        "float64": 64,
        "complex64": 64,
        "complex128": 128,
        **_ML_DTYPES,
    }.items()
}
"""Every dtype that has a name of ours, by that name."""

DTYPE_ALIASES: dict[str, str] = {
    "bf16": "bfloat16",
    "f16": "float16",
    "fp16": "float16",
    "half": "float16",
    "f32": "float32",
    "fp32": "float32",
    "float": "float32",
    "f64": "float64",
    "fp64": "float64",
    "double": "float64",
    "fp8_e4m3": "float8_e4m3fn",
    "fp8_e5m2": "float8_e5m2",
    "f8_e4m3": "float8_e4m3fn",
    "f8_e5m2": "float8_e5m2",
    "long": "int64",
    "int": "int32",
}
"""What else people write for a dtype."""


def parse_dtype(text: str) -> DType:
    """The dtype that a user names: `float32`, `bf16`, `torch.float16`, ..."""
    from paraminspect.errors import nearest

    name = text.removeprefix("torch.").lower()
    try:
        return DTYPES[DTYPE_ALIASES.get(name, name)]
    except KeyError:
        known = [*DTYPES, *DTYPE_ALIASES]
        if re.fullmatch("f(p|loat)?[468]", name):
            several = [known for known in DTYPES if known.startswith(f"float{name[-1]}_")]
            raise DTypeError(f"unknown dtype {text!r}: say which, {', '.join(several)}") from None
        raise DTypeError(f"unknown dtype {text!r}{nearest(name, known)}") from None


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
    """

    shape: Shape
    dtype: DType
    why: str
    packed_bytes: Array | None = None

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:  # noqa: ARG002 (the protocol's)
        """Raise `DTypeError`."""
        raise DTypeError(f"values of the type {self.dtype} {self.why}")

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

    They cover the whole array, or elements `start` to `stop` of it.
    """
    end = count_elements(array.shape) if stop is None else stop
    step = max(1, nbytes * 8 // max(array.dtype.nbits, 8))
    for at in range(start, end, step):
        yield at, min(at + step, end)
