"""The streams of the native generator, one for each block, and what is independent of all else.

`_native` has the format.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from paraminspect.arrays import DType
from paraminspect.arrays.lazy import Make
from paraminspect.init.distributions import Normal, TruncatedNormal, Uniform
from paraminspect.init.generators.streams._truncated import SMALL_SHARE, redrawn, within
from paraminspect.init.generators.streams._ziggurat import (
    Places,
    Scratch,
    Words,
    candidates32,
    candidates64,
    settle,
    tables,
)

FORMAT = b"paraminspect-native-1"

BLOCK = 1 << 16
"""Elements that one stream fills: a part of the format."""

Floats = np.ndarray[Any, np.dtype[Any]]

Independent = Uniform | Normal | TruncatedNormal


class Stream:
    """The random numbers of one name."""

    def __init__(self, seed: int, name: str) -> None:
        self.name = name
        self._seed = seed
        text = name.encode("utf-8", "surrogateescape")
        self._hash = hashlib.blake2b(
            b"\0".join((FORMAT, str(seed).encode(), text, b"")), digest_size=32
        )

    def __reduce__(self) -> tuple[type[Stream], tuple[int, str]]:
        return Stream, (self._seed, self.name)

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
    return partial(_made, stream, distribution, dtype)


def _made(stream: Stream, distribution: Independent, dtype: DType, start: int, stop: int) -> Floats:
    """Drawn in the wide type, clipped to what the dtype holds within the bounds, then cast."""
    wide = dtype.name == "float64"
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
    return values.astype(dtype.to_numpy(), copy=False)


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
    """The block's words up to the last wanted one: the stream cannot be entered in the middle."""
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
    """By redraws where most normals fit, else by rejection from uniform candidates."""
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
