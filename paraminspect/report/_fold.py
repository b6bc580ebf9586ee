"""Folding: equal siblings that differ only in their number are shown once."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from paraminspect.errors import escape
from paraminspect.tree import MAXIMUM_DEPTH

_NUMBER = re.compile(r"\d+(?=\D*$)")
"""The last number in a name: siblings are counted by it."""

Item = TypeVar("Item")


class Folded(NamedTuple):
    """A line that stands for `times` names, of which `name` is the first."""

    label: str
    name: str
    times: int


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
    folded = {fold.name: fold for fold in _fold(root, "", 1, separator)}
    yield from (folded[name] for name, _ in looks if name in folded)


def _give_looks(group: _Group, known: dict[Hashable, int]) -> None:
    """Give equal groups equal numbers, from the innermost outwards."""
    for below in group.groups.values():
        _give_looks(below, known)
    own = tuple((local, look) for local, (_, look) in group.names.items())
    parts = tuple((part, below.look) for part, below in group.groups.items())
    group.look = known.setdefault((own, parts), len(known))


def _fold(group: _Group, prefix: str, times: int, separator: str) -> Iterator[Folded]:
    for local, (name, _) in group.names.items():
        label = prefix + escape(local)
        yield Folded(f"{times} x {label}" if times > 1 else label, name, times)
    for label, below, run in fold_siblings((p, g.look, g) for p, g in group.groups.items()):
        yield from _fold(below, prefix + label + separator, times * run, separator)


def fold_siblings(
    siblings: Iterable[tuple[str, Hashable, Item]],
) -> Iterator[tuple[str, Item, int]]:
    """`("{0..11}", first item, 12)` for a run of siblings with one look, numbered one by one.

    A sibling is its name, its look and what stands for it; names come back escaped.
    """
    first: tuple[str, Item] | None = None
    run, last_name, last_look = 0, "", None
    for name, look, item in siblings:
        if first is not None and look == last_look and _follows(name, last_name):
            run += 1
        else:
            if first is not None:
                yield _span(first[0], last_name), first[1], run
            first, run = (name, item), 1
        last_name, last_look = name, look
    if first is not None:
        yield _span(first[0], last_name), first[1], run


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
