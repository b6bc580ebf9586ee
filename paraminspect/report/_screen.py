"""Screens: columns of text, what a narrow terminal leaves out, and what stands out on one."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

GAP = "  "

ELLIPSIS = "..."

LEAST_NAME = 16
"""Columns that the first cell of a row keeps on a narrow terminal."""

USUAL_WIDTH = 80
"""Columns of a terminal that does not tell."""


@dataclass(frozen=True)
class Screen:
    """The terminal that a report is drawn on: its width in columns, and whether to use colours."""

    width: int = USUAL_WIDTH
    colored: bool = False

    @classmethod
    def of(cls, stream: IO[str]) -> Screen | None:
        """The terminal that a stream goes to; None for a pipe or a file."""
        if not stream.isatty():
            return None
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls(_columns(stream) or USUAL_WIDTH, not plain)

    def bold(self, text: str) -> str:
        """Text that stands out."""
        return f"\x1b[1m{text}\x1b[0m" if self.colored and text else text

    def dim(self, text: str) -> str:
        """Text that stands back."""
        return f"\x1b[2m{text}\x1b[0m" if self.colored and text else text


def _columns(stream: IO[str]) -> int:
    """As `shutil.get_terminal_size` has it, whose module takes longer to import than to list."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal():
        return int(asked[:4])
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 0


def is_unicode() -> bool:
    """Whether the standard output takes box-drawing characters."""
    return "utf" in (sys.stdout.encoding or "").lower()


def width_of(text: str) -> int:
    """Columns that text takes on a terminal: Chinese and Japanese characters take two."""
    return len(text) if text.isascii() else sum(map(_width_of_character, text))


def _width_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """Text in at most `width` columns, its middle cut out: the ends of a name tell most."""
    if width_of(text) <= width:
        return text
    room = max(width - len(ELLIPSIS), 0)
    tail = _fitting(text[::-1], room - room // 2)[::-1]
    return (_fitting(text, room // 2) + ELLIPSIS + tail)[: max(width, 0)]


def cut(text: str, width: int) -> str:
    """Text in at most `width` columns, its end cut off."""
    if width_of(text) <= width:
        return text
    return _fitting(text, max(width - len(ELLIPSIS), 0)) + ELLIPSIS[: max(width, 0)]


def _fitting(text: str, width: int) -> str:
    """The longest start of text that fits."""
    for end, character in enumerate(text):
        width -= _width_of_character(character)
        if width < 0:
            return text[:end]
    return text


def aligned(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    screen: Screen | None,
    right: Collection[str] = (),
    dropped_first: Sequence[str] = (),
) -> Iterator[str]:
    """The lines of a table, a header first; the columns named by `right` are flush right.

    Only a screen ever leaves out: where the columns do not fit, those `dropped_first` go in their
    order, then the first cells are shortened.
    """
    names, rests = [row[0] for row in rows], [tuple(row[1:]) for row in rows]
    return aligned_rests(header, names, rests, screen, right, dropped_first)


def aligned_rests(
    header: Sequence[str],
    names: Sequence[str],
    rests: Sequence[tuple[str, ...]],
    screen: Screen | None,
    right: Collection[str] = (),
    dropped_first: Sequence[str] = (),
) -> Iterator[str]:
    """The same for rows as first cells and the rest of each.

    A hundred thousand parameters differ in little but their names: equal rests are laid out once.
    """
    distinct = {tuple(header[1:]), *rests}
    columns = ([header[0], *names], *zip(*distinct, strict=True))
    widths = list(map(_width_of_all, columns))
    shown = list(range(len(header)))
    if screen is not None:
        _drop(shown, header, widths, screen, dropped_first)
        others = sum(widths[i] + len(GAP) for i in shown[1:])
        widths[0] = min(widths[0], max(LEAST_NAME, screen.width - others))
    layout = [(i - 1, widths[i], header[i] in right) for i in shown[1:]]
    laid_out = {
        rest: "".join(GAP + _pad(rest[i], width, flush) for i, width, flush in layout)
        for rest in distinct
    }
    tails = map(laid_out.__getitem__, (tuple(header[1:]), *rests))
    lines = map(str.rstrip, map(str.__add__, _fit(columns[0], widths[0]), tails))
    if screen is None:
        yield from lines
    else:
        yield screen.bold(cut(next(lines), screen.width))
        yield from (cut(text, screen.width) for text in lines)


def _drop(
    shown: list[int],
    header: Sequence[str],
    widths: Sequence[int],
    screen: Screen,
    dropped_first: Sequence[str],
) -> None:
    """Take out the columns for which the screen has no room."""
    for name in dropped_first:
        if sum(widths[i] + len(GAP) for i in shown) - len(GAP) <= screen.width:
            break
        if name in header:
            shown.remove(header.index(name))


def _width_of_all(texts: Sequence[str]) -> int:
    return max(map(len if all(map(str.isascii, texts)) else width_of, texts))


def _fit(texts: Sequence[str], width: int) -> Iterable[str]:
    """Texts in a column of this width, shortened if they have to be."""
    if _width_of_all(texts) <= width and all(map(str.isascii, texts)):
        return (text.ljust(width) for text in texts)
    return (_pad(shorten(text, width), width) for text in texts)


def _pad(text: str, width: int, right: bool = False) -> str:
    space = " " * (width - width_of(text))
    return space + text if right else text + space
