"""Numbers of any two dtypes as types wide enough for both, and how far apart they are.

No comparison goes through a type that cannot hold both values: 2**53 and 2**53 + 1 differ as
int64, and as int64 against float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from paraminspect.arrays.widening import Values, is_integer, wide_type, widen


@dataclass(frozen=True)
class Tolerance:
    """Which numbers count as equal: `|a - b| <= atol + rtol * |b|`, as in `numpy.isclose`.

    `b` is the right one, the reference. +0 equals -0. NaN equals NaN unless `nan_differs`.
    """

    rtol: float = 0.0
    atol: float = 0.0
    nan_differs: bool = False


EXACT = Tolerance()


class Pairs(NamedTuple):
    left: Values
    right: Values
    distance: Values
    """|left - right|: uint64 where that is exact, else float (rounded once); 0 only if equal."""
    reference: Values
    """|right|, as float."""


def differs(pairs: Pairs, tolerance: Tolerance) -> Values:
    """Which pairs differ by more than the tolerance: a mask."""
    x, y, distance, reference = pairs
    same = distance == 0
    if not (is_integer(x.dtype) or is_integer(y.dtype)):
        same |= x == y  # infinities, whose difference is no number
        if not tolerance.nan_differs:
            same |= np.isnan(x) & np.isnan(y)
    allowed = tolerance.atol + tolerance.rtol * reference
    close: Values = same | (_at_most(distance, allowed) & np.isfinite(reference))
    return ~close


def pair_up(left: Values, right: Values) -> Pairs:
    """The elements of two blocks of equal length as pairs, with their distances."""
    x, y = widen(left), widen(right)
    common = _common_type(left.dtype, right.dtype)
    if common is None:
        return Pairs(x, y, _mixed(x, y), _magnitude(y))
    x, y = x.astype(common, copy=False), y.astype(common, copy=False)
    if is_integer(common):
        return Pairs(x, y, _gap(x, y), _magnitude(y))
    distance = x - y
    return Pairs(x, y, np.abs(distance, out=None if common.kind == "c" else distance), np.abs(y))


def _magnitude(wide: Values) -> Values:
    real: Values = np.abs(wide if wide.dtype.kind == "c" else wide.astype(np.float64, copy=False))
    return real


def _common_type(left: np.dtype[Any], right: np.dtype[Any]) -> np.dtype[Any] | None:
    """A type that holds every value of both; None if there is none."""
    wide = [wide_type(left), wide_type(right)]
    if wide[0] == wide[1]:
        return wide[0]
    for small, other in ((left, wide[1]), (right, wide[0])):
        # Integers of up to 32 bits fit in int64 and float64, in uint64 without a sign.
        if is_integer(small) and small.itemsize < 8 and (other != np.uint64 or small.kind in "bu"):
            return other
    return None if any(map(is_integer, wide)) else np.result_type(*wide)


def _gap(x: Values, y: Values) -> Values:
    """|x - y| of integers of one type, exactly, as uint64."""
    # The difference may pass the type's bounds, but modulo 2**64 it is right.
    high, low = np.maximum(x, y).view(np.uint64), np.minimum(x, y).view(np.uint64)
    return high - low


def _mixed(x: Values, y: Values) -> Values:
    """Distances of 64-bit integers from floats, complex numbers, or integers of the other sign."""
    if x.dtype.kind not in "iu":
        x, y = y, x
    if y.dtype.kind == "c":
        distance: Values = np.hypot(_integer_real(x, y.real), y.imag)
        return distance
    if y.dtype.kind == "f":
        return _integer_real(x, y)
    return _signed_unsigned(x, y) if x.dtype == np.int64 else _signed_unsigned(y, x)


def _signed_unsigned(signed: Values, unsigned: Values) -> Values:
    magnitude = np.abs(signed).view(np.uint64)  # right for -2**63 too, whose abs overflows to it
    negative = signed < 0
    total = magnitude + unsigned
    distance = np.where(negative, total, _gap(magnitude, unsigned))
    if (negative & (total < magnitude)).any():  # 2**64 or more: rounded
        wide = magnitude.astype(np.float64) + unsigned.astype(np.float64)
        distance = np.where(negative, wide, distance.astype(np.float64))
    return distance


def _integer_real(integer: Values, real: Values) -> Values:
    bounds = np.iinfo(integer.dtype)
    low, high = float(bounds.min), float(int(bounds.max) + 1)
    whole = np.trunc(real)
    above, below = whole >= high, whole < low
    # The integer nearest to `real`, and what is left of it. Exact parts first: as float64,
    # 2**53 + 1 is 2**53, and 2**63 - 1 is 2**63.
    nearest = np.where(np.isnan(whole) | above | below, 0, whole).astype(integer.dtype)
    nearest[above], nearest[below] = bounds.max, bounds.min
    rest = np.select([above, below], [(real - high) + 1, real - low], real - whole)
    gap = _gap(integer, nearest).astype(np.float64)
    distance: Values = np.abs(np.where(integer >= nearest, gap, -gap) - rest)
    return distance


def _at_most(distance: Values, allowed: Values) -> Values:
    if distance.dtype != np.uint64:
        return distance <= allowed
    # An exact distance against an exact whole number: as float64 it would be rounded.
    # fmin: what is allowed beside NaN is NaN, and no matter.
    whole = np.floor(np.fmin(allowed, 2.0**64 - 2048)).astype(np.uint64)
    return (distance <= whole) | (allowed >= 2.0**64)


def as_float(wide: Values) -> Values:
    """Widened values as float64, complex ones as pairs `(n, 2)`; only 64-bit integers round."""
    if wide.dtype.kind == "c":
        wide = wide.view(wide.real.dtype).reshape(-1, 2)
    return wide.astype(np.float64, copy=False)
