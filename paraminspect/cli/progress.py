"""Progress of work that lasts: a line on a terminal, and nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from paraminspect.report import format_nbytes

DELAY_SECONDS = 0.5
"""Work that is done sooner says nothing."""

INTERVAL_SECONDS = 0.1

BAR_LENGTH = 24

CLEAR = "\r\x1b[K"


@contextmanager
def progress(what: str, nbytes: int) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much of `nbytes` is done; what is given is to be told of every part."""
    started = time.monotonic()
    done, next_line = 0, started + DELAY_SECONDS
    shown = False

    def advance(part: int) -> None:
        nonlocal done, next_line, shown
        done += part
        now = time.monotonic()
        if now >= next_line and done < nbytes:
            next_line, shown = now + INTERVAL_SECONDS, True
            sys.stderr.write(CLEAR + _line(what, done, nbytes, now - started))
            sys.stderr.flush()

    try:
        yield advance if sys.stderr.isatty() else lambda _: None
    finally:
        if shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()


def _line(what: str, done: int, nbytes: int, seconds: float) -> str:
    bar = ("#" * (BAR_LENGTH * done // nbytes)).ljust(BAR_LENGTH, ".")
    left = seconds * (nbytes - done) / done if done else 0
    amount = f"{format_nbytes(done)} of {format_nbytes(nbytes)}"
    return f"{what} {done / nbytes:4.0%} [{bar}] {amount}, {left:.0f} s left"
