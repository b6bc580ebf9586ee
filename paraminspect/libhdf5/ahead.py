"""Starting libhdf5 for a file that a command line names, before anything else is done.

Loading the library takes longer than all that a command imports, and a second processor can do it
meanwhile. The process waits for its first question.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from paraminspect.libhdf5.signature import is_for_library
from paraminspect.libhdf5.starting import MissingLibraryError, Started, end, start

_Identity = tuple[int, int, int, int]

_waiting: dict[_Identity, Started] = {}


def start_ahead(arguments: Sequence[str]) -> None:
    """Start the library if the first file among the arguments is one for it; never fails.

    What is wrong with a file, the command will find and say.
    """
    for argument in arguments:
        try:
            if not stat.S_ISREG(os.stat(argument).st_mode):  # noqa: PTH116 (pathlib is not loaded)
                continue
            file = os.open(argument, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except (OSError, ValueError):
            continue
        try:
            if is_for_library(os.pread(file, 64, 0)):
                _waiting[_identity(file)] = start(file)
        except (OSError, MissingLibraryError):
            pass
        finally:
            os.close(file)
        return


def take(file: int) -> Started | None:
    """The process that waits for the file of this descriptor, unchanged since; None without."""
    return _waiting.pop(_identity(file), None) if _waiting else None


def end_unwanted() -> None:
    """End the process that nobody took: the command was refused, or its file is of no use."""
    while _waiting:
        end(_waiting.popitem()[1], os.getpid())


def _identity(file: int) -> _Identity:
    status = os.fstat(file)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
