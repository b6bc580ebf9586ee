"""Initializers as values: what a framework's `..._initializer=` may be called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paraminspect.frameworks._declare import Declared, declare_call
from paraminspect.language import format_call
from paraminspect.tree.layers import Seed, next_serial


@dataclass(frozen=True)
class Initializer:
    """A call of an initializer; `scheme` is what it draws, in the language of schemes.

    `seed` is what it draws with wherever it is used, None if it takes none; `serial` is its place
    in the order of construction, among layers.
    """

    call: str
    scheme: str
    seed: Seed | None = field(default=None, compare=False)
    serial: int = field(default_factory=next_serial, compare=False)

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
        seed = Seed(arguments["seed"]) if "seed" in arguments else None
        values = {name: value for name, value in arguments.items() if name != "seed"}
        if callable(scheme):
            return Initializer(declared.call(arguments), scheme(**values), seed)
        defaults = {name: p.default for name, p in declared.signature.parameters.items()}
        changed = {name: value for name, value in values.items() if value != defaults[name]}
        written = format_call(scheme, [], changed) if changed else scheme
        return Initializer(declared.call(arguments), written, seed)

    return declare_call(signature, make)
