"""The functions of a `forward` in MXNet, as Gluon's users write them: `mx.np`, and `mx.npx`."""

from paraminspect.frameworks.mxnet.compute.functions._table import FUNCTIONS, OPERATORS

__all__ = ["FUNCTIONS", "OPERATORS"]
