"""Calls: arguments that a user wrote are bound to a signature, and written out again."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from paraminspect.errors import ExpressionError, nearest

MAXIMUM_INNER_CALL = 100
"""Characters of a layer that is an argument of another: so each layer has a bounded text."""

Function = Callable[..., Any]


@functools.lru_cache(maxsize=1024)
def signature(function: Function) -> inspect.Signature:
    """The signature of a function, cached: models call the same few layers thousands of times."""
    return inspect.signature(function)


def call(function: Function, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Call with arguments that a user wrote; what does not fit is an `ExpressionError`."""
    if not getattr(function, "binds_itself", False):
        bind_arguments(signature(function), name, arguments, keywords)
    return function(*arguments, **keywords)


def bind_arguments(
    signature: inspect.Signature, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> inspect.BoundArguments:
    """The arguments by name; what does not fit the signature of `name` is an `ExpressionError`."""
    parameters = signature.parameters
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for keyword in keywords:
        if keyword not in parameters and not any_keyword:
            known = ", ".join(parameters) or "none"
            raise ExpressionError(
                f"{name}() has no argument {keyword!r}{nearest(keyword, parameters)};"
                f" it takes {known}"
            )
    try:
        return signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise ExpressionError(
            f"{name}() is wrong: {error}; it takes {', '.join(parameters) or 'nothing'}"
        ) from None


def format_call(name: str, arguments: list[Any], keywords: Mapping[str, Any]) -> str:
    """`Linear(4, 8, bias=False)`: a call as one writes it."""
    return f"{name}({', '.join(_format_arguments(arguments, keywords))})"


def _format_arguments(arguments: list[Any], keywords: Mapping[str, Any]) -> Iterator[str]:
    yield from map(format_value, arguments)
    for key, value in keywords.items():
        yield f"{key}={format_value(value)}"


def format_value(value: Any) -> str:
    """A value as the language writes it; a long layer inside another is cut to `Kind(...)`."""
    if not hasattr(value, "call"):
        return repr(value)
    return str(value) if len(str(value)) <= MAXIMUM_INNER_CALL else f"{value.kind}(...)"
