"""The process in which libhdf5 reads a file: started, asked and ended here.

One changed byte can make the library crash or loop for ever, and nothing in Python stops a loop
in C. So it runs in a child with limits, and whatever becomes of that is one line here. A new
process, not a fork: a fork of a program with threads can hang, and begins with all its memory.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import sys
import threading
import time
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from paraminspect.errors import CheckpointError

_CODE = "import sys; sys.path.append(sys.argv.pop(1)); from _child.main import main; main()"
_ANSWER = struct.Struct("<QQ")

MAXIMUM_ANSWER_NBYTES = 512 << 20
"""More than two hundred thousand links, or two million chunks, the most that is told, take."""

SECONDS = 1.5
"""Seconds of the processor for a question about the file: a good file takes a hundredth."""
PATIENCE_SECONDS = 120
"""Seconds on the clock, in case that the child waits for something."""

_FIRST_FREE = 10
"""Descriptors from here on: the numbers below are what the child calls its own."""


GARBAGE = "the HDF5 library gave no sensible answer: the file is damaged"


class Source(Protocol):
    """A file that a child can be given."""

    @property
    def path(self) -> Path:
        """What messages call it."""

    def fileno(self) -> int:
        """A descriptor, which stays the file's own."""

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
        self._lock = threading.Lock()
        self._child: _Child | None = None

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
        return CheckpointError(f"{self.source.path}: {message}")


class _NoAnswerError(Exception):
    """The child died, was silent or talked nonsense; the message tells what that means."""


class _Child:
    """One process, its questions and answers."""

    def __init__(self, source: Source, extent: Extent, role: str) -> None:
        self._reads = role == "Reader"
        questions, self._questions = os.pipe()
        self._answers, answers = os.pipe()
        given: list[int] = []
        try:
            given += map(_moved, (questions, answers, source.fileno()))
            self.pid = _spawn(given, role, extent)
        finally:
            for descriptor in (questions, answers, *given):
                os.close(descriptor)
        self._end = weakref.finalize(
            self, _end, os.getpid(), self.pid, self._questions, self._answers
        )

    def ask(self, question: dict[str, Any], payload: bytes | memoryview) -> tuple[Any, bytearray]:
        """The answer and its raw bytes; `_NoAnswerError` if there is none."""
        until = time.monotonic() + PATIENCE_SECONDS
        self._send(json.dumps(question).encode() + b"\n")
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
        status = _wait(self.pid)
        self.pid = 0
        self._end.detach()
        os.close(self._questions)
        os.close(self._answers)
        if not os.WIFSIGNALED(status):
            return "the process for the HDF5 library could not do its work"
        died = os.WTERMSIG(status)
        what = "the file is damaged" if self._reads else "nothing was changed"
        if died == signal.SIGPROF:
            return f"the HDF5 library did not come to an end in time: {what}"
        names = {member.value: member.name for member in signal.Signals}
        return f"the HDF5 library crashed ({names.get(died, died)}): {what}"

    def end(self) -> None:
        """End the process."""
        self._end()


def _moved(descriptor: int) -> int:
    """A copy of a descriptor above those that the child calls its own."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)


def _spawn(given: list[int], role: str, extent: Extent) -> int:
    """Start the child with these descriptors as 0, 1 and 3; its pid."""
    folders = []
    for library in ("h5py", "numpy"):
        spec = find_spec(library)
        if spec is None or spec.origin is None:
            raise CheckpointError(f"HDF5 files need {library}, which is not installed")
        folders.append(str(Path(spec.origin).parents[1]))
    options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    arguments = [str(Path(__file__).parent), role, *map(str, extent), *folders]
    environment = {
        **os.environ,
        "HDF5_USE_FILE_LOCKING": "FALSE",
        "HDF5_PLUGIN_PATH": os.devnull,  # filters that are loaded are code
        "HDF5_PLUGIN_PRELOAD": "::",
        "OPENBLAS_NUM_THREADS": "1",
    }
    actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_DUP2, given[0], 0),
        (os.POSIX_SPAWN_DUP2, given[1], 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, given[2], 3),
    ]
    python = sys.executable
    command = [python, *options, "-c", _CODE, *arguments]
    return os.posix_spawn(python, command, environment, file_actions=actions)


def _wait(pid: int) -> int:
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:  # the program waits for children of its own accord
        return 0


def _end(starter: int, pid: int, *descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
    if os.getpid() == starter:  # not in a fork of the program: the child is not its own
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        _wait(pid)
