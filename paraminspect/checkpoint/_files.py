"""Regular files, read with `pread`, and arrays that lie in them densely.

Never a memory map: a file cut short while mapped kills the process, and mapped pages count as
memory. Never a FIFO or a device: opening one can hang for ever.
"""

from __future__ import annotations

import math
import os
import stat
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paraminspect.arrays import DType, Shape
from paraminspect.errors import AddressError, CheckpointError, DTypeError
from paraminspect.indexing import gather

if TYPE_CHECKING:
    import numpy as np

_OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class RegularFile:
    """An open regular file. `identity` tells later whether it is still the same, unchanged."""

    def __init__(self, path: Path, descriptor: int, status: os.stat_result) -> None:
        self.path = path
        self.size = status.st_size
        self.identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    def pread_into(self, buffer: memoryview, offset: int) -> None:
        """Fill `buffer` from `offset` on; a file that ends before is a `CheckpointError`."""
        done = 0
        while done < len(buffer):
            try:
                got = os.preadv(self._descriptor, [buffer[done:]], offset + done)
            except OSError as error:
                raise CheckpointError(f"{self.path}: cannot read: {error.strerror}") from None
            if got == 0:
                raise CheckpointError(
                    f"{self.path}: the file ends at byte {offset + done},"
                    f" expected {len(buffer) - done} more: was it cut short while being read?"
                )
            done += got

    def read(self, offset: int, nbytes: int) -> bytes:
        """`nbytes` bytes from `offset` on."""
        buffer = bytearray(nbytes)
        self.pread_into(memoryview(buffer), offset)
        return bytes(buffer)


def open_regular(path: Path) -> RegularFile:
    """Open a file for reading; anything but a regular file is a `CheckpointError`."""
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot open: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        kind = "a FIFO" if stat.S_ISFIFO(status.st_mode) else "a folder or device"
        raise CheckpointError(f"{path}: not a regular file but {kind}")
    return RegularFile(path, descriptor, status)


class _Buffers(threading.local):
    """One buffer a thread, as large as the largest block that it has read."""

    def __init__(self) -> None:
        self.buffer = bytearray()


_buffers = _Buffers()


@dataclass(frozen=True, eq=False, slots=True)
class StoredArray:
    """A dense array in a file, in C order from byte `offset` on; values are read when asked for.

    `read` gives a view of a buffer that the thread's next `read` overwrites.
    """

    file: RegularFile
    offset: int
    shape: Shape
    dtype: DType
    byteorder: str = field(default="<")

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop` of the flattened array."""
        import numpy as np

        if self.dtype.nbits < 8:
            raise DTypeError(f"the packed values of {self.dtype} cannot be decoded")
        if not 0 <= start <= stop <= math.prod(self.shape):
            raise AddressError(f"elements {start} to {stop} are outside shape {list(self.shape)}")
        itemsize = self.dtype.nbits // 8
        nbytes = (stop - start) * itemsize
        if len(_buffers.buffer) < nbytes:
            _buffers.buffer = bytearray(nbytes)
        view = memoryview(_buffers.buffer)[:nbytes]
        self.file.pread_into(view, self.offset + start * itemsize)
        values = np.frombuffer(view, self.dtype.to_numpy())
        return values if self.byteorder == "<" else values.byteswap()

    def __getitem__(self, index: Any, /) -> np.ndarray[Any, Any]:
        return gather(self, index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        values = self[...]
        return values if dtype is None else values.astype(dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.shape)}, {self.dtype})"
