"""Values on their way into a new file: copied by the kernel where they lie somewhere as they are
to be, made block by block on every core where not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from paraminspect.arrays import Array, Patched, block_ranges, count_elements
from paraminspect.errors import DTypeError
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import RegularFile, StoredArray
from paraminspect.runtime import Progress, for_each

MADE_NBYTES = 1 << 20
"""Bytes of values that one task makes: these, and what is computed on the way, fit a cache."""

COPY_NBYTES = 64 << 20
"""Bytes that one task copies."""


@dataclass(frozen=True)
class Placed:
    """An array and the byte of the new file at which its elements begin."""

    array: Array
    at: int


def transfer(placed: Iterable[Placed], new: NewFile) -> None:
    """Write the elements of arrays where they are to be, dense and in little-endian order."""
    for_each(partial(_do, new), _tasks(placed))


def check_values(arrays: Iterable[Array], progress: Progress) -> None:
    """Make all values that writing would make, for the errors that this may raise."""

    def check(block: Block) -> None:
        block.array.read(block.start, block.stop)
        progress(block.array.dtype.nbytes(block.stop - block.start))

    blocks = (task for task in _tasks(Placed(a, 0) for a in arrays) if isinstance(task, Block))
    for_each(check, blocks)


@dataclass(frozen=True)
class Copy:
    """Bytes of a file that go into the new one unchanged."""

    file: RegularFile
    offset: int
    nbytes: int
    at: int


@dataclass(frozen=True)
class Block:
    """Elements `start` to `stop` of an array, which go to byte `at`."""

    array: Array
    start: int
    stop: int
    at: int


def _tasks(placed: Iterable[Placed]) -> Iterator[Copy | Block]:
    parts = [
        part
        for array, at in sorted(((p.array, p.at) for p in placed), key=lambda pair: pair[1])
        for part in _parts(array, 0, count_elements(array.shape), at)
    ]
    yield from _pieces(_merged(part for part in parts if isinstance(part, Copy)))
    for block in (part for part in parts if isinstance(part, Block)):
        size = block.array.dtype.nbytes
        for start, stop in block_ranges(block.array, MADE_NBYTES, block.start, block.stop):
            yield Block(block.array, start, stop, block.at + size(start) - size(block.start))


def _parts(array: Array, start: int, stop: int, at: int) -> Iterator[Copy | Block]:
    """How to get elements `start` to `stop`, which go to byte `at`: copied where they can be."""
    if start >= stop:
        return
    size = array.dtype.nbytes
    if isinstance(array, Patched):
        low, high = (min(max(end, start), stop) for end in array.changed)
        yield from _parts(array.base, start, low, at)
        if low < high:
            yield Block(array, low, high, at + size(low) - size(start))
        yield from _parts(array.base, max(high, low), stop, at + size(max(high, low)) - size(start))
    elif isinstance(array, StoredArray) and (file := _copied_from(array)) is not None:
        yield Copy(file, array.offset + size(start), size(stop) - size(start), at)
    else:
        yield Block(array, start, stop, at)


def _copied_from(array: StoredArray) -> RegularFile | None:
    """The file in which the bytes of the array lie as they are to be, if it is a plain one."""
    if not isinstance(array.file, RegularFile):
        return None
    return array.file if array.byteorder == "<" or array.dtype.nbits <= 8 else None


def _merged(copies: Iterable[Copy]) -> Iterator[Copy]:
    """What lies together in both files is one copy."""
    run: Copy | None = None
    for copy in copies:
        if run is not None and (run.file, run.offset + run.nbytes, run.at + run.nbytes) == (
            copy.file,
            copy.offset,
            copy.at,
        ):
            run = Copy(run.file, run.offset, run.nbytes + copy.nbytes, run.at)
        else:
            if run is not None:
                yield run
            run = copy
    if run is not None:
        yield run


def _pieces(copies: Iterable[Copy]) -> Iterator[Copy]:
    for copy in copies:
        for done in range(0, copy.nbytes, COPY_NBYTES):
            length = min(COPY_NBYTES, copy.nbytes - done)
            yield Copy(copy.file, copy.offset + done, length, copy.at + done)


def _do(new: NewFile, task: Copy | Block) -> None:
    if isinstance(task, Copy):
        new.copy(task.file, task.offset, task.nbytes, task.at)
    else:
        new.write(_stored_bytes(task.array, task.start, task.stop), task.at)


def _stored_bytes(array: Array, start: int, stop: int) -> memoryview:
    """Elements as the format stores them: dense, in little-endian order."""
    import numpy as np

    if array.dtype.is_packed:
        raise DTypeError(f"values of the packed type {array.dtype} are only copied, not made")
    # The memory of a view would not do: the array may be strided, or one that others write to.
    values = np.ascontiguousarray(array.read(start, stop), array.dtype.to_numpy())
    raw = values.view(np.uint8)
    if sys.byteorder == "big":
        part = array.dtype.nbits // (16 if values.dtype.kind == "c" else 8)
        raw = raw.reshape(-1, part)[:, ::-1].copy()
    return raw.data
