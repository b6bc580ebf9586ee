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

from paraminspect.generators._libm import logf, sincosf
from paraminspect.generators._philox import Words, philox

Values = np.ndarray[Any, np.dtype[Any]]

_SCRAMBLE_KEY = 0x02461E293EC8F720
_TRUNCATED_GROUPS = 256
"""Counters that each four truncated normal numbers have for themselves."""
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

    def uniform(self, start: int, stop: int, dtype: str) -> Values:
        """Values `start` to `stop` in [0, 1)."""
        each = 2 if dtype == "float64" else 4
        return self._from_groups(start, stop, each, _UNITS[dtype])

    def normal(self, start: int, stop: int, dtype: str) -> Values:
        """Standard normal values."""
        if dtype == "float64":
            return self._from_groups(start, stop, 2, _normals64)
        return self._from_groups(start, stop, 4, _normals32)

    def truncated(self, start: int, stop: int) -> Values:
        """Standard normal values in (-2, 2), float32: others are drawn again."""
        first, last = start // 4, -(-stop // 4)
        parts = [
            self._truncated_groups(i, min(i + _CHUNK, last)) for i in range(first, last, _CHUNK)
        ]
        whole = np.concatenate(parts).reshape(-1) if parts else np.empty(0, np.float32)
        return whole[start - first * 4 : stop - first * 4]

    def _truncated_groups(self, first: int, last: int) -> Values:
        out = np.empty((last - first, 4), np.float32)
        found = np.zeros(last - first, np.int64)
        waiting = np.arange(last - first)
        redraw = 0
        while waiting.size:
            counters = (waiting + first) * _TRUNCATED_GROUPS + redraw
            made = _normals32(philox(counters.astype(np.uint64), self.high, self.key))
            for column in made.T:
                kept = (np.abs(column) < 2) & (found[waiting] < 4)
                groups = waiting[kept]
                out[groups, found[groups]] = column[kept]
                found[groups] += 1
            waiting = waiting[found[waiting] < 4]
            redraw += 1
        return out


def _units32(words: Words) -> Values:
    return ((words & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)


def _units16(words: Words) -> Values:
    low = words.astype(np.uint16) & np.uint16(0x3FF)
    return (low | np.uint16(15 << 10)).view(np.float16) - np.float16(1)


def _units64(words: Words) -> Values:
    pairs = words.reshape(-1, 2).astype(np.uint64)
    mantissa = ((pairs[:, 0] & np.uint64(0xFFFFF)) << np.uint64(32)) | pairs[:, 1]
    return (mantissa | np.uint64(1023 << 52)).view(np.float64) - 1.0


_UNITS = {"float32": _units32, "float64": _units64, "float16": _units16}


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
