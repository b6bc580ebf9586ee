"""Trees in memory, and arrays that no file holds."""

import numpy as np

from paraminspect.arrays import DTYPES, InMemory
from paraminspect.errors import DTypeError
from paraminspect.tree import Parameter, ParameterTree


def tree_of(arrays, ties=(), **fields):
    """A tree of arrays by name; an alias in `ties` that has no array of its own gets its owner's."""
    entries = {name: Parameter(name, InMemory(np.asarray(a))) for name, a in arrays.items()}
    for alias, own in dict(ties).items():
        entries.setdefault(alias, Parameter(alias, entries[own].data))
    return ParameterTree(entries, dict(ties), **fields)


class Packed:
    """A packed array as a file holds it: its bytes, and no `read` of elements."""

    def __init__(self, dtype, shape, packed):
        self.dtype, self.shape = DTYPES[dtype], shape
        self.packed_bytes = InMemory(np.array(packed, np.uint8))

    def read(self, start, stop):
        raise DTypeError("packed")
