"""How `torch` names and checks the arguments of its functions."""

from __future__ import annotations

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


def _in_place(name: str, value: Any) -> None:
    if value is not False:
        raise TypeError("inplace=True changes the input too: leave it out, write x = ...(x)")


def same_dtype(*arrays: Any) -> None:
    """Raise unless all arrays have one dtype: a product promotes nothing."""
    dtypes = [x.dtype for x in arrays]
    if len(set(dtypes)) > 1:
        raise TypeError(f"expected one dtype, got {' and '.join(map(str, dtypes))}")


CHECKS: dict[str, Check] = {
    **dict.fromkeys(("input", "tensor", "mat2", "weight", "index", "mask"), array),
    **dict.fromkeys(("tensors",), arrays),
    **dict.fromkeys(("other",), array_or_number),
    **dict.fromkeys(("keepdim", "descending", "largest", "sorted", "stable"), flag),
    **dict.fromkeys(("k", "chunks", "diagonal", "steps"), integer),
    **dict.fromkeys(("negative_slope", "alpha", "beta", "threshold", "lambd", "eps"), number),
    **dict.fromkeys(("min_val", "max_val", "value"), number),
    "inplace": _in_place,
}
"""By the name of an argument."""

NUMPY_NAMES = {
    "axis": "dim",
    "keepdims": "keepdim",
    "x": "input",
    "a": "input",
    "x1": "input",
    "x2": "other",
}
"""What the functions of `torch`, not those of `torch.nn.functional`, take for their own names."""


def dim_of(dim: Any, x: Any) -> int:
    """The axis; an array without any has the axes 0 and -1."""
    return axis_of(dim, max(x.ndim, 1))


def dims_of(dim: Any, x: Any) -> tuple[int, ...]:
    """The axes of a reduction: None and () are all."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(x.ndim))
    axes = axes_of(dim, max(x.ndim, 1))
    return axes if x.ndim else ()
