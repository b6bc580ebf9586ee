"""Tallies: what differs in a part of two arrays. Bits are compared first, then numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from paraminspect.arrays.widening import Values, is_integer, widen
from paraminspect.operations.diff._numbers import Pairs, Tolerance, as_float, differs, pair_up


class Sums(NamedTuple):
    """Sums over the pairs in which both numbers are finite, in float64."""

    pairs: int = 0
    squares: float = 0.0
    """Of left - right, squared."""
    left: float = 0.0
    """Of left, squared."""
    right: float = 0.0
    product: float = 0.0

    def plus(self, other: Sums) -> Sums:
        """The sums over both sets of pairs."""
        return Sums(
            self.pairs + other.pairs,
            self.squares + other.squares,
            self.left + other.left,
            self.right + other.right,
            self.product + other.product,
        )


NO_SUMS = Sums()


@dataclass(frozen=True, slots=True)
class Tally:
    """What is found in a part of two arrays; parts merge in their order."""

    differing: int = 0
    max_abs: float = 0.0
    """Largest |left - right| of the pairs that differ: an exact int between integers, NaN as soon
    as one of a pair is NaN."""
    worst: int = -1
    """The first place where it is, counted over the flattened array."""
    max_rel: float = 0.0
    """Largest |left - right| / |right| of the pairs that differ."""
    sums: Sums = NO_SUMS
    identical: tuple[tuple[int, int], ...] = ()
    """Stretches whose bits are equal; `sums` does not cover them yet."""

    def merged(self, other: Tally) -> Tally:
        """The tally of this part and the one behind it."""
        worse = other if _badness(other) > _badness(self) else self
        return Tally(
            self.differing + other.differing,
            worse.max_abs,
            worse.worst,
            float(np.maximum(self.max_rel, other.max_rel)),
            self.sums.plus(other.sums),
            _joined(self.identical, other.identical),
        )


def _badness(tally: Tally) -> tuple[bool, bool, float]:
    """What makes the worst element of one part worse than that of another."""
    invalid = math.isnan(tally.max_abs)
    return tally.differing > 0, invalid, 0.0 if invalid else tally.max_abs


def _joined(
    first: tuple[tuple[int, int], ...], second: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    if first and second and first[-1][1] == second[0][0]:
        return (*first[:-1], (first[-1][0], second[0][1]), *second[1:])
    return first + second


def bits_tell(left: np.dtype[Any], right: np.dtype[Any], tolerance: Tolerance) -> bool:
    """Whether elements of the same bits are equal."""
    return left == right and (not tolerance.nan_differs or is_integer(left))


def compare_blocks(left: Values, right: Values, start: int, tolerance: Tolerance) -> Tally:
    """The tally of two 1-D blocks of equal length, `start` elements into their arrays."""
    if not bits_tell(left.dtype, right.dtype, tolerance):
        return _compare_numbers(left, right, None, start, tolerance)
    changed = _changed_bits(left, right)
    count = int(np.count_nonzero(changed))
    if not count:
        return Tally(identical=((start, start + len(left)),))
    if 2 * count > len(left):  # picking the elements would cost more than it saves
        return _compare_numbers(left, right, None, start, tolerance)
    where = np.flatnonzero(changed)
    tally = _compare_numbers(_picked(left, where), _picked(right, where), where, start, tolerance)
    rest = as_float(widen(left))
    if np.may_share_memory(rest, left):
        rest = rest.copy()
    rest[where] = 0
    return tally.merged(Tally(sums=_sums_of_equal(rest, len(left) - count)))


def sums_of_equal(values: Values) -> Sums:
    """The sums over a block that is the same on both sides."""
    return _sums_of_equal(as_float(widen(values)), len(values))


def _changed_bits(left: Values, right: Values) -> Values:
    word = _word(left.dtype)
    changed: Values = left.view(word) != right.view(word)
    if left.dtype.itemsize > 8:
        changed = np.logical_or.reduce(changed.reshape(len(left), -1), axis=1)
    return changed


def _picked(values: Values, where: Values) -> Values:
    # As words: picking from a type that NumPy does not know is slow.
    if values.dtype.itemsize > 8:
        return values[where]
    return values.view(_word(values.dtype))[where].view(values.dtype)


def _word(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"u{min(dtype.itemsize, 8)}")


def _compare_numbers(
    left: Values, right: Values, where: Values | None, start: int, tolerance: Tolerance
) -> Tally:
    """The tally of elements whose bits may differ; `where` tells their places in the block."""
    with np.errstate(all="ignore"):
        pairs = pair_up(left, right)
        sums = _sums(pairs)
        distance, reference = pairs.distance, pairs.reference
        at = None
        if sums.pairs == len(left) and not (tolerance.rtol or tolerance.atol):
            differing = int(np.count_nonzero(distance != 0))
        else:
            at = np.flatnonzero(differs(pairs, tolerance))
            differing = len(at)
            distance, reference = distance[at], reference[at]
        if not differing:
            return Tally(sums=sums)
        worst = int(np.argmax(distance))  # a NaN, if there is one
        max_abs = distance[worst].item()
        max_rel = float(np.fmax.reduce(distance / reference))
    place = worst if at is None else at[worst]
    return Tally(
        differing,
        max_abs,
        start + int(place if where is None else where[place]),
        max_rel if math.isfinite(max_abs) else max_abs,
        sums,
    )


def _sums(pairs: Pairs) -> Sums:
    x, y = pairs.left, pairs.right
    if (x.dtype.kind == "c") != (y.dtype.kind == "c"):
        x, y = x.astype(np.complex128), y.astype(np.complex128)
    x, y = as_float(x), as_float(y)
    distance = pairs.distance.astype(np.float64, copy=False)
    left, right = _dot(x, x), _dot(y, y)
    if not math.isfinite(left + right):
        finite = _finite(x) & _finite(y)
        x, y, distance = x[finite], y[finite], distance[finite]
        left, right = _dot(x, x), _dot(y, y)
    return Sums(len(x), _dot(distance, distance), left, right, _dot(x, y))


def _sums_of_equal(values: Values, count: int) -> Sums:
    """The sums of equal pairs, `count` of them; more values than these are zeros."""
    square = _dot(values, values)
    if not math.isfinite(square):
        finite = _finite(values)
        count -= len(values) - int(np.count_nonzero(finite))
        square = _dot(values[finite], values[finite])
    return Sums(count, 0.0, square, square, square)


_PIECE = 8192
"""BLAS shares longer vectors among its threads, and the rounding would depend on their number."""


def _dot(left: Values, right: Values) -> float:
    """The sum of products of all elements; the same whatever the number of threads."""
    left, right = left.reshape(-1), right.reshape(-1)
    whole = len(left) - len(left) % _PIECE
    rows, columns = left[:whole].reshape(-1, 1, _PIECE), right[:whole].reshape(-1, _PIECE, 1)
    pieces = np.matmul(rows, columns).reshape(-1).tolist()
    return math.fsum((*pieces, float(np.dot(left[whole:], right[whole:]))))


def _finite(values: Values) -> Values:
    """Which elements are finite: a mask; of a complex one both parts have to be."""
    finite: Values = np.isfinite(values)
    return np.logical_and.reduce(finite, axis=1) if finite.ndim == 2 else finite
