"""Casts that refuse to lose more than rounding does."""

from __future__ import annotations

from typing import Any

import numpy as np

from paraminspect.arrays import DType
from paraminspect.errors import CastError

Values = np.ndarray[Any, Any]


def cast(values: Values, dtype: DType, *, unsafe: bool = False) -> Values:
    """1-D `values` in another dtype; `CastError` at the first that would lose more than rounding.

    That is: a finite number that becomes infinite or NaN, an infinity or NaN that the dtype lacks,
    a fraction, a sign or a size that an integer type cannot hold, an imaginary part. `unsafe`
    casts as NumPy does, whatever is lost.
    """
    target = dtype.to_numpy()
    if values.dtype == target:
        return values
    with np.errstate(all="ignore"):
        real = values.real if values.dtype.kind == "c" and target.kind != "c" else values
        result = real.astype(target)
        lost = None if unsafe else _lost(values, result, dtype)
    if lost is not None and lost.any():
        position = int(np.argmax(lost))
        raise CastError.of_first(lost, f"{values[position]} {_why(values[position], dtype)}")
    return result


def is_integer(dtype: DType) -> bool:
    """Whether a dtype holds whole numbers alone (truth values aside)."""
    return dtype.name.startswith(("int", "uint"))


def is_float(dtype: DType) -> bool:
    """Whether a dtype holds floating-point numbers (no complex ones)."""
    return dtype.name.startswith(("float", "bfloat"))


def integer_range(dtype: DType) -> tuple[int, int]:
    """The smallest and the largest number that an integer dtype holds."""
    if dtype.name.startswith("uint"):
        return 0, 2**dtype.nbits - 1
    return -(2 ** (dtype.nbits - 1)), 2 ** (dtype.nbits - 1) - 1


def _lost(values: Values, result: Values, dtype: DType) -> Values:
    """Where the cast lost more than rounding."""
    if values.dtype.kind == "c" and result.dtype.kind != "c":
        return np.asarray((values.imag != 0) | _lost(values.real, result, dtype))
    if dtype.name == "bool":
        return np.asarray((values != 0) & (values != 1))
    if is_integer(dtype):
        return _outside(values, *integer_range(dtype))
    if values.dtype.kind in "biu":
        return np.asarray(~np.isfinite(result))
    return np.asarray(
        (np.isfinite(values) != np.isfinite(result)) | (np.isnan(values) != np.isnan(result))
    )


def _outside(values: Values, low: int, high: int) -> Values:
    """Where values are no integers from `low` to `high`."""
    if values.dtype.kind == "b":
        return np.zeros(values.shape, bool)
    if values.dtype.kind in "iu":
        own = np.iinfo(values.dtype)
        return (values < max(low, int(own.min))) | (values > min(high, int(own.max)))
    # The limits are powers of two, and exact as floats; NaN is in no range.
    inside = (values >= float(low)) & (values < float(high + 1))
    return np.asarray(~inside | (values != np.trunc(values)))


def _why(value: Any, dtype: DType) -> str:
    if np.iscomplexobj(value) and value.imag != 0:
        return f"has an imaginary part, which {dtype} does not hold"
    if dtype.name == "bool":
        return "is neither 0 nor 1, as bool has it"
    if not is_integer(dtype):
        return f"does not fit {dtype}"
    low, high = integer_range(dtype)
    if low <= value.real.item() <= high:  # Python compares integers and floats exactly
        return f"has a fraction, which {dtype} does not hold"
    return f"is outside {low} to {high}, the range of {dtype}"
