"""Progress of work that lasts: a line on a terminal, and nothing anywhere else."""

from __future__ import annotations

import sys
import threading
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
def progress(
    what: str, total: int, shown_as: Callable[[int], str] = format_nbytes
) -> Iterator[Callable[[int], None]]:
    """Show on stderr how much of `total` is done; whoever does a part calls what this gives.

    By any thread.
    """
    started = time.monotonic()
    done, next_line = 0, started + DELAY_SECONDS
    shown = False
    lock = threading.Lock()

    def advance(part: int) -> None:
        nonlocal done, next_line, shown
        with lock:
            done += part
            now = time.monotonic()
            if now >= next_line and done < total:
                next_line, shown = now + INTERVAL_SECONDS, True
                amount = f"{shown_as(done)} of {shown_as(total)}"
                sys.stderr.write(CLEAR + _line(what, done / total, amount, now - started))
                sys.stderr.flush()

    try:
        yield advance if sys.stderr.isatty() else lambda _: None
    finally:
        if shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()


def make_room() -> None:
    """Take the line away from the terminal, before something else is printed there."""
    if sys.stderr.isatty():
        sys.stderr.write(CLEAR)
        sys.stderr.flush()


def _line(what: str, share: float, amount: str, seconds: float) -> str:
    bar = ("#" * int(BAR_LENGTH * share)).ljust(BAR_LENGTH, ".")
    left = seconds * (1 - share) / share if share else 0
    return f"{what} {share:4.0%} [{bar}] {amount}, {left:.0f} s left"
