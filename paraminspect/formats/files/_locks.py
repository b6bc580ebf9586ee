"""The lock that HDF5 holds on a file as long as it has it open, heeded by who replaces the file.

A program that holds an HDF5 file open for writing would write on into the file that was replaced,
and its values would be lost without a word. HDF5 itself refuses a second writer; so do we.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paraminspect.errors import CheckpointError
from paraminspect.formats._format import FIRST_NBYTES
from paraminspect.formats.files._descriptors import reason
from paraminspect.libhdf5.signature import is_hdf5

VARIABLE = "HDF5_USE_FILE_LOCKING"
"""Of HDF5: FALSE or 0 for no locks, TRUE or 1 for no work without them; else as it can be had."""

_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def alone_with(folder: int, name: str, shown: Path) -> Iterator[None]:
    """Hold the lock of an HDF5 file, a name of an open folder, as HDF5 does to write into it.

    Raises `CheckpointError` if another program has the file open. Other files are not locked.
    """
    if os.environ.get(VARIABLE, "").upper() in ("FALSE", "0"):
        yield
        return
    descriptor = _open(folder, name)
    if descriptor is None:
        yield
        return
    try:
        first = os.pread(descriptor, FIRST_NBYTES, 0)
        if not first or is_hdf5(first):  # HDF5 empties a file before it begins it anew
            _lock(descriptor, shown)
        yield
    finally:
        os.close(descriptor)


def _open(folder: int, name: str) -> int | None:
    # Some file systems lock only what is open for writing.
    for access in (os.O_RDWR, os.O_RDONLY):
        with suppress(OSError):
            return os.open(name, access | _FLAGS, dir_fd=folder)
    return None


def _lock(descriptor: int, shown: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CheckpointError(
            f"another program has it open, and has locked it as HDF5 does: close it there,"
            f" or set {VARIABLE}=FALSE to replace it all the same; nothing was changed"
        ).at(shown) from None
    except OSError as error:
        if os.environ.get(VARIABLE, "").upper() in ("TRUE", "1"):
            raise CheckpointError(f"cannot be locked, as {VARIABLE} demands: {reason(error)}").at(
                shown
            ) from None
