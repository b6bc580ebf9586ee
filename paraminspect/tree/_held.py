"""Trees as users hold them: a child wins over an attribute or a method of the same name.

The library itself works with a `ParameterTree`, whose fields it must reach whatever the parameters
are called. What `pi.open` and the other public functions give is the same tree, held: all of it is
there, and no name of a child is hidden. The functions take it back as it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import FunctionType
from typing import Any

from paraminspect.errors import ArgumentError, brief
from paraminspect.tree._navigation import Part, refuse_setting
from paraminspect.tree._parameter import Parameter
from paraminspect.tree._tree import ParameterTree


class HeldTree(ParameterTree):
    """Parameters in definition order, aliases included; `ties` maps an alias to its own name.

    `tree[0][1].bias`, `tree["0.1.bias"]` and `tree.encoder.keys` reach a part or a parameter.
    Edits give new trees and leave this one as it was; values are read only when asked for.
    """

    def __init__(self, entries: Any, ties: Any = None, metadata: Any = None, **more: Any) -> None:
        super().__init__(_as_entries(entries), ties or {}, metadata or {}, **more)
        for pair in self.__dict__["ties"].items():
            for name in pair:
                if name not in self.__dict__["entries"]:
                    raise ArgumentError(f"ties: there is no parameter {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        refuse_setting(name)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        tree = freed(self)
        whole = Part(tree, tree.structure)
        is_method = isinstance(getattr(type(tree), name, None), FunctionType)
        method = for_users(getattr(tree, name)) if is_method else None
        if whole.has(name):
            return whole.own_child(name, method)
        return method or getattr(tree, name)

    def __getitem__(self, key: int | str) -> Any:
        return freed(self)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(freed(self))

    def __len__(self) -> int:
        return len(freed(self))

    def __contains__(self, key: object) -> bool:
        return key in freed(self)

    def __repr__(self) -> str:
        return repr(freed(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return held, (freed(self),)


def _as_entries(entries: Any) -> dict[str, Parameter]:
    """Parameters by name: of parameters, or of what NumPy makes arrays of."""
    if not isinstance(entries, Mapping):
        raise ArgumentError(f"expected parameters or arrays by name, got {brief(entries)}")
    made = {}
    for name, value in entries.items():
        if not isinstance(name, str):
            raise ArgumentError(f"a name is a text, got {brief(name)}")
        parameter = value if isinstance(value, Parameter) else Parameter(name, value)
        made[name] = parameter if parameter.name == name else replace(parameter, name=name)
    return made


def held(value: Any) -> Any:
    """A tree as users hold it; anything else as it is."""
    if not isinstance(value, ParameterTree) or isinstance(value, HeldTree):
        return value
    user = object.__new__(_held_class(type(value)))
    object.__setattr__(user, "__dict__", value.__dict__)
    return user


def freed(value: Any) -> Any:
    """A tree that a user holds as the library works with it; anything else as it is."""
    if not isinstance(value, HeldTree):
        return value
    kind = next(c for c in type(value).__mro__ if not issubclass(c, HeldTree))
    tree = object.__new__(kind)
    object.__setattr__(tree, "__dict__", value.__dict__)
    return tree


def for_users(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the library that takes and gives trees as users hold them."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        given = {name: freed(value) for name, value in keywords.items()}
        return held(function(*map(freed, arguments), **given))

    return call


@functools.cache
def _held_class(kind: type[ParameterTree]) -> type[HeldTree]:
    if kind is ParameterTree:
        return HeldTree
    computes = {"__call__": _call} if "__call__" in dir(kind) else {}
    known = {"__doc__": kind.__doc__, "__module__": kind.__module__}
    return type(kind.__name__, (HeldTree, kind), {**known, **computes})


def _call(tree: HeldTree, *arguments: Any, **keywords: Any) -> Any:
    return freed(tree)(*arguments, **keywords)
