"""The `config.json` of a Keras archive, read as data: nothing that it names is ever built."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.checkpoint._json import read_json
from paraminspect.errors import CheckpointError
from paraminspect.keras_layout import LAYERS, below, number_groups

MAXIMUM_DEPTH = 100

FIRST_VERSION_WITH_NAMES = (3, 6)
"""From this version of Keras on, `.weights.h5` files hold the names of the layers."""


@dataclass(frozen=True)
class LayerConfig:
    """What the config says of one layer."""

    name: str
    class_name: str
    options: Mapping[str, Any]
    is_sequential: bool
    is_functional: bool


def parse_metadata(text: bytes) -> dict[str, str]:
    """The texts in a `metadata.json`; empty for what is no such file."""
    try:
        told = read_json(text)
    except CheckpointError:
        return {}
    pairs = told.items() if isinstance(told, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def parse_version(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    """`(3, 15)`: the version of Keras that wrote an archive; None if it does not tell."""
    match = re.match(r"(\d{1,4})\.(\d{1,4})", metadata.get("keras_version", ""))
    return (int(match[1]), int(match[2])) if match else None


def parse_layers(text: bytes) -> dict[str, LayerConfig]:
    """The layers, in order, by the group that Keras stores each in; "" is the model.

    Groups (`layers/dense_1`) are named by class and counted within a model, in its layers' order
    (`_save_container_state` in keras/src/saving/saving_lib.py). Empty for what is no such config.
    """
    try:
        config = read_json(text)
    except CheckpointError:
        return {}
    found: dict[str, LayerConfig] = {}
    stack = [("", config, 0)]
    while stack:
        group, node, depth = stack.pop()
        layer = _layer_config(node)
        if layer is None or depth > MAXIMUM_DEPTH:
            continue
        found[group] = layer
        children = [(below, child, depth + 1) for below, child in _children(group, layer)]
        stack += reversed(children)
    return found


def _layer_config(node: Any) -> LayerConfig | None:
    options = node.get("config") if isinstance(node, dict) else None
    if not isinstance(options, dict):
        return None
    class_name, name = node.get("class_name"), options.get("name", node.get("name"))
    if not isinstance(class_name, str) or not isinstance(name, str):
        return None
    is_model = isinstance(options.get("layers"), list)
    is_sequential = is_model and class_name == "Sequential"
    return LayerConfig(name, class_name, options, is_sequential, is_model and not is_sequential)


def _children(group: str, layer: LayerConfig) -> Iterator[tuple[str, Any]]:
    """The layers in a layer, each with its group."""
    children = layer.options["layers"] if layer.is_sequential or layer.is_functional else ()
    known = [(child, _class_name(child)) for child in children]
    # A Sequential does not count its input as a layer.
    counted = [
        (child, class_name)
        for child, class_name in known
        if class_name and not (layer.is_sequential and class_name == "InputLayer")
    ]
    names = number_groups(class_name for _, class_name in counted)
    for (child, _), name in zip(counted, names, strict=True):
        yield below(group, LAYERS, name), child


def _class_name(node: Any) -> str:
    """The class of a layer in a config; empty if it does not tell."""
    class_name = node.get("class_name") if isinstance(node, dict) else None
    return class_name if isinstance(class_name, str) else ""


def describes(
    configs: Mapping[str, LayerConfig], groups: Container[str], kernels: Mapping[str, Shape]
) -> bool:
    """Whether a config is that of a file with these groups and these first variables of layers."""
    for group, config in configs.items():
        if group not in groups:
            return False
        option, axis = _SIZES.get(config.class_name, ("", 0))
        if (
            option
            and group in kernels
            and kernels[group][axis : axis + 1 or None] != (config.options.get(option),)
        ):
            return False
    return True


_SIZES = {
    "Dense": ("units", -1),
    "Conv1D": ("filters", -1),
    "Conv2D": ("filters", -1),
    "Conv3D": ("filters", -1),
    "Conv1DTranspose": ("filters", -2),
    "Conv2DTranspose": ("filters", -2),
    "Conv3DTranspose": ("filters", -2),
    "Embedding": ("output_dim", -1),
}
"""The argument of a layer that the length of an axis of its first variable must be."""
