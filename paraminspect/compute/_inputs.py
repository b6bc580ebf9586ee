"""Inputs made on the spot: `ones(2, 4)`, `uniform(2, 20)`, `integers(10, 2, 7)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from paraminspect.arrays import Shape
from paraminspect.compute._arguments import checked, checked_shape
from paraminspect.errors import ExpressionError, ShapeError
from paraminspect.language import parse_expression
from paraminspect.tree.lengths import UNKNOWN

Source = Callable[[], np.random.Generator]
"""Gives the generator of random numbers, asked for only when some are needed."""


def make_input(text: str, example: Shape | None, source: Source, dtype: str) -> Any:
    """The array that `text` describes, floats in `dtype`.

    A bare name, `ones`, is a batch of one example, whose shape is `example`. Random numbers are
    the next ones of the generator: several inputs share none.
    """
    expression = parse_expression(text)
    functions = _functions(source)
    if expression.name in functions:
        if example is None or UNKNOWN in example:
            lacking = "no `input`" if example is None else "an open `input`"
            raise ShapeError(
                f"the definition has {lacking}: say the shape, as in {expression.name}(2, 4)"
            )
        made = functions[expression.name](1, *example)
    else:
        made = expression.evaluate({}, functions)
    if not isinstance(made, np.ndarray):
        raise ExpressionError(f"an input is made by {', '.join(functions)}, got {text!r}")
    return made.astype(dtype) if made.dtype.kind == "f" else made


def _functions(source: Source) -> dict[str, Callable[..., Any]]:
    def zeros(*shape: int) -> Any:
        return np.zeros(checked_shape(shape))

    def ones(*shape: int) -> Any:
        return np.ones(checked_shape(shape))

    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Any:
        return low + (high - low) * source().random(checked_shape(shape))

    def normal(*shape: int, mean: float = 0.0, std: float = 1.0) -> Any:
        return mean + std * source().standard_normal(checked_shape(shape))

    def integers(below: int, *shape: int) -> Any:
        checked_shape((below,))
        return source().integers(0, below, checked_shape(shape))

    return {f.__name__: checked(f.__name__, f) for f in (zeros, ones, uniform, normal, integers)}
