"""Arguments that a user wrote for functions of NumPy: what does not fit is told as such."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError, ShapeError
from paraminspect.expressions.sizes import MAXIMUM_ELEMENTS


def told(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; what NumPy says of arguments that do not fit is an `ExpressionError`."""

    @functools.wraps(function)
    def apply(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            raise ExpressionError(f"{name}: {error}") from error

    return apply


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
