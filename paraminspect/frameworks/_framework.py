"""Frameworks: whose names, layouts and default initializers hold. One module each."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from paraminspect.errors import DefinitionError, nearest
from paraminspect.frameworks._naming import Named
from paraminspect.frameworks._random_numbers import also_called
from paraminspect.language.forward import Forward
from paraminspect.tree import Module
from paraminspect.tree.layers import Built, Drawn, Layer, Spec
from paraminspect.tree.layout import Layout

if TYPE_CHECKING:
    from paraminspect.init.schemes import SchemeFunction


@dataclass(frozen=True)
class Construction:
    """A definition whose drawing is to be told: what is constructed, and what it becomes.

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
class Framework:
    """What a framework is to us: a table of layers, two containers, and a way to name parameters.

    `sequential` makes the container that a list stands for, `module` the one that a mapping
    stands for, both from the children by name; the second is told the block whose body it is and
    the forward that it has.
    `around` makes what a call with layers below it stands for (`Add(): [a, b]`): it gets the call,
    the container that the layers below would be without it, and these layers. `values` are
    what else may be called in an argument, such as initializers. `name_parameters` turns a built
    model into named parameters; `separator` stands between the parts of a name.
    """

    name: str
    layers: Mapping[str, Callable[..., Layer]]
    sequential: Callable[[Mapping[str, Layer]], Layer]
    module: Callable[[Mapping[str, Layer], str, Forward | None], Layer]
    name_parameters: Callable[[Built], Named]
    around: Callable[[Layer, Layer, Mapping[str, Layer]], Layer] = _nothing_below
    values: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    separator: str = "."
    metadata: Mapping[str, str] | None = None
    """What a checkpoint of this framework carries besides values."""
    other_names: Mapping[str, Callable[[Built], Named]] = field(default_factory=dict)
    """Other ways to name, chosen by `names:` in a definition (MXNet: `structural`)."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Names of the framework that a definition does not call, with what to do instead."""
    concepts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is called by other names elsewhere: concept to its names here, or how it is written."""
    construct: Callable[[Construction], Sequence[Drawn]] = draw_in_order
    """What constructing a model draws, in the order in which the framework does."""
    has_post_init: bool = False
    """Whether its models may draw once more when they are constructed (transformers do)."""
    lay_out: Callable[[Built, Module], Layout] | None = None
    """Where the framework's own files keep a model whose parameters have the names of a module."""

    def namer(self, name: str | None) -> Callable[[Built], Named]:
        """The way to name parameters that a definition asks for, the framework's own without."""
        if name is None:
            return self.name_parameters
        if name not in self.other_names:
            known = ", ".join(self.other_names) or "none: leave `names` out"
            raise DefinitionError(f"unknown names {name!r} for {self.name}, known are {known}")
        return self.other_names[name]


FRAMEWORKS = ("pytorch", "keras", "mxnet")
"""The frameworks, each a module of this package with a value `FRAMEWORK`."""


def load_framework(name: str) -> Framework:
    """The framework of a name; its module is imported only now."""
    if name not in FRAMEWORKS:
        known = ", ".join(FRAMEWORKS)
        meant = also_called().get(name.lower(), "")
        hint = f", did you mean {meant!r}?" if meant in FRAMEWORKS else nearest(name, FRAMEWORKS)
        raise DefinitionError(f"unknown framework {name!r}, expected one of {known}{hint}")
    framework: Framework = importlib.import_module(f"paraminspect.frameworks.{name}").FRAMEWORK
    return framework


def foreign(name: str, here: Framework) -> str | None:
    """Whose a name is that `here` has no layer of, and what it is called here; None: nobody's."""
    others = [load_framework(other) for other in FRAMEWORKS if other != here.name]
    owners = [other for other in others if name in other.layers or name in other.absent]
    if not owners:
        return None
    called = [names for owner in owners if (names := _called(name, owner, here))]
    ending = f"it is {' or '.join(called[0])}" if called else "there is none of this name"
    what = "layer" if any(name in owner.layers for owner in owners) else "name"
    whose = " and ".join(owner.name for owner in owners)
    return f"{name} is a {what} of {whose}: in {here.name} {ending}"


def _called(name: str, owner: Framework, here: Framework) -> tuple[str, ...]:
    layer = owner.layers.get(name)
    aliases = {name, *(other for other, one in owner.layers.items() if one is layer)}
    concepts = (c for c, names in owner.concepts.items() if aliases.intersection(names))
    return next((here.concepts[c] for c in concepts if c in here.concepts), ())


def load_words(name: str | None) -> Mapping[str, SchemeFunction]:
    """The names that a framework gives to schemes; a framework without layers may have some too."""
    if name is None:
        return {}
    words: Mapping[str, SchemeFunction] = importlib.import_module(
        f"paraminspect.frameworks.{name}._words"
    ).WORDS
    return words
