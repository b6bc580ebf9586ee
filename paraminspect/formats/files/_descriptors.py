"""Descriptors of files that are read: few are open at once, however many files a model has.

A descriptor stays open while it is used, and then as long as few others have been used since.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from paraminspect.errors import CheckpointError

MOST_IDLE = 16
"""So many descriptors stay open that nobody uses; a shell may allow as few as 64 in all."""

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFSOCK: "a socket",
}
"""What a path may lead to instead of a regular file."""

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""O_NONBLOCK: opening a FIFO must not wait for a writer that never comes."""

_NONE_LEFT = (errno.EMFILE, errno.ENFILE)

_LOCK = threading.Lock()
"""Held for the moments in which a descriptor is opened, closed, taken or given back."""

os.register_at_fork(
    before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
)


class SystemRefusal(CheckpointError):  # noqa: N818 (what the user sees is a CheckpointError)
    """The system does not open or read a file: nothing is said of what the file holds."""


class Identity(NamedTuple):
    """What tells that a path still leads to the file, unchanged, that was opened once."""

    device: int
    inode: int
    nbytes: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """The identity in the result of `stat` or `fstat`."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class Descriptor:
    """The descriptor of a regular file: `with` gives it, open as long as the block lasts.

    Anything but a regular file, or nothing, is a `CheckpointError`; so is a file that is not the
    same any more when it is opened again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._users = 0
        with _LOCK:
            self._number, self.identity = _open(path, path)
            self._close: weakref.finalize[..., Any] | None = self._closer()
            _let_idle(self)
        self._place = path.absolute()  # the working folder may be another one by the next time

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_number": -1, "_users": 0, "_close": None}

    def __enter__(self) -> int:
        with _LOCK:
            if self._close is None:
                self._number, identity = _open(self._place, self.path)
                self._close = self._closer()
                if identity != self.identity:
                    self.close()
                    raise changed(self.path)
            self._users += 1
            _IDLE.pop(self._number, None)
            return self._number

    def __exit__(self, *_: object) -> None:
        with _LOCK:
            self._users -= 1
            if not self._users:
                _let_idle(self)

    def release(self) -> None:
        """Close it, unless it is used; it is opened again when it is needed."""
        with _LOCK:
            if not self._users:
                self.close()

    def close(self) -> None:
        """Close it; for those who hold the lock."""
        if self._close is not None:
            _IDLE.pop(self._number, None)
            self._close()
            self._close = None

    def _closer(self) -> weakref.finalize[..., Any]:
        return weakref.finalize(self, os.close, self._number)


_IDLE: OrderedDict[int, weakref.ref[Descriptor]] = OrderedDict()
"""Open descriptors that nobody uses, by number, the one that was used longest ago first.

The number of one that is gone can be another's by now: who comes with it takes the place.
"""


def _let_idle(descriptor: Descriptor) -> None:
    _IDLE.pop(descriptor._number, None)
    _IDLE[descriptor._number] = weakref.ref(descriptor)
    while len(_IDLE) > MOST_IDLE:
        _close_one()


def _close_one() -> None:
    """Close the one that was used longest ago; it may be gone already."""
    _, oldest = _IDLE.popitem(last=False)
    if (descriptor := oldest()) is not None:
        descriptor.close()


def _open(place: Path, shown: Path) -> tuple[int, Identity]:
    """Open a file; where the system allows no more of them, idle ones are closed for it."""
    while True:
        try:
            number = os.open(place, _FLAGS)
            break
        except OSError as error:
            if error.errno not in _NONE_LEFT or not _IDLE:
                raise SystemRefusal(f"cannot open: {reason(error)}").at(shown) from None
            _close_one()
        except ValueError:  # a NUL character
            raise CheckpointError("cannot open: not a possible file name").at(shown) from None
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise CheckpointError(f"not a regular file but {kind}").at(shown)
    return number, Identity.of(status)


def changed(path: Path) -> CheckpointError:
    """The error for a file of which two versions would be mixed."""
    return CheckpointError("the file has changed since it was opened").at(path)


def reason(error: OSError) -> str:
    """What the system says went wrong, for the middle of a message."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
