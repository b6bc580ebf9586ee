"""How `mx.np` and `mx.npx` check the arguments of their functions."""

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


def _absent(name: str, value: Any) -> None:
    if value is not None:
        raise TypeError(f"{name} is not computed: leave it out")


CHECKS: dict[str, Check] = {
    **dict.fromkeys(
        ("a", "b", "x", "data", "m", "ary", "array", "A", "lhs", "rhs", "gamma"), array
    ),
    **dict.fromkeys(("x1", "x2"), array_or_number),
    **dict.fromkeys(("seq", "arrays"), arrays),
    **dict.fromkeys(("keepdims", "endpoint", "transpose_a", "transpose_b", "is_ascend"), flag),
    **dict.fromkeys(("k", "num", "decimals", "ddof"), integer),
    **dict.fromkeys(("slope", "temperature"), number),
    **dict.fromkeys(("out", "length"), _absent),
}
"""By the name of an argument."""


def same_dtype(*given: Any) -> None:
    """Raise unless all arrays have one dtype: MXNet joins and multiplies no others."""
    dtypes = [x.dtype for x in given]
    if len(set(dtypes)) > 1:
        raise TypeError(f"expected one dtype, got {' and '.join(map(str, dtypes))}")
