"""Matching: the names in a tree that an address stands for, and the error where there are none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from paraminspect.arrays.indexing import Axis
from paraminspect.errors import AddressError
from paraminspect.tree._navigation import Part
from paraminspect.tree._parameter import Parameter
from paraminspect.tree.address import Address, compile_matcher, parse_address, place

SHOWN_NAMES = 8
"""Names that an error lists of those that lack a place."""


def address_among(names: Collection[str], text: str) -> Address:
    """The address that a user typed for a tree of these names, which win over syntax."""
    try:
        return parse_address(text, names)
    except AddressError:
        # Only what cannot be an index is looked for in names: `['params']*['kernel']`.
        if "[" in text and any(map(compile_matcher(text).fullmatch, names)):
            return Address(text, text=text)
        raise


def names_at(whole: Part, address: Address) -> list[str]:
    """The names at an address, perhaps none; `AddressError` where its positions lead nowhere."""
    candidates = _names_below(whole, address)
    if address.pattern in candidates:
        return [candidates[address.pattern]]
    if address.literal:
        return []
    match = compile_matcher(address.pattern).fullmatch
    found = [full for local, full in candidates.items() if match(local)]
    if found:
        return found
    stored = {full: whole.entries[full].stored_path for full in candidates.values()}
    return [full for full, path in stored.items() if path and match(path)]


def places_at(
    entries: Mapping[str, Parameter], names: Iterable[str], address: Address
) -> dict[str, tuple[Axis, ...]]:
    """The names, each with what the index of the address selects there, which is never nothing.

    Raises `AddressError` unless every one has the place; it names those that lack it. A parameter
    without elements has the one place that no index is.
    """
    places: dict[str, tuple[Axis, ...]] = {}
    lacking: dict[str, list[str]] = {}
    for name in names:
        try:
            places[name] = place(address.index, entries[name].shape)
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


def _names_below(whole: Part, address: Address) -> Mapping[str, str]:
    """The names below the positions of an address, relative to them, and those in the tree."""
    if not address.positions:
        return {name: name for name in whole.entries}
    part: Any = None
    for i, position in enumerate(address.positions):
        try:
            part = whole.child(position) if i == 0 else part[position]
        except AddressError as error:
            raise AddressError(f"{str(address)!r}: {error}") from None
        if isinstance(part, Parameter):
            is_last = i == len(address.positions) - 1
            if not is_last or address.pattern != "*":
                raise AddressError(
                    f"{str(address)!r} goes on below the parameter {part.name!r}; an index into"
                    f" its values is written {part.name + '[...]'!r}"
                )
            return {"*": part.name}
    items = Mapping.items(part)  # not `part.items()`: a child may have that name
    return {local: parameter.name for local, parameter in items}


def no_match(names: Collection[str], separator: str, text: str) -> AddressError:
    """The error for an address that matches none of the names; it shows the nearest."""
    message = f"no parameter matches {text!r}"
    start = text if text.endswith(separator) else text + separator
    if any(name.startswith(start) for name in names):
        return AddressError(f"{message}, did you mean {start + '*'!r}?")
    import difflib  # only an error needs it: listing starts without

    close = difflib.get_close_matches(text, list(names)[:20_000], n=1, cutoff=0.4)
    if close:
        return AddressError(f"{message}, the nearest is {close[0]!r}")
    if re.search(r"\].", text):
        return AddressError(f"{message}: an index stands last, in one pair of brackets: w[0, 1]")
    return AddressError(message)
