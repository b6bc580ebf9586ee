"""Generators: whose random numbers fill an array. One module each, NumPy only, in blocks.

A generator gets every draw in the order in which it happens, and gives arrays that make their
values when they are read, in any order, from any thread, whole or in part: always the same values.
"""

from paraminspect.init.generators._generator import Draw, Generator, RandomNumbers
from paraminspect.init.generators._ours import NATIVE

__all__ = ["NATIVE", "Draw", "Generator", "RandomNumbers"]
