"""The functions of a `forward` in PyTorch: bare names of `torch.nn.functional`, else of `torch`.

What is a method of a tensor only, `view`, is a function of the tensor; sizes that a method takes
one by one may be given so: `permute(x, 2, 0, 1)`.
"""

from __future__ import annotations

from paraminspect.compute._arguments import checked_all
from paraminspect.compute._own import OWN
from paraminspect.compute._promotion import operators_with
from paraminspect.frameworks.pytorch.compute.functions import _reductions, _shapes
from paraminspect.frameworks.pytorch.compute.functions._activations import ACTIVATIONS, OF_TORCH
from paraminspect.frameworks.pytorch.compute.functions._arguments import CHECKS, NUMPY_NAMES
from paraminspect.frameworks.pytorch.compute.functions._elementwise import (
    ELEMENTWISE,
    OF_NUMBERS_TOO,
)
from paraminspect.frameworks.pytorch.compute.functions._making import MAKING
from paraminspect.frameworks.pytorch.compute.functions._products import PRODUCTS, matmul

FUNCTIONS = {
    **checked_all(OF_NUMBERS_TOO, other_names=NUMPY_NAMES),
    **checked_all(
        {**ELEMENTWISE, **OF_TORCH, **_reductions.REDUCTIONS, **_shapes.SHAPES, **PRODUCTS},
        CHECKS,
        NUMPY_NAMES,
    ),
    **checked_all({**ACTIVATIONS, **_reductions.OF_PYTHON, **_shapes.OF_PYTHON, **MAKING}, CHECKS),
    **OWN,
}
"""What may be called in a forward, besides the children of the module."""

OPERATORS = operators_with(matmul, _shapes.item)
"""What the operators mean there."""
