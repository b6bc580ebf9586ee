"""Files written whole or not at all: beside the target, made durable, then put in its place.

A crash, a kill or a power cut at any moment leaves the target as it was or wholly new. The new
file has no name while it is written (Linux), so that even a kill leaves no litter; elsewhere it
has a name that tells whose it is, and the next run removes it. The steps, in their order:

1. links are resolved once, and the folder is held open: what happens to paths later is no matter;
2. the space is reserved, so that a full disk is known before any work;
3. the caller writes, and reads back what it wrote;
4. mode and owner of the old file are kept, the new file is fsynced;
5. inputs must be as they were when opened;
6. the new file takes the name, and the folder is fsynced. Only now it is done.

A failed fsync is never retried: the system has dropped what it could not write.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from paraminspect.checkpoint._files import KINDS, RegularFile, reason, write_all
from paraminspect.errors import CheckpointError, DurabilityError
from paraminspect.tree import SourceFile

TEMPORARY_SUFFIX = ".paraminspect-tmp"
"""Ends the name of every temporary file, which begins with a dot and the name of the target."""

LOCK_SECONDS = 10
"""How long to wait for another program that holds the lock of the folder."""

_FLUSHED_NBYTES = 1 << 20
"""What is written at once and smaller is not worth a system call of its own."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_NAME_NBYTES = 200
"""Bytes of the target's name in a temporary one: no file system takes more than 255 in all."""


@contextmanager
def replacing(
    path: Path, nbytes: int, *, inputs: Iterable[SourceFile] = (), overwrite: bool = True
) -> Iterator[NewFile]:
    """A new file of `nbytes` bytes that is put at `path` when the block ends without an error.

    `inputs` are the files that it is made of: if one has changed by then, nothing is put there.
    Without `overwrite` a file that is there, or appears meanwhile, is left alone. Raises
    `CheckpointError` with the target untouched, `DurabilityError` with the new file in place.
    """
    resolved = Path(os.path.realpath(path))
    with ending_on_signals(), open_folder(resolved.parent, path) as folder:
        old = folder.regular_file(resolved.name)
        if old is not None and not overwrite:
            raise exists_already(path)
        with folder.create(resolved.name, nbytes, old) as new:
            yield new
            new.seal(old)
            with folder.locked():
                check_unchanged(inputs)
                new.put(resolved.name, overwrite)
            folder.sync()


@contextmanager
def new_folder(path: Path) -> Iterator[None]:
    """A folder to write into; one that is made for it goes again if the block fails."""
    try:
        path.mkdir()
    except FileExistsError:
        yield
        return
    except OSError as error:
        raise failed(path, error) from None
    try:
        with open_folder(path.parent, path) as above:
            above.sync()
        yield
    except BaseException:
        with suppress(OSError):
            path.rmdir()
        raise


@contextmanager
def open_folder(path: Path, shown: Path) -> Iterator[Folder]:
    """A folder held open; leftovers of killed runs are removed. Errors name the path `shown`."""
    try:
        descriptor = os.open(path, _FOLDER_FLAGS)
    except OSError as error:
        raise CheckpointError(f"{shown}: cannot write: {reason(error)}: {path}") from None
    try:
        folder = Folder(descriptor, path, shown)
        folder.remove_leftovers()
        yield folder
    finally:
        os.close(descriptor)


class Folder:
    """An open folder in which files are written; `shown` is the path that errors name."""

    def __init__(self, descriptor: int, path: Path, shown: Path) -> None:
        self.descriptor = descriptor
        self.path = path
        self.shown = shown

    def regular_file(self, name: str) -> os.stat_result | None:
        """The file of a name; None if there is nothing, `CheckpointError` for anything else."""
        try:
            status = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise failed(self.shown, error) from None
        if not stat.S_ISREG(status.st_mode):
            kind = KINDS.get(stat.S_IFMT(status.st_mode), "a link that leads in a circle")
            raise CheckpointError(f"{self.shown}: cannot write: there is {kind}")
        return status

    @contextmanager
    def create(self, name: str, nbytes: int, old: os.stat_result | None) -> Iterator[NewFile]:
        """A new file that is to become `name`; nothing of it is left if the block fails."""
        new = NewFile(self, name, old)
        try:
            new.reserve(nbytes)
            yield new
        finally:
            new.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among the programs that lock this folder, while one file takes another's place."""
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(self.descriptor):
            if time.monotonic() > deadline:
                raise CheckpointError(f"{self.shown}: another program has locked the folder")
            time.sleep(0.01)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def sync(self) -> None:
        """Make names durable; raises `DurabilityError`, for they are in place already."""
        try:
            _fsync(self.descriptor)
        except OSError as error:
            raise DurabilityError(
                f"{self.shown}: written, but it may not survive a power cut:"
                f" the folder cannot be synced: {reason(error)}"
            ) from None

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)

    def replace_by_link(self, present: str, name: str) -> None:
        """Let the file `present` have another name too, in place of what has it now."""
        temporary, folder = temporary_name(name), self.descriptor
        try:
            os.link(present, temporary, src_dir_fd=folder, dst_dir_fd=folder)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            self.remove(temporary)

    def remove_leftovers(self) -> None:
        """Remove temporary files of runs that were killed; a living run holds a lock on its own."""
        with suppress(OSError):
            for name in os.listdir(self.descriptor):  # noqa: PTH208 (by descriptor)
                if name.startswith(".") and name.endswith(TEMPORARY_SUFFIX):
                    self.remove_unless_locked(name)

    def remove_unless_locked(self, name: str) -> None:
        """Remove a temporary file, unless the run that made it is alive."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with suppress(OSError), ExitStack() as stack:
            descriptor = os.open(name, flags, dir_fd=self.descriptor)
            stack.callback(os.close, descriptor)
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and _try_lock(descriptor):
                self.remove(name)


class NewFile:
    """A file that is being written and has no name yet, or a temporary one where it must."""

    def __init__(self, folder: Folder, name: str, old: os.stat_result | None) -> None:
        self.folder = folder
        self._temporary = temporary_name(name)
        # A file that replaces a private one is private from its first byte on.
        mode = 0o600 if old is not None else 0o666
        self.descriptor, self.is_named = self._create(mode)

    def _create(self, mode: int) -> tuple[int, bool]:
        folder = self.folder.descriptor
        if hasattr(os, "O_TMPFILE"):
            flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
            with suppress(OSError):
                descriptor = os.open(".", flags, mode, dir_fd=folder)
                if Path(f"/proc/self/fd/{descriptor}").exists():
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                    return descriptor, False
                os.close(descriptor)
        try:
            descriptor = os.open(self._temporary, _NEW_FLAGS, mode, dir_fd=folder)
        except OSError as error:
            raise failed(self.folder.shown, error) from None
        _try_lock(descriptor)
        return descriptor, True

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

    def copy(self, file: RegularFile, offset: int, nbytes: int, at: int) -> None:
        """Copy bytes `offset` to `offset + nbytes` of a file to byte `at`, within the kernel."""
        try:
            file.copy_to(self.descriptor, offset, nbytes, at)
            self._begin_to_flush(at, nbytes)
        except OSError as error:
            raise failed(self.folder.shown, error) from None

    def _begin_to_flush(self, at: int, nbytes: int) -> None:
        """Let the disk work while more is written: else the last fsync waits for all of it.

        Linux starts to write what is said not to be needed in memory, and does not wait for it.
        """
        if nbytes >= _FLUSHED_NBYTES and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.descriptor, at, nbytes, os.POSIX_FADV_DONTNEED)

    def seal(self, old: os.stat_result | None) -> None:
        """Give it the mode and owner of the file that it replaces, and make it durable."""
        try:
            if old is not None:
                self._keep_owner_and_mode(old)
            _fsync(self.descriptor)
        except OSError as error:
            raise failed(self.folder.shown, error) from None

    def _keep_owner_and_mode(self, old: os.stat_result) -> None:
        new = os.fstat(self.descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(OSError):  # only root may give files away
                os.fchown(self.descriptor, old.st_uid, old.st_gid)
        if stat.S_IMODE(new.st_mode) != stat.S_IMODE(old.st_mode):
            os.fchmod(self.descriptor, stat.S_IMODE(old.st_mode))

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

    def close(self) -> None:
        """Let go of the file: what has not been put anywhere is gone."""
        if self.is_named:
            with suppress(OSError):
                self.folder.remove(self._temporary)
        os.close(self.descriptor)


def temporary_name(name: str) -> str:
    """A name for a temporary file, hidden and telling whose it is and what for."""
    short = os.fsdecode(os.fsencode(name)[:_NAME_NBYTES])
    return f".{short}.{os.urandom(4).hex()}{TEMPORARY_SUFFIX}"


def check_unchanged(inputs: Iterable[SourceFile]) -> None:
    """Raise `CheckpointError` unless every file is still what it was when it was opened."""
    for file in inputs:
        if file.has_changed():
            raise CheckpointError(
                f"{file.path}: the file changed while it was read; nothing was written"
            )


def failed(path: Path, error: OSError | ValueError) -> CheckpointError:
    """The error for a file that could not be written, when nothing has been changed yet."""
    text = reason(error) if isinstance(error, OSError) else str(error)
    return CheckpointError(f"{path}: cannot write: {text}; nothing was changed")


def exists_already(path: Path) -> CheckpointError:
    """The error for a file that would be overwritten and must not be."""
    return CheckpointError(f"{path}: exists already; --force overwrites it")


def _fsync(descriptor: int) -> None:
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: its fsync leaves the data in the drive's cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def _try_lock(descriptor: int) -> bool:
    """Lock, if nobody else has; a file system that has no locks lets everybody in."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program as an error does, with everything cleaned up.

    Python does so for SIGINT alone. Handlers that somebody else has installed stay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for number in kept:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in kept:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 (signal's)
    raise SystemExit(128 + number)
