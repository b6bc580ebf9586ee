"""Fused multiply-add, a·b + c rounded once, with operations that round each."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[Any]]

_HALFWAY = 0x10000000
"""The low 29 bits of a float64 that lies halfway between two float32."""

_SPLIT = float(2**27 + 1)


def fma32(a: Floats, b: float, c: float) -> Floats:
    """float32: the product is exact in float64, and the sum is made odd where it lies halfway.

    So it is not rounded twice [Boldo & Melquiond 2008, round to odd].
    """
    product = a.astype(np.float64) * float(np.float32(b))
    addend = float(np.float32(c))
    total = product + addend
    halfway = (total.view(np.uint64) & np.uint64(0x1FFFFFFF)) == np.uint64(_HALFWAY)
    tiny = (np.abs(total) < 2.0**-126) & (total != 0)
    at = np.flatnonzero(halfway | tiny)
    if len(at):
        total[at] = _to_odd(total[at], _error_of_sum(product[at], addend, total[at]))
    return total.astype(np.float32)


def fma64(a: Floats, b: float, c: float) -> Floats:
    """float64, no overflow or underflow [Boldo & Melquiond 2008, figure 3]."""
    high, low = _product(a, b)
    middle = low + c
    middle_error = _error_of_sum(low, c, middle)
    top = high + middle
    rest = _error_of_sum(high, middle, top)
    tail = rest + middle_error
    return top + _to_odd(tail, _error_of_sum(rest, middle_error, tail))


def fma(a: float, b: float, c: float) -> float:
    """One float64."""
    if math.isinf(a) or math.isinf(b) or math.isinf(c):
        return a * b + c
    return float(Fraction(a) * Fraction(b) + Fraction(c)) + 0.0


def _error_of_sum(a: Floats, b: Any, total: Floats) -> Floats:
    """What the rounded sum of two numbers lacks, exactly [Knuth 1969, TwoSum]."""
    part = total - a
    error: Floats = (a - (total - part)) + (b - part)
    return error


def _product(a: Floats, b: float) -> tuple[Floats, Floats]:
    """The rounded product, and what it lacks [Dekker 1971]."""
    product = a * b
    high = _SPLIT * a
    high = high - (high - a)
    b_high = _SPLIT * b - (_SPLIT * b - b)
    low, b_low = a - high, b - b_high
    error = ((high * b_high - product) + high * b_low + low * b_high) + low * b_low
    return product, error


def _to_odd(total: Floats, error: Floats) -> Floats:
    """An inexact sum with an even last bit, moved towards the exact one."""
    even = (total.view(np.uint64) & np.uint64(1)) == 0
    towards = np.where(error > 0, np.inf, -np.inf)
    return np.where((error != 0) & even, np.nextafter(total, towards), total)
