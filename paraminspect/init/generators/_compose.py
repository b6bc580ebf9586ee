"""What is alike for every generator: constants, patterns, files, steps and zeroed rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import Array, DType, Shape
from paraminspect.arrays.casting import cast
from paraminspect.arrays.lazy import Recipe
from paraminspect.errors import CastError, ParamInspectError
from paraminspect.init.distributions import (
    Change,
    Constant,
    Custom,
    DeltaOrthogonal,
    Distribution,
    Normal,
    Orthogonal,
    Padded,
    Pattern,
    Seeded,
    Sparse,
    Steps,
    Stored,
    TruncatedNormal,
    Uniform,
    row_range,
)
from paraminspect.init.generators._generator import Draw

if TYPE_CHECKING:
    import numpy as np

Random = (
    Uniform | Normal | TruncatedNormal | Orthogonal | DeltaOrthogonal | Sparse | Custom | Seeded
)
"""What a generator draws itself."""

DrawRandom = Callable[[Random, Shape, DType], Array]


def drawn(draw: Draw, draw_random: DrawRandom) -> Array:
    """The array of one draw; errors begin with the name of its parameter."""
    try:
        return compose(draw.distribution, draw.shape, draw.dtype, draw_random)
    except ParamInspectError as error:
        raise (error.at(draw.names[0]) if draw.names else error) from None


def compose(distribution: Distribution, shape: Shape, dtype: DType, draw: DrawRandom) -> Array:
    """The array of any distribution; `draw` is called for what is random, in the order of draws."""
    match distribution:
        case Constant():
            return _filled(distribution.value, shape, dtype)
        case Uniform():
            _check_fits(dtype, distribution.low, distribution.high)
        case Normal() | TruncatedNormal():
            _check_fits(dtype, distribution.mean, distribution.std)
        case Orthogonal() | DeltaOrthogonal():
            _check_fits(dtype, distribution.gain)
        case Sparse():
            _check_fits(dtype, distribution.std)
        case Pattern():
            return Recipe(shape, dtype, partial(_pattern, distribution, dtype))
        case Stored():
            return _stored(distribution, dtype)
        case Steps():
            return _in_steps(distribution, shape, dtype, draw)
        case Padded():
            return _padded(compose(distribution.inner, shape, dtype, draw), distribution.row)
    return draw(distribution, shape, dtype)


def _pattern(pattern: Pattern, dtype: DType, start: int, stop: int) -> np.ndarray[Any, Any]:
    return pattern.fill(start, stop).astype(dtype.to_numpy(), copy=False)


def _filled(value: float, shape: Shape, dtype: DType) -> Recipe:
    import numpy as np

    [number] = cast(np.array([value]), dtype)
    return Recipe(shape, dtype, partial(_repeated, number, dtype))


def _repeated(number: Any, dtype: DType, start: int, stop: int) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.full(stop - start, number, dtype.to_numpy())


def _check_fits(dtype: DType, *numbers: float) -> None:
    """Refuse a distribution most of whose values would overflow."""
    import numpy as np

    if dtype.name.startswith(("float", "bfloat")):
        cast(np.array(numbers), dtype)


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


def _stored(stored: Stored, dtype: DType) -> Array:
    array = stored.array
    if array.dtype == dtype:
        return array
    return Recipe(array.shape, dtype, partial(_stored_values, stored, dtype))


def _stored_values(stored: Stored, dtype: DType, start: int, stop: int) -> np.ndarray[Any, Any]:
    try:
        return cast(stored.array.read(start, stop), dtype)
    except CastError as error:
        raise error.at(stored.source) from None


def _padded(array: Array, row: int) -> Recipe:
    read = partial(_padded_values, array, *row_range(array.shape, row))
    return Recipe(array.shape, array.dtype, read)


def _padded_values(
    array: Array, first: int, last: int, start: int, stop: int
) -> np.ndarray[Any, Any]:
    import numpy as np

    values = np.array(array.read(start, stop))
    values[max(first - start, 0) : max(last - start, 0)] = 0
    return values
