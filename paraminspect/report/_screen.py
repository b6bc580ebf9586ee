"""Screens: columns of text, what a narrow terminal leaves out, and what stands out on one."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Collection, Iterator, Sequence
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
    """The rows in columns, those named by `right` flush right; only a screen ever leaves out.

    Where they do not fit, the columns `dropped_first` go in their order, then names are shortened.
    """
    columns = [list(column) for column in zip(header, *rows, strict=True)]
    widths = [_width_of_column(column) for column in columns]
    shown = list(range(len(header)))
    if screen is not None:
        shown = fitting_columns(header, widths, screen, dropped_first)
        room = screen.width - sum(widths[i] + len(GAP) for i in shown[1:])
        if widths[0] > room:
            widths[0] = max(LEAST_NAME, room)
            columns[0] = [shorten(cell, widths[0]) for cell in columns[0]]
    for i in shown:
        if not all(map(str.isascii, columns[i])):  # the format below counts characters
            columns[i] = [_padded(cell, widths[i], header[i] in right) for cell in columns[i]]
    line = GAP.join(f"{{:{'>' if header[i] in right else '<'}{widths[i]}}}" for i in shown)
    lines = (
        line.format(*cells).rstrip() for cells in zip(*(columns[i] for i in shown), strict=True)
    )
    if screen is None:
        yield from lines
    else:
        yield screen.bold(cut(next(lines), screen.width))
        yield from (cut(text, screen.width) for text in lines)


def fitting_columns(
    header: Sequence[str], widths: Sequence[int], screen: Screen, dropped_first: Sequence[str]
) -> list[int]:
    """The numbers of the columns for which the screen has room."""
    shown = list(range(len(header)))
    for name in dropped_first:
        if sum(widths[i] + len(GAP) for i in shown) - len(GAP) <= screen.width:
            break
        if name in header:
            shown.remove(header.index(name))
    return shown


def _width_of_column(cells: Sequence[str]) -> int:
    return max(map(len if all(map(str.isascii, cells)) else width_of, cells))


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * (width - width_of(cell))
    return space + cell if right else cell + space
