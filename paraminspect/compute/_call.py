"""Calls: what a layer's computation is given besides its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from paraminspect.errors import ShapeError

if TYPE_CHECKING:
    from paraminspect.compute._run import Part


@dataclass(frozen=True)
class Call:
    """One use of a layer.

    `a` has its arguments as attributes, `p` the values of its own parameters by local name,
    `children` its inner layers as functions; `update` keeps a new value of a buffer; `part` is
    the layer itself.
    """

    a: SimpleNamespace
    p: Mapping[str, Any]
    children: Mapping[str, Part]
    training: bool
    update: Callable[[str, Any], None]
    part: Part


Compute = Callable[..., Any]
"""From a `Call` and the inputs to the output."""


def expect_last(x: Any, size: int, what: str) -> None:
    """Raise unless the last axis of `x` has `size` elements."""
    if x.ndim < 1 or x.shape[-1] != size:
        raise ShapeError(f"expected {what} {size} on the last axis, got shape {list(x.shape)}")


def expect_channels(x: Any, channels: int, ndim: int) -> None:
    """Raise unless `x` is `(batch, channels, *sizes)` with `ndim` sizes."""
    if x.ndim != ndim + 2 or x.shape[1] != channels:
        sizes = ", ".join(
            ("length", "height", "width")[-ndim:] if ndim < 3 else ("depth", "height", "width")
        )
        raise ShapeError(f"expected (batch, {channels}, {sizes}), got shape {list(x.shape)}")
