"""Folding: equal siblings that differ only in their number are shown once."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from paraminspect.errors import escape
from paraminspect.tree import MAXIMUM_DEPTH

_NUMBER = re.compile(r"\d+(?=\D*$)")
"""The last number in a name: siblings are counted by it."""

Item = TypeVar("Item")


class Folded(NamedTuple):
    """A line that stands for these parameters; its text is their name, with `{0..11}` in it."""

    text: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first of the parameters."""
        return self.names[0]

    @property
    def times(self) -> int:
        """How many there are."""
        return len(self.names)

    @property
    def lead(self) -> str:
        """`12 x `, before the text of more than one."""
        return f"{self.times} x " if self.times > 1 else ""


@dataclass(slots=True)
class _Group:
    """What stands below one part of the names: full names with their looks, and further parts."""

    names: dict[str, tuple[str, Hashable]] = field(default_factory=dict)
    groups: dict[str, _Group] = field(default_factory=dict)
    look: Hashable = None


def fold_names(looks: Iterable[tuple[str, Hashable]], separator: str = ".") -> Iterator[Folded]:
    """`12 x h.{0..11}.attn.bias`: names of siblings below which all names and looks are equal.

    The order is that of the first name of each line.
    """
    looks = list(looks)
    root = _Group()
    for name, look in looks:
        *path, local = name.split(separator, MAXIMUM_DEPTH)
        group = root
        for part in path:
            if part not in group.groups:
                group.groups[part] = _Group()
            group = group.groups[part]
        group.names[local] = (name, look)
    _give_looks(root, {})
    folded = {fold.name: fold for fold in _fold([root], "", separator)}
    yield from (folded[name] for name, _ in looks if name in folded)


def _give_looks(group: _Group, known: dict[Hashable, int]) -> None:
    """Give equal groups equal numbers, from the innermost outwards."""
    for below in group.groups.values():
        _give_looks(below, known)
    own = tuple((local, look) for local, (_, look) in group.names.items())
    parts = tuple((part, below.look) for part, below in group.groups.items())
    group.look = known.setdefault((own, parts), len(known))


def _fold(groups: Sequence[_Group], prefix: str, separator: str) -> Iterator[Folded]:
    """The lines of groups that look alike."""
    first = groups[0]
    for local in first.names:
        yield Folded(prefix + escape(local), tuple(group.names[local][0] for group in groups))
    siblings = ((part, below.look, part) for part, below in first.groups.items())
    for label, parts in fold_siblings(siblings):
        below = [group.groups[part] for group in groups for part in parts]
        yield from _fold(below, prefix + label + separator, separator)


def fold_siblings(
    siblings: Iterable[tuple[str, Hashable, Item]],
) -> Iterator[tuple[str, list[Item]]]:
    """`("{0..11}", items)` for a run of siblings with one look, numbered one by one.

    A sibling is its name, its look and what stands for it; names come back escaped.
    """
    first, items, last_name, last_look = "", list[Item](), "", None
    for name, look, item in siblings:
        if items and look == last_look and _follows(name, last_name):
            items.append(item)
        else:
            if items:
                yield _span(first, last_name), items
            first, items = name, [item]
        last_name, last_look = name, look
    if items:
        yield _span(first, last_name), items


def _follows(name: str, before: str) -> bool:
    """Whether a name is that of a sibling with its number one higher."""
    mine, others = _NUMBER.search(name), _NUMBER.search(before)
    if mine is None or others is None or len(mine[0]) > 9 or len(others[0]) > 9:
        return False
    form = _NUMBER.sub("#", name) == _NUMBER.sub("#", before)
    return form and int(mine[0]) == int(others[0]) + 1


def _span(first: str, last: str) -> str:
    if first == last:
        return escape(first)
    low, high = _NUMBER.search(first), _NUMBER.search(last)
    assert low is not None
    assert high is not None
    return f"{escape(first[: low.start()])}{{{low[0]}..{high[0]}}}{escape(first[low.end() :])}"
