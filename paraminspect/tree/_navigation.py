"""Navigation: parts of a tree by position, name or attribute."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from paraminspect.errors import AddressError, ArgumentError, FrozenError, OutOfBoundsError
from paraminspect.tree._describing import describe, label, titled
from paraminspect.tree._module import Module, relative_names
from paraminspect.tree._parameter import Parameter


@dataclass(frozen=True, eq=False)
class Part:
    """A module of a tree, with the parameters and ties of the whole of it.

    `name` is that in the module around it.
    """

    entries: Mapping[str, Parameter]
    ties: Mapping[str, str]
    separator: str
    module: Module
    name: str = ""

    @functools.cached_property
    def names(self) -> dict[str, str]:
        """The names below it, relative to it, and those in the tree."""
        return dict(relative_names(self.module, "", self.separator))

    def child(self, key: object) -> Parameter | Branch:
        """The part at a position, or of a name, which may lead further down."""
        if isinstance(key, int):
            return self._at(key)
        if not isinstance(key, str):
            raise AddressError(f"a part is reached by its position or its name, got {key!r}")
        if self.has(key):
            return self.own_child(key)
        for name in self.module.children:
            start = name + self.separator
            if key.startswith(start):
                return self._below(name).child(key[len(start) :])
        known = [*self.module.children, *self.module.parameters]
        raise AddressError(f"no {key!r} here; there are {', '.join(known[:10]) or 'no parts'}")

    def _at(self, position: int) -> Parameter | Branch:
        names = list(self.module.children or self.module.parameters)
        # Of a checkpoint or a selection, where some layers are not listed, the number is a name.
        if str(position) in names:
            return self.own_child(str(position))
        if not -len(names) <= position < len(names):
            raise OutOfBoundsError(f"no part at position {position}: there are {len(names)}")
        name = names[position]
        if name in self.module.children:
            return Branch(self._below(name))
        return self.entries[self.module.parameters[name]]

    def _below(self, name: str) -> Part:
        return replace(self, module=self.module.children[name], name=name)

    def has(self, name: str) -> bool:
        """Whether a child has this very name."""
        return name in self.module.parameters or name in self.module.children

    def own_child(self, name: str, hidden: Callable[..., Any] | None = None) -> Parameter | Branch:
        """The child of this very name, a parameter before a part; `hidden`: see `Branch`."""
        if name in self.module.parameters:
            return self.entries[self.module.parameters[name]]
        return Branch(self._below(name), hidden)

    def attribute(self, name: str) -> Parameter | Branch:
        """The child that an attribute stands for; raises `AttributeError` if there is none."""
        try:
            return self.child(name)
        except AddressError as error:
            raise AttributeError(str(error)) from None


class Branch(Mapping[str, Parameter]):
    """A part of a tree: one module with all below it, keyed by names relative to it.

    A child wins over a method of the same name: `net.attention.keys` is that layer. Calling it is
    still calling the method, which is `hidden`: `dict(net.attention)` depends on `keys`.
    """

    def __init__(self, part: Part, hidden: Callable[..., Any] | None = None) -> None:
        object.__setattr__(self, "__part__", part)
        object.__setattr__(self, "__hidden__", hidden)

    __part__: Part
    __hidden__: Callable[..., Any] | None

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        part = self.__part__
        if not part.has(name):
            return super().__getattribute__(name)
        is_method = hasattr(Branch, name)
        return part.own_child(name, super().__getattribute__(name) if is_method else None)

    def __getattr__(self, name: str) -> Parameter | Branch:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__part__.attribute(name)

    def __setattr__(self, name: str, value: object) -> None:
        refuse_setting(name)

    def __setitem__(self, key: object, value: object) -> None:
        refuse_setting(key)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self.__hidden__ is None:
            raise ArgumentError("a part of a model does not compute: call the whole model")
        return self.__hidden__(*arguments, **keywords)

    def __getitem__(self, key: int | str) -> Any:
        part = self.__part__
        if isinstance(key, str) and key in part.names:
            return part.entries[part.names[key]]
        return part.child(key)

    def __contains__(self, key: object) -> bool:
        return key in self.__part__.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.__part__.names)

    def __len__(self) -> int:
        return len(self.__part__.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Branch):
            return NotImplemented
        one, two = self.__part__, other.__part__
        return one.entries is two.entries and one.module is two.module

    def __hash__(self) -> int:
        return hash((id(self.__part__.entries), id(self.__part__.module)))

    def parameters(self) -> list[Parameter]:
        """The parameters of this part, in definition order, a tied array once."""
        part = self.__part__
        own = dict.fromkeys(part.ties.get(name, name) for name in part.names.values())
        return [part.entries[name] for name in own]

    def __repr__(self) -> str:
        part = self.__part__
        title = titled(part.name, part.module) if part.name else label(part.module)
        return describe(part.module, part.entries, part.ties, title)


def refuse_setting(key: object) -> NoReturn:
    """Raise `FrozenError`: what is set would be lost."""
    way = "pi.set(tree, {address: value}) gives another"
    raise FrozenError(f"cannot set {key!r}: trees stay as they are; {way}")
