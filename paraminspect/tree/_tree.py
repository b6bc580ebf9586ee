"""The parameter tree: an ordered mapping from names to parameters, with ties and structure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from paraminspect.arrays.indexing import Axis
from paraminspect.errors import AddressError, ArgumentError, brief
from paraminspect.tree._describing import describe
from paraminspect.tree._matching import names_at, no_match, places_at
from paraminspect.tree._module import Module, module_of_names
from paraminspect.tree._navigation import Branch, Part, refuse_setting
from paraminspect.tree._parameter import Parameter
from paraminspect.tree._ties import retied, tied, untied
from paraminspect.tree.address import Address, is_pattern
from paraminspect.tree.layers import Drawn
from paraminspect.tree.layout import Layout


def check_tree(value: object) -> None:
    """Raise `ArgumentError` for what is not a tree."""
    if not isinstance(value, ParameterTree):
        how = f": pi.open({brief(value)}) gives one" if isinstance(value, str | Path) else ""
        raise ArgumentError(f"expected a tree, got {type(value).__name__}{how}")


@dataclass(frozen=True)
class Totals:
    """Sums over a tree in which a tied array counts once."""

    names: int
    arrays: int
    count: int
    trainable: int | None
    nbytes: int
    weights: int
    """Parameters of the model: as many as elements, unless some of these are codes."""


class SourceFile(Protocol):
    """A file that a tree was opened from."""

    @property
    def path(self) -> Path:
        """Where it is."""

    def has_changed(self) -> bool:
        """Whether its path leads to something else than when it was opened."""


@dataclass(frozen=True, eq=False)
class ParameterTree(Mapping[str, Parameter]):
    """Parameters in definition order, aliases included; `ties` maps an alias to its own name.

    Edits give new trees and leave this one as it was; values are read only when asked for.
    """

    entries: Mapping[str, Parameter]
    ties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    format: str = ""
    framework: str | None = None
    root: Module | None = None
    separator: str = "."
    construction: Callable[[Mapping[str, str]], Sequence[Drawn]] | None = None
    """For a definition: what its framework draws when it constructs the model, in order.

    It takes schemes by name, which are as if they stood last in `init:`.
    """
    files: tuple[SourceFile, ...] = ()
    """Every file that it was opened from: a writer refuses to go on if one has changed since."""
    others: Mapping[str, str] = field(default_factory=dict)
    """What the source holds that no parameter can be: where it is, and what it is."""
    optimizer: Mapping[str, Parameter] = field(default_factory=dict)
    """What only training needs: the optimizer's state, metrics, seeds. No part of the model."""
    origin: object = None
    """What a format keeps of the file in order to write the tree into a copy of it."""
    layout: Callable[[], Layout] | None = None
    """For a definition: where its framework's own files keep the parameters.

    It raises `DefinitionError` for a model that such files cannot hold.
    """
    more_metadata: Callable[[], Mapping[str, str]] | None = None
    """Reads metadata that is not read with the file, because nobody may want it."""
    is_in_order: bool = False
    """Whether the source tells the order of the model. Listings sort by name where it does not."""

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str) and key in self.entries:
            return self.entries[key]
        if isinstance(key, str) and (key.startswith("[") or is_pattern(key)):
            raise AddressError(f"{key!r} is not a name: use select({key!r})")
        try:
            return self._whole.child(key)
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

    def __getattr__(self, name: str) -> Parameter | Branch:
        if name.startswith("__"):  # of Python, which asks before there are any fields
            raise AttributeError(name)
        return self._whole.attribute(name)

    def __setitem__(self, key: object, value: object) -> None:
        refuse_setting(key)

    __eq__ = object.__eq__  # of two trees with equal values `diff_trees` tells
    __hash__ = object.__hash__

    @property
    def _whole(self) -> Part:
        return Part(self, self.structure)

    @functools.cached_property
    def _by_stored_path(self) -> dict[str, Parameter]:
        return {p.stored_path: p for p in self.entries.values() if p.stored_path}

    @functools.cached_property
    def structure(self) -> Module:
        """The modules: as the definition has them, or as the names of a checkpoint tell."""
        return self.root or module_of_names(self.entries, self.separator)

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
        own = self.parameters()
        count = nbytes = trainable = weights = 0
        for p in own:
            elements = p.count
            count += elements
            weights += elements if p.codes is None else p.codes.weights
            nbytes += p.dtype.nbytes(elements)
            trainable += elements if p.trainable else 0
        known = all(p.trainable is not None for p in own) and bool(own)
        return Totals(
            len(self.entries), len(own), count, trainable if known else None, nbytes, weights
        )

    def select(self, *addresses: str | Address) -> ParameterTree:
        """The parameters that match any of the addresses (their indices aside), in tree order."""
        wanted: set[str] = set()
        for address in addresses:
            wanted.update(self.matching(address))
        return self.keep(lambda name: name in wanted)

    def matching(self, address: str | Address) -> list[str]:
        """The names at an address; none is an `AddressError` that names the nearest."""
        return names_at(self, address)

    def places(self, address: str | Address) -> dict[str, tuple[Axis, ...]]:
        """The names at an address, each with what its index selects: never nothing."""
        return places_at(self, address)

    def no_match(self, text: str) -> AddressError:
        """The error for an address that matches no parameter."""
        return no_match(self, text)

    def keep(self, wanted: Callable[[str], bool]) -> ParameterTree:
        """A tree of the names that are wanted. An alias whose own name goes becomes the owner."""
        entries = {name: p for name, p in self.entries.items() if wanted(name)}
        root = self.root and self.root.keep(entries)
        ties = retied(entries, self.ties)
        gone = self.ties.items() - ties.items()  # safetensors records a tie in the metadata
        metadata = {key: text for key, text in self.metadata.items() if (key, text) not in gone}
        return replace(self, entries=entries, ties=ties, metadata=metadata, root=root)

    def with_optimizer(self) -> ParameterTree:
        """A tree in which what only training needs is among the parameters."""
        return replace(self, entries={**self.entries, **self.optimizer}, optimizer={})

    def with_metadata(self) -> ParameterTree:
        """A tree with all metadata that its source has."""
        if self.more_metadata is None:
            return self
        return replace(self, metadata={**self.metadata, **self.more_metadata()}, more_metadata=None)

    def replace(self, parameters: Iterable[Parameter]) -> ParameterTree:
        """A tree in which these parameters stand for those of the same (own) names."""
        changed = {p.name: p for p in parameters}
        entries = {}
        for name, old in self.entries.items():
            new = changed.get(self.own_name(name))
            if new is not None:
                old = replace(old, data=new.data, scheme=new.scheme, codes=new.codes)
            entries[name] = old
        return self.edited(entries)

    def edited(self, entries: Mapping[str, Parameter], **fields: Any) -> ParameterTree:
        """The tree that an edit gives: with these parameters, and no gradient of this one."""
        return replace(self, entries=entries, **fields)

    def tie(self, alias: str, target: str) -> ParameterTree:
        """A tree in which `alias` is another name of the array of `target`."""
        return tied(self, alias, target)

    def untie(self, alias: str) -> ParameterTree:
        """A tree in which `alias` has its own copy of the values."""
        return untied(self, alias)

    def __repr__(self) -> str:
        return describe(self.structure, self, "")
