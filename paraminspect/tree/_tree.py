"""The parameter tree: an ordered mapping from names to parameters, with ties and metadata."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from paraminspect.arrays.indexing import Axis
from paraminspect.errors import AddressError, ArgumentError, brief
from paraminspect.tree._architecture import Architecture
from paraminspect.tree._describing import describe, label
from paraminspect.tree._matching import address_among, names_at, no_match, places_at
from paraminspect.tree._module import Module, module_of_names
from paraminspect.tree._navigation import Part, refuse_setting
from paraminspect.tree._parameter import Parameter
from paraminspect.tree._source import Source
from paraminspect.tree._ties import retied
from paraminspect.tree._totals import Totals, total
from paraminspect.tree.address import Address, is_pattern


def check_tree(value: object) -> None:
    """Raise `ArgumentError` for what is not a tree."""
    if not isinstance(value, ParameterTree):
        how = f": pi.open({brief(value)}) gives one" if isinstance(value, str | Path) else ""
        raise ArgumentError(f"expected a tree, got {type(value).__name__}{how}")


@dataclass(frozen=True, eq=False)
class ParameterTree(Mapping[str, Parameter]):
    """Parameters in definition order, aliases included; `ties` maps an alias to its own name.

    Edits give new trees and leave this one as it was; values are read only when asked for. What
    users hold is a `HeldTree` around it, in which no child is hidden by a field or a method.
    """

    entries: Mapping[str, Parameter]
    ties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    source: Source = field(default_factory=Source)
    architecture: Architecture = field(default_factory=Architecture)

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str) and key in self.entries:
            return self.entries[key]
        if isinstance(key, str) and (key.startswith("[") or is_pattern(key)):
            raise AddressError(f"{key!r} is not a name: use select({key!r})")
        try:
            return self.whole.child(key)
        except AddressError:
            if not isinstance(key, str):
                raise
            if key in self._by_stored_path:
                return self._by_stored_path[key]
            raise self.no_match(key) from None

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __setitem__(self, key: object, value: object) -> None:
        refuse_setting(key)

    __eq__ = object.__eq__  # `diff` compares values
    __hash__ = object.__hash__

    @functools.cached_property
    def whole(self) -> Part:
        """The part that is all of it."""
        return Part(self.entries, self.ties, self.architecture.separator, self.structure)

    @functools.cached_property
    def _by_stored_path(self) -> dict[str, Parameter]:
        return {p.stored_path: p for p in self.entries.values() if p.stored_path}

    @functools.cached_property
    def structure(self) -> Module:
        """The modules: as the definition has them, or as the names of a checkpoint spell them."""
        made = self.architecture
        return made.root or module_of_names(self.entries, made.separator)

    def parameters(self) -> list[Parameter]:
        """Every array once, in definition order."""
        return [p for name, p in self.entries.items() if name not in self.ties]

    def own_name(self, name: str) -> str:
        """The name under which the array of `name` is stored: itself unless it is an alias."""
        return self.ties.get(name, name)

    def aliases(self, name: str) -> list[str]:
        """Every other name of the array that `name` owns."""
        return [alias for alias, own in self.ties.items() if own == name]

    @functools.cached_property
    def totals(self) -> Totals:
        """How many names, arrays, elements and bytes."""
        return total(len(self.entries), self.parameters())

    def address(self, text: str) -> Address:
        """The address that a user typed for this tree, whose names win over syntax."""
        return address_among(self.entries, text)

    def matching(self, address: str | Address) -> list[str]:
        """The names at an address; none is an `AddressError` that names the nearest."""
        if isinstance(address, str):
            address = self.address(address)
        try:
            found = names_at(self.whole, address)
        except AddressError as error:
            raise error.at(self.source.path) from None
        if not found:
            raise self.no_match(address.pattern if address.literal else str(address))
        return found

    def places(self, address: str | Address) -> dict[str, tuple[Axis, ...]]:
        """The names at an address, each with what its index selects: never nothing."""
        if isinstance(address, str):
            address = self.address(address)
        return places_at(self.entries, self.matching(address), address)

    def no_match(self, text: str) -> AddressError:
        """The error for an address that matches no parameter."""
        if text in self.source.optimizer:
            message = (
                f"{text!r} is of the optimizer, not of the model: list, slice and diff show it"
            )
            return AddressError(message).unless(optimizer=True)
        error = no_match(self.entries, self.architecture.separator, text)
        return error.at(self.source.path)

    def select(self, *addresses: str | Address) -> Self:
        """The parameters that match any of the addresses (their indices aside), in tree order."""
        wanted: set[str] = set()
        for address in addresses:
            wanted.update(self.matching(address))
        return self.subset(wanted)

    def subset(self, names: Container[str]) -> Self:
        """The tree of these names alone. An alias whose own name goes becomes the owner."""
        entries = {name: p for name, p in self.entries.items() if name in names}
        root = self.architecture.root and self.architecture.root.keep(entries)
        ties = retied(entries, self.ties)
        gone = self.ties.items() - ties.items()  # safetensors records a tie in the metadata
        metadata = {key: text for key, text in self.metadata.items() if (key, text) not in gone}
        made = replace(self.architecture, root=root)
        return replace(self, entries=entries, ties=ties, metadata=metadata, architecture=made)

    def with_optimizer(self) -> Self:
        """The tree with what only training needs among the parameters."""
        source = replace(self.source, optimizer={})
        return replace(self, entries={**self.entries, **self.source.optimizer}, source=source)

    def with_metadata(self) -> Self:
        """The tree with all metadata that its source has."""
        if self.source.more_metadata is None:
            return self
        metadata = {**self.metadata, **self.source.more_metadata()}
        return replace(self, metadata=metadata, source=replace(self.source, more_metadata=None))

    def replace(self, parameters: Iterable[Parameter]) -> Self:
        """The tree in which these parameters stand for those of the same (own) names."""
        changed = {p.name: p for p in parameters}
        entries = {}
        for name, old in self.entries.items():
            new = changed.get(self.own_name(name))
            if new is not None:
                old = replace(old, data=new.data, scheme=new.scheme, codes=new.codes)
            entries[name] = old
        return self.edited(entries)

    def edited(
        self,
        entries: Mapping[str, Parameter],
        ties: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Self:
        """The tree that an edit gives: of the same names, and without the gradients of this one."""
        return replace(
            self,
            entries=entries,
            ties=self.ties if ties is None else ties,
            metadata=self.metadata if metadata is None else metadata,
        )

    def with_names(self, entries: Mapping[str, Parameter], ties: Mapping[str, str]) -> Self:
        """The tree that an edit of names gives: its structure is what they spell."""
        made = replace(self.architecture, root=None)
        return replace(self.edited(entries, ties), architecture=made)

    def __repr__(self) -> str:
        title = label(self.structure) or self.source.path
        return describe(self.structure, self.entries, self.ties, title)
