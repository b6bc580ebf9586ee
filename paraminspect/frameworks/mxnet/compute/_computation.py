"""What the layers and functions of MXNet Gluon compute, by the names of `frameworks.mxnet`."""

from __future__ import annotations

from paraminspect.compute._computation import Computation
from paraminspect.frameworks.mxnet.compute._linear import LINEAR
from paraminspect.frameworks.mxnet.compute._normalization import NORMALIZATIONS
from paraminspect.frameworks.mxnet.compute._recurrent import RECURRENT
from paraminspect.frameworks.mxnet.compute.functions import FUNCTIONS, OPERATORS
from paraminspect.frameworks.mxnet.layers._containers import SEQUENTIALS

COMPUTATION = Computation(
    layers={**LINEAR, **NORMALIZATIONS, **RECURRENT},
    functions=FUNCTIONS,
    operators=OPERATORS,
    sequences=SEQUENTIALS,
    input_names=("x", "inputs"),
)
