"""Trees as users hold them: a child wins over a field or a method of the same name.

The library itself works with a `ParameterTree`, whose fields it must reach whatever the parameters
are called. What `pi.open` and the other public functions give is a thin shell around it, as a
`Branch` is around a part: all of it is there, and no name of a child is hidden. The public
functions take the shell off on the way in and put it on on the way out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from inspect import isroutine
from types import MappingProxyType
from typing import Any

from paraminspect.errors import ArgumentError, brief
from paraminspect.tree._navigation import refuse_setting
from paraminspect.tree._parameter import Parameter
from paraminspect.tree._tree import ParameterTree


class HeldTree(Mapping[str, Parameter]):
    """Parameters in definition order, aliases included; `ties` maps an alias to its own name.

    `tree[0][1].bias`, `tree["0.1.bias"]` and `tree.encoder.keys` reach a part or a parameter.
    Edits give new trees and leave this one as it was; values are read only when asked for.

        >>> import paraminspect as pi
        >>> tree = pi.ParameterTree({"0.weight": [[1.0, 2.0]], "0.keys": [3.0]})
        >>> tree[0].weight, tree[0].keys, list(tree.select("*.keys"))
        (Parameter('0.weight', [1, 2], float64), Parameter('0.keys', [1], float64), ['0.keys'])

    `entries` are parameters or what NumPy makes arrays of, which is copied. Raises `ArgumentError`
    for anything else, and for ties of names that are not there.
    """

    def __init__(self, entries: Any, ties: Any = None, metadata: Any = None) -> None:
        tree = ParameterTree(_as_entries(entries), dict(ties or {}), dict(metadata or {}))
        for pair in tree.ties.items():
            for name in pair:
                if name not in tree.entries:
                    raise ArgumentError(f"ties: there is no parameter {name!r}")
        object.__setattr__(self, "__tree__", tree)

    __tree__: ParameterTree

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        tree = self.__tree__
        own = getattr(tree, name, None)
        method = for_users(own) if isroutine(own) else None
        if tree.whole.has(name):
            return tree.whole.own_child(name, method)
        if method:
            return method
        if not hasattr(tree, name):
            return tree.whole.attribute(name)
        return MappingProxyType(own) if isinstance(own, dict) else own

    def __setattr__(self, name: str, value: object) -> None:
        refuse_setting(name)

    def __setitem__(self, key: object, value: object) -> None:
        refuse_setting(key)

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """What the model computes; only that of a definition does."""
        tree: Any = self.__tree__
        if not callable(tree):
            raise ArgumentError("only a definition tells what a model computes")
        return tree(*inputs, **named)

    def __getitem__(self, key: int | str) -> Any:
        return self.__tree__[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__tree__)

    def __len__(self) -> int:
        return len(self.__tree__)

    def __contains__(self, key: object) -> bool:
        return key in self.__tree__

    __eq__ = object.__eq__  # `pi.diff` compares values
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return repr(self.__tree__)

    def __reduce__(self) -> tuple[Any, ...]:
        return held, (self.__tree__,)


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
    if not isinstance(value, ParameterTree):
        return value
    user = object.__new__(HeldTree)
    object.__setattr__(user, "__tree__", value)
    return user


def freed(value: Any) -> Any:
    """A tree that a user holds as the library works with it; anything else as it is."""
    return value.__tree__ if isinstance(value, HeldTree) else value


def for_users(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the library that takes and gives trees as users hold them."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        given = {name: freed(value) for name, value in keywords.items()}
        return held(function(*map(freed, arguments), **given))

    return call
