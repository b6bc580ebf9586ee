"""How a framework makes a model: its layers, containers and names, and what constructing draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from paraminspect.errors import DefinitionError
from paraminspect.frameworks._naming import Named
from paraminspect.language.forward import Forward
from paraminspect.tree import Module
from paraminspect.tree.layers import Built, Drawn, Layer, Spec
from paraminspect.tree.placement import Placement


@dataclass(frozen=True)
class Construction:
    """A definition as its constructors see it: what they make, and what becomes of it.

    `owners` maps the name of each constructed array to the name under which the tree keeps it,
    None where a tie threw it away. `rules` are the schemes of `init:`, by name. `post_init` names
    the modules below which the rules run as soon as they are constructed.
    """

    built: Built
    root: Module
    owners: Mapping[str, str | None]
    rules: Mapping[str, str] = field(default_factory=dict)
    post_init: tuple[str, ...] = ()

    def with_rules(self, more: Mapping[str, str]) -> Construction:
        """The same with further rules, which win."""
        return replace(self, rules={**self.rules, **more})

    def arrays(self) -> Iterator[tuple[str, Spec, Layer]]:
        """Each constructed array once: name, spec and layer, in the order of the names."""
        seen = set()
        for name, spec, built in walk(self.built, self.root):
            if name in self.owners and name not in seen:
                seen.add(name)
                yield name, spec, built.layer


def walk(built: Built, module: Module) -> Iterator[tuple[str, Spec, Built]]:
    """The full name and spec of every parameter, and the layer that it is of; aliases too."""
    for (_, spec), name in zip(built.parameters.items(), module.parameters.values(), strict=True):
        yield name, spec, built
    for child, below in zip(built.children.values(), module.children.values(), strict=True):
        yield from walk(child, below)


def draw_in_order(construction: Construction) -> Sequence[Drawn]:
    """Each array once, in the order of the names, by its rule or else its default."""
    return [
        Drawn(
            (owner,) if (owner := construction.owners[name]) else (),
            replace(spec, scheme=construction.rules.get(name, spec.scheme)),
        )
        for name, spec, _ in construction.arrays()
    ]


def _nothing_below(layer: Layer, plain: Layer, children: Mapping[str, Layer]) -> Layer:
    raise DefinitionError(f"{layer} takes no layers below it")


@dataclass(frozen=True)
class Modelling:
    """What a definition is made of: layers, two containers, and a way to name parameters.

    `sequential` makes the container that a list stands for, `module` the one that a mapping
    stands for, both from the children by name; `module` also gets the name of the block whose
    body it is, and its forward.
    `around` makes what a call with layers below it stands for (`Add(): [a, b]`): it gets the call,
    the container that the layers below would be without it, and these layers. `values` are
    what else may be called in an argument, such as initializers. `name_parameters` turns a built
    model into named parameters; `separator` stands between the parts of a name.
    """

    layers: Mapping[str, Callable[..., Layer]]
    sequential: Callable[[Mapping[str, Layer]], Layer]
    module: Callable[[Mapping[str, Layer], str, Forward | None], Layer]
    name_parameters: Callable[[Built], Named]
    around: Callable[[Layer, Layer, Mapping[str, Layer]], Layer] = _nothing_below
    values: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    separator: str = "."
    other_names: Mapping[str, Callable[[Built], Named]] = field(default_factory=dict)
    """Other ways to name, chosen by `names:` in a definition (MXNet: `structural`)."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Names of the framework that a definition does not call, with what to do instead."""
    concepts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is called by other names elsewhere: concept to its names here, or how it is written."""
    construct: Callable[[Construction], Sequence[Drawn]] = draw_in_order
    """What constructing a model draws, in the order in which the framework does."""
    lay_out: Callable[[Built, Module], Placement] | None = None
    """Where the framework's own files keep a model whose parameters have the names of a module."""
    sequences: tuple[str, ...] = ("Sequential",)
    """Kinds of layers whose children run one after another: no block may have such a name."""

    def namer(self, name: str, framework: str) -> Callable[[Built], Named]:
        """The other way to name parameters that a definition of this framework asks for."""
        if name not in self.other_names:
            known = ", ".join(self.other_names) or "none: leave `names` out"
            raise DefinitionError(f"unknown names {name!r} for {framework}, known are {known}")
        return self.other_names[name]
