"""Philox4x32-10 [Salmon 2011]: four 32-bit words from a counter and a key, at any place."""

from __future__ import annotations

from typing import Any

import numpy as np

Words = np.ndarray[Any, np.dtype[np.uint32]]

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counters: np.ndarray[Any, np.dtype[np.uint64]], high: int, key: int) -> Words:
    """`(n, 4)` words for `n` counters, each `high * 2**64` more, and a key of 64 bits."""
    parts = [counters & _LOW, counters >> _SHIFT]
    parts += [np.full_like(counters, high & 0xFFFFFFFF), np.full_like(counters, high >> 32)]
    low_key, high_key = key & 0xFFFFFFFF, key >> 32
    for _ in range(_ROUNDS):
        first, second = parts[0] * _MULTIPLIERS[0], parts[2] * _MULTIPLIERS[1]
        parts = [
            (second >> _SHIFT) ^ parts[1] ^ np.uint64(low_key),
            second & _LOW,
            (first >> _SHIFT) ^ parts[3] ^ np.uint64(high_key),
            first & _LOW,
        ]
        low_key = (low_key + _WEYL[0]) & 0xFFFFFFFF
        high_key = (high_key + _WEYL[1]) & 0xFFFFFFFF
    return np.stack(parts, axis=-1).astype(np.uint32)
