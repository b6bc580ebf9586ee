"""Values of many pairs of arrays compared block by block, on every core, in bounded memory."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from paraminspect.arrays import Array, Encoded, count_elements
from paraminspect.arrays.packed import unpacked
from paraminspect.arrays.widening import widen
from paraminspect.operations.diff._numbers import Tolerance
from paraminspect.operations.diff._tally import (
    Sums,
    Tally,
    bits_tell,
    compare_blocks,
    sums_of_equal,
)
from paraminspect.runtime import Progress, in_order, unwatched

BLOCK_NBYTES = 2 << 20
"""Threads that take turns in Python for every smaller block take longer than one thread alone."""
LEAST_ITEMSIZE = 4
"""Smaller elements fill a smaller block: they are compared as float64."""

TASK_NBYTES = 32 << 20
TASK_BLOCKS = 256
"""What a thread does at a time: much more than it costs to hand out, for small arrays too."""

Number = complex
"""An int, a float or a complex."""

Pair = tuple[Array, Array]


@dataclass(frozen=True)
class ValueDifference:
    """How the values of two arrays of one shape differ.

    `differing` to `max_rel` and `worst_index` tell of the elements that differ by more than the
    tolerance, `rms` and `cosine` of all; NaN and infinities that are the same on both sides are
    left out, others pass into every number, as in NumPy. None: not defined, too large for float64,
    or (of a packed type that nobody can decode) not known.
    """

    count: int
    """Elements in each array."""
    differing: int | None = None
    max_abs: float | None = None
    """Largest |left - right|, exact between integers; NaN where only one of a pair is NaN."""
    max_rel: float | None = None
    """Largest |left - right| / |right|: infinite where right is 0."""
    rms: float | None = None
    """Root mean square of left - right."""
    cosine: float | None = None
    """Of the angle between the two, as vectors."""
    worst_index: tuple[int, ...] | None = None
    """The first index at which `max_abs` is reached."""
    worst_left: Number | None = None
    worst_right: Number | None = None


class _Piece(NamedTuple):
    """Elements `start` to `stop` of a pair of arrays, `nbytes` in both."""

    pair: int
    start: int
    stop: int
    nbytes: int


def comparable(left: Array, right: Array) -> bool:
    """Whether values can be compared: bits of a type that is not decoded say nothing of numbers."""
    return left.dtype == right.dtype or not any(_is_opaque(array) for array in (left, right))


def compare_arrays(
    pairs: Sequence[Pair], tolerance: Tolerance, progress: Progress
) -> Iterator[ValueDifference | None]:
    """The difference of each pair in turn, None where there is none. Shapes must be equal.

    `progress` is told of bytes of both sides together, as they are done.
    """
    done = 0
    for number, parts in groupby(_tallies(pairs, tolerance, progress), lambda part: part[0]):
        yield from [None] * (number - done)  # pairs without elements
        done = number + 1
        tally = functools.reduce(Tally.merged, (part for _, part in parts))
        yield _difference(pairs[number], tally) if tally.differing else None
    yield from [None] * (len(pairs) - done)


def arrays_differ(pairs: Sequence[Pair], tolerance: Tolerance) -> bool:
    """Whether any pair differs; reading stops soon after the first difference."""
    with closing(_tallies(pairs, tolerance, unwatched)) as tallies:
        return any(tally.differing for _, tally in tallies)


def _tallies(
    pairs: Sequence[Pair], tolerance: Tolerance, progress: Progress
) -> Generator[tuple[int, Tally], None, None]:
    """Tallies with the numbers of their pairs, in order: the same whatever the thread count."""

    def work(task: list[_Piece]) -> tuple[int, list[tuple[int, Tally]]]:
        tallies = [
            (number, _tally(pairs[number], pieces, tolerance))
            for number, pieces in groupby(task, lambda piece: piece.pair)
        ]
        return sum(piece.nbytes for piece in task), tallies

    _keep_freed_memory()
    for nbytes, tallies in in_order(work, _tasks(pairs)):
        progress(nbytes)
        yield from tallies


def _keep_freed_memory() -> None:
    # glibc's malloc returns every freed block of some size to the system, and taking one back costs
    # more than computing on it. It keeps what is smaller than the largest it has seen freed. These
    # bytes are never touched, so they take no memory.
    np.empty(31 << 20, np.uint8)


def _tally(pair: Pair, pieces: Iterable[_Piece], tolerance: Tolerance) -> Tally:
    left, right = map(unpacked, pair)
    is_same = _sameness(left, right, tolerance)
    return functools.reduce(
        Tally.merged,
        (
            Tally(identical=((start, stop),))
            if is_same(start, stop)
            else compare_blocks(left.read(start, stop), right.read(start, stop), start, tolerance)
            for _, start, stop, _ in pieces
        ),
    )


def _sameness(left: Array, right: Array, tolerance: Tolerance) -> Callable[[int, int], bool]:
    """What tells of a stretch, before it is read, that it is the same on both sides."""
    if isinstance(left, Encoded) and bits_tell(
        left.dtype.to_numpy(), right.dtype.to_numpy(), tolerance
    ):
        return left.sameness(right)
    return lambda _start, _stop: False


def _tasks(pairs: Sequence[Pair]) -> Iterator[list[_Piece]]:
    """Lists of pieces: parts of a large array, or many small arrays."""
    task: list[_Piece] = []
    nbytes = 0
    for number, (left, right) in enumerate(pairs):
        itemsizes = [max(1, array.dtype.nbits // 8) for array in (left, right)]
        count = count_elements(unpacked(left).shape)
        for start, stop in _ranges(0, count, max(itemsizes)):
            task.append(_Piece(number, start, stop, (stop - start) * sum(itemsizes)))
            nbytes += task[-1].nbytes
            if nbytes >= TASK_NBYTES or len(task) >= TASK_BLOCKS:
                yield task
                task, nbytes = [], 0
    if task:
        yield task


def _ranges(start: int, stop: int, itemsize: int) -> Iterator[tuple[int, int]]:
    step = BLOCK_NBYTES // max(itemsize, LEAST_ITEMSIZE)
    for at in range(start, stop, step):
        yield at, min(at + step, stop)


def _difference(pair: Pair, tally: Tally) -> ValueDifference:
    count = count_elements(pair[0].shape)
    if _is_opaque(pair[0]):
        return ValueDifference(count)
    left, right = map(unpacked, pair)
    sums = tally.sums
    if tally.identical:
        for part in in_order(lambda block: sums_of_equal(left.read(*block)), _blocks(left, tally)):
            sums = sums.plus(part)
    worst = tally.worst
    return ValueDifference(
        count,
        tally.differing,
        tally.max_abs,
        tally.max_rel,
        _rms(tally.max_abs, sums),
        _cosine(tally.max_abs, sums),
        tuple(int(i) for i in np.unravel_index(worst, left.shape)),
        widen(left.read(worst, worst + 1))[0].item(),
        widen(right.read(worst, worst + 1))[0].item(),
    )


def _blocks(array: Array, tally: Tally) -> Iterator[tuple[int, int]]:
    for start, stop in tally.identical:
        yield from _ranges(start, stop, max(1, array.dtype.nbits // 8))


def _rms(max_abs: float, sums: Sums) -> float | None:
    if not math.isfinite(max_abs):
        return max_abs
    return math.sqrt(sums.squares / sums.pairs) if math.isfinite(sums.squares) else None


def _cosine(max_abs: float, sums: Sums) -> float | None:
    if not math.isfinite(max_abs):
        return math.nan
    length = math.sqrt(sums.left) * math.sqrt(sums.right)
    if not length or not math.isfinite(length):
        return None
    return max(-1.0, min(1.0, sums.product / length))


def _is_opaque(array: Array) -> bool:
    return unpacked(array).dtype != array.dtype
