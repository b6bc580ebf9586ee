"""The names that a framework gives to schemes: each means there what it means in the framework.

Names that a framework does not give to a scheme mean what they mean in the common language.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from paraminspect.frameworks._initializer import Initializer
from paraminspect.init.distributions import Distribution, Seeded
from paraminspect.init.schemes import (
    SCHEMES,
    Scheme,
    SchemeFunction,
    Target,
    Undrawn,
    checked,
    parse_scheme,
)
from paraminspect.language import call, signature

Words = Mapping[str, SchemeFunction]


def words_of(initializers: Mapping[str, Callable[..., Initializer]]) -> dict[str, SchemeFunction]:
    """The initializers that a definition may call, as schemes that a rule may call."""
    return {name: _Word(make) for name, make in initializers.items()}


@dataclass(frozen=True)
class _Word:
    """An initializer of a framework as a scheme; a seed that it is given is its own."""

    make: Callable[..., Initializer]
    binds_itself: ClassVar = True

    @property
    def __signature__(self) -> inspect.Signature:
        return signature(self.make)

    def __call__(self, *arguments: Any, **keywords: Any) -> Scheme:
        made = self.make(*arguments, **keywords)
        scheme = parse_scheme(made.scheme)
        if made.seed is None or made.seed.given is None:
            return Undrawn(scheme)
        return Undrawn(functools.partial(_seeded, scheme, made.seed.given))


def _seeded(scheme: Scheme, seed: int, target: Target) -> Distribution:
    return Seeded(scheme(target), seed)


def in_pairs(words: Words, *, alone: bool) -> dict[str, SchemeFunction]:
    """`uniform` and `normal` as a framework has them, and with two numbers as everywhere.

    `alone`: whether one number without its name is clear enough.
    """
    return {
        name: _Paired(name, words[name], checked(SCHEMES[name]), alone)
        for name in ("uniform", "normal")
    }


@dataclass(frozen=True)
class _Paired:
    name: str
    own: SchemeFunction
    common: SchemeFunction
    alone: bool
    binds_itself: ClassVar = True

    def __call__(self, *arguments: Any, **keywords: Any) -> Scheme:
        unclear = not self.alone and len(arguments) == 1 and not keywords
        others = not _binds(self.own, arguments, keywords)
        if unclear or (others and _binds(self.common, arguments, keywords)):
            return self.common(*arguments, **keywords)
        made: Scheme = call(self.own, self.name, list(arguments), keywords)
        return made


def _binds(
    function: SchemeFunction, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> bool:
    try:
        signature(function).bind(*arguments, **keywords)
    except TypeError:
        return False
    return True
