"""Testing: what every format and framework must do, as checks that other packages run too."""

from paraminspect.testing._formats import (
    ARRAYS,
    FORMAT_CHECKS,
    Specimen,
    Written,
    check_format,
    special_values,
)
from paraminspect.testing._frameworks import FRAMEWORK_CHECKS, Example, check_framework

__all__ = [
    "ARRAYS",
    "FORMAT_CHECKS",
    "FRAMEWORK_CHECKS",
    "Example",
    "Specimen",
    "Written",
    "check_format",
    "check_framework",
    "special_values",
]
