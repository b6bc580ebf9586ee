"""Slices as bytes: `.npy` and bare, streamed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from paraminspect.arrays import block_ranges
from paraminspect.arrays.widening import Values
from paraminspect.operations.slicing import Slice


def as_npy(slice_: Slice) -> Iterator[bytes]:
    """The slice as `numpy.save` writes it; a type that NumPy lacks as bytes of its width."""
    header = io.BytesIO()
    dtype = _stored_type(slice_)
    np.lib.format.write_array_header_1_0(
        header,
        {
            "descr": np.lib.format.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": slice_.data.shape,
        },
    )
    yield header.getvalue()
    yield from as_raw(slice_)


def as_raw(slice_: Slice) -> Iterator[bytes]:
    """The values in C order, little-endian."""
    for block in block_ranges(slice_.data):
        yield _little_endian(slice_.data.read(*block)).tobytes()


def npy_note(slice_: Slice) -> str:
    """How to read the values of an `.npy` file whose type NumPy does not know."""
    if not is_foreign(slice_.data.dtype.to_numpy()):
        return ""
    name = slice_.data.dtype.name
    return f".npy has no {name}: numpy.load gives bytes, .view(ml_dtypes.{name}) the values"


def is_foreign(dtype: np.dtype[Any]) -> bool:
    """Whether NumPy itself does not know the dtype."""
    return dtype.kind == "V" or (dtype.itemsize == 1 and dtype.kind == "f")


def _stored_type(slice_: Slice) -> np.dtype[Any]:
    dtype = slice_.data.dtype.to_numpy()
    if is_foreign(dtype):
        return np.dtype(f"V{dtype.itemsize}")
    return dtype.newbyteorder("<")


def _little_endian(values: Values) -> Values:
    if is_foreign(values.dtype):
        values = values.view(f"u{values.dtype.itemsize}")
    return values.astype(values.dtype.newbyteorder("<"), copy=False)
