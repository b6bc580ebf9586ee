"""Statistics of values: one streaming pass over bounded blocks, on every core.

NaN and infinities are counted and left out of mean, std, min and max. Moments are accumulated in
float64 and merged block by block [Chan, Golub & LeVeque 1979, eq. 2.1].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from paraminspect.arrays import Array, block_ranges
from paraminspect.arrays.plausible import check_plausible
from paraminspect.errors import DTypeError
from paraminspect.runtime import Progress, in_order, unwatched
from paraminspect.tree import ParameterTree

BLOCK_NBYTES = 1 << 21
"""Measured: smaller blocks wait for the interpreter's lock, larger ones leave the caches."""

BLAS_ROW = 8192
"""OpenBLAS takes a dot product to more than one thread from 10,000 elements on."""

PORTION_NBYTES = 1 << 23
"""What one core does at a time: enough to be worth a task, little enough to share out evenly."""

PIECE_COST_NBYTES = 1 << 14
"""An array takes about as long to begin as so many bytes take to measure."""


@dataclass(frozen=True)
class Stats:
    """Moments and counts of an array; what no finite value defines is None. `std` is population."""

    count: int = 0
    mean: float | None = None
    squares: float = 0.0
    """Sum of squared distances from the mean."""
    min: float | None = None
    max: float | None = None
    zeros: int = 0
    nan: int = 0
    inf: int = 0

    @property
    def std(self) -> float | None:
        """The population standard deviation."""
        return math.sqrt(self.squares / self.count) if self.count else None

    def merged(self, other: Stats) -> Stats:
        """The statistics of both sets of values together."""
        counts = (self.zeros + other.zeros, self.nan + other.nan, self.inf + other.inf)
        one, two = (self, other) if self.count else (other, self)
        if one.mean is None or two.mean is None or one.min is None or two.min is None:
            return Stats(one.count, one.mean, one.squares, one.min, one.max, *counts)
        assert one.max is not None
        assert two.max is not None
        total = one.count + two.count
        distance = two.mean - one.mean
        return Stats(
            total,
            one.mean + distance * (two.count / total),
            one.squares + two.squares + distance * distance * (one.count * two.count / total),
            min(one.min, two.min),
            max(one.max, two.max),
            *counts,
        )


EMPTY = Stats()
"""The statistics of no values."""


def block_stats(values: np.ndarray[Any, Any]) -> Stats:
    """The statistics of values in memory. Complex values count by their magnitude."""
    with np.errstate(all="ignore"):
        return _block_stats(values)


def _block_stats(values: np.ndarray[Any, Any]) -> Stats:
    kind = values.dtype.kind
    if kind == "c":
        values = np.abs(values)
    elif kind not in "iub" and values.dtype.itemsize < 4:
        values = values.astype(np.float32)  # exact, and the fastest that all small types have
    wide = values.astype(np.float64)
    nan = inf = 0
    total = float(wide.sum())
    if not math.isfinite(total):
        nan, inf = int(np.isnan(wide).sum()), int(np.isinf(wide).sum())
        finite = np.isfinite(wide)
        values, wide = values[finite], wide[finite]
        total = float(wide.sum())
    if not values.size:
        return Stats(nan=nan, inf=inf)
    mean = total / values.size
    zeros = int(np.count_nonzero(values == 0))
    low, high = values.min(), values.max()
    if kind == "b":  # numbers, as the mean of truth values is one
        low, high = low.astype(np.uint8), high.astype(np.uint8)
    wide -= mean
    squares = _sum_of_squares(wide)
    return Stats(values.size, mean, squares, low.item(), high.item(), zeros, nan, inf)


def _sum_of_squares(values: np.ndarray[Any, Any]) -> float:
    """The dot product with itself, in rows: for longer ones BLAS starts threads that fight ours."""
    even = values.size // BLAS_ROW * BLAS_ROW
    rows, rest = values[:even].reshape(-1, 1, BLAS_ROW), values[even:]
    return float(np.matmul(rows, rows.transpose(0, 2, 1)).sum()) + float(np.dot(rest, rest))


def parameter_stats(array: Array, start: int = 0, stop: int | None = None) -> Stats:
    """The statistics of elements `start` to `stop` of any flattened array, read block by block."""
    found = EMPTY
    for block in block_ranges(array, BLOCK_NBYTES, start, stop):
        found = found.merged(block_stats(array.read(*block)))
    return found


class Piece(NamedTuple):
    """Elements `start` to `stop` of the array of a name."""

    name: str
    start: int
    stop: int


def tree_stats(
    tree: ParameterTree, names: Iterable[str] | None = None, progress: Progress = unwatched
) -> dict[str, Stats]:
    """The statistics of every array, or of those with these names, by own name.

        >>> import paraminspect as pi
        >>> found = pi.stats(pi.ParameterTree({"w": [1.0, 2.0, 0.0]}))["w"]
        >>> found.mean, found.min, found.max, found.zeros
        (1.0, 0.0, 2.0, 1)

    Arrays of packed dtypes, whose values are not decoded, are left out. `progress` is called with
    the number of bytes just read. Raises `UnsetError` for a parameter without values,
    `CheckpointError` for a file that cannot be read.
    """
    own = dict.fromkeys(map(tree.own_name, tree.entries if names is None else names))
    arrays = {name: tree.entries[name].data for name in own}
    for name, data in arrays.items():
        check_plausible(name, data, tree.entries[name].nbytes)
    found: dict[str, Stats] = {}

    def measure(portion: list[Piece]) -> list[Stats | None]:
        return [_decoded_stats(arrays[name], *ends) for name, *ends in portion]

    portions = list(_portions(arrays))
    for portion, measured in zip(portions, in_order(measure, portions), strict=True):
        for piece, stats in zip(portion, measured, strict=True):
            if stats is not None:
                found[piece.name] = found.get(piece.name, EMPTY).merged(stats)
        progress(sum(arrays[p.name].dtype.nbytes(p.stop - p.start) for p in portion))
    return found


def _decoded_stats(array: Array, start: int, stop: int) -> Stats | None:
    try:
        return parameter_stats(array, start, stop)
    except DTypeError:
        return None


def _portions(arrays: Mapping[str, Array]) -> Iterator[list[Piece]]:
    """All arrays cut and packed into portions of about equal work, whatever their sizes.

    A task for each array would leave a core idle with few of them, and cost more than the values
    with a hundred thousand.
    """
    portion: list[Piece] = []
    nbytes = 0
    for name, array in arrays.items():
        for start, stop in [*block_ranges(array, PORTION_NBYTES)] or [(0, 0)]:
            portion.append(Piece(name, start, stop))
            nbytes += array.dtype.nbytes(stop - start) + PIECE_COST_NBYTES
            if nbytes >= PORTION_NBYTES:
                yield portion
                portion, nbytes = [], 0
    if portion:
        yield portion
