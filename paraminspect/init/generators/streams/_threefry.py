"""Threefry2x32 [Salmon 2011] as jax.random uses it: keys, and 32 bits for every flat index."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Words = np.ndarray[Any, np.dtype[np.uint32]]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


class Key(NamedTuple):
    """A key of two words."""

    first: int
    second: int

    @classmethod
    def of_seed(cls, seed: int) -> Key:
        """`jax.random.key(seed)` with 32-bit integers: only the low 32 bits count."""
        return cls(0, seed & 0xFFFFFFFF)

    def fold_in(self, number: int) -> Key:
        """`jax.random.fold_in`."""
        one, other = threefry(self, np.array([0], np.uint32), np.array([number], np.uint32))
        return Key(int(one[0]), int(other[0]))


def threefry(key: Key, x0: Words, x1: Words) -> tuple[Words, Words]:
    """Twenty rounds."""
    schedule = tuple(map(np.uint32, (key.first, key.second, key.first ^ key.second ^ _PARITY)))
    x0, x1 = x0 + schedule[0], x1 + schedule[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (x1 << np.uint32(rotation)) | (x1 >> np.uint32(32 - rotation))
            x1 = x1 ^ x0
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return x0, x1


def bits(key: Key, start: int, stop: int) -> Words:
    """`jax.random.bits(key, dtype=uint32)` at flat indices (`jax_threefry_partitionable`)."""
    index = np.arange(start, stop, dtype=np.uint64)
    high = (index >> np.uint64(32)).astype(np.uint32)
    one, other = threefry(key, high, index.astype(np.uint32))
    return one ^ other
