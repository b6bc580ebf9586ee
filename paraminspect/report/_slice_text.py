"""Slices for people: as NumPy prints them, the large ones in summary on a terminal."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from paraminspect.arrays import Array, count_elements
from paraminspect.arrays.indexing import Axis, read_axes
from paraminspect.arrays.widening import Values, is_integer, widen
from paraminspect.errors import ShapeError, Spell, escape
from paraminspect.operations.slicing import Slice
from paraminspect.report._screen import Screen
from paraminspect.report._slice_binary import is_foreign

SUMMARY_COUNT = 1000
"""A terminal gets a summary of more elements than this: NumPy's own threshold."""

EDGE = 3
"""Elements that a summary shows at each end of an axis: NumPy's own number."""

MAXIMUM_COUNT = 100_000
"""Elements of a text in full: NumPy needs all of them at once to find the width of a column."""

LINE_WIDTH = 75
"""NumPy's own, where there is no terminal."""


def summary_note(slice_: Slice, spell: Spell) -> str:
    """What a terminal does not show of a large slice; empty for one that it shows in full."""
    if not _is_summarized(slice_):
        return ""
    count = count_elements(slice_.data.shape)
    return f"{slice_.title!r}: a summary of {count:,} values; use {spell('format', 'csv')} for all"


def _is_summarized(slice_: Slice) -> bool:
    return count_elements(slice_.data.shape) > SUMMARY_COUNT


def as_text(slices: Sequence[Slice], precision: int | None, screen: Screen | None) -> Iterator[str]:
    """The values of each slice as `print` shows a NumPy array; under its name if there are more.

    Without a screen they are complete: more than `MAXIMUM_COUNT` are a `ShapeError`.
    """
    if screen is None:
        for slice_ in slices:
            _check_count(slice_)
    for number, slice_ in enumerate(slices):
        if len(slices) > 1:
            shape = list(slice_.data.shape)
            yield "\n" * (number > 0) + f"{escape(slice_.title)}  {slice_.dtype} {shape}\n"
        if screen and _is_summarized(slice_):
            yield _print(_edges(slice_.data), precision, screen.width, threshold=0)
        else:
            width = screen.width if screen else LINE_WIDTH
            yield _print(slice_.data[...], precision, width, threshold=sys.maxsize)


def _check_count(slice_: Slice) -> None:
    count = count_elements(slice_.data.shape)
    if count > MAXIMUM_COUNT:
        raise ShapeError(
            f"{slice_.title!r} has {count:,} values, and text shows at most {MAXIMUM_COUNT:,}:"
            " an index selects fewer"
        ).unless(format="csv")


def _print(values: Values, precision: int | None, width: int, threshold: int) -> str:
    values = _printable(values)
    if not values.shape and precision is None:
        return f"{values[()]!s}\n"
    text = np.array2string(
        values,
        max_line_width=width,
        precision=precision,
        threshold=threshold,
        edgeitems=EDGE,
        separator=" ",
    )
    return f"{text}\n"


def _printable(values: Values) -> Values:
    """What NumPy prints well: float32 for small floats that it does not know."""
    if not is_foreign(values.dtype):
        return values
    wide = widen(values.reshape(-1)).reshape(values.shape)
    return wide if is_integer(values.dtype) else wide.astype(np.float32)


def _edges(data: Array) -> Values:
    """The ends of every axis, with something between them, which NumPy shows as `...`."""
    shape = data.shape
    ends: list[list[range]] = [
        [range(EDGE), range(n - EDGE, n)] if n > 2 * EDGE else [range(n)] for n in shape
    ]
    small: Values = np.zeros([min(n, 2 * EDGE + 1) for n in shape], data.dtype.to_numpy())
    for corner in itertools.product(*ends):
        axes = [Axis(part.start, 1, len(part), True) for part in corner]
        place: tuple[Any, ...] = tuple(
            slice(None, len(part)) if part.start == 0 else slice(-len(part), None)
            for part in corner
        )
        small[place] = read_axes(data, axes)
    return small
