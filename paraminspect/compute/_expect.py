"""What a layer refuses of its input: sizes that it does not have."""

from __future__ import annotations

from typing import Any

from paraminspect.errors import ShapeError


def expect_last(x: Any, size: int, what: str) -> None:
    """Raise unless the last axis of `x` has `size` elements."""
    if x.ndim < 1 or x.shape[-1] != size:
        raise ShapeError(f"expected {what} {size} on the last axis, got shape {list(x.shape)}")


SIZES = {1: "length", 2: "height, width", 3: "depth, height, width"}
"""What the axes beside batch and channels are called, by their number."""


def expect_channels(x: Any, channels: int, ndim: int, *, is_last: bool = False) -> None:
    """Raise unless `x` is `(batch, channels, *sizes)` with `ndim` sizes.

    The error shows the layout that the user knows, with the channels last if `is_last`.
    """
    if x.ndim == ndim + 2 and x.shape[1] == channels:
        return
    sizes, shape = SIZES[ndim], list(x.shape)
    axes = f"{sizes}, {channels}" if is_last else f"{channels}, {sizes}"
    if is_last:
        shape.append(shape.pop(1))
    raise ShapeError(f"expected (batch, {axes}), got shape {shape}")
