"""What the layers and functions of MXNet Gluon compute, by the names of `frameworks.mxnet`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.compute.mxnet._linear import LINEAR
from paraminspect.compute.mxnet._normalization import NORMALIZATIONS
from paraminspect.compute.mxnet._recurrent import RECURRENT
from paraminspect.compute.mxnet.functions import FUNCTIONS, OPERATORS

__all__ = ["COMPUTE", "FUNCTIONS", "INPUTS", "OPERATORS"]

COMPUTE: dict[str, Compute] = {**LINEAR, **NORMALIZATIONS, **RECURRENT}
"""Layer kind to computation."""

INPUTS = ("x", "inputs")
"""What a layer's first input is called, whatever it is called here."""
