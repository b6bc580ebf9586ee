"""What this process may do, and what it says when it will not."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from typing import TypeVar

FILE_DESCRIPTOR = 3

ITEMS_AT_ONCE = 250
"""So many links or attributes must not take more of the processor than a whole question may."""

_T = TypeVar("_T")


class RefusedError(Exception):
    """What the file holds cannot be read, or will not be; the message says what and why."""


def allow_seconds(seconds: float) -> None:
    """Die by SIGPROF after so many more seconds of the processor: loops in C heed nothing else."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def in_steps(items: Iterable[_T], seconds: float) -> Iterator[_T]:
    """The same items, with these seconds of the processor for each few of them.

    A file that has many may take long; one that makes the library loop is still found out.
    """
    for number, item in enumerate(items):
        if number % ITEMS_AT_ONCE == 0:
            allow_seconds(seconds)
        yield item


def text_of(raw: bytes) -> str:
    """Bytes of the file as text; what is not UTF-8 stays what it was."""
    return raw.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes that `text_of` made the text from."""
    return text.encode("utf-8", "surrogateescape")
