"""Wishes: what a caller asks to be drawn, in any form that one would try, brought into one."""

from __future__ import annotations

import numbers
from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from paraminspect.arrays import DType, parse_dtype
from paraminspect.errors import ArgumentError, DTypeError, SchemeError, brief, nearest
from paraminspect.init.fans import LAYOUTS
from paraminspect.init.generators import NATIVE
from paraminspect.init.schemes import SchemeFunction, UserFunctions, user_scheme
from paraminspect.tree.address import Address, parse_address, parse_assignment

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    SchemeLike = str | float | Callable[..., Any] | Iterable[str]


@dataclass(frozen=True)
class Rule:
    """A scheme for all parameters that an address matches, or for the part that it points at."""

    address: Address
    scheme: str


def parse_rule(text: str, names: Collection[str] = ()) -> Rule:
    """`PATTERN=SCHEME` or `PATTERN[INDEX]=SCHEME`; raises `AddressError` and `SchemeError`.

    A name among `names` wins over the syntax.
    """
    address, scheme = parse_assignment(text, names)
    if not scheme:
        raise SchemeError(f"expected a scheme like normal(0, 0.02) behind {text!r}")
    return Rule(address, scheme)


class Wishes(TypedDict, total=False):
    """What to draw, and how. A scheme is a text, a number, or a function `f(rng, shape)`."""

    scheme: SchemeLike | None
    """For all weights; see `weights`."""
    rules: Mapping[str, SchemeLike] | Iterable[Rule | str] | str
    """`{"*.bias": 0}` or `["*.bias=zeros"]`: they win over `scheme`, the last over those before."""
    dtype: DType | DTypeLike | str | None
    """The dtype in which floats are drawn."""
    layout: str | None
    """Which axes of a bare checkpoint are in and out: `out_in` or `in_out`."""
    functions: Mapping[str, Callable[..., Any]] | Iterable[Callable[..., Any]]
    """Schemes of your own, by name: functions of any of `rng`, `shape`, `fan_in`, `fan_out`."""
    rng: str
    """Whose random numbers; if a framework's, `scheme` and `rules` are in its words."""


class Plain:
    """Wishes as texts: schemes, rules in order, and the functions that their names stand for."""

    def __init__(self, wishes: Mapping[str, Any], names: Collection[str]) -> None:
        for name in wishes:
            if name not in Wishes.__annotations__:
                known = nearest(name, Wishes.__annotations__)
                raise ArgumentError(f"there is no argument {name!r}{known}")
        given: Any = wishes.get("functions") or {}
        named: Any = given if isinstance(given, UserFunctions) else dict(_named(given))
        self._inline: dict[str, Callable[..., Any]] = {}
        scheme = wishes.get("scheme")
        self.scheme = None if scheme is None else self._text(scheme)
        self.rules = list(self._rules(wishes.get("rules"), names))
        inline = {name: user_scheme(function) for name, function in self._inline.items()}
        self.functions: Mapping[str, SchemeFunction] = ChainMap(inline, named)
        self.rng: str = wishes.get("rng", NATIVE.name)
        self.dtype = _dtype(wishes.get("dtype"))
        self.layout = wishes.get("layout")
        if self.layout not in (None, *LAYOUTS):
            raise ArgumentError(f"layout must be {' or '.join(LAYOUTS)}, got {self.layout!r}")

    def _rules(self, rules: Any, names: Collection[str]) -> Iterator[Rule]:
        if isinstance(rules, Mapping):
            for address, scheme in rules.items():
                if not isinstance(address, str):
                    raise ArgumentError(f"a rule is for an address like '*.bias', got {address!r}")
                yield Rule(parse_address(address, names), self._text(scheme))
            return
        for rule in [rules] if isinstance(rules, str) else _iterated(rules or (), "rules"):
            if not isinstance(rule, Rule | str):
                raise ArgumentError(f"a rule is a text like '*.bias=zeros', got {brief(rule)}")
            yield parse_rule(rule, names) if isinstance(rule, str) else rule

    def _text(self, scheme: Any) -> str:
        """The text of a scheme: a text, a number, a function of one's own, or steps of these."""
        if isinstance(scheme, str) and scheme:
            return scheme
        if isinstance(scheme, numbers.Real) and not isinstance(scheme, bool):
            return repr(float(scheme))
        if isinstance(scheme, list | tuple) and any(
            isinstance(s, str) or callable(s) for s in scheme
        ):
            return f"[{', '.join(map(self._text, scheme))}]"
        if callable(scheme):
            name = getattr(scheme, "__name__", "")
            if not name.isidentifier() or self._inline.get(name, scheme) is not scheme:
                name = f"function_{len(self._inline)}"
            self._inline[name] = scheme
            return name
        raise ArgumentError(
            "a scheme is a text like 'normal(0, 0.02)', a number or a function of (rng, shape),"
            f" got {brief(scheme)}; values are set by pi.set"
        )


def _iterated(value: Any, what: str) -> Iterable[Any]:
    if not isinstance(value, Iterable):
        raise ArgumentError(f"{what} are a list or a dict, got {brief(value)}")
    return value


def _named(functions: Any) -> Iterator[tuple[str, SchemeFunction]]:
    """Functions of one's own by the names that schemes have for them."""
    if callable(functions):
        functions = [functions]
    if not isinstance(functions, Mapping):
        functions = {getattr(f, "__name__", repr(f)): f for f in _iterated(functions, "functions")}
    for name, function in functions.items():
        if not callable(function):
            raise ArgumentError(f"functions: {name!r} is not a function: {brief(function)}")
        if not isinstance(name, str) or not name.isidentifier():
            raise ArgumentError(f"functions: a scheme cannot be called {name!r}: give it a name")
        yield name, user_scheme(function)


def _dtype(dtype: Any) -> DType | None:
    if dtype is None or isinstance(dtype, DType):
        return dtype
    if isinstance(dtype, str):
        return parse_dtype(dtype)
    import numpy as np

    try:
        return DType.of(np.dtype(dtype))
    except TypeError:
        raise DTypeError(f"expected a dtype like 'float32', got {brief(dtype)}") from None
