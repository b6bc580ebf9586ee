"""Our own random numbers, `native`: keyed by seed, own name and block. Format 1.

A promise: the same seed and name give the same bytes, on every machine, with every NumPy and every
later version of this tool, whatever the threads, the order of reading, the slices, the dtype they
are cast to, or the other parameters. A changed algorithm would be another format with another
name. (`orthogonal` calls LAPACK: there the bytes hold for one build of it, the values for all.)

A block is 65,536 consecutive elements of the flattened array. Its key is the first 32 bytes of
BLAKE2b over the format, the seed, the name and the number of the block: three words are the state
of SFC64 [Doty-Humphrey 2010], the stream of the block, one of SplitMix64 for what the stream does
not give (`_ziggurat`). float32 takes half a word an element, float64 a word; 16-bit dtypes are
drawn as float32 and rounded, which never takes a value out of its bounds.

Chosen by measurement, nanoseconds of one core per element, 2-core Zen 4, NumPy 2.4 (torch 2.13's
`normal_` takes 4.8 there, in bfloat16 6.6):

    stream of 32 bits      SFC64 0.9      PCG64DXSM 1.0      Philox 2.5
    standard_normal        SFC64 7.7      PCG64DXSM 8.9      Philox 11.0     (NumPy's, in C)
    this ziggurat          SFC64 4.7
    Box-Muller, NumPy      SFC64 5.3
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import DTYPES, Array, DType, Shape, count_elements
from paraminspect.arrays.lazy import Recipe
from paraminspect.errors import ParamInspectError, SchemeError
from paraminspect.init.distributions import (
    Custom,
    DeltaOrthogonal,
    Normal,
    Orthogonal,
    Seeded,
    Sparse,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators._compose import Random, compose, drawn
from paraminspect.init.generators._generator import Draw
from paraminspect.init.generators._matrices import (
    at_centre,
    checked,
    inner_orthogonal,
    matrix_shape,
    orthonormal,
    shaped,
    zeros_per_column,
)
from paraminspect.init.generators._whole import Latest
from paraminspect.init.generators.streams._native_streams import Stream, maker
from paraminspect.init.generators.streams._ziggurat import mixed

FLOATS = (
    "float16",
    "bfloat16",
    "float32",
    "float64",
)
"""Dtypes that can be drawn."""

Floats = np.ndarray[Any, np.dtype[Any]]


class Native:
    """Every array from its own name alone."""

    repeats_construction = False

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._latest = Latest()

    def arrays(self, draws: Sequence[Draw]) -> Mapping[str, Array]:
        """The array of each name; the order of the draws means nothing, the last one stays."""
        made: dict[str, Array] = {}
        for draw in draws:
            for name in draw.names:
                stream = Stream(self.seed, name)
                made[name] = drawn(draw, partial(self._draw, stream))
        return made

    def _draw(self, stream: Stream, distribution: Random, shape: Shape, dtype: DType) -> Array:
        """A seed that an initializer was given takes the place of ours, under the same name."""
        if isinstance(distribution, Seeded):
            own = partial(self._draw, Stream(distribution.seed, stream.name))
            return compose(distribution.inner, shape, dtype, own)
        if dtype.name not in FLOATS:
            raise SchemeError(f"{dtype} cannot hold random numbers, only {', '.join(FLOATS)} can")
        if isinstance(distribution, Uniform | Normal | TruncatedNormal):
            return Recipe(shape, dtype, maker(stream, distribution, dtype))
        if isinstance(distribution, Custom):
            make = partial(custom, stream, distribution, shape, dtype)
            return self._latest.whole(shape, dtype, make)
        return self._latest.whole(shape, dtype, partial(whole, stream, distribution, shape))


def whole(
    stream: Stream, distribution: Orthogonal | DeltaOrthogonal | Sparse, shape: Shape
) -> Floats:
    """The values of an array that is made at once; matrices are decomposed in float64."""
    match distribution:
        case Orthogonal():
            matrix = _drawn(stream, distribution.source, matrix_shape(distribution))
            return shaped(orthonormal(matrix.astype(np.float64), distribution), distribution, shape)
        case DeltaOrthogonal():
            inner = inner_orthogonal(distribution, shape)
            matrix = whole(stream, inner, (inner.rows, inner.columns))
            return at_centre(matrix, distribution, shape)
        case Sparse():
            values = _drawn(stream, Normal(0.0, distribution.std), shape)
            values[_lowest(stream, zeros_per_column(distribution, shape[0]), shape)] = 0
            return values


def custom(stream: Stream, distribution: Custom, shape: Shape, dtype: DType) -> Floats:
    """What a user's function makes; errors begin with the name of its parameter."""
    state, _ = stream.key(CUSTOM_BLOCK)
    rng = np.random.Generator(np.random.SFC64(state.tolist()))
    try:
        return checked(distribution.make(rng), shape, dtype)
    except ParamInspectError as error:
        raise error.at(stream.name) from None


CUSTOM_BLOCK = (1 << 64) - 1
"""A number that no block has: its key seeds the generator of a user's function."""

RANK_BLOCK = CUSTOM_BLOCK - 1
"""Likewise, for the choice of the zeros of a sparse matrix."""


def _drawn(stream: Stream, distribution: Normal | Uniform, shape: Shape) -> Floats:
    make = maker(stream, distribution, DTYPES["float32"])
    return make(0, count_elements(shape)).reshape(shape)


def _lowest(stream: Stream, count: int, shape: Shape) -> np.ndarray[Any, Any]:
    """A mask of `count` random places in each column: those of the lowest words."""
    _, key = stream.key(RANK_BLOCK)
    words = mixed(
        np.array([key], np.uint64), np.arange(count_elements(shape), dtype=np.uint64)
    ).reshape(shape)
    mask = np.zeros(shape, np.bool_)
    if count > 0 and words.size:
        lowest = np.argsort(words, axis=0, kind="stable")[:count]
        np.put_along_axis(mask, lowest, True, axis=0)
    return mask
