"""Shapes that reach a layer: what its framework refuses is an error here too."""

from __future__ import annotations

from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError


def expect_axes(shape: Shape, *allowed: int) -> None:
    """Refuse an input whose number of axes (the batch aside) is none of `allowed`."""
    if len(shape) not in allowed:
        many = "axis" if allowed == (1,) else "axes"
        raise DefinitionError(
            f"expected an input of {' or '.join(map(str, allowed))} {many}, got {list(shape)}"
        )


def expect_length(shape: Shape, axis: int, length: int, name: str) -> None:
    """Refuse an input of other than `length` features, channels, ..."""
    if not -len(shape) <= axis < len(shape) or shape[axis] != length:
        raise DefinitionError(f"expected an input of {length} {name}, got {list(shape)}")


def per_axis(value: Any, ndim: int, name: str) -> tuple[Any, ...]:
    """One value for each of `ndim` axes, from one for all or one for each."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * ndim
    if len(values) != ndim:
        raise ExpressionError(f"{name} must be one number or {ndim}, got {value}")
    return values


def batch_axis(dim: int, shape: Shape) -> int:
    """The axis that `dim` means when the batch is counted: 0 is the batch."""
    ndim = len(shape) + 1
    if not -ndim <= dim < ndim:
        raise DefinitionError(f"dim {dim} is out of range for an input of {list(shape)}")
    return dim % ndim
