"""Which names of two trees to compare."""

from __future__ import annotations

from collections.abc import Sequence

from paraminspect.address import parse_address
from paraminspect.errors import AddressError
from paraminspect.tree import ParameterTree


def select_pair(
    left: ParameterTree, right: ParameterTree, patterns: Sequence[str], exclude: Sequence[str]
) -> tuple[ParameterTree, ParameterTree]:
    """Both trees with the names that match any pattern (all without one) and none of `exclude`.

    A pattern has to match in one of the two; an index in it is an `AddressError`.
    """
    wanted = _matching(left, right, patterns) if patterns else left.entries.keys() | right.entries
    wanted -= _matching(left, right, exclude)
    return left.keep(wanted.__contains__), right.keep(wanted.__contains__)


def _matching(left: ParameterTree, right: ParameterTree, patterns: Sequence[str]) -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        address = parse_address(pattern)
        if address.index is not None:
            raise AddressError(f"whole arrays are compared: {pattern!r} cannot have an index")
        found = []
        for tree in (left, right):
            try:
                found += tree.matching(address)
            except AddressError as error:
                missing = error
        if not found:
            raise missing
        names.update(found)
    return names
