"""The `config.json` of a Keras archive, read as data: nothing that it names is ever built."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import CheckpointError
from paraminspect.formats._json import read_json
from paraminspect.formats.keras._classes import mode_of
from paraminspect.frameworks.keras._groups import LAYERS, below, number_groups
from paraminspect.frameworks.keras._naming import CLASS_NAMES
from paraminspect.frameworks.keras._stored import stored_layers

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
    """The texts in a `metadata.json`; empty for any other file."""
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
    (`_save_container_state` in keras/src/saving/saving_lib.py). Empty for anything else.
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
    options = layer.options
    if layer.is_sequential or layer.is_functional:
        # A Sequential does not count its input as a layer.
        left_out = ("InputLayer",) if layer.is_sequential else ()
        yield from _container(below(group, LAYERS), options["layers"], left_out)
    elif layer.class_name == "StackedRNNCells" and isinstance(options.get("cells"), list):
        yield from _container(below(group, "cells"), options["cells"])
    elif layer.class_name == "Bidirectional":
        other = options.get("backward_layer") or options.get("layer")
        yield below(group, "forward_layer"), _on_side("forward_", options.get("layer"))
        yield below(group, "backward_layer"), _on_side("backward_", other)
    else:
        yield from (
            (below(group, key), options[key]) for key in ("layer", "cell") if key in options
        )


def _container(
    group: str, children: Sequence[Any], left_out: Container[str] = ()
) -> Iterator[tuple[str, Any]]:
    known = [(child, _class_name(child)) for child in children]
    counted = [(child, name) for child, name in known if name and name not in left_out]
    names = number_groups(name for _, name in counted)
    for (child, _), name in zip(counted, names, strict=True):
        yield below(group, name), child


def _on_side(side: str, node: Any) -> Any:
    """The layer of one side of a Bidirectional, which has the name of the side before its own."""
    options = node.get("config") if isinstance(node, dict) else None
    if not isinstance(options, dict) or not isinstance(options.get("name"), str):
        return node
    name = options["name"].removeprefix("forward_").removeprefix("backward_")
    return {**node, "config": {**options, "name": side + name}}


def _class_name(node: Any) -> str:
    """The class of a layer in a config; empty if it does not tell, or is a mere operation."""
    class_name = node.get("class_name") if isinstance(node, dict) else None
    if not isinstance(class_name, str) or str(node.get("module")).startswith(_OPERATIONS):
        return ""
    return CLASS_NAMES.get(class_name, class_name)


_OPERATIONS = "keras.src.ops."
"""Where Keras has operations, which it does not store: `x + 1` in a functional model."""


def describes(
    configs: Mapping[str, LayerConfig], groups: Container[str], kernels: Mapping[str, Shape]
) -> bool:
    """Whether a config is that of a file with these groups and these first variables of layers."""
    for group, config in configs.items():
        if group not in groups:
            return False
        if group not in kernels or mode_of(config.options):
            continue
        layers = stored_layers(config.class_name, config.options)
        if layers and not any(layer.agrees(kernels[group]) for layer in layers):
            return False
    return True
