"""How `keras.ops` checks the arguments of its functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paraminspect.compute._arguments import (
    Check,
    array,
    array_or_number,
    arrays,
    flag,
    integer,
    number,
)
from paraminspect.compute._axes import axes_of, axis_of

CHECKS: dict[str, Check] = {
    **dict.fromkeys(("x", "indices"), array),
    **dict.fromkeys(("x1", "x2"), array_or_number),
    "xs": arrays,
    **dict.fromkeys(("keepdims", "sorted", "approximate", "endpoint"), flag),
    **dict.fromkeys(("k", "num", "decimals"), integer),
    **dict.fromkeys(("negative_slope", "alpha", "threshold", "default_value", "b"), number),
}
"""By the name of an argument."""


def along_one(function: Callable[[Any, int], Any], x: Any, axis: Any) -> Any:
    """The function along an axis, or of the flat array where None is given."""
    if axis is None:
        return function(x.reshape((-1,)), 0)
    return function(x, axis_of(axis, x.ndim))


def axes_or_all(axis: Any, x: Any) -> tuple[int, ...]:
    """The axes of a reduction: None is all, () is none."""
    return axes_of(axis, x.ndim)
