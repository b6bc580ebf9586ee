"""Definitions: a YAML model definition becomes a parameter tree without values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from paraminspect.arrays import Shape
from paraminspect.definition._build import Builder
from paraminspect.definition._place import fail
from paraminspect.definition._rules import Rules
from paraminspect.definition._scope import Scope
from paraminspect.definition._ties import read_ties
from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence, read_yaml
from paraminspect.definition.model import Model
from paraminspect.errors import DefinitionError, ParamInspectError, nearest
from paraminspect.frameworks import Framework, defined, load_modelling
from paraminspect.frameworks._modelling import Construction, Modelling
from paraminspect.frameworks._naming import Named
from paraminspect.runtime import collector_paused
from paraminspect.tree import Architecture, ParameterTree, Source
from paraminspect.tree.layers import MAXIMUM_SIZE, BuildError, Built, Layer, UnknownInputError
from paraminspect.tree.lengths import UNKNOWN

KEYS = (
    "framework",
    "input",
    "let",
    "define",
    "share",
    "layers",
    "ties",
    "init",
    "post_init",
    "names",
)
"""The keywords at the top of a definition."""

MAXIMUM_COUNT = 2**63 - 1
"""Elements that a model may have."""


def load_definition(text: bytes, source: str) -> ParameterTree:
    """The tree that a definition describes; `source` names it in errors (`FILE: what @ where`)."""
    try:
        with collector_paused():
            tree = _load(read_yaml(text))
    except RecursionError:
        raise DefinitionError("the model is nested too deep").at(source) from None
    except DefinitionError as error:
        raise error.at(source) from None
    return replace(tree, source=replace(tree.source, path=source))


def _load(root: Node) -> ParameterTree:
    """In this order: what layers refer to, the layers, their names, ties, and the schemes."""
    if not isinstance(root, Mapping):
        raise DefinitionError(
            "a definition is a mapping with 'framework' and 'layers'"
            f", got a {type(root).__name__.lower()} (line {root.place.line})"
        )
    for key, _ in root.entries:
        if key.text not in KEYS:
            fail(f"unknown keyword {key.text!r}{nearest(key.text, KEYS)}; {_known()}", key)
    framework, modelling = _framework(root)
    scope = Scope(framework, modelling)
    builder = _read_names(Builder(scope), root)
    layers = root.get("layers")
    if layers is None:
        fail("a definition needs 'layers'", root)
    if layers.size == 1 and not isinstance(layers, Scalar):
        fail("there are no layers", layers)
    model = builder.layer(layers)
    _check_shared(scope, root)
    shape = _input(scope, root.get("input"))
    built = _built(builder, model, shape, layers)
    named = _named(_namer(framework, modelling, root), built, layers)
    _check_counts(named, layers)
    tree: ParameterTree = Model(
        named.parameters,
        named.ties,
        framework.metadata,
        Source(format="definition", is_in_order=True),  # `load_definition` adds the path
        Architecture(framework.name, named.root, modelling.separator),
        input=shape,
        computation=framework.computation,
    )
    tree, owners = read_ties(root, tree)
    rules = Rules.read(root, tree, scope.values, framework)
    construction = Construction(built, named.root, owners, rules.by_name, rules.post_init)
    lay_out, root_module = modelling.lay_out, named.root
    architecture = replace(
        tree.architecture,
        construction=lambda more: modelling.construct(construction.with_rules(more)),
        placement=None if lay_out is None else lambda: lay_out(built, root_module),
    )
    return replace(rules.applied(tree), architecture=architecture)


def _read_names(builder: Builder, root: Mapping) -> Builder:
    """Give the builder what layers may refer to: sizes, blocks, shared layers, in this order."""
    for key, node in _entries(root, "let"):
        builder.scope.let(key, node)
    for key, node in _entries(root, "define"):
        builder.define(key, node)
    for key, node in _entries(root, "share"):
        builder.scope.share(key, builder.layer(node))
    return builder


def _check_shared(scope: Scope, root: Mapping) -> None:
    """A layer that is used nowhere would count in names and random numbers, and be seen nowhere."""
    for key, _ in _entries(root, "share"):
        if key.text not in scope.used:
            fail(f"the shared layer {key.text!r} is used nowhere", key)


def _known() -> str:
    return f"known are {', '.join(KEYS)}"


def _framework(root: Mapping) -> tuple[Framework, Modelling]:
    node = root.get("framework")
    if node is None:
        fail(f"a definition needs 'framework', one of {', '.join(defined())}", root)
    if not isinstance(node, Scalar):
        fail(f"expected one of {', '.join(defined())}", node)
    try:
        return load_modelling(node.text)
    except DefinitionError as error:
        fail(str(error), node)


def _namer(framework: Framework, modelling: Modelling, root: Mapping) -> Callable[[Built], Named]:
    node = root.get("names")
    if node is None:
        return modelling.name_parameters
    try:
        return modelling.namer(node.text if isinstance(node, Scalar) else "", framework.name)
    except DefinitionError as error:
        fail(str(error), node)


def _entries(root: Mapping, name: str) -> tuple[tuple[Scalar, Node], ...]:
    node = root.get(name)
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        fail("expected a mapping", node)
    return node.entries


def _input(scope: Scope, node: Node | None) -> Shape | None:
    if node is None:
        return None
    if not isinstance(node, Sequence):
        got = repr(node.text) if isinstance(node, Scalar) else "a mapping"
        fail(
            f"expected the list of sizes of one example, like [3, 32, 32], got {got}",
            node,
        )
    sizes = [UNKNOWN if size is None else size for size in scope.value(node)]
    for size in sizes:
        if size is UNKNOWN:
            continue
        if type(size) is not int or not 1 <= size <= MAXIMUM_SIZE:
            fail(f"a shape is made of integers from 1 on, got {size!r}", node)
    return tuple(sizes)


def _built(builder: Builder, model: Layer, shape: Shape | None, layers: Node) -> Built:
    try:
        return model.build(shape)
    except BuildError as error:
        if shape is None and isinstance(error, UnknownInputError):
            error.explain("give the shape of one example with `input:`")
        if error.place:
            raise
        nodes = (node for layer in error.layers if (node := builder.node(layer)))
        fail(str(error), next(nodes, layers))


def _named(namer: Callable[[Built], Named], built: Built, layers: Node) -> Named:
    try:
        return namer(built)
    except ParamInspectError as error:
        fail(str(error), layers)


def _check_counts(named: Named, node: Node) -> None:
    total = 0
    for name, parameter in named.parameters.items():
        total += parameter.count
        if total > MAXIMUM_COUNT:
            fail(f"too large: {name!r} brings the model over 2**63 elements", node)
