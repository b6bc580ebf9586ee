"""Shapes as MXNet sees them: axes that count the batch, layouts, and sequences with time first."""

from __future__ import annotations

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError
from paraminspect.frameworks._inputs import batch_axis


class TimeMajor(tuple[int, ...]):
    """The shape of a sequence whose first axis is time and whose second, left out, is the batch.

    It is what a recurrent layer with `layout='TNC'` gives.
    """

    __slots__ = ()


def axis_of(axis: int, shape: Shape) -> int:
    """The position in `shape`, which has no batch, of an axis that counts the batch."""
    position = batch_axis(axis, shape)
    batch = 1 if isinstance(shape, TimeMajor) else 0
    if position == batch:
        raise DefinitionError(f"axis {axis} of an input of {list(shape)} is the batch")
    return position - (position > batch)


def with_last(shape: Shape, length: int) -> Shape:
    """The shape with another last axis."""
    return type(shape)((*shape[:-1], length))


def refuse_time_major(shape: Shape, instead: str) -> None:
    """Refuse to flatten all axes but the first when the first is time and not the batch."""
    if isinstance(shape, TimeMajor):
        raise DefinitionError(
            "it flattens all axes but the first, which is time here and not the batch"
            f" (layout='TNC'): {instead}"
        )


def channel_axis(layout: str) -> int:
    """Where the channels are in a shape without a batch: `NCHW` 0, `NHWC` -1."""
    return 0 if layout[1] == "C" else -1


def split_channels(shape: Shape, layout: str) -> tuple[int, Shape]:
    """The number of channels, and the sizes."""
    return (shape[0], shape[1:]) if channel_axis(layout) == 0 else (shape[-1], shape[:-1])


def join_channels(channels: int, sizes: Shape, layout: str) -> Shape:
    """The shape that has these channels and sizes."""
    return (channels, *sizes) if channel_axis(layout) == 0 else (*sizes, channels)
