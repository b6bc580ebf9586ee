"""Where Keras' weights files keep a model (`_save_state` in keras/src/saving/saving_lib.py).

Keras walks over a model: the layers of a container first, then the attributes of a layer in
alphabetical order, private ones last. A layer that it meets again is not stored again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from paraminspect.errors import DefinitionError
from paraminspect.frameworks.keras._graph import in_order
from paraminspect.frameworks.keras._groups import LAYERS, VARS, below, number_groups
from paraminspect.frameworks.keras._naming import Key, class_name, key_of, layer_names
from paraminspect.frameworks.keras.layers._attention import MULTI_HEAD
from paraminspect.frameworks.keras.layers._containers import (
    BRANCHES,
    SEQUENTIAL,
    branches_of,
    is_functional,
)
from paraminspect.tree import Module
from paraminspect.tree.layers import Built
from paraminspect.tree.placement import Placement

INPUT = "InputLayer"

_ATTRIBUTES = {
    "MultiHeadAttention": {
        "query": "query_dense",
        "key": "key_dense",
        "gate": "_gate_dense",
        "value": "value_dense",
        "attention_output": "output_dense",
    },
    "GroupQueryAttention": {
        "query": "_query_dense",
        "key": "_key_dense",
        "gate": "_gate_dense",
        "value": "_value_dense",
        "attention_output": "_output_dense",
    },
}
"""The attributes in which an attention holds its projections, by their names."""

_WITHOUT_VARIABLES = {"_softmax": "softmax", "_dropout_layer": "dropout"}
"""Layers of an attention that a definition does not list: attribute to name."""


def lay_out(root: Built, module: Module) -> Placement:
    """The layout of a model whose parameters have the names that `module` gives them.

    Raises `DefinitionError` for a model that no code of Keras is known to build.
    """
    modules: dict[Key, Module] = {}
    _gather(root, module, 0, modules)
    walk = _Walk(layer_names(root), modules)
    walk.layer(root, "", 0)
    return Placement(walk.groups, walk.paths)


def _gather(built: Built, module: Module, copy: int, modules: dict[Key, Module]) -> None:
    copy, key = key_of(built, copy)
    if key in modules:
        return
    modules[key] = module
    for child, part in zip(built.children.values(), module.children.values(), strict=True):
        _gather(child, part, copy, modules)


@dataclass
class _Walk:
    names: Mapping[int, str]
    modules: Mapping[Key, Module]
    groups: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    stored: set[Key] = field(default_factory=set)

    def layer(self, built: Built, group: str, copy: int) -> None:
        """Lay out a layer, and all below it, in its group."""
        copy, key = key_of(built, copy)
        if key in self.stored:
            return
        self.stored.add(key)
        self._add(group, self.names[built.layer.serial])
        for number, name in enumerate(self.modules[key].parameters.values()):
            self.paths[name] = below(group, VARS, str(number))
        if built.layer.kind == SEQUENTIAL:
            self._container(_sequence(built), below(group, LAYERS), copy)
        elif is_functional(built.layer):
            self._functional(built, below(group, LAYERS), copy)
        elif built.layer.kind == "StackedRNNCells":
            self._container(list(built.children.values()), below(group, "cells"), copy)
        else:
            for attribute, child in _by_attribute(built):
                self.layer(child, below(group, attribute), copy)
            if built.layer.kind in MULTI_HEAD:
                for attribute, name in _WITHOUT_VARIABLES.items():
                    self._add(below(group, attribute), name)

    def _add(self, group: str, name: str) -> None:
        self.groups[below(group, VARS)] = name

    def _container(self, layers: Sequence[Built], group: str, copy: int) -> None:
        names = number_groups(class_name(built.layer) for built in layers)
        for built, name in zip(layers, names, strict=True):
            self.layer(built, below(group, name), copy)

    def _functional(self, model: Built, group: str, copy: int) -> None:
        _refuse_forward(model)
        layers = in_order(model)
        if all(built.layer.kind != INPUT for built in layers):
            (name,) = number_groups([INPUT])
            self._add(below(group, name), name)
        self._container(layers, group, copy)


def _sequence(built: Built) -> list[Built]:
    """The layers of a Sequential, to which its input does not belong."""
    layers = [child for child in built.children.values() if child.layer.kind != INPUT]
    for child in layers:
        _refuse_branches(child, "a Sequential")
    return layers


def held_layers(built: Built) -> Iterator[tuple[str, Built]]:
    """The layers that a layer holds, by attribute, in the order in which it makes them."""
    attributes = _ATTRIBUTES.get(built.layer.kind, {})
    for name, child in built.children.items():
        if name != BRANCHES:
            yield attributes.get(name, name), child


def _by_attribute(built: Built) -> Iterator[tuple[str, Built]]:
    """The same, as Keras goes over it."""
    children = dict(held_layers(built))
    for attribute in sorted(children, key=lambda name: (name.startswith("_"), name)):
        _refuse_branches(children[attribute], f"{built.layer.kind}, a layer of one's own")
        yield attribute, children[attribute]


def _refuse_forward(model: Built) -> None:
    """Keras orders by what a forward calls, which is not followed: layers would be mixed up."""
    wired = [model]
    while wired:
        built = wired.pop()
        if not is_functional(built.layer):
            wired += branches_of(built).values()
        elif built.layer.forward is not None:
            raise DefinitionError(
                "a forward does not say in which order a functional model keeps its layers:"
                " write them with Functional()"
            )
        else:
            wired += built.children.values()


def _refuse_branches(built: Built, holder: str) -> None:
    if branches_of(built):
        raise DefinitionError(
            f"the branches below {built.layer} are no layers of {holder}: put Functional() around"
        )
