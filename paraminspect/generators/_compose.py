"""What no generator has to know: constants, patterns, files, steps and zeroed rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Array, DType, Shape
from paraminspect.casting import cast
from paraminspect.distributions import (
    Change,
    Constant,
    Custom,
    DeltaOrthogonal,
    Distribution,
    Normal,
    Orthogonal,
    Padded,
    Pattern,
    Sparse,
    Steps,
    Stored,
    TruncatedNormal,
    Uniform,
    row_range,
)
from paraminspect.recipes import Recipe

if TYPE_CHECKING:
    import numpy as np

Random = Uniform | Normal | TruncatedNormal | Orthogonal | DeltaOrthogonal | Sparse | Custom
"""What a generator draws itself."""

DrawRandom = Callable[[Random, Shape, DType], Array]


def compose(distribution: Distribution, shape: Shape, dtype: DType, draw: DrawRandom) -> Array:
    """The array of any distribution; `draw` is called for what is random, in the order of draws."""
    match distribution:
        case Constant():
            return _filled(distribution.value, shape, dtype)
        case Pattern():
            return _made(lambda start, stop: distribution.fill(start, stop), shape, dtype)
        case Stored():
            return _stored(distribution.array, dtype)
        case Steps():
            return _in_steps(distribution, shape, dtype, draw)
        case Padded():
            return _padded(compose(distribution.inner, shape, dtype, draw), distribution.row)
    return draw(distribution, shape, dtype)


def _made(make: Callable[[int, int], np.ndarray[Any, Any]], shape: Shape, dtype: DType) -> Recipe:
    to = dtype.to_numpy()
    return Recipe(shape, dtype, lambda start, stop: make(start, stop).astype(to, copy=False))


def _filled(value: float, shape: Shape, dtype: DType) -> Recipe:
    import numpy as np

    to = dtype.to_numpy()
    return Recipe(shape, dtype, lambda start, stop: np.full(stop - start, value, to))


def _in_steps(distribution: Steps, shape: Shape, dtype: DType, draw: DrawRandom) -> Array:
    array: Array | None = None
    for step in distribution.steps:
        if isinstance(step, Change):
            assert array is not None  # the first step draws
            array = step.apply(array)
        else:
            array = compose(step, shape, dtype, draw)
    assert array is not None
    return array


def _stored(array: Array, dtype: DType) -> Array:
    if array.dtype == dtype:
        return array
    return Recipe(array.shape, dtype, lambda start, stop: cast(array.read(start, stop), dtype))


def _padded(array: Array, row: int) -> Recipe:
    import numpy as np

    first, last = row_range(array.shape, row)

    def make(start: int, stop: int) -> np.ndarray[Any, Any]:
        values = np.array(array.read(start, stop))
        values[max(first - start, 0) : max(last - start, 0)] = 0
        return values

    return Recipe(array.shape, array.dtype, make)
