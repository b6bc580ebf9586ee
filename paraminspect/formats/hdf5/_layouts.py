"""The bytes of a dataset as if they lay densely, in C order, however the file keeps them."""

from __future__ import annotations

import math
from pathlib import Path

from paraminspect.arrays import Shape
from paraminspect.errors import CheckpointError
from paraminspect.libhdf5.process import Library


class DatasetBytes:
    """The bytes of one dataset, as those of a file; children know how to get them."""

    def __init__(self, library: Library, name: str, shape: Shape, itemsize: int) -> None:
        self.library = library
        self.name = name
        self.shape = shape
        self.itemsize = itemsize

    @property
    def path(self) -> Path:
        """The file, for messages."""
        return self.library.source.path

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """Fill `buffer` with the bytes from `offset` on."""
        view = memoryview(buffer)
        before, after = offset % self.itemsize, -(offset + len(view)) % self.itemsize
        if not before and not after:
            self.read_elements(view, offset // self.itemsize)
            return
        whole = bytearray(before + len(view) + after)
        self.read_elements(memoryview(whole), offset // self.itemsize)
        view[:] = memoryview(whole)[before : before + len(view)]

    def read_elements(self, buffer: memoryview, start: int) -> None:
        """Fill `buffer` with the bytes of the elements from the flat one `start` on."""
        raise NotImplementedError

    def release(self) -> None:
        """End the library's process, if one is left; the next question starts another."""
        self.library.stop()

    def error(self, message: str) -> CheckpointError:
        """The error of this dataset."""
        return self.library.error(f"dataset {self.name!r}: {message}")


class FilledBytes(DatasetBytes):
    """A dataset that was never written: its fill value, over and over."""

    def __init__(
        self, library: Library, name: str, shape: Shape, itemsize: int, fill: bytes
    ) -> None:
        super().__init__(library, name, shape, itemsize)
        self.fill = fill

    def read_elements(self, buffer: memoryview, start: int) -> None:  # noqa: ARG002
        """As `DatasetBytes` says."""
        buffer[:] = self.fill * (len(buffer) // self.itemsize)


class CompactBytes(DatasetBytes):
    """A dataset of at most 64 KiB inside its own header, which the library reads."""

    def read_elements(self, buffer: memoryview, start: int) -> None:
        """As `DatasetBytes` says."""
        count = list(self.shape)
        _, data = self.library.ask("slab", path=self.name, start=[0] * len(count), count=count)
        if len(data) != math.prod(count) * self.itemsize:
            raise self.error("the library gave another number of bytes")
        first = start * self.itemsize
        buffer[:] = memoryview(data)[first : first + len(buffer)]
