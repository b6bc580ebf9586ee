"""Keras' layers by class: the names of their variables, in the order in which files number them.

Keras 3 stores the variables of a layer as `vars/0`, `vars/1`, ...: trained ones first, each kind
in the order in which the layer makes them (`save_own_variables` in keras/src/layers/layer.py).
Which these are is known where definitions are built: `frameworks.keras._stored`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from paraminspect.arrays import DType, Shape
from paraminspect.frameworks.keras._groups import snake_case
from paraminspect.frameworks.keras._modelling import MODELLING
from paraminspect.frameworks.keras._naming import CLASS_NAMES
from paraminspect.frameworks.keras._quantized import INTEGER_MODES, MODES
from paraminspect.frameworks.keras._stored import StoredLayer

KERAS2_NAMES = {"DepthwiseConv1D": {"kernel": "depthwise_kernel"}}
KERAS2_NAMES["DepthwiseConv2D"] = KERAS2_NAMES["DepthwiseConv1D"]
"""What Keras 2 calls otherwise: class to names of Keras 3 and 2."""

_CLASS_OF = {snake_case(name): name for name in (*MODELLING.layers, *CLASS_NAMES.values())}


def class_of_name(name: str) -> str | None:
    """The class that a group or an unnamed layer got its name from: `dense_12` is a Dense."""
    return _CLASS_OF.get(re.sub(r"_\d+$", "", name))


def variable_names(
    layers: Iterable[StoredLayer],
    variables: Sequence[tuple[Shape, DType]],
    mode: str | None = None,
) -> tuple[str, ...] | None:
    """The names of a layer's stored variables, in order; None if they are not certain.

    `layers` are all that it can be, `mode` is how it is quantized. Which of them it is must follow
    from how many variables there are, and how many axes the first one has.
    """
    if not variables:
        return None
    shape, dtype = variables[0]
    modes: tuple[str, ...] = tuple(known for known in MODES if known == mode)
    if "float" not in dtype.name and not modes:
        modes = INTEGER_MODES
    possible = {
        names
        for layer in layers
        if modes or layer.agrees(shape)
        for names in layer.possible_names(modes)
        if len(names) == len(variables)
    }
    return possible.pop() if len(possible) == 1 else None


def mode_of(options: Mapping[str, Any]) -> str | None:
    """How a layer is quantized, as the policy in its configuration tells: `int8`, `gptq`."""
    policy = options.get("dtype")
    inside = policy.get("config") if isinstance(policy, dict) else None
    mode = inside.get("mode") if isinstance(inside, dict) else None
    return mode.partition("/")[0] if isinstance(mode, str) else None
