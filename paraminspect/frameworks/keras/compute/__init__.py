"""What the layers and functions of Keras compute, by the names of `frameworks.keras`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.frameworks.keras.compute._attention import ATTENTION
from paraminspect.frameworks.keras.compute._convolution import CONVOLUTIONS
from paraminspect.frameworks.keras.compute._dense import DENSE
from paraminspect.frameworks.keras.compute._normalization import NORMALIZATIONS
from paraminspect.frameworks.keras.compute._plain import PLAIN
from paraminspect.frameworks.keras.compute._recurrent import RECURRENT
from paraminspect.frameworks.keras.compute.functions import FUNCTIONS, OPERATORS

__all__ = ["COMPUTE", "FUNCTIONS", "INPUTS", "OF_ANY_LAYER", "OPERATORS"]

COMPUTE: dict[str, Compute] = {
    **DENSE,
    **CONVOLUTIONS,
    **NORMALIZATIONS,
    **RECURRENT,
    **ATTENTION,
    **PLAIN,
}
"""Layer kind to computation."""

INPUTS = ("inputs", "sequences")
"""What a layer's first input is called, whatever it is called here."""

OF_ANY_LAYER = ("training", "mask")
"""What every call of a layer takes beside its inputs."""
