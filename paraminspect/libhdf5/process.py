"""The process in which libhdf5 reads a file: asked and ended here.

One changed byte can make the library crash or loop for ever, and nothing in Python stops a loop
in C. So it runs in a child with limits, and whatever becomes of that is one line here.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import threading
import time
import weakref
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from paraminspect.errors import CheckpointError
from paraminspect.libhdf5 import ahead
from paraminspect.libhdf5.starting import MissingLibraryError, end, start, wait
from paraminspect.runtime import Lock

_ANSWER = struct.Struct("<QQ")

MAXIMUM_ANSWER_NBYTES = 512 << 20
"""More than a million links, or two million chunks, the most that the library answers, take."""

SECONDS = 1.5
"""Seconds of the processor for a question about the file, and for each few links of a walk."""
PATIENCE_SECONDS = 600
"""Seconds on the clock, in case that the child waits for something: a walk over a million links can
take minutes on a busy machine."""

MOMENT_SECONDS = 2
"""Seconds for which an opened file keeps its process, when reading its values needs it again."""

GARBAGE = "the HDF5 library gave no sensible answer: the file is damaged"


class Source(Protocol):
    """A file that a child can be given."""

    @property
    def path(self) -> Path:
        """What messages call it."""

    @property
    def descriptor(self) -> AbstractContextManager[int]:
        """A descriptor for the length of a block, which stays the file's own."""

    def check_unchanged(self) -> None:
        """Raise `CheckpointError` if the file is no longer what was opened."""


class Extent(NamedTuple):
    """Where in a file the HDF5 file lies: behind a user block, or as a member of an archive."""

    base: int
    size: int


class Library:
    """libhdf5 with one file open, from the first question (or `start`) until `stop`."""

    def __init__(
        self,
        source: Source,
        extent: Extent,
        role: Literal["Reader", "Editor", "Creator"] = "Reader",
    ) -> None:
        self.source = source
        self.extent = extent
        self.role = role
        self._lock = Lock()
        self._child: _Child | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_child": None}

    def start(self) -> None:
        """Start the process, so that it is ready when it is asked."""
        if self._child is None:
            self._child = _Child(self.source, self.extent, self.role)

    def stop(self) -> None:
        """End the process; another question starts another."""
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def stop_soon(self) -> None:
        """End the process in a moment: what is asked until then finds it ready."""
        library = weakref.ref(self)  # it ends earlier where nobody holds it any more

        def stop() -> None:
            if (held := library()) is not None:
                held.stop()

        timer = threading.Timer(MOMENT_SECONDS, stop)
        timer.daemon = True
        timer.start()

    def ask(
        self,
        do: str,
        seconds: float = SECONDS,
        payload: bytes | memoryview = b"",
        **details: Any,
    ) -> tuple[Any, bytearray]:
        """What was found, and raw bytes; `CheckpointError` if the library cannot say.

        `payload` are bytes that go with the question.
        """
        question = {"do": do, "seconds": seconds, "payload": len(payload), **details}
        data = bytearray()
        try:
            with self._lock:
                answer, data = self._answer(question, payload)
        except _NoAnswerError as error:
            answer = {"refused": str(error)}
        self.source.check_unchanged()
        match answer:
            case {"found": found}:
                return found, data
            case {"refused": str(reason)}:
                raise self.error(reason)
            case {"damaged": str(reason)}:
                does = "read" if self.role == "Reader" else "write"
                raise self.error(f"the HDF5 library cannot {does} it: {reason}")
        raise self.error(GARBAGE)

    def _answer(
        self, question: dict[str, Any], payload: bytes | memoryview
    ) -> tuple[Any, bytearray]:
        self.start()
        assert self._child is not None
        try:
            return self._child.ask(question, payload)
        except BaseException:  # an interrupt as well: what it says next would be the wrong answer
            self._child.end()
            self._child = None
            raise

    def error(self, message: str) -> CheckpointError:
        """The error of this file."""
        return CheckpointError(message).at(self.source.path)


class _NoAnswerError(Exception):
    """The child died, was silent or talked nonsense; the message tells what that means."""


class _Child:
    """One process, its questions and answers."""

    def __init__(self, source: Source, extent: Extent, role: str) -> None:
        self._reads = role == "Reader"
        try:
            with source.descriptor as descriptor:
                waiting = ahead.take(descriptor) if self._reads else None
                started = waiting or start(descriptor)
        except MissingLibraryError as error:
            raise CheckpointError(str(error)) from None
        except OSError as error:
            why = error.strerror or str(error)
            raise CheckpointError(
                f"{source.path}: no process can be started for the HDF5 library: {why}"
            ) from None
        self.pid, self._questions, self._answers = started
        self._end = weakref.finalize(self, end, started, os.getpid())
        self._first = json.dumps({"role": role, **extent._asdict()}).encode() + b"\n"

    def ask(self, question: dict[str, Any], payload: bytes | memoryview) -> tuple[Any, bytearray]:
        """The answer and its raw bytes; `_NoAnswerError` if there is none."""
        until = time.monotonic() + PATIENCE_SECONDS
        self._send(self._first + json.dumps(question).encode() + b"\n")
        self._first = b""
        self._send(payload)
        lengths = _ANSWER.unpack(self._receive(_ANSWER.size, until))
        if sum(lengths) > MAXIMUM_ANSWER_NBYTES:
            raise _NoAnswerError(GARBAGE)
        text, data = (self._receive(length, until) for length in lengths)
        try:
            return json.loads(text), data
        except (ValueError, RecursionError):
            raise _NoAnswerError(GARBAGE) from None

    def _send(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._questions, view) :]
        except BrokenPipeError:
            raise _NoAnswerError(self._epitaph()) from None

    def _receive(self, nbytes: int, until: float) -> bytearray:
        """Memory grows with what has come, not with what was announced."""
        received = bytearray()
        while len(received) < nbytes:
            ready, _, _ = select.select([self._answers], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise _NoAnswerError(f"the HDF5 library gave no answer in {PATIENCE_SECONDS} s")
            piece = os.read(self._answers, min(nbytes - len(received), 1 << 20))
            if not piece:
                raise _NoAnswerError(self._epitaph())
            received += piece
        return received

    def _epitaph(self) -> str:
        """Of what the child has died; its end of the pipe is closed."""
        status = wait(self.pid)
        self.pid = 0
        self._end.detach()
        os.close(self._questions)
        os.close(self._answers)
        if not os.WIFSIGNALED(status):
            return "the process for the HDF5 library could not do its work"
        died = os.WTERMSIG(status)
        what = "the file is damaged" if self._reads else "nothing was changed"
        if died == signal.SIGPROF:
            return "the HDF5 library did not come to an end in the time that one question may take"
        names = {member.value: member.name for member in signal.Signals}
        return f"the HDF5 library crashed ({names.get(died, died)}): {what}"

    def end(self) -> None:
        """End the process."""
        self._end()
