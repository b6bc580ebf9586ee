"""Quantized weights: arrays of codes that stand for a model's weights together with others.

What is recognised stands as a table in `_conventions`; nothing here reads a value before it is
asked for, and nothing is taken for quantized by its dtype alone.
"""

from paraminspect.operations.quantization._recognising import (
    Quantization,
    Quantized,
    marked,
    notes,
    recognise,
)
from paraminspect.operations.quantization._scaled import Scaled, dequantized

__all__ = ["Quantization", "Quantized", "Scaled", "dequantized", "marked", "notes", "recognise"]
