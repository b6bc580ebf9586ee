"""Initializers as values: what a framework's `..._initializer=` may be called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paraminspect.expressions import format_call
from paraminspect.frameworks._declare import Declared, declare_call


@dataclass(frozen=True)
class Initializer:
    """A call of an initializer; `scheme` is what it draws, in the language of schemes."""

    call: str
    scheme: str

    def __str__(self) -> str:
        return self.call


def initializer(
    signature: str, scheme: Callable[..., str] | str
) -> tuple[str, Callable[..., Initializer]]:
    """`("Xavier", function)` from the framework's own signature.

    `scheme` makes the scheme of the arguments, or is the name of one that has the same arguments;
    a seed is not part of a scheme.
    """

    def make(declared: Declared, arguments: Mapping[str, Any]) -> Initializer:
        values = {name: value for name, value in arguments.items() if name != "seed"}
        if callable(scheme):
            return Initializer(declared.call(arguments), scheme(**values))
        defaults = {name: p.default for name, p in declared.signature.parameters.items()}
        changed = {name: value for name, value in values.items() if value != defaults[name]}
        written = format_call(scheme, [], changed) if changed else scheme
        return Initializer(declared.call(arguments), written)

    return declare_call(signature, make)
