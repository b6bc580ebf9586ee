"""Tables in columns; on a narrow screen no two rows look the same.

There a table first does without the columns that matter least, then cuts the middles of names, then
does without more columns. What is left of a row always tells it from the others.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from paraminspect.report._screen import Screen, cut, width_of
from paraminspect.report._shortening import shared_beginning, shortened

GAP = "  "

LEAST_NAME = 16
"""Columns of a screen that names keep: others go before."""


class Drawn(NamedTuple):
    """A table as lines, and which columns it has."""

    columns: Sequence[str]
    lines: Iterator[str]


@dataclass(frozen=True)
class Columns:
    """A table: for each row a name, what stands before it (`12 x `), and the rest of its cells."""

    header: Sequence[str]
    names: Sequence[str]
    rests: Sequence[tuple[str, ...]]
    leads: Sequence[str] = ()
    right: Collection[str] = ()
    """Columns that are flush right."""
    dropped_first: Sequence[str] = ()
    """Columns that a narrow screen does without before a name is cut, in this order."""
    dropped_last: Sequence[str] = ()
    """Columns that it does without before two rows look the same."""
    ragged: int | None = None
    """What the last column keeps where its end is cut off; None: it is never cut."""

    def drawn(self, screen: Screen | None) -> Drawn:
        """The whole table, or what fits on the screen."""
        if screen is None:
            return _Fitting(self).whole()
        return self.fitted(screen) or self._squeezed(screen)

    def fitted(self, screen: Screen) -> Drawn | None:
        """What fits on the screen with whole parts of names; None if rows would look the same."""
        if (fitting := _Fitting(self)).room(screen) >= fitting.widest:
            return fitting.whole(screen)
        fitting = _Fitting(self, shared_beginning(self.names))
        for column in (None, *self.dropped_first):
            fitting.drop(column)
            if fitting.room(screen) >= fitting.widest:
                return fitting.whole(screen)
        for column in (None, *self.dropped_last):
            fitting.drop(column)
            if (found := fitting.shortened(screen)) is not None:
                return found
        return None

    def _squeezed(self, screen: Screen) -> Drawn:
        """Names cut anywhere, or whole ones, with which the terminal goes on in the next line."""
        fitting = _Fitting(self, shared_beginning(self.names))
        for column in (*self.dropped_first, *self.dropped_last, *self.header[1:]):
            fitting.drop(column)
        return fitting.shortened(screen, whole_parts=False) or fitting.whole(screen)


class _Fitting:
    """A table that gives up one thing after another.

    `shared` is what every name begins with, if that is told once above; `shown` the columns that
    are still there, the names aside.
    """

    def __init__(self, table: Columns, shared: str = "") -> None:
        self.table = table
        self.shared = shared
        self.leads = table.leads or [""] * len(table.names)
        self.names = [name[len(shared) :] for name in table.names]
        self.labels = list(map(str.__add__, self.leads, self.names))
        self.shown = list(range(len(table.header) - 1))
        self.rests = {tuple(table.header[1:]), *table.rests}
        self.widths = [_widest(column) for column in zip(*self.rests, strict=True)]
        self.widest = _widest([table.header[0], *self.labels])

    def drop(self, column: str | None) -> None:
        """Do without a column, if it is there and does not tell rows apart."""
        header = self.table.header[1:]
        if column not in header or (at := header.index(column)) not in self.shown:
            return
        left = [i for i in self.shown if i != at]
        if self._are_distinct or self._rows(left) == self._rows(self.shown):
            self.shown = left

    @functools.cached_property
    def _are_distinct(self) -> bool:
        return len(set(self.labels)) == len(self.labels)

    def _rows(self, columns: Sequence[int]) -> int:
        """How many different rows these columns show."""
        rows = zip(self.labels, self.table.rests, strict=True)
        return len({(label, *(rest[i] for i in columns)) for label, rest in rows})

    def room(self, screen: Screen) -> int:
        """Columns of the screen that are left for the names."""
        widths = [self.widths[i] for i in self.shown]
        if self.table.ragged is not None and self.shown[-1:] == [len(self.widths) - 1]:
            widths[-1] = min(widths[-1], self.table.ragged)
        return screen.width - sum(width + len(GAP) for width in widths)

    def shortened(self, screen: Screen, *, whole_parts: bool = True) -> Drawn | None:
        """With the middles of names left out; None if they have too little room to differ."""
        room = self.room(screen)
        if self.shown and room < LEAST_NAME:
            return None
        rooms = [max(room - width_of(lead), 0) for lead in self.leads]
        names = shortened(self.names, rooms, whole_parts=whole_parts)
        return None if names is None else self._drawn(names, screen)

    def whole(self, screen: Screen | None = None) -> Drawn:
        """With all names as they are."""
        return self._drawn(self.names, screen)

    def _drawn(self, names: Sequence[str], screen: Screen | None) -> Drawn:
        columns = [self.table.header[0], *(self.table.header[i + 1] for i in self.shown)]
        lines = self._lines(list(map(str.__add__, self.leads, names)))
        if screen is not None:
            width = screen.width if self.room(screen) >= _widest(names) else None
            lines = _on_screen(lines, screen, width, self.shared)
        return Drawn(columns, lines)

    def _lines(self, labels: Sequence[str]) -> Iterator[str]:
        """The header and the rows; equal rests of a hundred thousand of them are laid out once."""
        header, right = tuple(self.table.header[1:]), self.table.right
        layout = [(i, self.widths[i], header[i] in right) for i in self.shown]
        laid_out = {
            rest: "".join(GAP + _pad(rest[i], width, flush) for i, width, flush in layout)
            for rest in self.rests
        }
        tails = map(laid_out.__getitem__, (header, *self.table.rests))
        texts = (self.table.header[0], *labels)
        return map(str.rstrip, map(str.__add__, _padded(texts, _widest(texts)), tails))


def aligned(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    screen: Screen | None,
    right: Collection[str] = (),
    dropped_first: Sequence[str] = (),
    dropped_last: Sequence[str] = (),
    leads: Sequence[str] = (),
) -> Iterator[str]:
    """The lines of a table, a header first; `rows` begin with their names."""
    names, rests = [row[0] for row in rows], [tuple(row[1:]) for row in rows]
    return (
        Columns(header, names, rests, leads, right, dropped_first, dropped_last).drawn(screen).lines
    )


def _on_screen(
    lines: Iterator[str], screen: Screen, width: int | None, shared: str
) -> Iterator[str]:
    """Lines with a header that stands out, at most so wide; `shared` is said above them."""
    if shared:
        yield screen.dim(f"every name begins with {shared}")
    heading = next(lines)
    yield screen.bold(heading if width is None else cut(heading, width))
    yield from (text if width is None else cut(text, width) for text in lines)


def _widest(texts: Sequence[str]) -> int:
    return max(map(len if all(map(str.isascii, texts)) else width_of, texts))


def _padded(texts: Sequence[str], width: int) -> Iterable[str]:
    if all(map(str.isascii, texts)):
        return (text.ljust(width) for text in texts)
    return (_pad(text, width) for text in texts)


def _pad(text: str, width: int, right: bool = False) -> str:
    space = " " * (width - width_of(text))
    return space + text if right else text + space
