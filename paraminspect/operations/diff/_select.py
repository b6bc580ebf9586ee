"""Which names of two trees to compare."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from paraminspect.errors import AddressError, nearest
from paraminspect.operations.fitting import pair_under_one_naming
from paraminspect.tree import ParameterTree

MAXIMUM_GUESSES = 20_000
"""Names among which the nearest to a pattern is looked for: it takes a second."""


def select_pair(
    left: ParameterTree, right: ParameterTree, patterns: Sequence[str], exclude: Sequence[str]
) -> tuple[ParameterTree, ParameterTree]:
    """Both trees with the names that match any pattern (all without one) and none of `exclude`.

    A pattern has to match in one of the two, and a name has to be left; an index is an error too.
    A definition on one side tells the names of the other first.
    """
    left, right = pair_under_one_naming(left, right)
    names = left.entries.keys() | right.entries
    wanted = _matching(left, right, patterns) if patterns else names
    wanted = wanted - _matching(left, right, exclude)
    if names and not wanted:
        raise AddressError("nothing is left to compare: every name is excluded")
    return left.subset(wanted), right.subset(wanted)


def _matching(left: ParameterTree, right: ParameterTree, patterns: Sequence[str]) -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        found: list[str] = []
        for tree in (left, right):
            # What is a name on one side may look like an index on the other.
            address = tree.address(pattern)
            if address.index is None:
                with suppress(AddressError):
                    found += tree.matching(address)
        if not found and address.index is not None:
            raise AddressError(f"whole arrays are compared: {pattern!r} cannot have an index")
        if not found:
            close = nearest(pattern, [*left.entries, *right.entries][:MAXIMUM_GUESSES])
            sources = f"{left.source.path} nor {right.source.path}"
            raise AddressError(f"no parameter matches {pattern!r}, neither in {sources}{close}")
        names.update(found)
    return names
