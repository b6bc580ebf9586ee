"""The functions of a `forward` in PyTorch: bare names of `torch.nn.functional`, else of `torch`."""

from paraminspect.frameworks.pytorch.compute.functions._table import FUNCTIONS, OPERATORS

__all__ = ["FUNCTIONS", "OPERATORS"]
