"""TensorFlow's stateless random numbers on CPU, of one seed pair: any stretch at any time.

Sources: core/kernels/stateless_random_ops_v2.cc, core/lib/random/random_distributions.h of
TensorFlow 2.21.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.init.generators.streams._libm import logf, sincosf
from paraminspect.init.generators.streams._philox import Words, philox

Values = np.ndarray[Any, np.dtype[Any]]
Numbers = np.dtype[Any]

_SCRAMBLE_KEY = 0x02461E293EC8F720
_COUNTERS_EACH = 64
"""Counters that each truncated normal number has for itself."""
_CHUNK = 1 << 14
"""Counters at a time: what is needed for them stays in the processor's cache."""
_LEAST_UNIT = np.float32(1e-7)
"""What the logarithm of a uniform number is kept away from."""


@dataclass(frozen=True)
class Stateless:
    """The stream of a seed pair `(seed, 0)`; values are those of the standard distributions."""

    key: int
    high: int

    @classmethod
    def of_seed(cls, seed: int) -> Stateless:
        """The stream that TensorFlow makes of a seed (`GenerateKey`)."""
        mixed = philox(np.array([seed % 2**64], np.uint64), 0, _SCRAMBLE_KEY)[0]
        first, second, third, fourth = (int(word) for word in mixed)
        return cls(first | second << 32, third | fourth << 32)

    def _words(self, start: int, stop: int) -> Words:
        """Words of counters `start` to `stop`, four each."""
        return philox(np.arange(start, stop, dtype=np.uint64), self.high, self.key)

    def _from_groups(
        self, start: int, stop: int, each: int, make: Callable[[Words], Values]
    ) -> Values:
        """Values `start` to `stop`, where every counter makes `each` of them."""
        first, last = start // each, -(-stop // each)
        parts = [
            make(self._words(i, min(i + _CHUNK, last))).reshape(-1)
            for i in range(first, last, _CHUNK)
        ]
        whole = np.concatenate(parts) if parts else make(self._words(0, 0)).reshape(-1)
        return whole[start - first * each : stop - first * each]

    def uniform(self, start: int, stop: int, dtype: Numbers) -> Values:
        """Values `start` to `stop` in [0, 1)."""
        if dtype.itemsize == 8:
            return self._from_groups(start, stop, 2, _units64)
        if dtype.itemsize == 4:
            return self._from_groups(start, stop, 4, _units32)
        return self._from_groups(start, stop, 4, lambda words: _units16(words, dtype))

    def normal(self, start: int, stop: int, dtype: Numbers) -> Values:
        """Standard normal values; those of 16 bits are float32 ones, rounded."""
        if dtype.itemsize == 8:
            return self._from_groups(start, stop, 2, _normals64)
        return self._from_groups(start, stop, 4, _normals32).astype(dtype, copy=False)

    def truncated(self, start: int, stop: int, dtype: Numbers) -> Values:
        """Standard normal values in (-2, 2): others are drawn again, each group for itself."""
        each = 2 if dtype.itemsize == 8 else 4
        first, last = start // each, -(-stop // each)
        parts = [
            self._truncated_groups(i, min(i + _CHUNK, last), each)
            for i in range(first, last, _CHUNK)
        ]
        whole = np.concatenate(parts).reshape(-1) if parts else np.empty(0)
        return whole[start - first * each : stop - first * each].astype(dtype, copy=False)

    def _truncated_groups(self, first: int, last: int, each: int) -> Values:
        """A group takes the first fitting values of its own counters, one counter a round."""
        make, kind = (_normals64, np.float64) if each == 2 else (_normals32, np.float32)
        out = np.empty((last - first, each), kind)
        found = np.zeros(last - first, np.int64)
        waiting = np.arange(last - first)
        redraw = 0
        while waiting.size:
            counters = (waiting + first) * (_COUNTERS_EACH * each) + redraw
            made = make(philox(counters.astype(np.uint64), self.high, self.key))
            for column in made.T:
                kept = (np.abs(column) < 2) & (found[waiting] < each)
                groups = waiting[kept]
                out[groups, found[groups]] = column[kept]
                found[groups] += 1
            waiting = waiting[found[waiting] < each]
            redraw += 1
        return out


def _units32(words: Words) -> Values:
    return ((words & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)


def _units16(words: Words, dtype: Numbers) -> Values:
    """The lowest bits of each word as a mantissa: 10 of float16, 7 of bfloat16."""
    one = np.ones(1, dtype)
    mantissa = np.uint16((1 << np.finfo(np.float16).nmant) - 1 if dtype.kind == "f" else 0x7F)
    return ((words.astype(np.uint16) & mantissa) | one.view(np.uint16)).view(dtype) - one


def _units64(words: Words) -> Values:
    pairs = words.reshape(-1, 2).astype(np.uint64)
    mantissa = ((pairs[:, 0] & np.uint64(0xFFFFF)) << np.uint64(32)) | pairs[:, 1]
    return (mantissa | np.uint64(1023 << 52)).view(np.float64) - 1.0


def _normals32(words: Words) -> Values:
    """`(n, 4)`: a sine and a cosine of each pair of words [Box & Muller 1958]."""
    pairs = words.reshape(-1, 2)
    first = np.maximum(_units32(np.ascontiguousarray(pairs[:, 0])), _LEAST_UNIT)
    second = _units32(np.ascontiguousarray(pairs[:, 1])).astype(np.float64)
    sine, cosine = sincosf(((2.0 * math.pi) * second).astype(np.float32))
    radius = np.sqrt(np.float32(-2) * logf(first))
    return np.stack([sine * radius, cosine * radius], axis=-1).reshape(-1, 4)


def _normals64(words: Words) -> Values:
    """Two of each four words, by log, sin and cos of the C library."""
    units = _units64(words).reshape(-1, 2)
    first = np.maximum(units[:, 0], 1e-7).tolist()
    angles = ((2 * math.pi) * units[:, 1]).tolist()
    radius = np.sqrt(-2.0 * np.array([math.log(x) for x in first]))
    sine = np.array([math.sin(x) for x in angles]) * radius
    cosine = np.array([math.cos(x) for x in angles]) * radius
    return np.stack([sine, cosine], axis=-1)
