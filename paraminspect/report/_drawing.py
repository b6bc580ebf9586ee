"""The structure of a model drawn as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from paraminspect.errors import escape
from paraminspect.report._columns import GAP
from paraminspect.report._outline import Node, children, outline
from paraminspect.report._rows import View, format_nbytes, format_note, format_totals
from paraminspect.report._screen import Screen, cut, is_unicode, width_of
from paraminspect.report._shortening import shortened
from paraminspect.report._table import more


class Line(NamedTuple):
    """A line of the drawn tree: a name with all before it, what is said of it, and a note."""

    name: str
    text: str
    note: str = ""

    def drawn(self, screen: Screen | None) -> str:
        """The line, its end cut off where it does not fit on the screen; the note stands back."""
        space = GAP if self.note else ""
        text = self.name + self.text + space
        if screen is None:
            return text + self.note
        line = cut(text + self.note, max(screen.width, width_of(self.name)))
        return line[: len(text)] + screen.dim(line[len(text) :])


class _Marks(NamedTuple):
    item: str
    last: str
    beside: str
    below: str = "    "


BOXES = _Marks("├── ", "└── ", "│   ")
ASCII = _Marks("|-- ", "`-- ", "|   ")


def as_tree(view: View) -> Iterator[str]:
    """The nested structure, with totals per module. On a terminal equal siblings fold."""
    root = outline(view.tree)
    lines = list(_lines(view, root, escape(view.tree.source.path or "."), 1, "", view.depth, set()))
    for line in islice(lines, view.limit or None):
        yield line.drawn(view.screen)
    if view.limit and view.limit < len(lines):
        yield more(len(lines) - view.limit, len(lines))
    yield ""
    footer = format_totals(view.tree)
    yield footer if view.screen is None else view.screen.dim(footer)


def _lines(
    view: View,
    node: Node,
    label: str,
    times: int,
    indent: str,
    depth: int | None,
    seen: set[str],
) -> Iterator[Line]:
    yield Line(_lead(times) + label, _title(node, times))
    if depth == 0:
        return
    marks = BOXES if is_unicode() else ASCII
    below = list(children(node, view.screen is not None))
    own = node.module.parameters
    names = [*map(escape, own), *(name for name, _, _ in below)]
    times_each = [*(1 for _ in own), *(run for _, _, run in below)]
    names = _short(names, times_each, indent, view.screen)
    left = len(names)
    for name, full in zip(names, own.values(), strict=False):
        left -= 1
        p = view.tree.entries[full]
        note = f"= {escape(full)}" if full in seen else format_note(view.tree, p)
        seen.add(full)
        mark = marks.item if left else marks.last
        yield Line(f"{indent}{mark}{name}", f"  {list(p.shape)} {p.dtype}", note)
    for name, (_, child, run) in zip(names[len(own) :], below, strict=True):
        left -= 1
        inner = indent + (marks.beside if left else marks.below)
        deeper = None if depth is None else depth - 1
        lines = _lines(view, child, name, run, inner, deeper, seen)
        first = next(lines)
        mark = marks.item if left else marks.last
        yield first._replace(name=f"{indent}{mark}{first.name}")
        yield from lines


def _short(names: list[str], times: list[int], indent: str, screen: Screen | None) -> list[str]:
    """Names of siblings as short as the screen needs them and as long as they need to differ."""
    if screen is None:
        return names
    room = screen.width - len(indent) - len(ASCII.item)
    rooms = [max(room - len(_lead(n)), 0) for n in times]
    return shortened(names, rooms, whole_parts=False) or names


def _lead(times: int) -> str:
    return f"{times} x " if times > 1 else ""


def _title(node: Node, times: int) -> str:
    """What is said of a module, of which there are so many."""
    title = ""
    layer = node.module.layer
    if layer is not None and node.kind:
        title += f"  {node.kind if node.below else layer}"
    if node.count:
        each = " each" if times > 1 else ""
        title += f"  {node.count:,}{each} ({format_nbytes(node.nbytes)})"
    return title
