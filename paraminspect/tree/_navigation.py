"""Navigation: parts of a tree by position, name or attribute."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from paraminspect.errors import AddressError
from paraminspect.tree._describing import describe
from paraminspect.tree._module import Module, relative_names
from paraminspect.tree._parameter import Parameter

if TYPE_CHECKING:
    from paraminspect.tree._tree import ParameterTree


class Navigable:
    """Access by position, name or attribute, as the frameworks' modules have it."""

    _tree: ParameterTree
    _module: Module

    def _child(self, key: object) -> Parameter | Branch:
        module, tree = self._module, self._tree
        if isinstance(key, int):
            return self._at(key)
        if not isinstance(key, str):
            raise AddressError(f"a part is reached by its position or its name, got {key!r}")
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


class Branch(Navigable, Mapping[str, Parameter]):
    """A part of a tree: one module with all below it, keyed by names relative to it."""

    def __init__(self, tree: ParameterTree, module: Module, name: str) -> None:
        self._tree = tree
        self._module = module
        self._name = name

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            way = "pi.assign(tree, address, value) gives another"
            raise AttributeError(f"cannot set {name!r}: trees stay as they are; {way}")
        super().__setattr__(name, value)

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
        return dict(relative_names(self._module, "", self._tree.separator))

    def parameters(self) -> list[Parameter]:
        """The parameters of this part, in definition order, a tied array once."""
        own = dict.fromkeys(map(self._tree.own_name, self._names.values()))
        return [self._tree[name] for name in own]

    def __repr__(self) -> str:
        return describe(self._module, self._tree, self._name)
