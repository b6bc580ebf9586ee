"""Arrays: dtypes, and the protocol of what can be read block by block."""

from paraminspect.arrays._dtypes import DTYPE_ALIASES, DTYPES, DType, parse_dtype
from paraminspect.arrays._protocol import (
    BLOCK_NBYTES,
    Array,
    Encoded,
    InMemory,
    Opaque,
    Patched,
    Shape,
    Unset,
    block_ranges,
    copied,
    count_elements,
)

__all__ = [
    "BLOCK_NBYTES",
    "DTYPES",
    "DTYPE_ALIASES",
    "Array",
    "DType",
    "Encoded",
    "InMemory",
    "Opaque",
    "Patched",
    "Shape",
    "Unset",
    "block_ranges",
    "copied",
    "count_elements",
    "parse_dtype",
]
