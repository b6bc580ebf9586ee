"""safetensors written: the header made here, values copied by the kernel or made block by block.

The order of the tree is kept, in the header and in the data, unless a tensor would not be aligned
to its elements; then wider dtypes come first, as in the library. Ties are recorded as
`safetensors.torch.save_model` does: one copy, and `{alias: own name}` in the metadata.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paraminspect.arrays import Array, DType, Patched, block_ranges, count_elements
from paraminspect.checkpoint._content import MAXIMUM_HEADER_NBYTES
from paraminspect.checkpoint._files import RegularFile, StoredArray, open_regular
from paraminspect.checkpoint._json import shown
from paraminspect.checkpoint._safetensors import (
    CODES_BY_DTYPE,
    FRAMEWORK_KEY,
    METADATA,
    is_tie,
    read_header,
)
from paraminspect.checkpoint._writing import NewFile, replacing
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError, TieError
from paraminspect.parallel import for_each
from paraminspect.tree import ParameterTree

HEADER_ALIGNMENT = 8
"""The header is padded with spaces, so that the data begins at a multiple of this."""

COPY_NBYTES = 1 << 26
"""Bytes that one task copies."""


def save_safetensors(tree: ParameterTree, path: Path, *, overwrite: bool) -> None:
    """Write all parameters of a tree into one file."""
    try:
        layout = lay_out({p.name: p.data for p in tree.parameters()}, stored_metadata(tree))
    except ParamInspectError as error:
        raise type(error)(f"{path}: {error}") from None
    with replacing(path, layout.nbytes, inputs=tree.files, overwrite=overwrite) as new:
        fill(new, layout)


def stored_metadata(tree: ParameterTree) -> dict[str, str]:
    """The metadata that the file is to have: what the tree carries, and its ties."""
    own = {p.name for p in tree.parameters()}
    for alias in tree.ties:
        if alias == FRAMEWORK_KEY or tree.metadata.get(alias, alias) not in tree.entries:
            raise TieError(f"cannot record the tie of {alias!r}: the metadata has that key already")
    kept = {k: v for k, v in tree.metadata.items() if not is_tie(k, v, own) or k in tree.ties}
    return {**kept, **tree.ties}


@dataclass(frozen=True)
class Placed:
    """An array and the byte of the new file at which its elements begin."""

    name: str
    array: Array
    at: int


@dataclass(frozen=True)
class Layout:
    """What a new file will consist of."""

    header: bytes
    tensors: tuple[Placed, ...]
    metadata: Mapping[str, str]
    nbytes: int


def lay_out(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> Layout:
    """Where everything is to be; raises `CheckpointError` or `DTypeError` for what cannot be."""
    begins, end = _begins(arrays)
    entries: dict[str, object] = {METADATA: metadata} if metadata else {}
    for name, array in arrays.items():
        if name == METADATA:
            raise CheckpointError(f"a safetensors file cannot hold a parameter named {name!r}")
        begin = begins[name]
        entries[name] = {
            "dtype": _code(name, array.dtype),
            "shape": array.shape,
            "data_offsets": (begin, begin + _nbytes(array)),
        }
    header = _encode(entries)
    start = len(header)
    tensors = tuple(Placed(name, array, start + begins[name]) for name, array in arrays.items())
    return Layout(header, tensors, metadata, len(header) + end)


def _begins(arrays: Mapping[str, Array]) -> tuple[dict[str, int], int]:
    """Where each array begins in the data, and where the last one ends."""
    begins, end = _one_after_another(arrays)
    if any(begins[name] % _alignment(array) for name, array in arrays.items()):
        wide_first = sorted(arrays, key=lambda name: -_alignment(arrays[name]))
        begins, end = _one_after_another({name: arrays[name] for name in wide_first})
    return begins, end


def _one_after_another(arrays: Mapping[str, Array]) -> tuple[dict[str, int], int]:
    begins: dict[str, int] = {}
    end = 0
    for name, array in arrays.items():
        begins[name] = end
        end += _nbytes(array)
    return begins, end


def _nbytes(array: Array) -> int:
    return array.dtype.nbytes(count_elements(array.shape))


def _alignment(array: Array) -> int:
    return max(array.dtype.nbits // 8, 1)


def _code(name: str, dtype: DType) -> str:
    code = CODES_BY_DTYPE.get(dtype)
    if code is None:
        raise DTypeError(f"{name}: a safetensors file cannot hold {dtype}; cast it with --dtype")
    return code


def _encode(entries: Mapping[str, object]) -> bytes:
    try:
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"a name or metadata holds a lone surrogate: {shown(error.object[error.start :])}"
        ) from None
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    if len(text) > MAXIMUM_HEADER_NBYTES:
        raise CheckpointError(
            f"the header would have {len(text)} bytes, the format allows {MAXIMUM_HEADER_NBYTES}"
        )
    return len(text).to_bytes(8, "little") + text


def fill(new: NewFile, layout: Layout) -> None:
    """Write header and values into a new file of the right length, and check how it reads."""
    new.write(layout.header, 0)
    for_each(partial(_do, new), _tasks(layout))
    _check(new.path, layout)


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


def _tasks(layout: Layout) -> Iterator[Copy | Block]:
    parts = [
        part
        for placed in sorted(layout.tensors, key=lambda placed: placed.at)
        for part in _parts(placed.array, 0, count_elements(placed.array.shape), placed.at)
    ]
    yield from _pieces(_merged(part for part in parts if isinstance(part, Copy)))
    for block in (part for part in parts if isinstance(part, Block)):
        size = block.array.dtype.nbytes
        for start, stop in block_ranges(block.array, start=block.start, stop=block.stop):
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

    if array.dtype.nbits % 8:
        raise DTypeError(f"values of the packed type {array.dtype} are only copied, not made")
    # The memory of a view would not do: the array may be strided, or one that others write to.
    values = np.ascontiguousarray(array.read(start, stop), array.dtype.to_numpy())
    raw = values.view(np.uint8)
    if sys.byteorder == "big":
        part = array.dtype.nbits // (16 if values.dtype.kind == "c" else 8)
        raw = raw.reshape(-1, part)[:, ::-1].copy()
    return raw.data


def _check(path: Path, layout: Layout) -> None:
    """Raise `CheckpointError` unless our reader, and the library, read what was to be written."""
    try:
        header = read_header(open_regular(path))
    except CheckpointError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise CheckpointError(f"what was written cannot be read back: {message}") from None
    read = {n: (a.shape, a.dtype, a.offset) for n, a in header.arrays.items()}
    meant = {t.name: (tuple(t.array.shape), t.array.dtype, t.at) for t in layout.tensors}
    if list(read.items()) != list(meant.items()) or dict(header.metadata) != dict(layout.metadata):
        raise CheckpointError("what was written reads back as something else")
