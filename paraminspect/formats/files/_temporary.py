"""Bytes kept in a temporary file that has no name: it is gone when nobody holds it any more."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Callable

from paraminspect.formats.files._reading import write_all

PIECE_NBYTES = 1 << 20


class TemporaryFile:
    """A file of `size` bytes; `read_into` fills a buffer with those from an offset on.

    `number` is its descriptor, which stays its own.
    """

    def __init__(self, size: int, read_into: Callable[[memoryview, int], None]) -> None:
        with tempfile.TemporaryFile() as file:
            self.number = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.number)
        piece = bytearray(min(size, PIECE_NBYTES))
        for offset in range(0, size, PIECE_NBYTES):
            view = memoryview(piece)[: size - offset]
            read_into(view, offset)
            write_all(self.number, view, offset)

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> bool:
        """Fill `buffer` with the bytes from `offset` on; False if there are not as many."""
        view = memoryview(buffer)
        while view:
            got = os.preadv(self.number, [view], offset)
            if not got:
                return False
            view, offset = view[got:], offset + got
        return True
