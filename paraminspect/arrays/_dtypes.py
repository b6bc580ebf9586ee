"""Dtypes: what an element is, known without NumPy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paraminspect.errors import DTypeError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class DType:
    """The type of an element: `name` as NumPy and ml_dtypes spell it, and how much it takes.

    `block` elements are stored together in `nbits` bits: for nearly all types that is one. In
    block-quantized types several elements share a scale, and none can be read without its block.

    Checkpoints hold types that NumPy lacks, and types smaller than a byte: so it is our own value.
    It equals what NumPy takes for this type, and NumPy takes it for one of its own:

        >>> import numpy as np
        >>> DTYPES["float32"] == np.float32, DTYPES["float32"] == "float32"
        (True, True)
        >>> np.zeros(2, DTYPES["float16"])
        array([0., 0.], dtype=float16)
        >>> DType("q4_0", 18 * 8, block=32).nbytes(4096 * 4096)
        9437184
    """

    name: str
    nbits: int
    block: int = 1

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return (self.name, self.nbits, self.block) == (other.name, other.nbits, other.block)
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
        """The bytes of an element (or of a block) as NumPy holds it: at least one."""
        return (self.nbits + 7) // 8

    @property
    def is_packed(self) -> bool:
        """Whether an element has no bytes of its own: it shares a byte, or a block, with others."""
        return self.block > 1 or self.nbits % 8 != 0

    def nbytes(self, count: int) -> int:
        """Bytes that `count` elements take when stored densely, in whole blocks."""
        return (-(-count // self.block) * self.nbits + 7) // 8

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
            why = f", whose elements are stored {self.block} to a block" if self.block > 1 else ""
            raise DTypeError(f"NumPy has no dtype for {self.name}{why}") from None

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
