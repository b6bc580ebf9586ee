"""Tying: two names become one array, and two again."""

from __future__ import annotations

from dataclasses import replace

from paraminspect.errors import TieError
from paraminspect.tree import ParameterTree, check_tie


def tie(tree: ParameterTree, alias: str, target: str) -> ParameterTree:
    """A tree in which `alias`, which may be new, is another name of the array of `target`.

        >>> import paraminspect as pi
        >>> tree = pi.tie(pi.ParameterTree({"a": [1.0, 2.0], "b": [3.0, 4.0]}), "b", "a")
        >>> tree["b"].data, tree.totals.arrays
        (array([1., 2.]), 1)

    Raises `TieError` where shapes or dtypes differ, `AddressError` for an unknown target.
    """
    if target not in tree.entries:
        raise tree.no_match(target)
    own = tree.own_name(target)
    kept = tree.entries[own]
    if alias not in tree.entries:
        _check_new(tree, alias)
        entries = {**tree.entries, alias: replace(kept, name=alias, stored_path=None)}
        return tree.with_names(entries, {**tree.ties, alias: own})
    if tree.own_name(alias) == own:
        raise TieError(f"{alias!r} and {target!r} are one array already")
    check_tie(tree.entries[alias], tree.entries[target])
    moved = {alias, *tree.aliases(tree.own_name(alias)), tree.own_name(alias)}
    ties = {**tree.ties, **{name: own for name in tree.entries if name in moved}}
    entries = {
        name: replace(p, data=kept.data) if name in moved else p for name, p in tree.entries.items()
    }
    return tree.edited(entries, ties=ties)


def _check_new(tree: ParameterTree, name: str) -> None:
    """Refuse a new name that would be a part above or below another, or that nobody can type."""
    if not name or not name.isprintable():
        raise TieError(f"a new name must be printable, got {name!r}")
    separator = tree.architecture.separator
    for other in tree.entries:
        if name.startswith(other + separator) or other.startswith(name + separator):
            raise TieError(
                f"the new name {name!r} cannot stand beside {other!r}: one is in the other"
            )


def untie(tree: ParameterTree, alias: str) -> ParameterTree:
    """A tree in which `alias` has its own copy of the values.

        >>> import paraminspect as pi
        >>> tree = pi.ParameterTree({"a": [1.0], "b": [1.0]}, ties={"b": "a"})
        >>> tree.totals.arrays, pi.untie(tree, "b").totals.arrays
        (1, 2)

    Raises `TieError` if it is not an alias, `AddressError` for an unknown name.
    """
    if alias not in tree.entries:
        raise tree.no_match(alias)
    if alias not in tree.ties:
        others = ", ".join(map(repr, tree.aliases(alias)))
        ending = f": it owns the array; its aliases are {others}" if others else ""
        raise TieError(f"{alias!r} is not an alias of another parameter{ending}")
    recorded = {k: v for k, v in tree.metadata.items() if (k, v) != (alias, tree.ties[alias])}
    ties = {a: own for a, own in tree.ties.items() if a != alias}
    return tree.edited(tree.entries, ties=ties, metadata=recorded)
