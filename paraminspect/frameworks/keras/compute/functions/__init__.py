"""The functions of a `forward` in Keras: bare names of `keras.ops`, else of `keras.activations`."""

from paraminspect.frameworks.keras.compute.functions._table import FUNCTIONS, OPERATORS

__all__ = ["FUNCTIONS", "OPERATORS"]
