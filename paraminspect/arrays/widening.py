"""Wide types: values of any dtype as one of the few NumPy types that hold them exactly."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

Values = np.ndarray[Any, Any]


def widen(values: Values) -> Values:
    """Exactly these values as int64, uint64, float64, complex128 or longer."""
    dtype = values.dtype
    if dtype.itemsize == 1 and dtype.kind not in "biu":
        return _decoded(dtype)[values.view(np.uint8)]
    if dtype.kind == "V":
        values = values.astype(np.float32)  # bfloat16: two casts take a third of one
    return values.astype(wide_type(dtype), copy=False)


@functools.cache
def _decoded(dtype: np.dtype[Any]) -> Values:
    """The values of all 256 bytes: looking one up is far faster than converting it."""
    with np.errstate(all="ignore"):
        return np.arange(256, dtype=np.uint8).view(dtype).astype(wide_type(dtype))


@functools.cache
def wide_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What `widen` makes of a dtype."""
    if is_integer(dtype):
        return np.dtype(np.uint64 if dtype == np.uint64 else np.int64)
    if dtype.kind == "c":
        return np.result_type(dtype, np.complex128)
    return np.dtype(np.float64) if dtype.kind == "V" else np.result_type(dtype, np.float64)


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Whether its values are integers; booleans are 0 and 1."""
    # The small integers of ml_dtypes are opaque to NumPy: kind V.
    return dtype.kind in "biu" or (dtype.kind == "V" and "int" in dtype.name)
