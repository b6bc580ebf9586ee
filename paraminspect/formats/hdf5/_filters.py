"""HDF5's filters undone: deflate, shuffle and Fletcher's checksum, with bounded memory.

Specification: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html ("Data Storage -
Filter Pipeline Message"); the checksum is [Fletcher 1982] over 16-bit words.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from paraminspect.errors import CheckpointError, counted

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
KNOWN = frozenset((DEFLATE, SHUFFLE, FLETCHER32))

_CHECKSUM_NBYTES = 4


class Filter(NamedTuple):
    """One step that values went through when they were written."""

    code: int
    values: tuple[int, ...]


Bytes = bytes | memoryview


def undo_filters(raw: Bytes, filters: Sequence[Filter], skipped: int, nbytes: int) -> Bytes:
    """The `nbytes` bytes that `filters` made `raw` from; bit i of `skipped`: not the i-th one.

    Raises `CheckpointError`, without naming the file.
    """
    for i in reversed(range(len(filters))):
        if skipped >> i & 1:
            continue
        code, values = filters[i]
        if code == FLETCHER32:
            raw = _checked(raw)
        elif code == SHUFFLE:
            raw = _unshuffled(raw, values[0] if values else 1)
        else:
            raw = _inflated(raw, nbytes + _CHECKSUM_NBYTES * i)
    if len(raw) != nbytes:
        raise CheckpointError(f"stored as {counted(len(raw), 'byte')} instead of {nbytes}")
    return raw


def _inflated(raw: Bytes, most: int) -> bytes:
    decoder = zlib.decompressobj()
    try:
        made = decoder.decompress(raw, most + 1)
    except zlib.error as error:
        raise CheckpointError(f"cannot inflate: {str(error).rpartition(': ')[2]}") from None
    if len(made) > most:
        raise CheckpointError(
            f"it inflates to more than the {counted(most, 'byte')} that it should have"
        )
    if not decoder.eof:
        raise CheckpointError("the compressed data end too early")
    return made


def _unshuffled(raw: Bytes, itemsize: int) -> Bytes:
    """First bytes of all elements, then second ones, ...: back to element by element."""
    import numpy as np

    if itemsize < 2:
        return raw
    count = len(raw) // itemsize
    planes = np.frombuffer(raw, np.uint8, count * itemsize).reshape(itemsize, count)
    return planes.T.tobytes() + bytes(raw[count * itemsize :])


def _checked(raw: Bytes) -> Bytes:
    import numpy as np

    body, stored = raw[:-_CHECKSUM_NBYTES], raw[-_CHECKSUM_NBYTES:]
    words = np.frombuffer(bytes(body) + bytes(len(body) % 2), ">u2").astype(np.uint64)
    first = int(words.sum()) % 65535
    # The second sum takes the first one of all beginnings: a word counts as often as words follow.
    weights = np.arange(words.size, 0, -1, dtype=np.uint64) % np.uint64(65535)
    second = int((words * weights % np.uint64(65535)).sum()) % 65535
    told = int.from_bytes(stored, "little")
    # A sum of 65535 is one of 0; old versions of the library swapped the bytes of each.
    ways = ((told & 0xFFFF, told >> 16), (_swapped(told & 0xFFFF), _swapped(told >> 16)))
    if (first, second) not in [(one % 65535, two % 65535) for one, two in ways]:
        raise CheckpointError("its checksum is another")
    return body


def _swapped(word: int) -> int:
    return word >> 8 | (word & 0xFF) << 8
