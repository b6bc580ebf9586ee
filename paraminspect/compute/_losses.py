"""Losses: from an output and a target to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute._functions import log_softmax
from paraminspect.compute._steady import mean
from paraminspect.errors import ShapeError


def mse(output: Any, target: Any) -> Any:
    """The mean of the squared differences (`torch.nn.MSELoss`)."""
    if output.shape != target.shape:
        raise ShapeError(
            f"mse needs a target of the output's shape {list(output.shape)},"
            f" got {list(target.shape)}"
        )
    distance = output - target
    return mean(distance * distance)


def cross_entropy(output: Any, target: Any) -> Any:
    """The mean of -log softmax(output)[class]; classes are the last axis of `output`.

    `target` holds class indices, one for each position of the axes before the last.
    """
    if not numpy.issubdtype(target.dtype, numpy.integer) or target.shape != output.shape[:-1]:
        raise ShapeError(
            f"cross_entropy needs integer classes of shape {list(output.shape[:-1])},"
            f" got {target.dtype} {list(target.shape)}"
        )
    classes, rows = target.reshape(-1), numpy.arange(target.size)
    outside = (classes < 0) | (classes >= output.shape[-1])
    if outside.any():
        raise ShapeError(
            f"cross_entropy: class {classes[outside][0]} is not one of the {output.shape[-1]}"
        )
    scores = np.reshape(log_softmax(output), (-1, output.shape[-1]))
    return -mean(scores[rows, classes])


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": mse,
    "cross_entropy": cross_entropy,
    "sum": lambda output, target: np.sum(output),
    "mean": lambda output, target: mean(output),
}
"""Every loss by name; `sum` and `mean` need no target."""

NEED_TARGET = ("mse", "cross_entropy")
