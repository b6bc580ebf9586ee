"""The parameter tree: an ordered mapping from names to parameters, with ties and structure."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from paraminspect.address import Address, compile_matcher, is_pattern, parse_address
from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.errors import AddressError, TieError, escape
from paraminspect.keras_layout import Layout
from paraminspect.layers import Drawn, Fans, Layer

if TYPE_CHECKING:
    import numpy as np

MAXIMUM_DEPTH = 64
"""Levels of modules that names are taken to spell: a file may hold one with 1000s of dots."""


@dataclass(frozen=True, eq=False, slots=True)
class Parameter:
    """A named array. What its source does not know (`trainable`, `layer`, `scheme`) is None."""

    name: str
    data: Array
    trainable: bool | None = None
    layer: str | None = None
    scheme: str | None = None
    fans: Fans | None = None
    layout: str | None = None
    stored_path: str | None = None
    """Where the file keeps it, when that is not its name."""
    grad: np.ndarray[Any, Any] | None = None
    """The gradient of the last backward pass, None before one; the only thing that changes."""

    @property
    def shape(self) -> Shape:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self.data.dtype

    @property
    def count(self) -> int:
        """The number of elements."""
        return count_elements(self.data.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that its values take when stored densely."""
        return self.data.dtype.nbytes(self.count)

    def numpy(self) -> np.ndarray[Any, Any]:
        """All values, as a new NumPy array."""
        return self.data[...]

    def hold_gradient(self, gradient: np.ndarray[Any, Any] | None) -> None:
        """Keep the gradient of a backward pass, as the frameworks' parameters do."""
        object.__setattr__(self, "grad", gradient)

    def __repr__(self) -> str:
        kind = "" if self.trainable is not False else ", not trainable"
        return f"Parameter({self.name!r}, {list(self.shape)}, {self.dtype}{kind})"


@dataclass(frozen=True)
class Module:
    """A node of the model's structure; `parameters` maps local names to names in the tree."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, Module] = field(default_factory=dict)
    layer: Layer | None = None

    @property
    def kind(self) -> str:
        """The class of the layer, `""` where the source does not tell."""
        return self.layer.kind if self.layer else ""

    def keep(self, names: Container[str]) -> Module:
        """The module with these parameters of the tree alone, and the parts that hold them."""
        own = {local: full for local, full in self.parameters.items() if full in names}
        below = {name: child.keep(names) for name, child in self.children.items()}
        kept = {name: child for name, child in below.items() if child.parameters or child.children}
        return Module(own, kept, self.layer)


@dataclass(frozen=True)
class Totals:
    """Sums over a tree in which a tied array counts once."""

    names: int
    arrays: int
    count: int
    trainable: int | None
    nbytes: int


class SourceFile(Protocol):
    """A file that a tree was opened from."""

    @property
    def path(self) -> Path:
        """Where it is."""

    def has_changed(self) -> bool:
        """Whether its path leads to something else than when it was opened."""


class _Navigable:
    """Access by position, name or attribute, as the frameworks' modules have it."""

    _tree: ParameterTree
    _module: Module

    def _child(self, key: int | str) -> Parameter | Branch:
        module, tree = self._module, self._tree
        if isinstance(key, int):
            return self._at(key)
        if key in module.parameters:
            return tree.entries[module.parameters[key]]
        if key in module.children:
            return Branch(tree, module.children[key], key)
        for name, child in module.children.items():
            if key.startswith(name + tree.separator):
                return Branch(tree, child, name)._child(key[len(name + tree.separator) :])
        known = [*module.children, *module.parameters]
        raise AddressError(f"no {key!r} here; there are {', '.join(known[:10]) or 'no parts'}")

    def _at(self, position: int) -> Parameter | Branch:
        module = self._module
        names = list(module.children or module.parameters)
        # Of a checkpoint or a selection, where some layers are not listed, the number is a name.
        if str(position) in names:
            name = str(position)
        elif -len(names) <= position < len(names):
            name = names[position]
        else:
            raise AddressError(f"no part at position {position}: there are {len(names)}")
        if name in module.children:
            return Branch(self._tree, module.children[name], name)
        return self._tree.entries[module.parameters[name]]

    def __getattr__(self, name: str) -> Parameter | Branch:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._child(name)
        except AddressError as error:
            raise AttributeError(str(error)) from None


class Branch(_Navigable, Mapping[str, Parameter]):
    """A part of a tree: one module with all below it, keyed by names relative to it."""

    def __init__(self, tree: ParameterTree, module: Module, name: str) -> None:
        self._tree = tree
        self._module = module
        self._name = name

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str) and key in self._names:
            return self._tree[self._names[key]]
        return self._child(key)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @functools.cached_property
    def _names(self) -> dict[str, str]:
        return dict(_relative_names(self._module, "", self._tree.separator))

    def parameters(self) -> list[Parameter]:
        """The parameters of this part, in definition order, a tied array once."""
        own = dict.fromkeys(map(self._tree.own_name, self._names.values()))
        return [self._tree[name] for name in own]

    def __repr__(self) -> str:
        return _describe(self._module, self._tree, self._name)


@dataclass(frozen=True, eq=False)
class ParameterTree(_Navigable, Mapping[str, Parameter]):
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

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str) and key in self.entries:
            return self.entries[key]
        if isinstance(key, str) and (key.startswith("[") or is_pattern(key)):
            raise AddressError(f"{key!r} is not a name: use select({key!r})")
        try:
            return self._child(key)
        except AddressError:
            if isinstance(key, int):
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

    @property
    def _tree(self) -> ParameterTree:  # type: ignore[override]
        return self

    @functools.cached_property
    def _module(self) -> Module:  # type: ignore[override]
        return self.root or _module_of_names(self.entries, self.separator)

    @functools.cached_property
    def _by_stored_path(self) -> dict[str, Parameter]:
        return {p.stored_path: p for p in self.entries.values() if p.stored_path}

    @property
    def structure(self) -> Module:
        """The modules: as the definition has them, or as the names of a checkpoint tell."""
        return self._module

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
        count = nbytes = trainable = 0
        for p in own:
            elements = p.count
            count += elements
            nbytes += p.dtype.nbytes(elements)
            trainable += elements if p.trainable else 0
        known = all(p.trainable is not None for p in own) and bool(own)
        return Totals(len(self.entries), len(own), count, trainable if known else None, nbytes)

    def select(self, *addresses: str | Address) -> ParameterTree:
        """The parameters that match any of the addresses (their indices aside), in tree order."""
        wanted: set[str] = set()
        for address in addresses:
            wanted.update(self.matching(address))
        return self.keep(lambda name: name in wanted)

    def matching(self, address: str | Address) -> list[str]:
        """The names at an address; none is an `AddressError` that names the nearest."""
        if isinstance(address, str):
            address = parse_address(address)
        candidates = self._names_below(address.positions)
        if address.pattern in candidates:
            return [candidates[address.pattern]]
        match = compile_matcher(address.pattern).fullmatch
        found = [full for local, full in candidates.items() if match(local)]
        if not found:
            found = [n for n, p in self.entries.items() if p.stored_path and match(p.stored_path)]
        if not found:
            raise self.no_match(str(address))
        return found

    def _names_below(self, positions: tuple[int, ...]) -> Mapping[str, str]:
        if not positions:
            return {name: name for name in self.entries}
        part: Any = self
        for position in positions:
            part = part._child(position)
            if isinstance(part, Parameter):
                return {"*": part.name, part.name: part.name}
        return part._names  # type: ignore[no-any-return]

    def no_match(self, text: str) -> AddressError:
        """The error for an address that matches no parameter."""
        message = f"{self.source and self.source + ': '}no parameter matches {text!r}"
        start = text if text.endswith(self.separator) else text + self.separator
        if any(name.startswith(start) for name in self.entries):
            return AddressError(f"{message}, did you mean {start + '*'!r}?")
        if text in self.optimizer:
            return AddressError(f"{text!r} is of the optimizer, not of the model: see --optimizer")
        close = difflib.get_close_matches(text, list(self.entries)[:20_000], n=1, cutoff=0.4)
        if close:
            return AddressError(f"{message}, the nearest is {close[0]!r}")
        return AddressError(message)

    def keep(self, wanted: Callable[[str], bool]) -> ParameterTree:
        """A tree of the names that are wanted. An alias whose own name goes becomes the owner."""
        entries = {name: p for name, p in self.entries.items() if wanted(name)}
        root = self.root and self.root.keep(entries)
        return replace(self, entries=entries, ties=_retie(entries, self.ties), root=root)

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
            entries[name] = old if new is None else replace(old, data=new.data, scheme=new.scheme)
        return replace(self, entries=entries)

    def tie(self, alias: str, target: str) -> ParameterTree:
        """A tree in which `alias` is another name of the array of `target`."""
        for name in (alias, target):
            if name not in self.entries:
                raise self.no_match(name)
        own = self.own_name(target)
        if self.own_name(alias) == own:
            raise TieError(f"{alias!r} and {target!r} are one array already")
        kept = self.entries[own]
        check_tie(self.entries[alias], self.entries[target])
        moved = {alias, *self.aliases(self.own_name(alias)), self.own_name(alias)}
        ties = {**self.ties, **dict.fromkeys(sorted(moved, key=list(self.entries).index), own)}
        entries = {
            name: replace(p, data=kept.data) if name in moved else p
            for name, p in self.entries.items()
        }
        return replace(self, entries=entries, ties=ties)

    def untie(self, alias: str) -> ParameterTree:
        """A tree in which `alias` has its own copy of the values."""
        if alias not in self.entries:
            raise self.no_match(alias)
        if alias not in self.ties:
            others = ", ".join(map(repr, self.aliases(alias)))
            ending = f": it owns the array; its aliases are {others}" if others else ""
            raise TieError(f"{alias!r} is not an alias of another parameter{ending}")
        recorded = {k: v for k, v in self.metadata.items() if (k, v) != (alias, self.ties[alias])}
        ties = {a: own for a, own in self.ties.items() if a != alias}
        return replace(self, ties=ties, metadata=recorded)

    def __repr__(self) -> str:
        return _describe(self._module, self, "")


def check_tie(alias: Parameter, target: Parameter) -> None:
    """Raise `TieError` if the two cannot be one array."""
    if (alias.shape, alias.dtype) != (target.shape, target.dtype):
        raise TieError(
            f"cannot tie {alias.name!r} to {target.name!r}: {alias.dtype}{list(alias.shape)}"
            f" is not {target.dtype}{list(target.shape)}"
        )


def _retie(entries: Mapping[str, Parameter], ties: Mapping[str, str]) -> dict[str, str]:
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


def _relative_names(module: Module, prefix: str, separator: str) -> Iterator[tuple[str, str]]:
    for local, full in module.parameters.items():
        yield prefix + local, full
    for name, child in module.children.items():
        yield from _relative_names(child, f"{prefix}{name}{separator}", separator)


def _module_of_names(names: Iterable[str], separator: str) -> Module:
    """The structure that the names of a checkpoint spell, cut at the separator."""
    root = _Node({}, {})
    for name in names:
        *path, last = name.split(separator, MAXIMUM_DEPTH)
        node = root
        for part in path:
            node = node.children.setdefault(part, _Node({}, {}))
        node.parameters[last] = name
    return root.module()


class _Node(NamedTuple):
    parameters: dict[str, str]
    children: dict[str, _Node]

    def module(self) -> Module:
        below = {name: child.module() for name, child in self.children.items()}
        return Module(MappingProxyType(self.parameters), MappingProxyType(below))


def _describe(module: Module, tree: ParameterTree, name: str) -> str:
    return "\n".join(_description_lines(module, tree, name, ""))


def _description_lines(
    module: Module, tree: ParameterTree, name: str, indent: str
) -> Iterator[str]:
    """The structure as `print(net)` shows it, with the parameters of each layer."""
    own = "  ".join(
        f"{escape(local)} {list(tree[full].shape)}"
        + (f" = {escape(tree.ties[full])}" if full in tree.ties else "")
        for local, full in module.parameters.items()
    )
    label = str(module.layer) if module.layer and not module.children else module.kind
    title = f"({escape(name)}): {label}" if name else label or escape(tree.source)
    yield f"{indent}{title.rstrip(': ')}" + (f"  {own}" if own else "")
    for child_name, child in module.children.items():
        yield from _description_lines(child, tree, child_name, indent + "  ")
