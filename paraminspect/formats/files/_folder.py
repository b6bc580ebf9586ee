"""Folders held open while something is written in them: names, locks, durability, leftovers."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from paraminspect.errors import CheckpointError, DurabilityError
from paraminspect.formats.files._descriptors import KINDS, reason

TEMPORARY_SUFFIX = ".paraminspect-tmp"
"""Ends the name of every temporary file, which begins with a dot and the name of the target."""

LOCK_SECONDS = 10
"""How long to wait for another program that holds the lock of the folder."""

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_TEMPORARY_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NAME_NBYTES = 200
"""Bytes of the target's name in a temporary one: no file system takes more than 255 in all."""


@contextmanager
def new_folder(path: Path) -> Iterator[None]:
    """A folder to write into; one that is made for it goes again if the block fails."""
    existed = path.exists()
    try:
        if not existed:
            _make_folder(path)
        yield
    except BaseException:
        if not existed:
            with suppress(OSError):
                path.rmdir()
        raise


def _make_folder(path: Path) -> None:
    try:
        path.mkdir()
    except OSError as error:
        raise failed(path, error) from None
    with open_folder(path.parent, path) as above:
        above.sync()


@contextmanager
def open_folder(path: Path, shown: Path) -> Iterator[Folder]:
    """A folder held open; leftovers of killed runs are removed. Errors name the path `shown`."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise CheckpointError(f"cannot write: {reason(error)}: {path}").at(shown) from None
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
            raise CheckpointError(f"cannot write: there is {kind}").at(self.shown)
        return status

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among the programs that lock this folder, while one file takes another's place."""
        deadline = time.monotonic() + LOCK_SECONDS
        while not try_lock(self.descriptor):
            if time.monotonic() > deadline:
                raise CheckpointError("another program has locked the folder").at(self.shown)
            time.sleep(0.01)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def sync(self) -> None:
        """Make names durable; raises `DurabilityError`, for they are in place already."""
        try:
            fsync(self.descriptor)
        except OSError as error:
            raise DurabilityError(
                f"written, but it may not survive a power cut:"
                f" the folder cannot be synced: {reason(error)}"
            ).at(self.shown) from None

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
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
        with suppress(OSError), ExitStack() as stack:
            descriptor = os.open(name, _TEMPORARY_FLAGS, dir_fd=self.descriptor)
            stack.callback(os.close, descriptor)
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and try_lock(descriptor):
                self.remove(name)

    def is_locked(self, name: str) -> bool:
        """Whether another run, which is alive, holds a lock on a temporary file."""
        try:
            descriptor = os.open(name, _TEMPORARY_FLAGS, dir_fd=self.descriptor)
        except OSError:
            return False
        try:
            return not try_lock(descriptor)
        finally:
            os.close(descriptor)


def temporary_name(name: str) -> str:
    """A name for a temporary file, hidden and telling whose it is and what for."""
    short = os.fsdecode(os.fsencode(name)[:_NAME_NBYTES])
    return f".{short}.{os.urandom(4).hex()}{TEMPORARY_SUFFIX}"


def failed(path: Path, error: OSError | ValueError) -> CheckpointError:
    """The error for a file that could not be written, when nothing has been changed yet."""
    text = reason(error) if isinstance(error, OSError) else str(error)
    return CheckpointError(f"cannot write: {text}; nothing was changed").at(path)


def exists_already(path: Path) -> CheckpointError:
    """The error for a file that would be overwritten and must not be."""
    return CheckpointError("exists already").at(path).unless(overwrite=True)


def fsync(descriptor: int) -> None:
    """Make the content of a file, or the names in a folder, durable."""
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: its fsync leaves the data in the drive's cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock, if nobody else has; a file system that has no locks lets everybody in."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
