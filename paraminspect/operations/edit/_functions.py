"""NumPy's functions that expressions may call, by what they need to see.

Elementwise ones work on blocks of any size. Reductions of a whole array to a number are streamed.
All others need their whole arguments in memory, and are refused where these are too large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from paraminspect.errors import ExpressionError

Values = np.ndarray[Any, Any]
Function = Callable[..., Any]
Blocks = Callable[[], Iterator[Values]]
"""Gives all elements in order, as 1-D arrays; each call begins anew."""

WHOLE_NBYTES = 1 << 30
"""What an expression that cannot be computed block by block may hold of each array."""


def check_held(nbytes: int, what: str) -> None:
    """Raise `ExpressionError` for what is too large to be held in memory as a whole."""
    if nbytes > WHOLE_NBYTES:
        raise ExpressionError(
            f"{what} has to be held in memory as a whole, which takes {nbytes} bytes:"
            f" the limit is {WHOLE_NBYTES}"
        )


def _of_one(ufunc: Function) -> Function:
    return lambda x: ufunc(x)


def _of_two(ufunc: Function) -> Function:
    return lambda a, b: ufunc(a, b)


ELEMENTWISE: Mapping[str, Function] = {
    **{
        name: _of_one(getattr(np, name))
        for name in (
            *("abs", "sign", "sqrt", "square", "exp", "exp2", "expm1", "log", "log2", "log10"),
            *("log1p", "sin", "cos", "tan", "tanh", "floor", "ceil", "trunc"),
            *("isnan", "isinf", "isfinite"),
        )
    },
    **{name: _of_two(getattr(np, name)) for name in ("minimum", "maximum", "copysign")},
    "round": lambda x, decimals=0: np.round(x, decimals),
    "clip": lambda x, low, high: np.clip(x, low, high),
    "where": lambda condition, a, b: np.where(condition, a, b),
    "nan_to_num": lambda x, nan=0.0: np.where(np.isnan(x), nan, x),
}
"""Name to function, with NumPy's meaning."""


def _axes_or_sizes(numbers: tuple[Any, ...]) -> Any:
    if len(numbers) == 1 and isinstance(numbers[0], list | tuple):
        return tuple(numbers[0])
    return numbers


WHOLE: Mapping[str, Function] = {
    "transpose": lambda x, *axes: np.transpose(x, _axes_or_sizes(axes) or None),
    "reshape": lambda x, *shape: np.reshape(x, _axes_or_sizes(shape)),
    "flip": lambda x, axis=None: np.flip(x, axis),
    "roll": lambda x, shift, axis=None: np.roll(x, shift, axis),
    "squeeze": lambda x, axis=None: np.squeeze(x, axis),
    "expand_dims": lambda x, axis: np.expand_dims(x, axis),
    "concatenate": lambda arrays, axis=0: np.concatenate(arrays, axis),
    "stack": lambda arrays, axis=0: np.stack(arrays, axis),
    "sort": lambda x, axis=-1: np.sort(x, axis),
    "cumsum": lambda x, axis=None: np.cumsum(x, axis),
    "tril": lambda x, k=0: np.tril(x, k),
    "triu": lambda x, k=0: np.triu(x, k),
    "diag": lambda x, k=0: np.diag(x, k),
    "norm": lambda x, *, axis=None, keepdims=False: np.sqrt(
        np.sum(np.square(x), axis=_axis(axis), keepdims=keepdims)
    ),
    "eye": lambda n, m=None: _eye(n, m),
    "arange": lambda start, stop=None, step=1: _arange(start, stop, step),
    "linspace": lambda start, stop, num: _linspace(start, stop, num),
}
"""Functions of whole arrays, with NumPy's meaning."""


def _eye(n: int, m: int | None) -> Values:
    check_held(8 * n * (n if m is None else m), "the result")
    return np.eye(n, m)


def _arange(start: Any, stop: Any, step: Any) -> Values:
    if stop is None:
        start, stop = 0, start
    if step:
        check_held(8 * max(0, math.ceil((stop - start) / step)), "the result")
    return np.arange(start, stop, step)


def _linspace(start: Any, stop: Any, num: int) -> Values:
    check_held(8 * num, "the result")
    return np.linspace(start, stop, num)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _along_axes(reduction: Function) -> Function:
    # The axis has to be named: `max(x, 0)` looks like the larger of the two, and is not.
    return lambda x, *, axis=None, keepdims=False: reduction(x, axis=_axis(axis), keepdims=keepdims)


def _sum(blocks: Blocks) -> Any:
    total: Any = 0
    dtype: np.dtype[Any] = np.dtype(np.float64)
    for block in blocks():
        dtype = block.dtype
        total += _block_sum(block)
    return _typed(total, np.dtype(np.int64) if dtype.kind == "b" else dtype, "sum")


def _block_sum(block: Values) -> Any:
    if block.dtype.kind in "iu":
        # Python's integers do not overflow; NumPy's do, where values are huge.
        huge = block.size and int(np.abs(block.astype(np.float64)).max()) * block.size >= 1 << 62
        return sum(block.tolist()) if huge else int(block.sum())
    return int(block.sum()) if block.dtype.kind == "b" else block.sum(dtype=_wide(block.dtype))


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.complex128 if dtype.kind == "c" else np.float64)


def _typed(value: Any, dtype: np.dtype[Any], name: str) -> Any:
    """The number as NumPy's own reduction types it, so that it promotes as there."""
    if dtype.kind in "iu":
        fits = np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    else:
        fits = not np.isfinite(value) or np.isfinite(dtype.type(value))
    if not fits:
        raise ExpressionError(f"the {name} {value} does not fit {dtype}")
    return dtype.type(value)


def _mean(blocks: Blocks) -> Any:
    total: Any = 0.0
    count = 0
    dtype: np.dtype[Any] = np.dtype(np.float64)
    for block in blocks():
        dtype = block.dtype if block.dtype.kind in "fc" else np.dtype(np.float64)
        total += _block_sum(block)
        count += block.size
    if not count:
        raise ExpressionError("the mean of no elements is not defined")
    return _typed(total / count, dtype, "mean")


def _var(blocks: Blocks) -> Any:
    """In one pass: the squares of blocks are merged [Chan, Golub & LeVeque 1979, eq. 2.1]."""
    count, mean, squares = 0, np.float64(0.0), 0.0
    dtype: np.dtype[Any] = np.dtype(np.float64)
    for block in blocks():
        dtype = block.dtype if block.dtype.kind in "fc" else dtype
        wide = block.astype(_wide(dtype))
        own = wide.mean()
        wide -= own
        distance = np.abs(wide) if dtype.kind == "c" else wide
        # Not a dot product: BLAS would start threads, which are in the way of ours.
        squares += float(np.square(distance, out=distance).sum())
        step = own - mean
        squares += abs(step) ** 2 * count * (block.size / (count + block.size))
        count += block.size
        mean = mean + step * (block.size / count)
    if not count:
        raise ExpressionError("the variance of no elements is not defined")
    real = np.dtype(np.float64) if dtype.kind == "c" else dtype
    return _typed(squares / count, real, "variance")


def _extreme(ufunc: Any, name: str) -> Callable[[Blocks], Any]:
    def reduce(blocks: Blocks) -> Any:
        parts = [ufunc.reduce(block) for block in blocks() if block.size]
        if not parts:
            raise ExpressionError(f"the {name} of no elements is not defined")
        return ufunc.reduce(np.array(parts))

    return reduce


STREAMED: Mapping[str, Callable[[Blocks], Any]] = {
    "sum": _sum,
    "mean": _mean,
    "var": _var,
    "std": lambda blocks: np.sqrt(_var(blocks)),
    "min": _extreme(np.minimum, "min"),
    "max": _extreme(np.maximum, "max"),
    "any": lambda blocks: np.bool_(any(block.any() for block in blocks())),
    "all": lambda blocks: np.bool_(all(block.all() for block in blocks())),
}
"""Reductions of a whole array to one number. Sums of floats are accumulated in float64."""

REDUCTIONS: Mapping[str, Function] = {name: _along_axes(getattr(np, name)) for name in STREAMED}
"""The same along axes, of arrays in memory."""

FUNCTIONS: Mapping[str, Function] = {**ELEMENTWISE, **REDUCTIONS, **WHOLE}
"""All that an expression on arrays in memory may call."""
