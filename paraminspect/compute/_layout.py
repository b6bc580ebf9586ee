"""Layouts: arrays with channels last become channels first, on which everything here computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np


def channels_first(compute: Callable[[Any], Any], x: Any, is_last: bool) -> Any:
    """`compute` of `x` with its channels on axis 1, the result in the layout of `x`."""
    if not is_last:
        return compute(x)
    return np.moveaxis(compute(np.moveaxis(x, -1, 1)), 1, -1)


def along(value: Any, axis: int, ndim: int) -> Any:
    """A vector in a shape that broadcasts along `axis` of an array of `ndim` axes."""
    shape = [1] * ndim
    shape[axis] = -1
    return np.reshape(value, shape)


def biased(y: Any, bias: Any) -> Any:
    """`y`, channels first, with a bias for each channel, if there is one."""
    return y if bias is None else y + along(bias, 1, y.ndim)
