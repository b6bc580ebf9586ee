"""Statistics of values: one streaming pass over bounded blocks, on every core.

NaN and infinities are counted and left out of mean, std, min and max. Moments are accumulated in
float64 and merged block by block [Chan, Golub & LeVeque 1979, eq. 2.1].
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.arrays import Array, block_ranges
from paraminspect.errors import DTypeError
from paraminspect.tree import ParameterTree

Progress = Callable[[int], None]

BLOCK_NBYTES = 1 << 20
"""Small enough that a block and its float64 copy stay in the processor's cache."""


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


def block_stats(values: np.ndarray[Any, Any]) -> Stats:
    """The statistics of values in memory. Complex values count by their magnitude."""
    if values.dtype.kind == "c":
        values = np.abs(values)
    exact = values.dtype.kind in "iub"
    if not exact and values.dtype.itemsize < 4:
        values = values.astype(np.float32)
    nan = inf = 0
    with np.errstate(all="ignore"):
        total = values.sum(dtype=np.float64)
        if not exact and not np.isfinite(total):
            nan = int(np.isnan(values).sum())
            inf = int(np.isinf(values).sum())
            if nan or inf:
                values = values[np.isfinite(values)]
                total = values.sum(dtype=np.float64)
    if not values.size:
        return Stats(nan=nan, inf=inf)
    mean = float(total) / values.size
    distance = values.astype(np.float64)
    distance -= mean
    low, high = values.min(), values.max()
    return Stats(
        values.size,
        mean,
        float(np.dot(distance, distance)),
        low.item() if values.dtype.kind != "b" else int(low),
        high.item() if values.dtype.kind != "b" else int(high),
        values.size - int(np.count_nonzero(values)),
        nan,
        inf,
    )


def parameter_stats(array: Array, progress: Progress | None = None) -> Stats:
    """The statistics of any array, read block by block."""
    found = Stats()
    for start, stop in block_ranges(array, BLOCK_NBYTES):
        found = found.merged(block_stats(array.read(start, stop)))
        if progress:
            progress(array.dtype.nbytes(stop - start))
    return found


def tree_stats(tree: ParameterTree, progress: Progress | None = None) -> dict[str, Stats]:
    """The statistics of every array by own name; `progress` is told of bytes as they are done.

    Packed dtypes, whose values are not decoded, have statistics without moments.
    """

    def one(name: str) -> tuple[str, Stats]:
        try:
            return name, parameter_stats(tree.entries[name].data, progress)
        except DTypeError:
            return name, Stats()

    own = dict.fromkeys(tree.own_name(name) for name in tree.entries)
    largest_first = sorted(own, key=lambda name: -tree.entries[name].nbytes)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return dict(pool.map(one, largest_first))
