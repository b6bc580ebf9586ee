"""Starting the process in which libhdf5 runs.

A new process, not a fork: a fork of a program with threads can hang, and begins with all its
memory. Little is imported here, because this can be the first thing that a command does.
"""

from __future__ import annotations

import fcntl
import os
import sys
from typing import NamedTuple

CODE = "import sys; sys.path.append(sys.argv.pop(1)); from _child.main import main; main()"

_FIRST_FREE = 10
"""Descriptors from here on: the numbers below are what the child calls its own."""


class MissingLibraryError(Exception):
    """A library that the process needs is not installed; the message says which."""


class Started(NamedTuple):
    """A process that loads the library, and waits for questions about its file."""

    pid: int
    questions: int
    """The descriptor to write questions to."""
    answers: int
    """The descriptor to read answers from."""


def start(file: int) -> Started:
    """Start a process for the file of a descriptor, which stays the caller's own."""
    folders = _folders()
    child_questions, questions = os.pipe()
    answers, child_answers = os.pipe()
    given: list[int] = []
    try:
        given += map(_moved, (child_questions, child_answers, file))
        return Started(_spawn(given, folders), questions, answers)
    except BaseException:
        os.close(questions)
        os.close(answers)
        raise
    finally:
        for descriptor in (child_questions, child_answers, *given):
            os.close(descriptor)


def end(started: Started, starter: int) -> None:
    """End a process, unless this is a fork of the program that started it: then it is not ours."""
    os.close(started.questions)
    os.close(started.answers)
    if os.getpid() == starter:
        import signal

        try:
            os.kill(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        wait(started.pid)


def wait(pid: int) -> int:
    """The status with which a process ended; 0 if it is not known."""
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:  # the program waits for children of its own accord
        return 0


def _folders() -> list[str]:
    """Where the libraries are that the process imports; all else is kept out of it."""
    from importlib.util import find_spec

    folders = []
    for library in ("h5py", "numpy"):
        spec = find_spec(library)
        if spec is None or spec.origin is None:
            raise MissingLibraryError(f"HDF5 files need {library}, which is not installed")
        folders.append(os.path.dirname(os.path.dirname(spec.origin)))  # noqa: PTH120 (pathlib is not loaded)
    return folders


def _moved(descriptor: int) -> int:
    """A copy of a descriptor above those that the child calls its own."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)


def _spawn(given: list[int], folders: list[str]) -> int:
    """Start the child with these descriptors as 0, 1 and 3; its pid."""
    options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    here = os.path.dirname(__file__)  # noqa: PTH120 (pathlib is not loaded)
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
    command = [sys.executable, *options, "-c", CODE, here, *folders]
    return os.posix_spawn(sys.executable, command, environment, file_actions=actions)
