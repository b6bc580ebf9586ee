"""What the layers and functions of PyTorch compute, by the names of `frameworks.pytorch`."""

from __future__ import annotations

from paraminspect.compute._computation import Computation
from paraminspect.frameworks.pytorch.compute._activations import ACTIVATIONS, NORMALIZATIONS
from paraminspect.frameworks.pytorch.compute._attention import ATTENTION
from paraminspect.frameworks.pytorch.compute._convolution import CONVOLUTIONS
from paraminspect.frameworks.pytorch.compute._linear import LINEAR
from paraminspect.frameworks.pytorch.compute._recurrent import RECURRENT
from paraminspect.frameworks.pytorch.compute.functions import FUNCTIONS, OPERATORS
from paraminspect.frameworks.pytorch.layers._containers import SEQUENCES

COMPUTATION = Computation(
    layers={
        **LINEAR,
        **CONVOLUTIONS,
        **ACTIVATIONS,
        **NORMALIZATIONS,
        **RECURRENT,
        **ATTENTION,
    },
    functions=FUNCTIONS,
    operators=OPERATORS,
    sequences=SEQUENCES,
    input_names=("input",),
)
