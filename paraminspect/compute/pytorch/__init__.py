"""What the layers and functions of PyTorch compute, by the names of `frameworks.pytorch`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.compute.pytorch._activations import ACTIVATIONS, NORMALIZATIONS
from paraminspect.compute.pytorch._attention import ATTENTION
from paraminspect.compute.pytorch._convolution import CONVOLUTIONS
from paraminspect.compute.pytorch._linear import LINEAR
from paraminspect.compute.pytorch._recurrent import RECURRENT
from paraminspect.compute.pytorch.functions import FUNCTIONS, OPERATORS

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
