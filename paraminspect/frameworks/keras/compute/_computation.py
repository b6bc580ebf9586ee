"""What the layers and functions of Keras compute, by the names of `frameworks.keras`."""

from __future__ import annotations

from paraminspect.compute._computation import Computation
from paraminspect.frameworks.keras.compute._attention import ATTENTION
from paraminspect.frameworks.keras.compute._convolution import CONVOLUTIONS
from paraminspect.frameworks.keras.compute._dense import DENSE
from paraminspect.frameworks.keras.compute._normalization import NORMALIZATIONS
from paraminspect.frameworks.keras.compute._plain import PLAIN
from paraminspect.frameworks.keras.compute._recurrent import RECURRENT
from paraminspect.frameworks.keras.compute.functions import FUNCTIONS, OPERATORS
from paraminspect.frameworks.keras.layers._containers import SEQUENCES

COMPUTATION = Computation(
    layers={
        **DENSE,
        **CONVOLUTIONS,
        **NORMALIZATIONS,
        **RECURRENT,
        **ATTENTION,
        **PLAIN,
    },
    functions=FUNCTIONS,
    operators=OPERATORS,
    sequences=SEQUENCES,
    input_names=("inputs", "sequences"),
    of_any_layer=frozenset(("training", "mask")),
)
