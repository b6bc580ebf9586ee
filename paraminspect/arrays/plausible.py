"""Plausible sizes: a file of kilobytes that declares terabytes is not read from end to end.

HDF5 stores nothing of what was never written, so a shape alone can demand any number of values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from paraminspect.arrays import Array
from paraminspect.errors import CheckpointError

ALWAYS_NBYTES = 256 << 20
"""So much is read whatever the file holds."""

MAXIMUM_RATIO = 1100
"""Deflate makes data at most 1032 times smaller [https://zlib.net/zlib_tech.html]."""


class _Placed(Protocol):
    @property
    def path(self) -> Path:
        """Where a file is."""


@runtime_checkable
class _InFile(Protocol):
    @property
    def file(self) -> _Placed:
        """The file that holds the values."""


def check_plausible(name: str, data: Array, nbytes: int) -> None:
    """Raise `CheckpointError` if the file of `data` cannot hold `nbytes` bytes, however packed."""
    if nbytes <= ALWAYS_NBYTES or not isinstance(data, _InFile):
        return
    held = data.file.path.stat().st_size
    if nbytes > MAXIMUM_RATIO * held:
        raise CheckpointError(
            f"{data.file.path}: {name!r} would be {nbytes:,} bytes, of a file of {held:,}: most of"
            " it was never written, and is not read; an index reads a part"
        )
