"""Activations by the names that Keras gives them (`keras.activations`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as np

from paraminspect.compute import _functions as f
from paraminspect.errors import ShapeError, nearest

Activation = Callable[[Any], Any]

ACTIVATIONS: dict[str, Activation] = {
    "linear": lambda x: x,
    "relu": f.relu,
    "relu6": f.relu6,
    "leaky_relu": lambda x: f.leaky_relu(x, 0.2),
    "sigmoid": f.sigmoid,
    "hard_sigmoid": f.hardsigmoid,
    "log_sigmoid": f.logsigmoid,
    "tanh": lambda x: np.tanh(x),
    "hard_tanh": lambda x: np.clip(x, -1.0, 1.0),
    "softmax": f.softmax,
    "log_softmax": f.log_softmax,
    "softplus": lambda x: f.softplus(x, threshold=math.inf),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": f.silu,
    "swish": f.silu,
    "hard_silu": f.hardswish,
    "hard_swish": f.hardswish,
    "gelu": f.gelu,
    "elu": f.elu,
    "selu": f.selu,
    "celu": f.elu,
    "mish": f.mish,
    "exponential": lambda x: np.exp(x),
}
"""Name to function."""


def activation_of(name: str | None) -> Activation:
    """The activation that a layer's argument names; none is the identity."""
    if name is None:
        return ACTIVATIONS["linear"]
    if name not in ACTIVATIONS:
        raise ShapeError(
            f"the activation {name!r} is not computed{nearest(str(name), ACTIVATIONS)}"
        )
    return ACTIVATIONS[name]
