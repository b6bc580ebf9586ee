"""A new HDF5 file, or a copy of one that is changed.

A new dataset is laid out contiguously and its space is taken at once, so that who asked can write
the values there: they never pass through this process. Only values that are laid out otherwise do.
"""

from __future__ import annotations

from typing import Any

from .reading import Reader
from .rights import bytes_of
from .window import Window

ALIGNED_NBYTES, ALIGNMENT = 1024, 64
"""Values of so many bytes begin at a multiple of a cache line."""

_COPY = b".paraminspect-copy"
"""What a dataset is called until the name that it is to have is free."""


class Creator:
    """A file that is made."""

    def __init__(self, h5: Any, base: int, size: int) -> None:
        self.h5 = h5
        self.seconds = 0.0
        self.window = Window(base, size)
        access = h5.h5p.create(h5.h5p.FILE_ACCESS)
        access.set_fileobj_driver(h5.h5fd.fileobj_driver, self.window)
        access.set_alignment(ALIGNED_NBYTES, ALIGNMENT)
        access.set_libver_bounds(h5.h5f.LIBVER_EARLIEST, h5.h5f.LIBVER_LATEST)
        root = _in_order(h5.h5p.create(h5.h5p.FILE_CREATE), h5)
        self.file = h5.h5f.create(b"file", h5.h5f.ACC_TRUNC, root, access)
        self.groups = {""}

    def create(self, objects: list[Any], texts: list[tuple[str, str, str]]) -> list[int | None]:
        """Make datasets `(path, shape, dtype, bytes of an element)` and hard links `(alias, path)`
        in their order, and attributes of groups `(path, attribute, text)`, with the groups.

        Without bytes of an element the dtype is one of NumPy's; with them the elements are mere
        bytes, and an attribute says of which dtype. The offset of each dataset's values is told,
        None of one without any.
        """
        for path, name, text in texts:
            self._make_groups(path + "/")
            group = self.h5.h5g.open(self.file, bytes_of(path or "/"))
            self._write_text(group, name, text)
        offsets = []
        for path, *what in objects:
            self._make_groups(path)
            if len(what) == 1:
                link(self.h5, self.file, path, what[0])
                continue
            dataset = self._make(path, *what)
            offsets.append(dataset.get_offset() if dataset.get_storage_size() else None)
        return offsets

    def close(self) -> int:
        """End the file, and tell its size."""
        self.h5.h5f.flush(self.file)
        self.file.close()
        return self.window.size

    def _make_groups(self, path: str) -> None:
        """Make the groups above a path that are not there yet."""
        above = path.rpartition("/")[0]
        if above not in self.groups:
            self._make_groups(above)
            self.groups.add(above)
            order = _in_order(self.h5.h5p.create(self.h5.h5p.GROUP_CREATE), self.h5)
            self.h5.h5g.create(self.file, bytes_of(above), gcpl=order)

    def _make(self, path: str, shape: list[int], dtype: str, nbytes: int) -> Any:
        h5 = self.h5
        how = h5.h5p.create(h5.h5p.DATASET_CREATE)
        how.set_layout(h5.h5d.CONTIGUOUS)
        how.set_alloc_time(h5.h5d.ALLOC_TIME_EARLY)
        how.set_fill_time(h5.h5d.FILL_TIME_NEVER)
        how.set_obj_track_times(False)  # so that two runs make the same bytes
        space = h5.h5s.create_simple(tuple(shape)) if shape else h5.h5s.create(h5.h5s.SCALAR)
        if nbytes:
            kind = h5.h5t.create(h5.h5t.OPAQUE, nbytes)
        else:
            kind = h5.h5t.py_create(h5.np.dtype(dtype).newbyteorder("<"), logical=True)
        dataset = h5.h5d.create(self.file, bytes_of(path), kind, space, how)
        if nbytes and dtype:
            self._write_text(dataset, "dtype", dtype)
        return dataset

    def _write_text(self, owner: Any, name: str, text: str) -> None:
        h5 = self.h5
        # Of variable length: Keras compares the attribute `dtype` with a str.
        kind = h5.np.dtype("O", metadata={"vlen": str})
        space = h5.h5s.create(h5.h5s.SCALAR)
        attribute = h5.h5a.create(
            owner, bytes_of(name), h5.h5t.py_create(kind, logical=True), space
        )
        attribute.write(h5.np.array(text, kind))


def _in_order(how: Any, h5: Any) -> Any:
    """Let a group keep the order in which links are made; and no times, else no two are alike."""
    how.set_link_creation_order(h5.h5p.CRT_ORDER_TRACKED | h5.h5p.CRT_ORDER_INDEXED)
    how.set_obj_track_times(False)
    return how


class Editor(Reader):
    """A copy of a file, open to be changed."""

    def __init__(self, h5: Any, base: int, size: int) -> None:
        super().__init__(h5, base, size, writable=True)

    def tie(self, links: list[tuple[str, str]]) -> None:
        """Let each alias, which is there, become another name of its own name's dataset."""
        for alias, own in links:
            group, name = self._place(alias)
            group.unlink(name)
            link(self.h5, self.file, alias, own)

    def add(self, links: list[tuple[str, str]]) -> None:
        """Make each alias, which is not there, another name of its own name's dataset."""
        for alias, own in links:
            link(self.h5, self.file, alias, own)

    def untie(self, paths: list[str]) -> None:
        """Give each path a dataset of its own: a copy of the one that it has."""
        for path in paths:
            group, name = self._place(path)
            self.h5.h5o.copy(group, name, group, _COPY)
            group.unlink(name)
            group.move(_COPY, name)

    def write(self, path: str, start: list[int], count: list[int], payload: bytes) -> None:
        """Write a box of a dataset, given as bytes in C order as they are to be stored."""
        dataset = self._open(path)
        space = dataset.get_space()
        memory = self._select(space, start, count)
        values = self.h5.np.frombuffer(payload, self.h5.np.uint8)
        dataset.write(memory, space, values, dataset.get_type())

    def close(self) -> int:
        """End the file, and tell its size."""
        self.h5.h5f.flush(self.file)
        self.root._close()
        self.file.close()
        return self.window.size


def making_groups(h5: Any) -> Any:
    """How to make a link in groups that are not there yet."""
    how = h5.h5p.create(h5.h5p.LINK_CREATE)
    how.set_create_intermediate_group(True)
    return how


def link(h5: Any, file: Any, alias: str, own: str) -> None:
    """Make a hard link."""
    file.links.create_hard(bytes_of(alias), file, bytes_of(own), making_groups(h5))
