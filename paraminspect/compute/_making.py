"""Arrays made of sizes and numbers, for the frameworks' tables of functions."""

from __future__ import annotations

from typing import Any

import numpy

from paraminspect.compute._arguments import checked_shape, dtype_of, integer, number


def numbers_between(start: Any, end: Any, step: Any, dtype: str) -> Any:
    """From `start` to before `end` by `step`, in `dtype`; refused before it is too large."""
    for value in (start, end, step):
        number("a bound", value)
    if not step:
        raise ValueError("the step must not be zero")
    checked_shape((max(0, int((end - start) / step)),), 0)
    return numpy.arange(start, end, step).astype(dtype)


def identity(rows: Any, columns: Any, diagonal: int, dtype: str | None) -> Any:
    """Ones on a diagonal of a matrix, which is square where no columns are given."""
    shape = checked_shape((rows, rows if columns is None else columns), 0)
    integer("a diagonal", diagonal)
    made: Any = numpy.eye(shape[0], shape[1], diagonal)
    return made.astype(dtype_of(dtype, "float32"))


def spaced(start: Any, stop: Any, num: Any, endpoint: bool) -> Any:
    """So many numbers at even distances, in float32."""
    number("start", start)
    number("stop", stop)
    (count,) = checked_shape((num,), 0)
    return numpy.linspace(start, stop, count, endpoint=endpoint).astype(numpy.float32)


def filled_like(x: Any, value: Any, dtype: str | None) -> Any:
    """An array of the shape of `x`, and of its dtype where none is named."""
    if type(value) not in (int, float, bool):
        raise TypeError(f"fill_value must be a number, got {value!r}")
    return numpy.full(x.shape, value, dtype_of(dtype, x.dtype.name))
