"""What a new file keeps of the one that it replaces: owner, mode, access list, own attributes."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

_ACCESS_LIST = "system.posix_acl_access"
_OWN = "user."
"""Extended attributes that people and programs give to files; the system makes others itself."""

_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def keep_of_old(descriptor: int, old: os.stat_result, name: str, folder: int) -> None:
    """Give an open file what `old` has, which is the file of a name in an open folder.

    What the system refuses to set stays as it is, but for a mode that lets others do more than
    the old one, whose `OSError` is raised: some file systems have no modes (FAT, shares).
    """
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with suppress(OSError):  # only root may give files away
            os.fchown(descriptor, old.st_uid, old.st_gid)
    if stat.S_IMODE(new.st_mode) != stat.S_IMODE(old.st_mode):
        try:
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        except OSError:
            if new.st_mode & ~old.st_mode & _OF_OTHERS:
                raise
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            _keep_attributes(descriptor, name, folder)


def _keep_attributes(descriptor: int, name: str, folder: int) -> None:
    source = os.open(name, _FLAGS, dir_fd=folder)
    try:
        had, has = _attributes(source), _attributes(descriptor)
    finally:
        os.close(source)
    for key, value in had.items():
        if has.get(key) != value:
            with suppress(OSError):
                os.setxattr(descriptor, key, value)
    for key in has.keys() - had:  # an access list that the folder gives to new files
        with suppress(OSError):
            os.removexattr(descriptor, key)


def _attributes(descriptor: int) -> dict[str, bytes]:
    keys = [k for k in os.listxattr(descriptor) if k.startswith(_OWN) or k == _ACCESS_LIST]
    return {key: os.getxattr(descriptor, key) for key in keys}
