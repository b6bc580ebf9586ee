"""Arguments that a user wrote for a function: what does not fit is an `ExpressionError`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.compute._promotion import is_array
from paraminspect.errors import ExpressionError, ShapeError
from paraminspect.language import bind_arguments
from paraminspect.language.sizes import MAXIMUM_ELEMENTS

MAXIMUM_MESSAGE = 300
"""Characters of what an error says of its arguments."""

Check = Callable[[str, Any], None]
"""Raises for a value that an argument of this name cannot have."""
NOTHING: Mapping[str, Any] = {}


def checked(
    name: str,
    function: Callable[..., Any],
    checks: Mapping[str, Check] = NOTHING,
    other_names: Mapping[str, str] = NOTHING,
) -> Callable[..., Any]:
    """The function as users call it: what it or NumPy says of arguments begins with its name.

    `checks` are by name of an argument; `other_names` are names that the framework takes too.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def apply(*arguments: Any, **keywords: Any) -> Any:
        if other_names:
            keywords = _renamed(name, signature, keywords, other_names)
        bound = bind_arguments(signature, name, arguments, keywords)
        try:
            for argument, value in bound.arguments.items():
                if argument in checks and value is not signature.parameters[argument].default:
                    checks[argument](argument, value)
            return function(*bound.args, **bound.kwargs)
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            raise ExpressionError(f"{name}: {_short(error)}") from error

    apply.binds_itself = True  # type: ignore[attr-defined]  # read by language._calls.call
    return apply


def _short(error: Exception) -> str:
    """What an error says, on one line: it may show an array."""
    text = " ".join(str(error).split())
    return text if len(text) <= MAXIMUM_MESSAGE else text[:MAXIMUM_MESSAGE] + "..."


def checked_all(
    functions: Mapping[str, Callable[..., Any]],
    checks: Mapping[str, Check] = NOTHING,
    other_names: Mapping[str, str] = NOTHING,
) -> dict[str, Callable[..., Any]]:
    """A table of functions as users call them."""
    return {name: checked(name, f, checks, other_names) for name, f in functions.items()}


def _renamed(
    name: str, signature: inspect.Signature, keywords: dict[str, Any], others: Mapping[str, str]
) -> dict[str, Any]:
    known, renamed = signature.parameters, dict[str, Any]()
    for keyword, value in keywords.items():
        other = others.get(keyword, keyword)
        own = other if keyword not in known and other in known else keyword
        if own in renamed or (own != keyword and own in keywords):
            raise ExpressionError(f"{name}() got {own!r} twice")
        renamed[own] = value
    return renamed


def shown(value: Any) -> str:
    """A wrong value as an error shows it: in full only if it is short."""
    if isinstance(value, str | int | float | None):
        return repr(value) if len(repr(value)) <= 40 else f"{str(value)[:37]!r}..."
    return (
        f"{type(value).__name__} {list(value.shape)}" if is_array(value) else type(value).__name__
    )


def array(name: str, value: Any) -> None:
    """A check: an array."""
    if not is_array(value):
        raise TypeError(f"{name} must be an array, got {shown(value)}")


def array_or_number(name: str, value: Any) -> None:
    """A check: an array or a plain number."""
    if not is_array(value) and type(value) not in (int, float, bool):
        raise TypeError(f"{name} must be an array or a number, got {shown(value)}")


def arrays(name: str, value: Any) -> None:
    """A check: a list or tuple of arrays, one at least."""
    if not isinstance(value, tuple | list) or not value or not all(map(is_array, value)):
        raise TypeError(f"{name} must be a list of arrays, as in [a, b]")


def number(name: str, value: Any) -> None:
    """A check: a plain number."""
    if type(value) not in (int, float):
        raise TypeError(f"{name} must be a number, got {shown(value)}")


def integer(name: str, value: Any) -> None:
    """A check: a plain integer."""
    if type(value) is not int:
        raise TypeError(f"{name} must be an integer, got {shown(value)}")


def flag(name: str, value: Any) -> None:
    """A check: True or False."""
    if type(value) is not bool:
        raise TypeError(f"{name} must be True or False, got {shown(value)}")


def floats(x: Any) -> Any:
    """The array itself, which holds floats."""
    if not is_array(x) or x.dtype.kind != "f":
        raise TypeError(f"floats are expected, got {x.dtype if is_array(x) else shown(x)}")
    return x


DTYPES = ("float32", "float64", "int32", "int64", "bool")


def dtype_of(name: str | None, default: str) -> str:
    """The dtype that an argument names."""
    if name is None:
        return default
    if name not in DTYPES:
        raise TypeError(f"dtype must be one of {', '.join(DTYPES)}, got {name!r}")
    return name


def default_dtype(value: Any, whole: str = "int64") -> str:
    """What a framework makes of a number: bool, its integers, or float32."""
    return "bool" if type(value) is bool else whole if type(value) is int else "float32"


def checked_shape(shape: tuple[Any, ...], smallest: int = 1) -> Shape:
    """A shape that a user wrote, once it is one, and not too large."""
    count = 1
    for size in shape:
        if type(size) is not int or size < smallest:
            raise ShapeError(f"a shape is made of integers from {smallest} on, got {size!r}")
        count *= size
        if count > MAXIMUM_ELEMENTS:
            raise ShapeError(f"the shape {list(shape)} has over {MAXIMUM_ELEMENTS} elements")
    return shape


def made_shape(given: Any) -> Shape:
    """The shape of an array that is made of nothing else: a size or a sequence of them."""
    return checked_shape(tuple(given) if isinstance(given, tuple | list) else (given,), 0)
