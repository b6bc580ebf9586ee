"""The open file as the library's driver wants it: a part of descriptor 3, read and written."""

from __future__ import annotations

import os
from typing import Any

from .answering import fail_to_write
from .rights import FILE_DESCRIPTOR


class Window:
    """The part of the file from `base` on that is an HDF5 file, of `size` bytes at first."""

    def __init__(self, base: int, size: int) -> None:
        self.base, self.size, self.at = base, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to an offset, counted from the end with `whence` 2."""
        self.at = offset + (self.size if whence == os.SEEK_END else 0)
        return self.at

    def tell(self) -> int:
        """Where the next read begins."""
        return self.at

    def readinto(self, buffer: Any) -> int:
        """Read, from the window alone."""
        view = memoryview(buffer).cast("B")[: max(0, self.size - self.at)]
        start = self.at
        # The library's driver does not ask how much it got: the system may give it in pieces.
        while view and (got := os.preadv(FILE_DESCRIPTOR, [view], self.base + self.at)):
            view = view[got:]
            self.at += got
        return self.at - start

    def write(self, buffer: Any) -> int:
        """Write all of it; the file grows with it."""
        view = memoryview(buffer).cast("B")
        nbytes = len(view)
        # Nor does it ask how much was written: what is missing would be missing from the file.
        while view:
            try:
                written = os.pwrite(FILE_DESCRIPTOR, view, self.base + self.at)
            except OSError as error:
                fail_to_write(error)
            view = view[written:]
            self.at += written
        self.size = max(self.size, self.at)
        return nbytes

    def truncate(self, size: int) -> int:
        """Let the file end here."""
        try:
            os.ftruncate(FILE_DESCRIPTOR, self.base + size)
        except OSError as error:
            fail_to_write(error)
        self.size = size
        return size

    def flush(self) -> None:
        """Nothing: what is written is with the system already."""
