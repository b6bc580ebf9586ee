"""Products of `keras.ops`, which promote integers beside floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

from paraminspect.compute._arguments import array
from paraminspect.compute._einsum import einsum
from paraminspect.compute._promotion import alike, promoted
from paraminspect.compute._shaping import flat

Function = Callable[..., Any]


def matmul(x1: Any, x2: Any) -> Any:
    """The matrix product, batches broadcast."""
    array("x1", x1)
    array("x2", x2)
    return np.matmul(*promoted(x1, x2))


def _einsum(subscripts: Any, *operands: Any) -> Any:
    for x in operands:
        array("an operand", x)
    return einsum(subscripts, *alike(operands))


def _tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    return np.tensordot(*promoted(x1, x2), axes=axes)


PRODUCTS: dict[str, Function] = {
    "matmul": matmul,
    "dot": lambda x1, x2: np.dot(*promoted(x1, x2)),
    "inner": lambda x1, x2: np.inner(*promoted(x1, x2)),
    "outer": lambda x1, x2: flat(x1)[:, None] * promoted(flat(x2), x1)[0],
    "tensordot": _tensordot,
    "einsum": _einsum,
}
