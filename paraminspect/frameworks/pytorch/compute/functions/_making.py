"""Tensors that `torch` makes of sizes and numbers: int64 of integers, float32 of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from paraminspect.compute._arguments import (
    checked_shape,
    default_dtype,
    dtype_of,
    integer,
    made_shape,
    number,
)
from paraminspect.compute._making import filled_like, identity, numbers_between

Function = Callable[..., Any]


def arange(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: str | None = None) -> Any:
    """From `start`, 0 where one number is given, to before `end` by `step`."""
    start, end = (0, start) if end is None else (start, end)
    is_whole = all(type(value) is int for value in (start, end, step))
    dtype = dtype_of(dtype, "int64" if is_whole else "float32")
    if step and (end - start) * step < 0:
        raise ValueError(f"no step of {step} leads from {start} to {end}")
    return numbers_between(start, end, step, dtype)


def _filled(value: int) -> Function:
    def make(*sizes: Any, size: Any = None, dtype: str | None = None) -> Any:
        if bool(sizes) == (size is not None):
            raise TypeError("give one shape")
        given = size if size is not None else sizes[0] if len(sizes) == 1 else sizes
        return numpy.full(made_shape(given), value, dtype_of(dtype, "float32"))

    return make


def _full(size: Any, fill_value: Any, *, dtype: str | None = None) -> Any:
    if type(fill_value) not in (int, float, bool):
        raise TypeError(f"fill_value must be a number, got {fill_value!r}")
    if type(size) is int:
        raise TypeError(f"size must be a tuple, got {size}")
    return numpy.full(made_shape(size), fill_value, dtype_of(dtype, default_dtype(fill_value)))


def _linspace(start: Any, end: Any, steps: int, *, dtype: str | None = None) -> Any:
    """Rounded as in torch, which goes from both ends to the middle."""
    number("start", start)
    number("end", end)
    integer("steps", steps)
    (count,) = checked_shape((steps,), 0)
    given = numpy.dtype(dtype_of(dtype, "float32"))
    kind = given if given.kind == "f" else numpy.dtype("float32")
    first, last = kind.type(start), kind.type(end)
    step = (last - first) / kind.type(max(count - 1, 1))
    up = numpy.arange(count).astype(kind)
    values = numpy.where(up < count // 2, first + step * up, last - step * up[::-1])
    return (values if count > 1 else values * 0 + first).astype(given)


MAKING: dict[str, Function] = {
    "arange": arange,
    "zeros": _filled(0),
    "ones": _filled(1),
    "full": _full,
    "zeros_like": lambda input, *, dtype=None: filled_like(input, 0, dtype),
    "ones_like": lambda input, *, dtype=None: filled_like(input, 1, dtype),
    "full_like": lambda input, fill_value, *, dtype=None: filled_like(input, fill_value, dtype),
    "eye": lambda n, m=None, *, dtype=None: identity(n, m, 0, dtype),
    "linspace": _linspace,
}
