"""Screens: how wide a terminal and a text are, and what stands out on one."""

from __future__ import annotations

import os
import sys
import unicodedata
from dataclasses import dataclass
from typing import IO

ELLIPSIS = "..."

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


def cut(text: str, width: int) -> str:
    """Text in at most `width` columns, its end cut off."""
    if width_of(text) <= width:
        return text
    return fitting(text, max(width - len(ELLIPSIS), 0)) + ELLIPSIS[: max(width, 0)]


def fitting(text: str, width: int) -> str:
    """The longest start of text that fits."""
    for end, character in enumerate(text):
        width -= _width_of_character(character)
        if width < 0:
            return text[:end]
    return text
