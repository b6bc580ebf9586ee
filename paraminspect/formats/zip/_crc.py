"""CRC-32 of a text from those of its parts, so that parts can be summed in any order.

CRC is linear over GF(2): what zero bytes do to it is a matrix of 32 bits, and that of twice as
many zeros is its square. See https://www.zlib.net/crc_v3.txt, section 10, and zlib's crc32_combine.
"""

from __future__ import annotations

import functools
import zlib


def joined_crc(first: int, second: int, nbytes: int) -> int:
    """The CRC of two texts, from that of each; the second has `nbytes` bytes."""
    power = 0
    while nbytes and first:
        if nbytes & 1:
            first = _applied(_after_zeros(power), first)
        nbytes >>= 1
        power += 1
    return first ^ second


@functools.cache
def _after_zeros(power: int) -> tuple[int, ...]:
    """What 2**power zero bytes make of each bit of a CRC."""
    if power == 0:
        return tuple(zlib.crc32(b"\0", 1 << bit) ^ zlib.crc32(b"\0") for bit in range(32))
    half = _after_zeros(power - 1)
    return tuple(_applied(half, column) for column in half)


def _applied(matrix: tuple[int, ...], crc: int) -> int:
    result = 0
    for column in matrix:
        if crc & 1:
            result ^= column
        crc >>= 1
    return result
