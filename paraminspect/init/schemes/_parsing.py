"""How schemes are written.

A scheme is a call in the expression language, `kaiming_uniform(a=5**0.5)`; a bare name is a call
without arguments, a bare number a constant. A list is drawn in turn: each item is a scheme that
draws anew, or an expression of `x`, the value so far: `[uniform(-10, 10), x * (abs(x) >= 5)]`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from paraminspect.arrays import Array
from paraminspect.errors import ParamInspectError, SchemeError, nearest
from paraminspect.init.distributions import Change, Constant, Distribution, Steps
from paraminspect.init.schemes._calls import SchemeFunction, Undrawn, checked
from paraminspect.init.schemes._numbers import FUNCTIONS
from paraminspect.init.schemes._table import ALIASES, IN_PLACE, SCHEMES
from paraminspect.init.schemes._target import Scheme, Target
from paraminspect.language import CONSTANTS, Expression, call, parse_expression
from paraminspect.operations.edit import assign
from paraminspect.tree import Parameter, ParameterTree
from paraminspect.tree.address import Address

ABSENT: dict[str, str] = {
    "Mixed": "give a rule for each pattern, or `init:` in the definition",
    "Load": "give a rule like PATTERN=@FILE.npy, or complete the checkpoint by a definition",
    "FusedRNN": "each matrix has a name of its own here: give a rule for each",
    **dict.fromkeys(
        ("STFT", "STFTInitializer", "stft"),
        "its kernels are computed, not drawn: give them by @FILE.npy",
    ),
}
"""Initializers of the frameworks that are not offered, with what to do instead."""

MEANT: dict[str, str] = {
    "gaussian": "did you mean 'normal'?",
    "default": "leave it out: without a scheme a parameter gets its framework's default",
}
"""Words, in lower case, that users write in place of a scheme's name, with what they mean."""

_VALUE = "x"
"""The name of the value so far."""


def parse_scheme(
    text: str,
    words: Mapping[str, SchemeFunction] | None = None,
    own: Mapping[str, SchemeFunction] | None = None,
) -> Scheme:
    """The scheme that a user wrote; raises `SchemeError`.

    `words` are the names that a framework gives to schemes, which win over the common ones here;
    `own` are the user's own functions, which win over both.
    """
    try:
        return _parse(text, words or {}, own or {})
    except SchemeError:
        raise
    except ParamInspectError as error:
        raise SchemeError(str(error)) from None


def _parse(
    text: str, words: Mapping[str, SchemeFunction], own: Mapping[str, SchemeFunction]
) -> Scheme:
    """A user's function is loaded only if the text names it: loading runs foreign code."""
    expression = parse_expression(text)
    offered = {n: checked(own[n]) if n in expression.names else _unused for n in own}
    functions = {**_common(), **words, **offered}
    for name in expression.names:
        if name in ABSENT and name not in functions:
            raise SchemeError(f"{name} is not a scheme of one parameter: {ABSENT[name]}")
    parts = expression.items()
    if parts is None:
        return _scheme(expression, functions)
    steps = [_step(part, functions) for part in parts]
    if not steps or isinstance(steps[0], Change):
        raise SchemeError(f"the first step must be a scheme that draws x, got {text}")
    return functools.partial(_in_steps, tuple(steps))


def _unused() -> Scheme:
    """Stands for a function of the user's that need not be loaded."""
    raise AssertionError


def _in_steps(steps: tuple[Scheme | Change, ...], target: Target) -> Distribution:
    return Steps(tuple(s if isinstance(s, Change) else s(target) for s in steps))


def _step(expression: Expression, functions: Mapping[str, SchemeFunction]) -> Scheme | Change:
    if _VALUE in expression.names:
        return Change(functools.partial(_changed, expression))
    return _scheme(expression, functions)


def _changed(expression: Expression, array: Array) -> Array:
    """What the command `set` would make of an array."""
    name = expression.text
    tree = ParameterTree({name: Parameter(name, array)})
    changed: Array = assign(tree, Address(name), expression)[name].data
    return changed


def _scheme(expression: Expression, functions: Mapping[str, SchemeFunction]) -> Scheme:
    """One step: a call, a bare name, or a number, which is a constant."""
    if _VALUE in expression.names:
        raise SchemeError(
            f"x is the value so far: draw it first, as in [normal(0, 1), {expression.text}]"
        )
    known = {**FUNCTIONS, **functions}
    unknown = expression.names - known.keys() - CONSTANTS.keys()
    if unknown:
        raise SchemeError(_unknown(min(unknown, key=expression.text.find), known))
    value = expression.evaluate(_BareNames(functions), known)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        return lambda target: Constant(number)
    if not isinstance(value, Undrawn):
        raise SchemeError(f"expected a scheme like normal(0, 0.02), got {expression.text!r}")
    return value


def _unknown(name: str, known: Iterable[str]) -> str:
    """Why a name is refused, with the schemes that may be meant: all where none is near."""
    if name.lower() in MEANT:
        return f"unknown scheme {name!r}: {MEANT[name.lower()]}"
    begun = [scheme for scheme in SCHEMES if scheme.startswith(f"{name.lower()}_")]
    if begun:
        return f"unknown scheme {name!r}, did you mean {' or '.join(map(repr, begun))}?"
    ending = nearest(name, known) or f"; known are {', '.join(SCHEMES)}"
    return f"unknown scheme {name!r}{ending}"


class _BareNames(Mapping[str, Any]):
    """The names that a scheme may use: numbers, and schemes that are called without arguments."""

    def __init__(self, functions: Mapping[str, SchemeFunction]) -> None:
        self._functions = functions

    def __getitem__(self, name: str) -> Any:
        return CONSTANTS[name] if name in CONSTANTS else call(self._functions[name], name, [], {})

    def __iter__(self) -> Iterator[str]:
        return iter([*CONSTANTS, *self._functions])

    def __len__(self) -> int:
        return len(CONSTANTS) + len(self._functions)


@functools.cache
def _common() -> dict[str, SchemeFunction]:
    """Every scheme under every name that it has where no framework gives the name to another."""
    table = {**SCHEMES, **{alias: SCHEMES[name] for alias, name in ALIASES.items()}}
    named = {**table, **{f"{name}_": function for name, function in table.items()}, **IN_PLACE}
    return {name: checked(function) for name, function in named.items()}
