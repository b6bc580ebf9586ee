"""What this process may do, and what it says when it will not."""

from __future__ import annotations

import signal

FILE_DESCRIPTOR = 3


class RefusedError(Exception):
    """What the file holds cannot be read, or will not be; the message says what and why."""


def allow_seconds(seconds: float) -> None:
    """Die by SIGPROF after so many more seconds of the processor: loops in C heed nothing else."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def text_of(raw: bytes) -> str:
    """Bytes of the file as text; what is not UTF-8 stays what it was."""
    return raw.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes that `text_of` made the text from."""
    return text.encode("utf-8", "surrogateescape")
