"""Arguments of layer calls: what each may be, as the annotations of a declaration say."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paraminspect.arrays import DTYPE_ALIASES, DTYPES, parse_dtype
from paraminspect.errors import DTypeError, ExpressionError, nearest
from paraminspect.language import format_call, format_value
from paraminspect.tree.layers import MAXIMUM_SIZE, Layer

MAXIMUM_DEPTH = 10_000
"""Layers that one call may stack: `LSTM(8, 8, num_layers)`."""

MAXIMUM_AXES = 64
"""As in NumPy and PyTorch."""


@dataclass(frozen=True)
class Check:
    """What an argument may be, in words and as a test; `choices` are the strings that it may be."""

    expected: str
    is_right: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


def _is_integer(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= MAXIMUM_SIZE


def _is_integers(value: Any, least: int) -> bool:
    listed = _listed(value)
    return len(listed) <= MAXIMUM_AXES and all(_is_integer(item, least) for item in listed)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else [value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_dtype(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse_dtype(value))
    except DTypeError:
        return False


CHECKS: dict[str, Check] = {
    "Size": Check(f"an integer from 1 to {MAXIMUM_SIZE}", lambda v: _is_integer(v, 1)),
    "Count": Check(f"an integer from 0 to {MAXIMUM_SIZE}", lambda v: _is_integer(v, 0)),
    "Integer": Check("an integer", lambda v: _is_integer(v, -MAXIMUM_SIZE)),
    "Seed": Check("an integer", lambda v: type(v) is int),
    "Depth": Check(
        f"an integer from 0 to {MAXIMUM_DEPTH}",
        lambda v: _is_integer(v, 0) and v <= MAXIMUM_DEPTH,
    ),
    "Sizes": Check(
        "an integer from 1 on or a tuple of them",
        lambda v: v not in ((), []) and _is_integers(v, 1),
    ),
    "Counts": Check("an integer from 0 on or a tuple of them", lambda v: _is_integers(v, 0)),
    "Integers": Check("an integer or a tuple of them", lambda v: _is_integers(v, -MAXIMUM_SIZE)),
    "OptionalCounts": Check(
        "an integer from 0 on, or a tuple of them in which None keeps a size",
        lambda v: v is not None and _is_integers([n for n in _listed(v) if n is not None], 0),
    ),
    "IntegerList": Check(
        "a list of integers",
        lambda v: isinstance(v, tuple | list) and _is_integers(v, -MAXIMUM_SIZE),
    ),
    "Flag": Check("True or False", lambda v: isinstance(v, bool)),
    "Number": Check("a number", _is_number),
    "Numbers": Check("a tuple of them", lambda v: isinstance(v, tuple) and all(map(_is_number, v))),
    "Probability": Check("a number from 0 to 1", lambda v: _is_number(v) and 0 <= v <= 1),
    "Text": Check("a string", lambda v: isinstance(v, str)),
    "TypeName": Check("the name of a dtype", _is_dtype, (*DTYPES, *DTYPE_ALIASES)),
    "Layer": Check("a layer", lambda v: isinstance(v, Layer)),
    "Absent": Check("left out: a definition cannot write it", lambda v: v is None),
    "None": Check("None", lambda v: v is None),
}
"""What an annotation means; ` | ` joins alternatives, `Literal['a', 'b']` lists strings."""


def checks_of(signature: inspect.Signature) -> dict[str, list[Check]]:
    """For each annotated argument what it may be."""
    return {
        name: [_check(word) for word in str(parameter.annotation).split(" | ")]
        for name, parameter in signature.parameters.items()
        if parameter.annotation is not parameter.empty
    }


def _check(word: str) -> Check:
    if word.startswith("Literal["):
        choices: tuple[str, ...] = ast.literal_eval(f"({word.removeprefix('Literal[')[:-1]},)")
        return Check(f"one of {', '.join(choices)}", lambda v: v in choices, choices)
    return CHECKS[word]


def check_argument(kind: str, name: str, value: Any, checks: list[Check]) -> None:
    """Raise `ExpressionError` if the argument `name` of `kind(...)` is none of what it may be."""
    for check in checks:
        if check.is_right(value):
            return
    expected = " or ".join(check.expected for check in checks)
    choices = [choice for check in checks for choice in check.choices]
    ending = nearest(value, choices) if isinstance(value, str) else ""
    raise ExpressionError(f"{kind}: {name} must be {expected}, got {format_value(value)}{ending}")


def canonical_call(kind: str, signature: inspect.Signature, arguments: Mapping[str, Any]) -> str:
    """The shortest call that means the same: required arguments by position, others if changed."""
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        value, default = arguments.get(name), parameter.default
        if value is default:  # most are left out: nothing else need be asked
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value or ()
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords |= value or {}
        elif default is parameter.empty and not keywords:
            positional.append(value)
        elif value != default or type(value) is not type(default):
            keywords[name] = value
    return format_call(kind, positional, keywords)
