"""What the layers of PyTorch compute, by the names of `frameworks.pytorch`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.compute.pytorch import _recurrent
from paraminspect.compute.pytorch._activations import ACTIVATIONS, NORMALIZATIONS
from paraminspect.compute.pytorch._convolution import CONVOLUTIONS
from paraminspect.compute.pytorch._linear import LINEAR

COMPUTE: dict[str, Compute] = {
    **LINEAR,
    **CONVOLUTIONS,
    **ACTIVATIONS,
    **NORMALIZATIONS,
    **_recurrent.COMPUTE,
}
"""Layer kind to computation."""
