"""Matching: the names in a tree that an address stands for, and the error where there are none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paraminspect.arrays.indexing import Axis
from paraminspect.errors import AddressError
from paraminspect.tree._parameter import Parameter
from paraminspect.tree.address import Address, compile_matcher, parse_address, place

if TYPE_CHECKING:
    from paraminspect.tree._tree import ParameterTree

SHOWN_NAMES = 8
"""Names that an error lists of those that lack a place."""


def address_in(tree: ParameterTree, text: str) -> Address:
    """The address that a user typed for this tree, whose names win over syntax."""
    try:
        return parse_address(text, tree.entries)
    except AddressError:
        # Only what cannot be an index is looked for in names: `['params']*['kernel']`.
        if "[" in text and any(map(compile_matcher(text).fullmatch, tree.entries)):
            return Address(text, text=text)
        raise


def names_at(tree: ParameterTree, address: str | Address) -> list[str]:
    """The names at an address; none is an `AddressError` that names the nearest."""
    if isinstance(address, str):
        address = address_in(tree, address)
    candidates = _names_below(tree, address)
    if address.pattern in candidates:
        return [candidates[address.pattern]]
    if address.literal:
        raise no_match(tree, address.pattern)
    match = compile_matcher(address.pattern).fullmatch
    found = [full for local, full in candidates.items() if match(local)]
    if not found:
        stored = {full: tree.entries[full].stored_path for full in candidates.values()}
        found = [full for full, path in stored.items() if path and match(path)]
    if not found:
        raise no_match(tree, str(address))
    return found


def places_at(tree: ParameterTree, address: str | Address) -> dict[str, tuple[Axis, ...]]:
    """The names at an address, each with what its index selects there, which is never nothing.

    Raises `AddressError` unless every match has the place; it names those that lack it. A parameter
    without elements has the one place that no index is.
    """
    if isinstance(address, str):
        address = address_in(tree, address)
    places: dict[str, tuple[Axis, ...]] = {}
    lacking: dict[str, list[str]] = {}
    for name in names_at(tree, address):
        try:
            places[name] = place(address.index, tree.entries[name].shape)
        except AddressError as error:
            lacking.setdefault(str(error), []).append(name)
    if lacking:
        reasons = (f"{_listed(names)}: {why}" for why, names in lacking.items())
        have = "1 other match has" if len(places) == 1 else f"{len(places)} other matches have"
        raise AddressError("; ".join(reasons) + (f" ({have} it)" if places else ""))
    return places


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _names_below(tree: ParameterTree, address: Address) -> Mapping[str, str]:
    if not address.positions:
        return {name: name for name in tree.entries}
    part: Any = tree
    for i, position in enumerate(address.positions):
        try:
            part = part[position]
        except AddressError as error:
            raise AddressError(f"{_source(tree)}{str(address)!r}: {error}") from None
        if isinstance(part, Parameter):
            is_last = i == len(address.positions) - 1
            if not is_last or address.pattern != "*":
                raise AddressError(_nothing_below(tree, part, address))
            return {"*": part.name}
    items = Mapping.items(part)  # not `part.items()`: a child may have that name
    return {local: parameter.name for local, parameter in items}


def _nothing_below(tree: ParameterTree, parameter: Parameter, address: Address) -> str:
    return (
        f"{_source(tree)}{str(address)!r} goes on below the parameter"
        f" {parameter.name!r}; an index into its values is written {parameter.name + '[...]'!r}"
    )


def no_match(tree: ParameterTree, text: str) -> AddressError:
    """The error for an address that matches no parameter."""
    message = f"{_source(tree)}no parameter matches {text!r}"
    start = text if text.endswith(tree.separator) else text + tree.separator
    if any(name.startswith(start) for name in tree.entries):
        return AddressError(f"{message}, did you mean {start + '*'!r}?")
    if text in tree.optimizer:
        message = f"{text!r} is of the optimizer, not of the model: list, slice and diff show it"
        return AddressError(message).unless(optimizer=True)
    import difflib  # only an error needs it: listing starts without

    close = difflib.get_close_matches(text, list(tree.entries)[:20_000], n=1, cutoff=0.4)
    if close:
        return AddressError(f"{message}, the nearest is {close[0]!r}")
    if re.search(r"\].", text):
        return AddressError(f"{message}: an index stands last, in one pair of brackets: w[0, 1]")
    return AddressError(message)


def _source(tree: ParameterTree) -> str:
    return tree.source and f"{tree.source}: "
