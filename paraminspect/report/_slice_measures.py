"""Measures of slices in place of their values: statistics and histograms."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from paraminspect.arrays import count_elements
from paraminspect.errors import DTypeError, counted, escape
from paraminspect.operations.histogram import Histogram, array_stats, histogram
from paraminspect.operations.slicing import Slice
from paraminspect.operations.stats import Stats
from paraminspect.report._columns import aligned
from paraminspect.report._records import FORMATS, Records
from paraminspect.report._rows import STATS, format_number, strict
from paraminspect.report._screen import Screen, is_unicode
from paraminspect.report._slice_rows import slice_record

BAR_LENGTH = 40
DROPPED_FIRST = ("dtype", "shape", "inf", "nan", "zeros")
DROPPED_LAST = ("std", "mean", "min", "max")
"""Columns that a narrow terminal does without, in this order."""


@dataclass(frozen=True)
class Measured:
    """A slice with its statistics, and perhaps its histogram."""

    slice_: Slice
    stats: Stats
    histogram: Histogram | None


def measure(slices: Sequence[Slice], *, with_histogram: bool) -> list[Measured]:
    """Read every slice, twice for a histogram; `DTypeError` for bytes that nobody can decode."""
    measured = []
    for slice_ in slices:
        if slice_.data.dtype != slice_.dtype:
            raise DTypeError(f"{slice_.title!r}: values of {slice_.dtype} are not decoded")
        stats = array_stats(slice_.data)
        found = histogram(slice_.data, stats) if with_histogram else None
        measured.append(Measured(slice_, stats, found))
    return measured


COLUMNS = ("name", "index", "shape", "dtype", *(f"stats {key}" for key in STATS))


def rendered_measures(
    style: str, source: str, measured: Sequence[Measured], screen: Screen | None
) -> Iterator[str]:
    """The statistics of each slice, and its histogram, in place of its values."""
    if style in ("table", "text"):
        return _as_table(measured, screen)
    records = Records(map(_record, measured), COLUMNS, "slices", {"source": source})
    return (f"{line}\n" for line in FORMATS[style](records))


def _record(measured: Measured) -> dict[str, Any]:
    record = slice_record(measured.slice_)
    record["stats"] = {key: strict(getattr(measured.stats, key)) for key in STATS}
    if measured.histogram is not None:
        record["histogram"] = {
            "edges": list(measured.histogram.edges),
            "counts": list(measured.histogram.counts),
        }
    return record


def _as_table(measured: Sequence[Measured], screen: Screen | None) -> Iterator[str]:
    """A table with a line per slice, and the histograms below it."""
    header = ["name", "shape", "dtype", *STATS]
    rows = [
        [
            escape(m.slice_.title),
            str(list(m.slice_.data.shape)),
            m.slice_.dtype.name,
            *(format_number(getattr(m.stats, key)) for key in STATS),
        ]
        for m in measured
    ]
    for line in aligned(header, rows, screen, STATS, DROPPED_FIRST, DROPPED_LAST):
        yield f"{line}\n"
    for m in measured:
        if m.histogram is not None:
            yield "\n"
            for line in _bars(m.slice_, m.histogram):
                yield f"{line}\n"


def _bars(slice_: Slice, found: Histogram) -> Iterator[str]:
    """A line per bin: its value or edges, its count and a bar."""
    yield f"{escape(slice_.title)}: {counted(count_elements(slice_.data.shape), 'value')}"
    largest = max(found.counts, default=0)
    mark = "█" if is_unicode() else "#"
    labels = _labels(found)
    width = max(map(len, labels), default=0)
    places = len(f"{largest:,}")
    for label, n in zip(labels, found.counts, strict=True):
        length = max(round(BAR_LENGTH * n / largest), 1) if n else 0
        yield f"{label:>{width}}  {n:>{places},}  {mark * length}".rstrip()
    for n, what in ((found.nan, "NaN"), (found.inf, "infinite")):
        if n:
            yield f"{what}: {n:,}"


def _labels(found: Histogram) -> list[str]:
    """The value of each bin that has a single one, else its edges."""
    if found.single_values:
        return [f"{edge + 0.5:.0f}" for edge in found.edges[:-1]]
    ends = [f"{edge:.4g}" for edge in found.edges]
    width = max(map(len, ends), default=0)
    return [f"{low:>{width}} .. {high:>{width}}" for low, high in itertools.pairwise(ends)]
