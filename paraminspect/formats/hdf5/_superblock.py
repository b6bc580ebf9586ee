"""The superblock of an HDF5 file: where it is, and whether all that it tells of is there.

Checked before the library is asked: an incomplete download is the most common damage, and it takes
no process to tell. Layout: "HDF5 File Format Specification Version 3.0", section II.A.
"""

from __future__ import annotations

from typing import Protocol

from paraminspect.errors import CheckpointError, counted
from paraminspect.formats._format import FIRST_NBYTES
from paraminspect.libhdf5.process import Extent
from paraminspect.libhdf5.signature import find_hdf5

SUPERBLOCK_NBYTES = 64

_VERSION_AT = 8
_LAYOUTS = {0: (13, 24), 1: (13, 28), 2: (9, 12), 3: (9, 12)}
"""By version: where the size of an address stands, and where the addresses begin."""
_BASE, _END = 0, 2
"""Of the addresses, the first is where the file begins, the third where it ends."""


class Readable(Protocol):
    """Bytes with an end: a file, or a member of an archive."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, nbytes: int) -> bytes:
        """`nbytes` bytes from `offset` on."""


def find_extent(file: Readable) -> Extent:
    """Where the HDF5 file lies in a file, perhaps behind a user block.

    Raises `CheckpointError`, without naming the file, if there is none or its end is missing.
    """
    base = find_hdf5(file.read(0, min(file.size, FIRST_NBYTES)))
    if base is None:
        raise CheckpointError("not an HDF5 file")
    extent = Extent(base, file.size - base)
    wanted = _told_size(file.read(base, min(extent.size, SUPERBLOCK_NBYTES)))
    if wanted > extent.size:
        missing = wanted - extent.size
        raise CheckpointError(
            f"truncated: {missing} of the {counted(wanted, 'byte')} of HDF5 missing"
        )
    return extent


def _told_size(superblock: bytes) -> int:
    """The bytes that the file should have, as it says itself; what it at least takes if cut off."""
    if len(superblock) <= _VERSION_AT or superblock[_VERSION_AT] not in _LAYOUTS:
        return _VERSION_AT + 1
    size_at, begin = _LAYOUTS[superblock[_VERSION_AT]]
    nbytes = superblock[size_at] if len(superblock) > size_at else 8
    least = begin + (_END + 1) * nbytes
    if len(superblock) < least:
        return least
    addresses = [superblock[begin + i * nbytes :][:nbytes] for i in (_BASE, _END)]
    base, end = (int.from_bytes(address, "little") for address in addresses)
    return end - base
