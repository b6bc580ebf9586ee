"""Layers that reshape, pad, or work element by element; dropout and noise are off."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._computation import Compute
from paraminspect.compute._layout import channels_first
from paraminspect.compute._run import Part
from paraminspect.compute._steady import minimum, where
from paraminspect.compute._windows import cropped, padded
from paraminspect.errors import ShapeError
from paraminspect.frameworks._inputs import per_axis
from paraminspect.frameworks.keras.compute._activations import activation_of


def _is_last(part: Part) -> bool:
    return getattr(part.a, "data_format", None) != "channels_first"


def _identity(part: Part, x: Any) -> Any:
    return x


def relu(part: Part, x: Any) -> Any:
    """`ReLU`: with a slope below the threshold, and a maximum."""
    a = part.a
    y = where(x > a.threshold, x, a.negative_slope * (x - a.threshold))
    return y if a.max_value is None else minimum(y, a.max_value)


def flatten(part: Part, x: Any) -> Any:
    """`Flatten`: in the order of channels last, whatever the layout."""
    if not _is_last(part) and x.ndim > 1:
        x = np.moveaxis(x, 1, -1)
    return np.reshape(x, (x.shape[0], -1))


def _pairs(value: Any, ndim: int) -> list[tuple[int, ...]]:
    if ndim == 1:
        return [per_axis(value, 2, "padding")]
    entries = (value,) * ndim if isinstance(value, int) else value
    return [per_axis(entry, 2, "padding") for entry in entries]


def padding(part: Part, x: Any) -> Any:
    """`ZeroPadding1D`, `ZeroPadding2D`, `ZeroPadding3D`."""
    pairs: Any = _pairs(part.a.padding, x.ndim - 2)
    return channels_first(lambda x: padded(x, pairs), x, _is_last(part))


def cropping(part: Part, x: Any) -> Any:
    """`Cropping1D`, `Cropping2D`, `Cropping3D`."""
    pairs: Any = _pairs(part.a.cropping, x.ndim - 2)
    return channels_first(lambda x: cropped(x, pairs), x, _is_last(part))


def upsampling(part: Part, x: Any) -> Any:
    """`UpSampling1D`, `UpSampling2D`, `UpSampling3D` by repetition."""
    if getattr(part.a, "interpolation", "nearest") != "nearest":
        raise ShapeError("only interpolation='nearest' is computed")
    first = 1 if _is_last(part) else 2
    for axis, factor in enumerate(per_axis(part.a.size, x.ndim - 2, "size"), first):
        x = np.repeat(x, factor, axis=axis)
    return x


def prelu(part: Part, x: Any) -> Any:
    """X where it is positive, else alpha * x."""
    return f.leaky_relu(x, part.p["alpha"])


def _rescaling(part: Part, x: Any) -> Any:
    scale, offset = (numpy.asarray(value, x.dtype) for value in (part.a.scale, part.a.offset))
    return x * scale + offset


PLAIN: dict[str, Compute] = {
    **dict.fromkeys(
        (
            "InputLayer",
            "Identity",
            "ActivityRegularization",
            "Dropout",
            "AlphaDropout",
            "GaussianDropout",
            "GaussianNoise",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
        ),
        _identity,
    ),
    "Activation": lambda part, x: activation_of(part.a.activation)(x),
    "ReLU": relu,
    "LeakyReLU": lambda part, x: f.leaky_relu(x, part.a.negative_slope),
    "ELU": lambda part, x: f.elu(x, part.a.alpha),
    "Softmax": lambda part, x: f.softmax(x, part.a.axis),
    "PReLU": prelu,
    "Rescaling": _rescaling,
    "Flatten": flatten,
    "Reshape": lambda part, x: np.reshape(x, (x.shape[0], *part.a.target_shape)),
    "Permute": lambda part, x: np.transpose(x, (0, *part.a.dims)),
    "RepeatVector": lambda part, x: np.repeat(np.expand_dims(x, 1), part.a.n, axis=1),
    **{f"ZeroPadding{n}D": padding for n in (1, 2, 3)},
    **{f"Cropping{n}D": cropping for n in (1, 2, 3)},
    **{f"UpSampling{n}D": upsampling for n in (1, 2, 3)},
}
"""Layer kind to computation."""
