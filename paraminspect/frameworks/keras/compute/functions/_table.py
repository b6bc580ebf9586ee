"""The functions of a `forward` in Keras: bare names of `keras.ops`, else of `keras.activations`."""

from __future__ import annotations

from paraminspect.compute._arguments import arrays, checked_all
from paraminspect.compute._own import OWN
from paraminspect.compute._promotion import operators_with
from paraminspect.frameworks.keras.compute.functions._activations import ACTIVATIONS
from paraminspect.frameworks.keras.compute.functions._arguments import CHECKS
from paraminspect.frameworks.keras.compute.functions._elementwise import ELEMENTWISE, OF_NUMBERS_TOO
from paraminspect.frameworks.keras.compute.functions._making import MAKING
from paraminspect.frameworks.keras.compute.functions._products import PRODUCTS, matmul
from paraminspect.frameworks.keras.compute.functions._reductions import REDUCTIONS
from paraminspect.frameworks.keras.compute.functions._shapes import JOINTS, SHAPES, item

FUNCTIONS = {
    **checked_all(OF_NUMBERS_TOO),
    **checked_all(
        {**ELEMENTWISE, **ACTIVATIONS, **REDUCTIONS, **SHAPES, **PRODUCTS, **MAKING}, CHECKS
    ),
    **checked_all(JOINTS, {"x": arrays, "xs": arrays}),
    **OWN,
}
"""What may be called in a forward, besides the children of the module."""

OPERATORS = operators_with(matmul, item)
"""What the operators mean there."""
