"""Keras' layers by class: the names of their variables, in the order in which files number them.

Keras 3 stores the variables of a layer as `vars/0`, `vars/1`, ...: trained ones first, each kind
in the order in which the layer makes them (`save_own_variables` in keras/src/layers/layer.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from paraminspect.arrays import DType, Shape
from paraminspect.keras_layout import SUBLAYERS, snake_case

Variable = tuple[str, str | None]
"""A name, and the argument of the layer without which it is left out."""

_KERNEL: tuple[Variable, ...] = (("kernel", None), ("bias", "use_bias"))
_SEPARABLE: tuple[Variable, ...] = (
    ("depthwise_kernel", None),
    ("pointwise_kernel", None),
    ("bias", "use_bias"),
)
_CELL: tuple[Variable, ...] = (
    ("kernel", None),
    ("recurrent_kernel", None),
    ("bias", "use_bias"),
)
_GAMMA_BETA: tuple[Variable, ...] = (("gamma", "scale"), ("beta", "center"))

CLASSES: dict[str, tuple[Variable, ...]] = {
    "Dense": _KERNEL,
    "EinsumDense": _KERNEL,
    "Conv1D": _KERNEL,
    "Conv2D": _KERNEL,
    "Conv3D": _KERNEL,
    "Conv1DTranspose": _KERNEL,
    "Conv2DTranspose": _KERNEL,
    "Conv3DTranspose": _KERNEL,
    "DepthwiseConv1D": _KERNEL,
    "DepthwiseConv2D": _KERNEL,
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "Embedding": (("embeddings", None),),
    "BatchNormalization": (*_GAMMA_BETA, ("moving_mean", None), ("moving_variance", None)),
    "LayerNormalization": _GAMMA_BETA,
    "GroupNormalization": _GAMMA_BETA,
    "RMSNormalization": (("scale", None),),
    "Normalization": (("mean", None), ("variance", None), ("count", None)),
    "PReLU": (("alpha", None),),
    "SimpleRNNCell": _CELL,
    "LSTMCell": _CELL,
    "GRUCell": _CELL,
    "ConvLSTMCell": _CELL,
}
"""Class to its variables. A class that is not here keeps the stored paths."""

KERAS2_CLASSES: dict[str, tuple[Variable, ...]] = {
    **CLASSES,
    "DepthwiseConv1D": (("depthwise_kernel", None), ("bias", "use_bias")),
    "DepthwiseConv2D": (("depthwise_kernel", None), ("bias", "use_bias")),
}

_RANKS = {
    "Dense": 2,
    "Conv1D": 3,
    "Conv2D": 4,
    "Conv3D": 5,
    "Conv1DTranspose": 3,
    "Conv2DTranspose": 4,
    "Conv3DTranspose": 5,
    "DepthwiseConv1D": 3,
    "DepthwiseConv2D": 4,
    "SeparableConv1D": 3,
    "SeparableConv2D": 4,
    "Embedding": 2,
    "SimpleRNNCell": 2,
    "LSTMCell": 2,
    "GRUCell": 2,
}
"""Axes of the first variable: a class of one's own may bear the name of one of Keras'."""

_CLASS_OF = {snake_case(name): name for name in (*CLASSES, *SUBLAYERS)}


def class_of_name(name: str) -> str | None:
    """The class that a group or an unnamed layer got its name from: `dense_12` is a Dense."""
    return _CLASS_OF.get(re.sub(r"_\d+$", "", name))


def variable_names(
    classes: Mapping[str, Sequence[Variable]],
    class_name: str,
    options: Mapping[str, Any] | None,
    variables: Sequence[tuple[Shape, DType]],
) -> tuple[str, ...] | None:
    """The names of a layer's stored variables, in order; None if they are not certain.

    `options` are the arguments of the layer, where they are known; without them, the number of
    variables must leave but one possibility.
    """
    if class_name not in classes or not variables:
        return None
    shape, dtype = variables[0]
    if len(shape) != _RANKS.get(class_name, len(shape)) or "float" not in dtype.name:
        return None  # quantized, or another class of this name
    choices = product(*(_choices(option, options) for _, option in classes[class_name]))
    possible = []
    for kept in choices:
        names = tuple(
            name for (name, _), keep in zip(classes[class_name], kept, strict=True) if keep
        )
        if len(names) == len(variables):
            possible.append(names)
    return possible[0] if len(possible) == 1 else None


def _choices(option: str | None, options: Mapping[str, Any] | None) -> tuple[bool, ...]:
    """Whether a variable is there: certain, or both possible."""
    if option is None:
        return (True,)
    if options is None or type(options.get(option)) is not bool:
        return (True, False)
    if options.get("rms_scaling"):  # LayerNormalization's, which has gamma alone
        return (option == "scale",)
    return (options[option],)
