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

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import DTYPES, Array, DType, Shape, count_elements
from paraminspect.distributions import (
    Custom,
    DeltaOrthogonal,
    Normal,
    Orthogonal,
    Sparse,
    TruncatedNormal,
    Uniform,
)
from paraminspect.errors import SchemeError
from paraminspect.generators import Draw
from paraminspect.generators._compose import Random, drawn
from paraminspect.generators._matrices import (
    at_centre,
    checked,
    inner_orthogonal,
    matrix_shape,
    orthonormal,
    zeros_per_column,
)
from paraminspect.generators._truncated import SMALL_SHARE, redrawn, within
from paraminspect.generators._whole import Latest
from paraminspect.generators._ziggurat import (
    Places,
    Scratch,
    Words,
    candidates32,
    candidates64,
    mixed,
    settle,
    tables,
)
from paraminspect.recipes import Make, Recipe

FORMAT = b"paraminspect-native-1"

BLOCK = 1 << 16
"""Elements that one stream fills: a part of the format."""

FLOATS = (
    "float16",
    "bfloat16",
    "float32",
    "float64",
)
"""Dtypes that can be drawn."""

Floats = np.ndarray[Any, np.dtype[Any]]

Independent = Uniform | Normal | TruncatedNormal


def open_generator(name: str, seed: int) -> Native:  # noqa: ARG001 (one version so far)
    """The generator."""
    return Native(seed)


class Native:
    """Every array from its own name alone."""

    replays = None

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
        if dtype.name not in FLOATS:
            raise SchemeError(f"{dtype} cannot hold random numbers, only {', '.join(FLOATS)} can")
        if isinstance(distribution, Uniform | Normal | TruncatedNormal):
            return Recipe(shape, dtype, maker(stream, distribution, dtype))
        return self._latest.whole(shape, dtype, lambda: whole(stream, distribution, shape))


class Stream:
    """The random numbers of one name."""

    def __init__(self, seed: int, name: str) -> None:
        text = name.encode("utf-8", "surrogateescape")
        self._hash = hashlib.blake2b(
            b"\0".join((FORMAT, str(seed).encode(), text, b"")), digest_size=32
        )

    def key(self, block: int) -> tuple[np.ndarray[Any, Any], int]:
        """The state of the stream of a block, and the key of what else it draws."""
        found = self._hash.copy()
        found.update(block.to_bytes(8, "little"))
        state = np.frombuffer(found.digest(), "<u8").astype(np.uint64)
        key = int(state[3])
        state[3] = 1  # the counter of SFC64
        return state, key

    def words(self, state: np.ndarray[Any, Any], count: int) -> Words:
        """The first words of the stream of a block."""
        bits = _local.bits
        bits.state = {
            "bit_generator": "SFC64",
            "state": {"state": state},
            "has_uint32": 0,
            "uinteger": 0,
        }
        words: Words = bits.random_raw(count)
        return words


class _Local(threading.local):
    """What one thread uses again for each block."""

    def __init__(self) -> None:
        self.bits = np.random.SFC64(0)
        self.scratch = Scratch(BLOCK)


_local = _Local()


def maker(stream: Stream, distribution: Independent, dtype: DType) -> Make:
    """What makes any stretch of an array whose values are independent."""
    wide, to = dtype.name == "float64", dtype.to_numpy()

    def make(start: int, stop: int) -> Floats:
        match distribution:
            case Uniform():
                values = _uniform(stream, start, stop, distribution, wide)
            case Normal():
                values, _ = _standard_normal(stream, start, stop, wide)
                _scale(values, distribution.mean, distribution.std)
            case TruncatedNormal():
                values = _truncated(stream, start, stop, distribution, wide)
        if not isinstance(distribution, Normal):
            low, high = inner_bounds(distribution, dtype)
            np.maximum(values, values.dtype.type(low), out=values)
            np.minimum(values, values.dtype.type(high), out=values)
        return values.astype(to, copy=False)

    return make


def inner_bounds(distribution: Uniform | TruncatedNormal, dtype: DType) -> tuple[float, float]:
    """The least and the greatest number of a dtype within the bounds, to which values are clipped.

    Rounding may have taken them out. The high bound of `Uniform` is not within.
    """
    low, high = distribution.bounds
    to = dtype.to_numpy().type
    least, greatest = to(low), to(high)
    if float(least) < low:
        least = np.nextafter(least, to(np.inf))
    if float(greatest) > high or (isinstance(distribution, Uniform) and float(greatest) == high):
        greatest = np.nextafter(greatest, to(-np.inf))
    if greatest < least:  # there is none: the nearest to the low bound stands for all
        return float(to(low)), float(to(low))
    return float(least), float(greatest)


def _blocks(start: int, stop: int) -> Iterator[tuple[int, int, int, slice]]:
    """For each block of a stretch: its number, the first and last element in it, and where they
    go in the stretch.
    """
    for block in range(start // BLOCK, -(-stop // BLOCK)):
        base = block * BLOCK
        first, last = max(start - base, 0), min(stop - base, BLOCK)
        yield block, first, last, slice(base + first - start, base + last - start)


def _uniform(stream: Stream, start: int, stop: int, distribution: Uniform, wide: bool) -> Floats:
    width = distribution.high - distribution.low
    values = np.empty(stop - start, np.float64 if wide else np.float32)
    for block, first, last, where in _blocks(start, stop):
        part = values[where]
        state, _ = stream.key(block)
        if wide:
            words = stream.words(state, last)[first:]
            np.multiply(words >> np.uint64(11), width * 2.0**-53, out=part)
        else:
            halves = _halves(stream.words(state, (last + 1) // 2))[first:last]
            np.right_shift(halves, np.uint32(8), out=halves)
            np.multiply(halves, np.float32(width * 2.0**-24), out=part, casting="unsafe")
        np.add(part, values.dtype.type(distribution.low), out=part)
    return values


def _standard_normal(stream: Stream, start: int, stop: int, wide: bool) -> tuple[Floats, Words]:
    """Standard normal values, and the keys of their blocks."""
    values = np.empty(stop - start, np.float64 if wide else np.float32)
    keys, found = [], []
    for block, first, last, where in _blocks(start, stop):
        state, key = stream.key(block)
        if wide:
            values[where], layer = candidates64(stream.words(state, last)[first:])
            at = np.flatnonzero(np.abs(values[where]) >= tables().inner[layer])
            layer = layer[at]
        else:
            halves = _halves(stream.words(state, (last + 1) // 2))[first:last]
            at, layer = candidates32(halves, values[where], _local.scratch)
        keys.append(key)
        found.append((at + where.start, layer))
    if found:
        at, layer = (np.concatenate(parts) for parts in zip(*found, strict=True))
        values[at] = settle(values[at], layer, _places(np.array(keys, np.uint64), start, at))
    return values, np.array(keys, np.uint64)


def _places(keys: Words, start: int, at: np.ndarray[Any, Any]) -> Places:
    """The places of elements `at` of a stretch that begins at `start`."""
    flat = at + start
    return Places(keys[flat // BLOCK - start // BLOCK], (flat % BLOCK).astype(np.uint64))


def _truncated(
    stream: Stream, start: int, stop: int, distribution: TruncatedNormal, wide: bool
) -> Floats:
    low, high = distribution.standard_bounds
    if distribution.kept > SMALL_SHARE:
        values, keys = _standard_normal(stream, start, stop, wide)
        out = np.flatnonzero((values < low) | (values > high))
        values[out] = redrawn(_places(keys, start, out), low, high)
    else:
        keys = np.array([stream.key(block)[1] for block, *_ in _blocks(start, stop)], np.uint64)
        values = within(_places(keys, start, np.arange(stop - start)), low, high)
        values = values.astype(np.float64 if wide else np.float32, copy=False)
    _scale(values, distribution.mean, distribution.std)
    return values


def _halves(words: Words) -> np.ndarray[Any, Any]:
    """Each word as two of 32 bits, the low one first on every machine."""
    return words.astype("<u8", copy=False).view("<u4")


def _scale(values: Floats, mean: float, std: float) -> None:
    """Scale in place, in the precision of the values."""
    values *= values.dtype.type(std)
    if mean:
        values += values.dtype.type(mean)


def whole(
    stream: Stream, distribution: Orthogonal | DeltaOrthogonal | Sparse | Custom, shape: Shape
) -> Floats:
    """The values of an array that is made at once; matrices are decomposed in float64."""
    match distribution:
        case Orthogonal():
            matrix = _drawn(stream, distribution.source, matrix_shape(distribution))
            return orthonormal(matrix.astype(np.float64), distribution).reshape(shape)
        case DeltaOrthogonal():
            inner = inner_orthogonal(distribution, shape)
            matrix = whole(stream, inner, (inner.rows, inner.columns))
            return at_centre(matrix, distribution, shape)
        case Sparse():
            values = _drawn(stream, Normal(0.0, distribution.std), shape)
            values[_lowest(stream, zeros_per_column(distribution, shape[0]), shape)] = 0
            return values
        case Custom():
            state, _ = stream.key(CUSTOM_BLOCK)
            rng = np.random.Generator(np.random.SFC64(state.tolist()))
            return checked(distribution.make(rng), shape)


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
