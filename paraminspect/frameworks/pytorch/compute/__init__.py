"""What the layers and functions of PyTorch compute, by the names of `frameworks.pytorch`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.frameworks.pytorch.compute._activations import ACTIVATIONS, NORMALIZATIONS
from paraminspect.frameworks.pytorch.compute._attention import ATTENTION
from paraminspect.frameworks.pytorch.compute._convolution import CONVOLUTIONS
from paraminspect.frameworks.pytorch.compute._linear import LINEAR
from paraminspect.frameworks.pytorch.compute._recurrent import RECURRENT
from paraminspect.frameworks.pytorch.compute.functions import FUNCTIONS, OPERATORS

__all__ = ["COMPUTE", "FUNCTIONS", "INPUTS", "OPERATORS"]

COMPUTE: dict[str, Compute] = {
    **LINEAR,
    **CONVOLUTIONS,
    **ACTIVATIONS,
    **NORMALIZATIONS,
    **RECURRENT,
    **ATTENTION,
}
"""Layer kind to computation."""

INPUTS = ("input",)
"""What a layer's first input is called, whatever it is called here."""
