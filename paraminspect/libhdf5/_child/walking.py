"""The walk over a file: a row for every group, dataset and link, in the order of the file.

By hand: the library's own visitor reports an object of two names under one of them only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .rights import ITEMS_AT_ONCE, RefusedError, allow_seconds, in_steps, text_of
from .types import dtype_of

MAXIMUM_DEPTH = 100
MAXIMUM_LINKS = 1_000_000
MAXIMUM_REPEATED_GROUPS = 10_000
"""Groups reached by a second hard link: each such link can double what a small file lists."""
LINKS_A_SECOND = 20_000
"""What making and sending an answer takes of the processor, at the least."""

_USER_DEFINED = 2
"""H5D_FILL_VALUE_USER_DEFINED, which h5py does not name."""

Row = dict[str, Any]


class Link(NamedTuple):
    """A link as its group keeps it; the address is that of a hard one."""

    name: bytes
    type: int
    address: Any


class Walk:
    """One walk from the root on; `rows` are found by `run`."""

    def __init__(self, h5: Any, root: Any, seconds: float) -> None:
        self.h5 = h5
        self.seconds = seconds
        self.rows: list[Row] = []
        self.datasets: dict[int, Row] = {}
        self.groups: set[int] = set()
        self.repeated = 0
        address = h5.h5o.get_info(root).addr
        self.ancestors = {address: ""}
        self.stack: list[tuple[Any, str, Iterator[Link]]] = [(root, "", self._links(root))]

    def run(self) -> list[Row]:
        """Walk, with no recursion: groups can be nested deeper than Python can go."""
        for number, (group, path, link) in enumerate(in_steps(self._next_links(), self.seconds)):
            if number == MAXIMUM_LINKS:
                raise RefusedError(f"it has more than {MAXIMUM_LINKS} links")
            self._visit(group, link, path)
        allow_seconds(self.seconds + len(self.rows) / LINKS_A_SECOND)  # to send them
        return self.rows

    def _next_links(self) -> Iterator[tuple[Any, str, Link]]:
        """Each link with its group and its path; those of a group come before what follows it."""
        while self.stack:
            group, prefix, links = self.stack[-1]
            link = next(links, None)
            if link is None:
                self.stack.pop()
                self.ancestors.popitem()
            else:
                yield group, prefix + text_of(link.name), link

    def _visit(self, group: Any, link: Link, path: str) -> None:
        address, target = _lead(self.h5, group, link, path)
        if target is None and address in self.ancestors:
            target = "/" + self.ancestors[address]
        if target is not None:
            self.rows.append({"kind": "link", "path": path, "to": target})
            return
        if address not in self.datasets:
            found = self.h5.h5o.open(group, link.name)
            if isinstance(found, self.h5.h5g.GroupID):
                self._enter(found, address, path)
                return
            if not isinstance(found, self.h5.h5d.DatasetID):
                self.rows.append({"kind": "other", "path": path, "what": "a named type"})
                return
            self.datasets[address] = {**self._describe(found, path), "address": address}
        self.rows.append({**self.datasets[address], "path": path})

    def _enter(self, group: Any, address: int, path: str) -> None:
        if len(self.stack) > MAXIMUM_DEPTH:
            raise RefusedError(f"its groups are nested deeper than {MAXIMUM_DEPTH} levels")
        self.repeated += address in self.groups
        if self.repeated > MAXIMUM_REPEATED_GROUPS:
            raise RefusedError(
                f"hard links repeat its groups more than {MAXIMUM_REPEATED_GROUPS} times"
            )
        self.groups.add(address)
        self.rows.append({"kind": "group", "path": path})
        self.ancestors[address] = path
        self.stack.append((group, path + "/", self._links(group)))

    def _links(self, group: Any) -> Iterator[Link]:
        """The links of a group: in the order of creation where the file keeps it."""
        links, orders = list[Link](), list[int]()

        def add(name: bytes, info: Any) -> bool | None:
            links.append(Link(name, info.type, info.u))
            if info.corder_valid:
                orders.append(info.corder)
            if len(links) % ITEMS_AT_ONCE == 0:
                allow_seconds(self.seconds)
            return len(links) > MAXIMUM_LINKS or None  # anything but None ends the iteration

        group.links.iterate(add, info=True)
        if len(orders) == len(links):
            place = dict(zip(links, orders, strict=True))
            links.sort(key=place.__getitem__)
        return iter(links)

    def _describe(self, dataset: Any, path: str) -> Row:
        """All that it takes to list a dataset, and to read its values without the library."""
        h5 = self.h5
        creation, kind, space = dataset.get_create_plist(), dataset.get_type(), dataset.get_space()
        layout = creation.get_layout()
        if layout == h5.h5d.VIRTUAL:
            raise RefusedError(f"{path!r} is a virtual dataset: other files are not opened")
        if creation.get_external_count():
            raise RefusedError(f"{path!r} has its values in external files, which are not opened")
        if space.get_simple_extent_type() == h5.h5s.NULL:
            return {"kind": "other", "what": "a dataset without a shape"}
        dtype, order, what = dtype_of(h5.h5t, kind)
        row: Row = {
            "kind": "dataset" if dtype else "other",
            "what": what,
            "dtype": dtype,
            "order": order,
            "itemsize": kind.get_size(),
            "shape": space.get_simple_extent_dims(),
        }
        if layout == h5.h5d.CHUNKED:
            filters = [creation.get_filter(i) for i in range(creation.get_nfilters())]
            row["chunk"] = creation.get_chunk()
            row["filters"] = [[code, list(values)] for code, _, values, _ in filters]
        elif layout == h5.h5d.CONTIGUOUS:
            # The offset of what was never written is -1 with a user block, not None.
            row["offset"] = dataset.get_offset() if dataset.get_storage_size() else None
        if row.get("offset") is None and creation.fill_value_defined() == _USER_DEFINED:
            value = h5.np.zeros((), kind.dtype)
            if value.itemsize == kind.get_size() and not value.dtype.hasobject:
                creation.get_fill_value(value)
                row["fill"] = value.tobytes().hex()
        return row


def follow(h5: Any, group: Any, name: bytes, path: str) -> tuple[int, str | None]:
    """Where a link leads: `(address, None)` for a hard one, `(0, path)` for a soft one."""
    _check_name(name, path)
    info = group.links.get_info(name)
    return _lead(h5, group, Link(name, info.type, info.u), path)


def _lead(h5: Any, group: Any, link: Link, path: str) -> tuple[int, str | None]:
    """The one way along a link: all others are refused, they lead out of the file."""
    _check_name(link.name, path)
    if link.type == h5.h5l.TYPE_HARD:
        return link.address, None
    if link.type == h5.h5l.TYPE_SOFT:
        return 0, text_of(group.links.get_val(link.name))
    what = "an external" if link.type == h5.h5l.TYPE_EXTERNAL else "a foreign kind of"
    raise RefusedError(f"{path!r} is {what} link: other files are not opened")


def _check_name(name: bytes, path: str) -> None:
    if name in (b"", b".") or b"/" in name:
        raise RefusedError(f"{path!r} is not a possible name of a link")
