"""Containers: lists and mappings of a definition, and calls that stand around layers.

A list is a `Sequential`. A mapping at the top is a functional model, whose layers have the names
of its keys and nothing before them; a mapping that has a name is a layer with layers inside, as
one gets by subclassing. `Functional():` wires what stands below it without adding a name: the
paths of its layers begin at the root, as those of a functional model do. A merging layer or an
attention gets each branch below it as an input; it is itself no scope, and `Identity()` is the
input itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._tracing import TracedModule, one_input
from paraminspect.frameworks.keras._functions import RULES
from paraminspect.frameworks.keras.layers._attention import ATTENTIONS, Join
from paraminspect.frameworks.keras.layers._declare import layer, namespace
from paraminspect.frameworks.keras.layers._merging import MERGES
from paraminspect.language import format_value
from paraminspect.language.forward import Forward
from paraminspect.tree.layers import Build, Built, Layer, Parts, UnknownInputError, chained

SEQUENTIAL = "Sequential"
FUNCTIONAL = "Functional"
SEQUENCES = (SEQUENTIAL, FUNCTIONAL)
MODEL = "keras.Model"
"""A mapping: a layer of its own where it has a name, a functional model where it has none."""
BRANCHES = "branches"
"""The child, of no kind, that holds what feeds a layer of several inputs."""

_JOINS: dict[str, Join] = {**MERGES, **ATTENTIONS}


def is_functional(layer: Layer) -> bool:
    """Whether it is a model that opens no scope of its own."""
    return layer.kind == FUNCTIONAL or (layer.kind == MODEL and layer.name is None)


def branches_of(built: Built) -> Mapping[str, Built]:
    """What feeds a layer of several inputs, none for other layers."""
    below = built.children.get(BRANCHES)
    return below.children if below and is_branches(below) else {}


def is_branches(built: Built) -> bool:
    """Whether it is no layer but holds the branches of one."""
    return not built.layer.kind


def sequential(children: Mapping[str, Layer]) -> Layer:
    """What a list stands for."""
    return Layer(SEQUENTIAL, chained(children))


def model(children: Mapping[str, Layer], block: str, forward: Forward | None) -> Layer:
    """What a mapping stands for; the body of a block is a class of that name.

    Without a forward its layers follow one another.
    """
    if forward is None:
        return Layer(block or MODEL, chained(children))
    return Layer(block or MODEL, TracedModule(forward, children, RULES, join=_called))


def _called(layer: Layer, shapes: Sequence[Shape]) -> Layer:
    """A layer that a forward calls with several inputs."""
    module = layer.make
    if isinstance(module, TracedModule):
        return replace(layer, make=lambda _: module.on(shapes))
    if layer.kind not in _JOINS:
        return one_input(layer, shapes)
    join, a = _JOINS[layer.kind], namespace(layer.kind, layer.arguments)
    return replace(layer, make=lambda _: join(a, shapes))


def around(layer: Layer, plain: Layer, children: Mapping[str, Layer]) -> Layer:
    """What a call with layers below it stands for."""
    if layer.kind in SEQUENCES:
        if layer.arguments.get("layers"):
            raise DefinitionError(f"{layer} has layers already")
        return replace(layer, make=plain.make, forward=plain.forward)
    if layer.kind not in _JOINS:
        known = ", ".join((*SEQUENCES, *_JOINS))
        raise DefinitionError(f"{layer} takes no layers below it; those that do are {known}")
    if plain.forward is not None:
        raise DefinitionError(f"{layer} joins the layers below it: leave their `forward` out")
    return replace(layer, make=_joined(layer, children))


def _joined(layer: Layer, children: Mapping[str, Layer]) -> Build:
    join, a = _JOINS[layer.kind], namespace(layer.kind, layer.arguments)
    branches = Layer("", _side_by_side(children))

    def build(shape: Shape | None) -> Built:
        below = branches.build(shape)
        shapes = [child.output for child in below.children.values()]
        known = [shape for shape in shapes if shape is not None]
        if len(known) < len(shapes):
            raise UnknownInputError(layer.kind)
        built = join(a, known)
        return Built(built.parameters, {BRANCHES: below, **built.children}, built.output)

    return build


def _side_by_side(children: Mapping[str, Layer]) -> Build:
    """Children that all get the same input."""

    def build(shape: Shape | None) -> Built:
        parts = Parts()
        for name, child in children.items():
            parts.add(name, child, shape)
        return Built({}, parts.built)

    return build


def _sequential(a: SimpleNamespace) -> Build:
    layers = a.layers or []
    if not isinstance(layers, list | tuple) or any(not isinstance(one, Layer) for one in layers):
        raise ExpressionError(
            f"{a.kind}: layers must be a list of layers, got {format_value(layers)}"
        )
    return chained({str(i): one for i, one in enumerate(layers)})


CONTAINERS = dict(
    [
        layer(
            "Sequential(layers=None, trainable: Flag = True, name: Text | None = None)", _sequential
        ),
        layer("Functional(name: Text | None = None)", lambda a: chained({})),
    ]
)
"""Layer functions by name."""
