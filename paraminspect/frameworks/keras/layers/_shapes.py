"""Shapes as Keras sees them: axes that count the batch, where the channels are, sizes per axis."""

from __future__ import annotations

from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.tree.layers import UnknownInputError

DATA_FORMATS = ("channels_last", "channels_first")


def known(kind: str, shape: Shape | None, ndim: int | None = None, least: int = 0) -> Shape:
    """The shape of the input, which must be known and have as many axes beside the batch."""
    if shape is None:
        raise UnknownInputError(kind)
    if (ndim is not None and len(shape) != ndim) or len(shape) < least:
        wanted = f"at least {least}" if ndim is None else f"{ndim}"
        noun = "axis" if (least if ndim is None else ndim) == 1 else "axes"
        raise DefinitionError(
            f"{kind} takes an input with {wanted} {noun} beside the batch, got {list(shape)}"
        )
    return shape


def axis_of(kind: str, axis: int, shape: Shape) -> int:
    """The position in `shape`, without a batch, of an axis that Keras counts with the batch."""
    whole = len(shape) + 1
    if not -whole <= axis < whole or axis % whole == 0:
        raise DefinitionError(
            f"{kind}: axis {axis} is not an axis of its input {list(shape)} beside the batch"
        )
    return axis % whole - 1


def data_format_of(kind: str, value: Any) -> str:
    """`channels_last` unless the argument says `channels_first`."""
    if value is None:
        return "channels_last"
    name = value.lower() if isinstance(value, str) else value
    if name not in DATA_FORMATS:
        raise ExpressionError(
            f"{kind}: data_format must be one of {', '.join(DATA_FORMATS)}, got {value!r}"
        )
    return str(name)


def split_channels(shape: Shape, data_format: str) -> tuple[Shape, int]:
    """The sizes and the number of channels."""
    return (shape[:-1], shape[-1]) if data_format == "channels_last" else (shape[1:], shape[0])


def join_channels(sizes: Shape, channels: int, data_format: str) -> Shape:
    """The shape that has these sizes and channels."""
    return (*sizes, channels) if data_format == "channels_last" else (channels, *sizes)


def per_axis(kind: str, name: str, value: Any, ndim: int, least: int = 1) -> Shape:
    """One integer for each of `ndim` axes (`keras.src.utils.argument_validation`)."""
    values = (value,) * ndim if type(value) is int else value
    if (
        not isinstance(values, tuple | list)
        or len(values) != ndim
        or any(type(v) is not int or v < least for v in values)
    ):
        raise ExpressionError(
            f"{kind}: {name} must be an integer from {least} on or {ndim} of them, got {value!r}"
        )
    return tuple(values)


def padding_of(kind: str, value: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """The padding, in lower case."""
    name = value.lower() if isinstance(value, str) else value
    if name not in allowed:
        raise ExpressionError(f"{kind}: padding must be one of {', '.join(allowed)}, got {value!r}")
    return str(name)


def windows(kind: str, sizes: Shape, extents: Shape, strides: Shape, padding: str) -> Shape:
    """How many windows fit in each axis (`keras.src.ops.operation_utils`).

    `extents` are the sizes of a window, dilation counted.
    """
    if padding == "valid":
        counts = tuple((n - k) // s + 1 for n, k, s in zip(sizes, extents, strides, strict=True))
    else:
        counts = tuple((n - 1) // s + 1 for n, s in zip(sizes, strides, strict=True))
    if any(count < 1 for count in counts):
        raise DefinitionError(
            f"{kind}: a window of {list(extents)} does not fit into an input of {list(sizes)}"
        )
    return counts
