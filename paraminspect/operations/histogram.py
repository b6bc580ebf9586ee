"""Histograms of values: two streaming passes, the second over the bins that the first has found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from paraminspect.arrays import Array, block_ranges
from paraminspect.arrays.widening import Values, widen
from paraminspect.errors import ShapeError
from paraminspect.operations.stats import EMPTY, PORTION_NBYTES, Stats, parameter_stats
from paraminspect.runtime import in_order

BINS = 20
BLOCK_NBYTES = 1 << 20


@dataclass(frozen=True)
class Histogram:
    """Counts between `edges`, each bin without its upper edge but the last; as NumPy has them."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    nan: int = 0
    inf: int = 0
    """Infinities of both signs, in no bin."""
    single_values: bool = False
    """Whether each bin is for one integer, in its middle."""


def array_stats(array: Array) -> Stats:
    """The statistics of one array, measured on every core."""
    found = EMPTY
    ranges = block_ranges(array, PORTION_NBYTES)
    for part in in_order(lambda ends: parameter_stats(array, *ends), ranges):
        found = found.merged(part)
    return found


def histogram(array: Array, stats: Stats, bins: int = BINS) -> Histogram:
    """The histogram of the finite values, of complex numbers of their magnitudes.

    Integers in few values have a bin for each. `stats` are the array's own.
    """
    if stats.min is None or stats.max is None:
        return Histogram((), (), stats.nan, stats.inf)
    low, high = stats.min, stats.max
    single = isinstance(low, int) and high - low < bins
    if single:
        bins, low, high = int(high - low) + 1, low - 0.5, high + 0.5
    if not math.isfinite(float(high) - float(low)):
        raise ShapeError(f"values from {low:g} to {high:g} are too far apart for a histogram")
    edges = np.histogram_bin_edges(np.empty(0), bins, (low, high))
    counts = np.zeros(len(edges) - 1, np.int64)

    def count(ends: tuple[int, int]) -> Values:
        values = widen(array.read(*ends))
        values = np.abs(values) if values.dtype.kind == "c" else values
        return np.histogram(values, bins, (low, high))[0]  # leaves out NaN and infinities

    for part in in_order(count, block_ranges(array, BLOCK_NBYTES)):
        counts += part
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()), stats.nan, stats.inf, single)
