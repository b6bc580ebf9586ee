"""Ties: two names of one array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from paraminspect.errors import TieError
from paraminspect.tree._parameter import Parameter

if TYPE_CHECKING:
    from paraminspect.tree._tree import ParameterTree


def check_tie(alias: Parameter, target: Parameter) -> None:
    """Raise `TieError` if the two cannot be one array."""
    if (alias.shape, alias.dtype) != (target.shape, target.dtype):
        raise TieError(
            f"cannot tie {alias.name!r} to {target.name!r}: {alias.dtype}{list(alias.shape)}"
            f" is not {target.dtype}{list(target.shape)}"
        )


def retied(entries: Mapping[str, Parameter], ties: Mapping[str, str]) -> dict[str, str]:
    """The ties of these entries alone: an alias whose own name is gone becomes the owner."""
    owners: dict[str, str] = {}
    kept: dict[str, str] = {}
    for name in entries:
        own = ties.get(name, name)
        if own in entries:
            owners.setdefault(own, own)
        owner = owners.setdefault(own, name)
        if owner != name:
            kept[name] = owner
    return kept


def tied(tree: ParameterTree, alias: str, target: str) -> ParameterTree:
    """A tree in which `alias`, which may be new, is another name of the array of `target`."""
    if target not in tree.entries:
        raise tree.no_match(target)
    own = tree.own_name(target)
    kept = tree.entries[own]
    if alias not in tree.entries:
        _check_new(tree, alias)
        entries = {**tree.entries, alias: replace(kept, name=alias, stored_path=None)}
        return tree.edited(entries, ties={**tree.ties, alias: own}, root=None)
    if tree.own_name(alias) == own:
        raise TieError(f"{alias!r} and {target!r} are one array already")
    check_tie(tree.entries[alias], tree.entries[target])
    moved = {alias, *tree.aliases(tree.own_name(alias)), tree.own_name(alias)}
    ties = {**tree.ties, **dict.fromkeys(sorted(moved, key=list(tree.entries).index), own)}
    entries = {
        name: replace(p, data=kept.data) if name in moved else p for name, p in tree.entries.items()
    }
    return tree.edited(entries, ties=ties)


def _check_new(tree: ParameterTree, name: str) -> None:
    """Refuse a new name that would be a part above or below another, or what cannot be typed."""
    if not name or not name.isprintable():
        raise TieError(f"a new name must be printable, got {name!r}")
    for other in tree.entries:
        if name.startswith(other + tree.separator) or other.startswith(name + tree.separator):
            raise TieError(
                f"the new name {name!r} cannot stand beside {other!r}: one is in the other"
            )


def untied(tree: ParameterTree, alias: str) -> ParameterTree:
    """A tree in which `alias` has its own copy of the values."""
    if alias not in tree.entries:
        raise tree.no_match(alias)
    if alias not in tree.ties:
        others = ", ".join(map(repr, tree.aliases(alias)))
        ending = f": it owns the array; its aliases are {others}" if others else ""
        raise TieError(f"{alias!r} is not an alias of another parameter{ending}")
    recorded = {k: v for k, v in tree.metadata.items() if (k, v) != (alias, tree.ties[alias])}
    ties = {a: own for a, own in tree.ties.items() if a != alias}
    return tree.edited(tree.entries, ties=ties, metadata=recorded)
