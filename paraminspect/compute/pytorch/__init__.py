"""What the layers of PyTorch compute, by the names of `frameworks.pytorch`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.compute.pytorch import _linear, _recurrent
from paraminspect.compute.pytorch._activations import ACTIVATIONS, NORMALIZATIONS

COMPUTE: dict[str, Compute] = {
    **_linear.COMPUTE,
    **ACTIVATIONS,
    **NORMALIZATIONS,
    **_recurrent.COMPUTE,
}
"""Layer kind to computation."""
