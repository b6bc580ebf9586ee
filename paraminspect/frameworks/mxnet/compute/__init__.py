"""What the layers and functions of MXNet Gluon compute, by the names of `frameworks.mxnet`."""

from __future__ import annotations

from paraminspect.compute._call import Compute
from paraminspect.frameworks.mxnet.compute._linear import LINEAR
from paraminspect.frameworks.mxnet.compute._normalization import NORMALIZATIONS
from paraminspect.frameworks.mxnet.compute._recurrent import RECURRENT
from paraminspect.frameworks.mxnet.compute.functions import FUNCTIONS, OPERATORS

__all__ = ["COMPUTE", "FUNCTIONS", "INPUTS", "OPERATORS"]

COMPUTE: dict[str, Compute] = {**LINEAR, **NORMALIZATIONS, **RECURRENT}
"""Layer kind to computation."""

INPUTS = ("x", "inputs")
"""What a layer's first input is called, whatever it is called here."""
