"""The functions of a `forward` in MXNet, as Gluon's users write them: `mx.np`, and `mx.npx`.

Of `mx.nd` only what has a name of its own, `concat`: its `split` and `sum` mean other things.
"""

from __future__ import annotations

import ast
from typing import Any

from paraminspect.compute._arguments import checked_all
from paraminspect.compute._own import OWN
from paraminspect.compute._promotion import Operators, operators_with
from paraminspect.frameworks.mxnet.compute.functions._arguments import CHECKS
from paraminspect.frameworks.mxnet.compute.functions._elementwise import (
    ACTIVATIONS,
    ELEMENTWISE,
    OF_NUMBERS_TOO,
    checked,
    choose,
)
from paraminspect.frameworks.mxnet.compute.functions._making import MAKING
from paraminspect.frameworks.mxnet.compute.functions._reductions import REDUCTIONS
from paraminspect.frameworks.mxnet.compute.functions._shapes import PRODUCTS, SHAPES, matmul

FUNCTIONS = {
    **checked_all({**OF_NUMBERS_TOO, "where": choose}),
    **checked_all(
        {**ELEMENTWISE, **ACTIVATIONS, **REDUCTIONS, **SHAPES, **PRODUCTS, **MAKING}, CHECKS
    ),
    **OWN,
}
"""What may be called in a forward, besides the children of the module."""


def _floor_divide(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int:
        return left // right
    raise TypeError("MXNet has no // of arrays: write floor(x / y)")


_WITH_NUMBERS = (ast.Add, ast.Sub, ast.Mult, ast.Mod, ast.Pow)
_PROMOTING = operators_with(matmul)
OPERATORS: Operators = {
    **_PROMOTING,
    **{kind: checked(_PROMOTING[kind]) for kind in _WITH_NUMBERS},
    ast.FloorDiv: _floor_divide,
}
"""What the operators mean there."""
