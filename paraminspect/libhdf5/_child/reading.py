"""The open HDF5 file, and the answers to what is asked of it."""

from __future__ import annotations

from array import array
from typing import Any

from .rights import RefusedError, bytes_of, in_steps, text_of
from .walking import Row, Walk, follow
from .window import Window

MAXIMUM_CHUNKS = 2_000_000
MAXIMUM_ATTRIBUTE_NBYTES = 16 << 20
MAXIMUM_SLAB_NBYTES = 256 << 20


class Reader:
    """The file; each public method answers one kind of question."""

    def __init__(self, h5: Any, base: int, size: int, writable: bool = False) -> None:
        self.h5 = h5
        self.seconds = 0.0
        self.window = Window(base, size)
        access = h5.h5p.create(h5.h5p.FILE_ACCESS)
        access.set_fileobj_driver(h5.h5fd.fileobj_driver, self.window)
        flags = h5.h5f.ACC_RDWR if writable else h5.h5f.ACC_RDONLY
        self.file = h5.h5f.open(b"file", flags, access)
        self.root = h5.h5g.open(self.file, b"/")

    def walk(self) -> list[Row]:
        """A row for every group, dataset and soft link, in the order of the file."""
        return Walk(self.h5, self.root, self.seconds).run()

    def attributes(self, wanted: list[tuple[str, str]]) -> list[Any]:
        """The value of each attribute `(path of its owner, name)`; None where there is none."""
        found = []
        path, owner = None, None
        for owner_path, name in in_steps(wanted, self.seconds):
            if owner_path != path:
                path, owner = owner_path, self._open(owner_path)
            present = self.h5.h5a.exists(owner, bytes_of(name))
            found.append(self._attribute(owner, bytes_of(name)) if present else None)
        return found

    def all_attributes(self, path: str) -> Row:
        """The attributes of the object at a path, by name."""
        owner, names = self._open(path), list[bytes]()
        self.h5.h5a.iterate(owner, names.append)
        return {text_of(name): self._attribute(owner, name) for name in names}

    def chunks(self, path: str) -> tuple[int, Any]:
        """How many chunks are stored; and of each its position, offset, bytes and filter mask."""
        dataset, table = self._open(path), array("Q")
        width = dataset.rank + 3

        def add(chunk: Any) -> None:
            table.extend(chunk.chunk_offset)
            table.extend((chunk.byte_offset or 0, chunk.size, chunk.filter_mask))
            if len(table) > MAXIMUM_CHUNKS * width:
                raise RefusedError(f"{path!r} has more than {MAXIMUM_CHUNKS} chunks")

        dataset.chunk_iter(add)
        return len(table) // width, memoryview(table).cast("B")

    def slab(self, path: str, start: list[int], count: list[int]) -> tuple[int, Any]:
        """How many, and which bytes a box of a dataset has: in C order, as they are stored."""
        h5, dataset = self.h5, self._open(path)
        kind, space = dataset.get_type(), dataset.get_space()
        nbytes = kind.get_size()
        for length in count:
            nbytes *= length
        if nbytes > MAXIMUM_SLAB_NBYTES:
            raise RefusedError(f"a part of {path!r} takes more than {MAXIMUM_SLAB_NBYTES} bytes")
        values = h5.np.empty(nbytes, h5.np.uint8)
        dataset.read(self._select(space, start, count), space, values, kind)
        return nbytes, values.data

    def _select(self, space: Any, start: list[int], count: list[int]) -> Any:
        """Select a box of a dataset's space; the space in memory that it fills."""
        if not count:
            return self.h5.h5s.create(self.h5.h5s.SCALAR)
        space.select_hyperslab(tuple(start), tuple(count))
        return self.h5.h5s.create_simple(tuple(count))

    def _open(self, path: str) -> Any:
        """The object at a path, reached by hard links alone."""
        if not path:
            return self.root
        group, name = self._place(path)
        self._check_hard(group, name, path)
        return self.h5.h5o.open(group, name)

    def _place(self, path: str) -> tuple[Any, bytes]:
        """The group that holds the link at a path, reached by hard links, and its name there."""
        *above, last = bytes_of(path).split(b"/")
        group = self.root
        for name in above:
            self._check_hard(group, name, path)
            group = self.h5.h5o.open(group, name)
        return group, last

    def _check_hard(self, group: Any, name: bytes, path: str) -> None:
        if follow(self.h5, group, name, path)[1] is not None:
            raise RefusedError(f"{path!r} passes through a soft link")

    def _attribute(self, owner: Any, name: bytes) -> Any:
        """The value of an attribute as JSON has it: text, a number, or lists of these."""
        attribute = self.h5.h5a.open(owner, name)
        space, itemsize = attribute.get_space(), attribute.get_type().get_size()
        if space.get_simple_extent_type() == self.h5.h5s.NULL:
            return None
        if space.get_simple_extent_npoints() * itemsize > MAXIMUM_ATTRIBUTE_NBYTES:
            raise RefusedError(f"the attribute {text_of(name)!r} is larger than 16 MiB")
        values = self.h5.np.empty(attribute.shape, attribute.dtype)
        attribute.read(values)
        return _as_json(values.tolist())


def _as_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, bytes):
        return text_of(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
