"""Files that hold values: regular files read with `pread`, and arrays that lie in them densely.

Never a memory map: a file cut short while mapped kills the process, and mapped pages count as
memory. Never a FIFO or a device: opening one can hang for ever.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from paraminspect.arrays import BLOCK_NBYTES, DTYPES, DType, Shape, count_elements
from paraminspect.arrays.indexed import Indexed
from paraminspect.errors import CheckpointError, DTypeError, counted
from paraminspect.formats.files._descriptors import (
    Descriptor,
    Identity,
    SystemRefusal,
    changed,
    reason,
)

if TYPE_CHECKING:
    import numpy as np

NATIVE: Literal["<", ">"] = "<" if sys.byteorder == "little" else ">"
"""The byte order of this machine, as NumPy writes it."""


class RegularFile:
    """A regular file that is read: open then, and after that as long as few others are.

    Reading is safe from several threads. A file that was closed is opened again by the next read,
    which fails if it is no longer the same: so a model of a thousand shards needs few descriptors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = Descriptor(path)
        self.watch: Callable[[RegularFile, int], None] | None = None
        """Called with the number of bytes just read or copied."""

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "watch": None}

    @property
    def identity(self) -> Identity:
        """What the file was when it was opened."""
        return self.descriptor.identity

    @property
    def size(self) -> int:
        """Bytes in the file when it was opened."""
        return self.identity.nbytes

    def release(self) -> None:
        """Close the file, unless it is being read. A later read opens it again."""
        self.descriptor.release()

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """Fill `buffer` with the bytes from `offset` on; `CheckpointError` if the file ends."""
        view = memoryview(buffer)
        with self.descriptor as descriptor:
            while view:
                try:
                    got = os.preadv(descriptor, [view], offset)
                except OSError as error:
                    why, place = f"cannot read: {reason(error)}", f"byte {offset}"
                    raise SystemRefusal(why, place).at(self.path) from None
                if not got:
                    self._check_unchanged(descriptor)
                    raise self._ends_early(offset, len(view))
                view = view[got:]
                offset += got
            self._check_unchanged(descriptor)
        self._tell(memoryview(buffer).nbytes)

    def _tell(self, nbytes: int) -> None:
        watch = self.watch  # which another thread may end
        if watch is not None:
            watch(self, nbytes)

    def check_unchanged(self) -> None:
        """Raise `CheckpointError` if the file is not what was opened, though nothing is read."""
        with self.descriptor as descriptor:
            self._check_unchanged(descriptor)

    def _check_unchanged(self, descriptor: int) -> None:
        """Values of two versions of a file would be a mixture that nobody ever saved."""
        if Identity.of(os.fstat(descriptor)) != self.identity:
            raise changed(self.path)

    def read(self, offset: int, nbytes: int) -> bytes:
        """`nbytes` bytes from `offset` on; no memory is taken for what the file does not hold."""
        if offset + nbytes > self.size:
            raise self._ends_early(self.size, offset + nbytes - self.size)
        buffer = bytearray(nbytes)
        self.pread_into(buffer, offset)
        return bytes(buffer)

    def copy_to(self, descriptor: int, offset: int, nbytes: int, at: int) -> None:
        """Copy bytes `offset` to `offset + nbytes` to byte `at` of another open file.

        By the kernel, which shares the blocks instead where the file system can. Raises
        `CheckpointError` if this file ends early, `OSError` if the other cannot be written.
        """
        end = offset + nbytes
        with self.descriptor as source:
            copied = self._copy_within_kernel(source, descriptor, offset, nbytes, at)
            offset, at = offset + copied, at + copied
            buffer = memoryview(bytearray(min(end - offset, BLOCK_NBYTES)))
            while offset < end:
                block = buffer[: end - offset]
                self.pread_into(block, offset)
                write_all(descriptor, block, at)
                offset, at = offset + len(block), at + len(block)
            self._check_unchanged(source)

    def _copy_within_kernel(
        self, source: int, descriptor: int, offset: int, nbytes: int, at: int
    ) -> int:
        """How many bytes were copied; with other file systems that can be fewer than all."""
        done = 0
        with suppress(OSError):
            while done < nbytes and hasattr(os, "copy_file_range"):
                copied = os.copy_file_range(
                    source, descriptor, nbytes - done, offset + done, at + done
                )
                if not copied:
                    break
                done += copied
        self._tell(done)
        return done

    def has_changed(self) -> bool:
        """Whether its path now leads to another file, or to this one with other content."""
        try:
            return Identity.of(self.path.stat()) != self.identity
        except OSError:
            return True

    def _ends_early(self, end: int, missing: int) -> CheckpointError:
        return CheckpointError(f"truncated: {counted(missing, 'byte')} missing", f"byte {end}").at(
            self.path
        )

    def __repr__(self) -> str:
        return f"RegularFile({str(self.path)!r})"


def open_regular(path: str | Path) -> RegularFile:
    """Open a regular file for reading; anything else, or nothing, is a `CheckpointError`.

    Symbolic links are followed: hub caches are made of them.
    """
    return RegularFile(Path(path))


def is_same_file(left: Path, right: Path) -> bool:
    """Whether two paths lead to one file or folder; a path that leads nowhere is like no other."""
    try:
        return left.samefile(right)
    except (OSError, ValueError):
        return False


def write_all(descriptor: int, data: bytes | memoryview, at: int) -> None:
    """Write all of `data` from byte `at` on; the system may take it in several pieces."""
    view = memoryview(data).cast("B")
    while view:
        written = os.pwrite(descriptor, view, at)
        view = view[written:]
        at += written


class ByteSource(Protocol):
    """Bytes at any offset: those of a file, or of a member of an archive."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """Fill `buffer` with the bytes from `offset` on; raises `CheckpointError`."""

    def release(self) -> None:
        """Close the file until the next read."""


class FileArray(Indexed):
    """An `Array` whose values are in a file: children know how to read them in C order.

    Nothing is read before it is asked for, and then no more than that.
    """

    __slots__ = ("dtype", "file", "shape")

    shape: Shape
    dtype: DType

    def __init__(self, file: ByteSource, shape: Shape, dtype: DType) -> None:
        self.file = file
        self.shape = shape
        self.dtype = dtype

    def __repr__(self) -> str:
        if self.dtype.is_packed:  # not decoded
            return f"{type(self).__name__}({list(self.shape)}, {self.dtype})"
        return super().__repr__()

    def __str__(self) -> str:
        return repr(self) if self.dtype.is_packed else super().__str__()


class StoredArray(FileArray):
    """An `Array` whose elements lie densely, in C order, in a file from byte `offset` on."""

    __slots__ = ("byteorder", "offset")

    def __init__(
        self,
        file: ByteSource,
        offset: int,
        shape: Shape,
        dtype: DType,
        byteorder: Literal["<", ">"] = "<",
    ) -> None:
        super().__init__(file, shape, dtype)
        self.offset = offset
        self.byteorder = byteorder

    @property
    def nbytes(self) -> int:
        """Bytes that the array takes in the file."""
        return self.dtype.nbytes(count_elements(self.shape))

    @property
    def packed_bytes(self) -> StoredArray:
        """The bytes of the array as they lie in the file, as a 1-D array of uint8."""
        return StoredArray(self.file, self.offset, (self.nbytes,), DTYPES["uint8"])

    def read(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Elements `start` to `stop`, 1-D, in native byte order; `DTypeError` for packed types.

        The memory is used again once neither the result nor a view of it is left.
        """
        import numpy as np

        if self.dtype.is_packed:
            raise DTypeError(f"values of the packed type {self.dtype} are not decoded").at(
                self.file.path
            )
        self.check_range(start, stop)
        itemsize = self.dtype.nbits // 8
        raw = recycled((stop - start) * itemsize)
        self.file.pread_into(raw.data, self.offset + start * itemsize)
        if self.byteorder != NATIVE:
            part = itemsize // 2 if self.dtype.name.startswith("complex") else itemsize
            raw.view(f"u{part}").byteswap(inplace=True)
        if self.dtype.name == "bool":
            # Any byte but 0 is True, and has to be 1 in a NumPy array.
            np.not_equal(raw, 0, out=raw.view(np.bool_))
        return raw.view(self.dtype.to_numpy())


class _Pool(threading.local):
    """Buffers of one thread, each with a weak reference to the array over it, dead or alive."""

    def __init__(self) -> None:
        self.buffers: list[tuple[bytearray, weakref.ref[np.ndarray[Any, Any]]]] = []


_POOL = _Pool()

_POOL_LENGTH = 4
"""What a loop that compares two files holds: two results, and the two of the round before."""


def recycled(nbytes: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Bytes of any content, in memory that no living array uses.

    Fresh memory for each block would cost page faults, a third of the time of reading it.
    """
    import numpy as np

    if nbytes > BLOCK_NBYTES:
        return np.empty(nbytes, np.uint8)
    buffers = _POOL.buffers
    free = next((i for i, (_, user) in enumerate(buffers) if user() is None), len(buffers))
    buffer = buffers[free][0] if free < len(buffers) else bytearray()
    if len(buffer) < nbytes:
        buffer = bytearray(nbytes)
    # Over a bytearray, not over an array: then every view keeps this very object alive.
    array = np.frombuffer(buffer, np.uint8, nbytes)
    if free < _POOL_LENGTH:
        buffers[free : free + 1] = [(buffer, weakref.ref(array))]
    return array
