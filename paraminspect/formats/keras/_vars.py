"""Weights files of Keras 3: which groups hold the variables of a layer, which those of training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from paraminspect.frameworks.keras._groups import VARS

_TRAINING = ("optimizer/", "metrics/")
"""Groups beside the model's own that only training needs."""
_SEED_GENERATOR = "/seed_generator/vars/"
"""The state of the random numbers of a Dropout layer."""


def is_training_state(path: str) -> bool:
    """Whether only training needs it: the optimizer's state, metrics, seeds of dropout."""
    return path.startswith(_TRAINING) or _SEED_GENERATOR in path


@dataclass(frozen=True)
class Named:
    """The name of a variable, the class of its layer, and its place among the layer's own."""

    name: str
    layer: str | None = None
    place: int = 0


def variables_by_layer(paths: Iterable[str]) -> dict[str, list[str]]:
    """The variables of each layer that has all of its own, in order; those of training aside."""
    of_layer: dict[str, dict[int, str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name.isdecimal() and is_vars(folder) and not is_training_state(path):
            of_layer.setdefault(layer_of(folder), {})[int(name)] = path
    return {
        layer: [numbered[number] for number in range(len(numbered))]
        for layer, numbered in of_layer.items()
        if max(numbered) == len(numbered) - 1
    }


def is_vars(group: str) -> bool:
    """Whether a group holds the variables of a layer."""
    return group == VARS or group.endswith("/" + VARS)


def layer_of(group: str) -> str:
    """The group of the layer whose variables a group holds."""
    return group.removesuffix(VARS).removesuffix("/")
