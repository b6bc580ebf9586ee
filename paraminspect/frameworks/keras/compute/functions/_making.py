"""Arrays that `keras.ops` makes of sizes and numbers: int32 of a range, else float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from paraminspect.compute._arguments import dtype_of, made_shape, number
from paraminspect.compute._making import filled_like, identity, numbers_between, spaced

Function = Callable[..., Any]


def arange(start: Any, stop: Any = None, step: Any = None, dtype: str | None = None) -> Any:
    """From `start`, 0 where one number is given, to before `stop`; int32, or float32."""
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    is_whole = all(type(value) is int for value in (start, stop, step))
    return numbers_between(start, stop, step, dtype_of(dtype, "int32" if is_whole else "float32"))


def _filled(value: int) -> Function:
    return lambda shape, dtype=None: numpy.full(
        made_shape(shape), value, dtype_of(dtype, "float32")
    )


def _full(shape: Any, fill_value: Any, dtype: str | None = None) -> Any:
    number("fill_value", fill_value)
    return numpy.full(made_shape(shape), fill_value, dtype_of(dtype, "float32"))


MAKING: dict[str, Function] = {
    "arange": arange,
    "zeros": _filled(0),
    "ones": _filled(1),
    "full": _full,
    "zeros_like": lambda x, dtype=None: filled_like(x, 0, dtype),
    "ones_like": lambda x, dtype=None: filled_like(x, 1, dtype),
    "full_like": lambda x, fill_value, dtype=None: filled_like(x, fill_value, dtype),
    "eye": lambda N, M=None, k=0, dtype=None: identity(N, M, k, dtype),
    "linspace": lambda start, stop, num=50, endpoint=True: spaced(start, stop, num, endpoint),
}
