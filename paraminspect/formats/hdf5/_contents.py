"""What an HDF5 file holds, as the library's process tells it: every word of that is checked.

The child parses a file that may be hostile, with a library that one changed byte can crash: what it
answers may be what the file made it answer. The parent believes nothing that could make it read
outside the HDF5 file, take memory without a limit, or take one thing for another:

- a row has the keys, types and ranges that rows have (`_dataset`), or no answer is used at all;
- no two objects have one path, and no dataset has another element size than its dtype;
- dense values end inside the extent (`_dense_bytes`). How many bytes they take follows from shape
  and element size, which are Python's integers and do not overflow. That `pread` would fail at the
  end of the file is not enough: inside an archive, bytes of other members follow the HDF5 file;
- chunks are checked when their places are asked for (`_chunk_index`).

Two datasets may share bytes: reading them is harmless. A new file may not (`_writing._placed`), for
there the values of one would overwrite those of the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from paraminspect.arrays import DTYPES, DType, Shape, count_elements
from paraminspect.errors import CheckpointError
from paraminspect.formats.files._reading import ByteSource, RegularFile, StoredArray
from paraminspect.formats.hdf5._chunked_array import ChunkedArray
from paraminspect.formats.hdf5._chunks import ChunkCache, ChunkedBytes
from paraminspect.formats.hdf5._filters import Filter
from paraminspect.formats.hdf5._layouts import CompactBytes, FilledBytes
from paraminspect.libhdf5.process import GARBAGE, Library, Source

MAXIMUM_RANK = 32
"""HDF5's own limit."""

_T = TypeVar("_T")


class HDF5Source(ByteSource, Source, Protocol):
    """A file that both this process and the library's can read."""

    @property
    def size(self) -> int:
        """How many bytes it has."""


@dataclass(frozen=True)
class Dataset:
    """A dataset. Without a dtype it is not a parameter, and `what` says what it is."""

    path: str
    address: int
    what: str
    dtype: DType | None
    byteorder: str
    shape: Shape
    itemsize: int
    offset: int | None
    chunk: Shape | None
    filters: tuple[Filter, ...]
    fill: bytes
    is_contiguous: bool

    @property
    def is_opaque(self) -> bool:
        """Whether its elements are mere bytes, of which the file tells only how many."""
        return self.dtype is None and self.what == "opaque"

    @property
    def bytes_dtype(self) -> DType:
        """The dtype of elements that are mere bytes."""
        return DType(f"void{8 * self.itemsize}", 8 * self.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes that all values take, stored densely."""
        return count_elements(self.shape) * self.itemsize


@dataclass
class Contents:
    """The objects of a file by path, in its order; `others` says of each what it is."""

    file: HDF5Source
    library: Library
    source: RegularFile
    """The file that was named: `file`, or the archive that it came from."""
    groups: list[str] = field(default_factory=list)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    _cache: ChunkCache = field(default_factory=ChunkCache)
    _arrays: dict[tuple[int, DType], StoredArray] = field(default_factory=dict)

    @property
    def asks_for_values(self) -> bool:
        """Whether reading values takes questions to the library."""
        return not all(dataset.is_contiguous for dataset in self.datasets.values())

    def attributes(self, wanted: list[tuple[str, str]]) -> list[Any]:
        """The values of attributes `(path of the owner, name)`: text, numbers, lists or None."""
        if not wanted:
            return []
        found, _ = self.library.ask("attributes", wanted=wanted)
        if type(found) is not list or len(found) != len(wanted):
            raise self.library.error(GARBAGE)
        return found

    def metadata(self, groups: Sequence[str] = ("",)) -> dict[str, str]:
        """The attributes of groups as text: anything else is written as JSON."""
        try:
            found = [self.library.ask("all_attributes", path=group)[0] for group in groups]
        finally:
            self.library.stop()
        if any(type(attributes) is not dict for attributes in found):
            raise self.library.error(GARBAGE)
        return {
            key: value if type(value) is str else json.dumps(value)
            for attributes in found
            for key, value in attributes.items()
        }

    def array(self, dataset: Dataset, dtype: DType | None = None) -> StoredArray:
        """The values of a dataset, not read yet; two links to one dataset give one array."""
        dtype = dtype or dataset.dtype
        assert dtype is not None
        key = dataset.address, dtype
        if key not in self._arrays:
            order: Literal["<", ">"] = ">" if dataset.byteorder == ">" else "<"
            self._arrays[key] = self._array(dataset, dtype, order)
        return self._arrays[key]

    def _array(self, dataset: Dataset, dtype: DType, order: Literal["<", ">"]) -> StoredArray:
        place = (self.library, dataset.path, dataset.shape, dataset.itemsize)
        if dataset.chunk is not None:
            chunks = (self.file, dataset.chunk, dataset.filters, self._cache)
            return ChunkedArray(ChunkedBytes(*place, dataset.fill, *chunks), dtype, order)
        source, offset = self._dense_bytes(dataset)
        return StoredArray(source, offset, dataset.shape, dtype, order)

    def _dense_bytes(self, dataset: Dataset) -> tuple[ByteSource, int]:
        """Where the bytes of a dataset without chunks are, and at which offset they begin there."""
        place = (self.library, dataset.path, dataset.shape, dataset.itemsize)
        if not dataset.is_contiguous:
            return CompactBytes(*place), 0
        if dataset.offset is None:
            return FilledBytes(*place, dataset.fill), 0
        if dataset.offset + dataset.nbytes > self.library.extent.size:
            raise self.library.error(
                f"truncated: dataset {dataset.path!r} would end outside of the file"
            )
        return self.file, self.library.extent.base + dataset.offset


def read_contents(file: HDF5Source, library: Library, source: RegularFile) -> Contents:
    """Walk over an HDF5 file; raises `CheckpointError`, and the library is stopped then."""
    try:
        return _read(file, library, source)
    except CheckpointError:
        library.stop()
        raise


def _read(file: HDF5Source, library: Library, source: RegularFile) -> Contents:
    rows, _ = library.ask("walk")
    contents = Contents(file, library, source)
    if type(rows) is not list:
        raise library.error(GARBAGE)
    try:
        for row in rows:
            _add(contents, row)
    except (KeyError, TypeError, ValueError):
        raise library.error(GARBAGE) from None
    return contents


def _add(contents: Contents, row: dict[str, Any]) -> None:
    """Check one row of the walk and take it in; raises what a wrong one makes Python raise."""
    path = _typed(row["path"], str)
    known = (contents.datasets, contents.links, contents.others)
    if any(path in place for place in known):
        raise contents.library.error(f"two objects are named {path!r}: the file is damaged")
    kind = row["kind"]
    if kind == "group":
        contents.groups.append(path)
    elif kind == "link":
        contents.links[path] = _typed(row["to"], str)
    elif kind == "other" and "shape" not in row:
        contents.others[path] = _typed(row["what"], str)
    else:
        contents.datasets[path] = _dataset(path, row)


def _dataset(path: str, row: dict[str, Any]) -> Dataset:
    shape = _lengths(row["shape"])
    itemsize = _typed(row["itemsize"], int)
    dtype = DTYPES[row["dtype"]] if row["kind"] == "dataset" else None
    if itemsize < 1 or (dtype and dtype.nbits != 8 * itemsize):
        raise ValueError
    offset = row.get("offset")
    if offset is not None and _typed(offset, int) < 0:
        raise ValueError
    chunk = None
    if "chunk" in row:
        chunk = _lengths(row["chunk"])
        if len(chunk) != len(shape) or 0 in chunk:
            raise ValueError
    filters = [
        Filter(_typed(code, int), tuple(_typed(value, int) for value in values))
        for code, values in row.get("filters", ())
    ]
    fill = bytes.fromhex(row.get("fill", "")) or bytes(itemsize)
    if len(fill) != itemsize:
        raise ValueError
    return Dataset(
        path,
        _typed(row["address"], int),
        _typed(row["what"], str),
        dtype,
        _typed(row["order"], str),
        shape,
        itemsize,
        offset,
        chunk,
        tuple(filters),
        fill,
        "offset" in row,
    )


def _lengths(values: Any) -> Shape:
    if len(values) > MAXIMUM_RANK:
        raise ValueError
    lengths = tuple(_typed(value, int) for value in values)
    if any(not 0 <= length < 1 << 64 for length in lengths):
        raise ValueError
    return lengths


def _typed(value: Any, kind: type[_T]) -> _T:
    if type(value) is not kind:
        raise TypeError
    return value
