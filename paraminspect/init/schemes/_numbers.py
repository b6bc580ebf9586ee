"""Functions of numbers that a scheme may call: `uniform(-1/sqrt(4), 1/sqrt(4))`."""

from __future__ import annotations

import math
from collections.abc import Callable

from paraminspect.errors import ExpressionError
from paraminspect.language import format_call

Number = int | float


def _checked(function: Callable[..., Number]) -> Callable[..., Number]:
    def calculate(*numbers: Number) -> Number:
        try:
            return function(*numbers)
        except (TypeError, ValueError, OverflowError) as error:
            call = format_call(function.__name__, list(numbers), {})
            raise ExpressionError(f"{call} cannot be computed: {error}") from None

    return calculate


FUNCTIONS: dict[str, Callable[..., Number]] = {
    function.__name__: _checked(function)
    for function in (
        *(abs, min, max, round),
        *(math.sqrt, math.exp, math.log, math.log2, math.log10),
        *(math.floor, math.ceil, math.prod),
    )
}
"""Python's, by name."""
