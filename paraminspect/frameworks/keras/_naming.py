"""Names as `weight.path` gives them in a fresh process, in the order of `model.weights`.

A layer without a name is called after its class and numbered in the order of construction
(`keras.src.utils.naming`). A weight's path is that of the scopes in which its layer was first
built; functional models open none. A layer that is used again is not listed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError
from paraminspect.frameworks._naming import Named, parameter_of
from paraminspect.frameworks.keras._graph import in_order
from paraminspect.frameworks.keras._groups import snake_case
from paraminspect.frameworks.keras.layers._containers import (
    FUNCTIONAL,
    SEQUENTIAL,
    is_branches,
    is_functional,
)
from paraminspect.frameworks.keras.layers._declare import check_name
from paraminspect.tree import Module
from paraminspect.tree.layers import Built, Layer, Spec

CLASS_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Layers whose class has another name than they are exported under."""

SIDES = {"forward_layer": "forward_", "backward_layer": "backward_"}
"""What `Bidirectional` puts before the name of its layer."""


def name_parameters(root: Built) -> Named:
    """The parameters of a model by the paths that Keras gives them."""
    namer = _Namer(layer_names(root))
    named = Named(root=namer.module(root, "", 0))
    for path, spec, owner in namer.weights(root, 0):
        if path in named.parameters:
            raise DefinitionError(f"two parameters would be named {path!r}: give the layers names")
        named.parameters[path] = parameter_of(path, spec, owner)
    return named


def class_name(layer: Layer) -> str:
    """The name of the class of a layer."""
    if is_functional(layer):
        return FUNCTIONAL
    return CLASS_NAMES.get(layer.kind, layer.kind)


def layer_names(root: Built) -> dict[int, str]:
    """The name of every layer, by its serial."""
    layers: dict[int, Layer] = {}
    copies: dict[int, tuple[Layer, str]] = {}
    for key, built in _everything("", root):
        layer = built.layer
        if layer.copied_from is not None:
            copies[layer.serial] = layer.copied_from, SIDES[key]
            layer = layer.copied_from
        layers[layer.serial] = layer
    numbers: Counter[str] = Counter()
    names = {}
    for serial in sorted(layers):
        name = layers[serial].arguments.get("name") or layers[serial].name
        if name is None:
            base = snake_case(class_name(layers[serial]))
            name = f"{base}_{numbers[base]}" if numbers[base] else base
            numbers[base] += 1
        check_name(name)
        names[serial] = name
    for serial, (original, side) in copies.items():
        names[serial] = side + names[original.serial].removeprefix(side)
    return names


def _everything(key: str, built: Built) -> Iterator[tuple[str, Built]]:
    """All that is built, under the names of the parts."""
    if not is_branches(built):
        yield key, built
    for name, child in built.children.items():
        yield from _everything(name, child)


Key = tuple[int, int]
"""Which layer: the copy that it is inside of, and its serial."""


@dataclass
class _Namer:
    names: dict[int, str]
    first: dict[Key, tuple[Built, Module]] = field(default_factory=dict)
    listed: set[Key] = field(default_factory=set)

    def module(self, built: Built, scope: str, copy: int) -> Module:
        """Give the weights of `built` their paths, in the scope where it is first built."""
        copy, key = key_of(built, copy)
        if key in self.first:
            before, module = self.first[key]
            _check_same(self.names[built.layer.serial], before, built)
            return module
        inner = self._scope(built, scope)
        children: dict[str, Module] = {}
        for name, child in built.children.items():
            below = scope if is_branches(child) else inner
            children[self._label(name, child, children)] = self.module(child, below, copy)
        own = {local: f"{inner}/{local}" for local in built.parameters}
        self.first[key] = built, Module(own, children, built.layer)
        return self.first[key][1]

    def _label(self, name: str, child: Built, others: Mapping[str, Module]) -> str:
        """What a part is called in its module: its key, or what Keras calls an item of a list."""
        if not name.isdigit() or _is_nameless(child):
            return name
        label = self.names[child.layer.serial]
        return name if label in others else label

    def _scope(self, built: Built, outer: str) -> str:
        if is_functional(built.layer):
            return ""  # its layers were built before it was put anywhere
        if is_branches(built):
            return outer
        name = self.names[built.layer.serial]
        if not outer or knows_its_input(built):
            return name
        return f"{outer}/{name}"

    def weights(self, built: Built, copy: int) -> Iterator[tuple[str, Spec, Layer]]:
        """Path, spec and owner of each weight, in the order of `model.weights`."""
        copy, key = key_of(built, copy)
        if key in self.listed:
            return
        self.listed.add(key)
        own = self.first[key][1].parameters
        if is_functional(built.layer):
            for part in in_order(built):
                yield from self.weights(part, copy)
            return
        for local, spec in built.parameters.items():
            yield own[local], spec, built.layer
        for child in built.children.values():
            yield from self.weights(child, copy)


def key_of(built: Built, copy: int) -> tuple[int, Key]:
    """The copied layer that it is inside of, and its key; `copy` is that of what is around it."""
    if built.layer.copied_from is not None:
        copy = built.layer.serial
    return copy, (copy, built.layer.serial)


def knows_its_input(built: Built) -> bool:
    """Whether it is a `Sequential` that Keras builds as soon as it is constructed."""
    first = next(iter(built.children.values()), None)
    if built.layer.kind != SEQUENTIAL or first is None:
        return False
    return first.layer.kind == "InputLayer" or is_functional(first.layer) or knows_its_input(first)


def _is_nameless(built: Built) -> bool:
    return is_branches(built) or is_functional(built.layer)


def _check_same(name: str, first: Built, again: Built) -> None:
    """A layer has one set of weights: it cannot be used where they would have other shapes."""
    for (path, one), (_, other) in zip(_shapes(first, name), _shapes(again, name), strict=True):
        if one != other:
            raise DefinitionError(
                f"the shared layer {name!r} cannot be used twice: {path!r} would be {list(one)} in"
                f" one place and {list(other)} in the other"
            )


def _shapes(built: Built, path: str) -> Iterator[tuple[str, Shape]]:
    for local, spec in built.parameters.items():
        yield f"{path}/{local}", spec.shape
    for name, child in built.children.items():
        yield from _shapes(child, f"{path}/{name}")
