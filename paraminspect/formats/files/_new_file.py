"""New files: without a name while they are written, where that can be (on Linux).

Elsewhere they have a name that tells whose they are, and a lock as long as their writer lives:
the next run removes those that have none.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from paraminspect.errors import CheckpointError
from paraminspect.formats.files._attributes import keep_of_old
from paraminspect.formats.files._descriptors import SystemRefusal
from paraminspect.formats.files._folder import (
    Folder,
    exists_already,
    failed,
    fsync,
    temporary_name,
    try_lock,
)
from paraminspect.formats.files._locks import alone_with
from paraminspect.formats.files._reading import RegularFile, write_all
from paraminspect.runtime import Progress, unwatched

_FLUSHED_NBYTES = 64 << 20
"""After so many bytes the disk is set to work. On a busy machine each such call waits for every
processor: for every 16 MiB, it doubled the time of a copy."""

_NOTHING = (1 << 63, 0, 0)
"""The first and the last byte of what is written and not flushed, and how many there are."""

_NEW_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def new_file(
    folder: Folder,
    name: str,
    nbytes: int,
    old: os.stat_result | None,
    progress: Progress = unwatched,
) -> Iterator[NewFile]:
    """A new file that is to become `name`, in place of `old`; none is left if the block fails.

    `progress` is called with the number of bytes just written.
    """
    new = NewFile(folder, name, progress)
    with ExitStack() as stack:
        if old is not None:
            stack.enter_context(alone_with(folder.descriptor, name, folder.path / name))
        stack.callback(new.close)
        # A file that replaces a private one is private from its first byte on.
        new.open(0o600 if old is not None else 0o666)
        new.reserve(nbytes)
        yield new


class NewFile:
    """A file that is being written and has no name yet, or a temporary one where it must."""

    def __init__(self, folder: Folder, name: str, progress: Progress) -> None:
        self.folder = folder
        self.name = name
        self.progress = progress
        self.descriptor = -1
        self.is_named = True
        self._lock = threading.Lock()
        self._unflushed = _NOTHING
        self._temporary = temporary_name(name)

    def open(self, mode: int) -> None:
        """Create it. It stays locked while it is open: so others know that it is not a leftover.

        Whatever happens meanwhile, `close` cleans up.
        """
        if hasattr(os, "O_TMPFILE"):
            with suppress(OSError):
                self._open_unnamed(mode)
        try:
            while self.is_named and not self._open_named(mode):
                pass
        except OSError as error:
            raise failed(self.folder.shown, error) from None

    def _open_unnamed(self, mode: int) -> None:
        flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
        descriptor = os.open(".", flags, mode, dir_fd=self.folder.descriptor)
        if not Path(f"/proc/self/fd/{descriptor}").exists():  # by which it gets its name
            os.close(descriptor)
            return
        try_lock(descriptor)
        self.descriptor, self.is_named = descriptor, False

    def _open_named(self, mode: int) -> bool:
        descriptor = os.open(self._temporary, _NEW_FLAGS, mode, dir_fd=self.folder.descriptor)
        try_lock(descriptor)
        self.descriptor = descriptor
        if os.fstat(descriptor).st_nlink:
            return True
        os.close(descriptor)  # another run has taken it for a leftover before it was locked
        return False

    @property
    def path(self) -> Path:
        """A path under which this and a child process can open the file while it is written."""
        if self.is_named:
            return self.folder.path / self._temporary
        return Path(f"/proc/{os.getpid()}/fd/{self.descriptor}")

    def reserve(self, nbytes: int) -> None:
        """Take the space on the disk, and give the file its length."""
        try:
            if hasattr(os, "posix_fallocate") and nbytes:
                os.posix_fallocate(self.descriptor, 0, nbytes)
            os.ftruncate(self.descriptor, nbytes)
        except OSError as error:
            raise failed(self.folder.shown, error) from None

    def write(self, data: bytes | memoryview, at: int) -> None:
        """Write all bytes of `data` from byte `at` on; several threads may write at once."""
        try:
            write_all(self.descriptor, data, at)
            self._begin_to_flush(at, len(data))
        except OSError as error:
            raise failed(self.folder.shown, error) from None
        self.progress(len(data))

    def copy(self, file: RegularFile, offset: int, nbytes: int, at: int) -> None:
        """Copy bytes `offset` to `offset + nbytes` of a file to byte `at`, within the kernel."""
        try:
            file.copy_to(self.descriptor, offset, nbytes, at)
            self._begin_to_flush(at, nbytes)
        except OSError as error:
            raise failed(self.folder.shown, error) from None
        self.progress(nbytes)

    def _begin_to_flush(self, at: int, nbytes: int) -> None:
        """Let the disk work while more is written: else the last fsync waits for all of it.

        Linux starts to write what is said not to be needed in memory, and does not wait for it.
        """
        if not hasattr(os, "posix_fadvise"):
            return
        with self._lock:
            low, high, count = self._unflushed
            low, high, count = min(low, at), max(high, at + nbytes), count + nbytes
            self._unflushed = _NOTHING if count >= _FLUSHED_NBYTES else (low, high, count)
        if count >= _FLUSHED_NBYTES:
            with suppress(OSError):
                os.posix_fadvise(self.descriptor, low, high - low, os.POSIX_FADV_DONTNEED)

    def seal(self, old: os.stat_result | None) -> None:
        """Give it mode, owner and the like of the file that it replaces; make it durable."""
        try:
            if old is not None:
                keep_of_old(self.descriptor, old, self.name, self.folder.descriptor)
            fsync(self.descriptor)
        except OSError as error:
            raise failed(self.folder.shown, error) from None

    def put(self, name: str, overwrite: bool) -> None:
        """Let the file take a name of the folder, in one step that other programs see."""
        try:
            if overwrite:
                self._link(self._temporary)
                self._rename(name)
            else:
                self._link_or_rename(name)
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise exists_already(self.folder.shown) from None
            raise failed(self.folder.shown, error) from None
        finally:
            with suppress(OSError):
                self.folder.remove(self._temporary)

    def link(self, name: str) -> None:
        """Give the file a name that nothing has yet; it can be given others later."""
        try:
            self._link(name)
        except OSError as error:
            raise failed(self.folder.shown, error) from None

    def _link(self, name: str) -> None:
        folder = self.folder.descriptor
        if not self.is_named:
            source = f"/proc/self/fd/{self.descriptor}"
            os.link(source, name, dst_dir_fd=folder, follow_symlinks=True)
        elif name != self._temporary:
            os.link(self._temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def _rename(self, name: str) -> None:
        folder = self.folder.descriptor
        os.rename(self._temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def _link_or_rename(self, name: str) -> None:
        try:
            self._link(name)
        except OSError as error:
            if not self.is_named or error.errno not in _NO_HARD_LINKS:
                raise
            if self.folder.regular_file(name) is not None:
                raise exists_already(self.folder.shown) from None
            self._rename(name)

    def unreadable(self, error: CheckpointError) -> CheckpointError:
        """The error for a new file that our own reader refuses, which knows it by another path."""
        why = ": ".join((*error.subjects[1:], error.message))
        done = "checked" if isinstance(error, SystemRefusal) else "read back"
        return CheckpointError(f"what was written cannot be {done}: {why}").at(self.folder.shown)

    def misread(self) -> CheckpointError:
        """The error for a new file in which our own reader finds something else."""
        return CheckpointError("what was written reads back as something else").at(
            self.folder.shown
        )

    def close(self) -> None:
        """Let go of the file: what has not been put anywhere is gone."""
        if self.is_named:
            with suppress(OSError):
                self.folder.remove(self._temporary)
        if self.descriptor >= 0:
            os.close(self.descriptor)
