"""What a mapping of named parts builds; how it uses them is for its forward to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paraminspect.arrays import Shape
from paraminspect.frameworks._tracing import Rule, TracedModule
from paraminspect.language.forward import Forward
from paraminspect.tree.layers import Build, BuildError, Built, Layer, Parts, UnknownInputError

UNKNOWN_INPUT = (
    "what reaches the parts of a mapping is for its forward to say: give sizes, or use a list"
)


def module_build(
    bare: Mapping[str, Layer],
    below: Mapping[str, Layer],
    forward: Forward | None,
    rules: Mapping[str, Rule],
) -> Build:
    """A module with parts `below`, and parameters of its own for which the layers `bare` stand.

    `rules` say what the functions of a forward do to shapes.
    """

    def build(shape: Shape | None) -> Built:
        own = {name: child.build(None).parameters[""] for name, child in bare.items()}
        if forward is not None and shape is not None:
            shapes = {name: spec.shape for name, spec in own.items()}
            traced = TracedModule(forward, below, rules, shapes, _own_sizes)(shape)
            return Built(own, traced.children, traced.output, bare)
        parts = Parts()
        given, output = shape, None
        for name, child in below.items():
            try:
                output = _add(parts, name, child, given)
            except UnknownInputError as error:
                if shape is not None or parts.built:
                    error.explain(UNKNOWN_INPUT)
                raise
            given = None  # only the first part is taken to get what the module gets
        return Built(own, parts.built, output if len(below) == 1 else None, bare)

    return build


def _own_sizes(layer: Layer, shapes: Sequence[Shape]) -> Layer:
    """A layer with several inputs must know its sizes itself."""
    return layer


def _add(parts: Parts, name: str, child: Layer, shape: Shape | None) -> Shape | None:
    """Build a part; if it cannot take the module's input, what it takes is not known."""
    if shape is not None:
        try:
            return parts.add(name, child, shape).output
        except BuildError:
            pass
    return parts.add(name, child, None).output
