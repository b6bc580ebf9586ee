"""The names of a definition: sizes, shared layers and functions, and what they evaluate to."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Names
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from paraminspect.definition._place import fail
from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence
from paraminspect.errors import DefinitionError, ParamInspectError, nearest
from paraminspect.frameworks import Framework, foreign
from paraminspect.frameworks._modelling import Modelling
from paraminspect.language import Expression, parse_expression
from paraminspect.tree.layers import Layer

MAXIMUM_NAMES = 1_000
"""Sizes and shared layers that may have names."""


@dataclass
class Scope:
    """What names mean at a place: `values` are sizes and block parameters, `shared` layers."""

    framework: Framework
    modelling: Modelling
    values: ChainMap[str, Any] = field(default_factory=ChainMap)
    shared: dict[str, Layer] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(init=False)
    used: set[str] = field(default_factory=set)
    """The names of shared layers that something has asked for."""

    def __post_init__(self) -> None:
        self.functions = {**self.modelling.layers, **self.modelling.values}

    def let(self, key: Scalar, node: Node) -> None:
        """Give a value a name."""
        self._check_new(key.text, key)
        self.values[key.text] = self.value(node)

    def share(self, key: Scalar, layer: Layer) -> None:
        """Give a layer a name, under which it may be used in many places."""
        self._check_new(key.text, key)
        if key.text in self.functions:
            fail(f"{key.text!r} is the name of a layer already", key)
        self.shared[key.text] = layer

    def layer(self, name: str) -> Layer | None:
        """The layer of a name, if it has one."""
        self.used.add(name)
        known = self.values.get(name, self.shared.get(name))
        return known if isinstance(known, Layer) else None

    def _check_new(self, name: str, key: Scalar) -> None:
        if not name.isidentifier():
            fail(f"a name here is made of letters, digits and _, got {name!r}", key)
        if name in self.values or name in self.shared:
            fail(f"{name!r} is defined already", key)
        if len(self.values) + len(self.shared) >= MAXIMUM_NAMES:
            fail(f"more names than the limit of {MAXIMUM_NAMES}", key)

    @contextmanager
    def inner(self, values: Names[str, Any]) -> Iterator[None]:
        """More values, for the body of a block."""
        outer, self.values = self.values, self.values.new_child(dict(values))
        try:
            yield
        finally:
            self.values = outer

    def value(self, node: Node) -> Any:
        """A number, string or list of them: plain text is an expression, quoted text a string."""
        if isinstance(node, Sequence):
            return [self.value(n) for n in node.items]
        if isinstance(node, Mapping):
            fail("expected a value, got a mapping", node)
        if not node.plain or not isinstance(node.value, str):
            return node.value
        name = self.expression(node).name
        if name is not None and name not in self.values and name not in self.shared:
            ending = nearest(name, self.values)
            fail(f"unknown name {name!r}{ending or ': a string needs quotes'}", node)
        return self.evaluated(node, node.text)

    def expression(self, node: Scalar) -> Expression:
        """The expression that a scalar holds."""
        if not node.text.strip():
            fail("expected a layer, got nothing", node)
        try:
            return parse_expression(node.text)
        except ParamInspectError as error:
            if node.flow and node.text.count("(") != node.text.count(")"):
                fail(
                    f"the comma in YAML's flow style split a call, got {node.text!r}:"
                    " write each call on its own line, or quote it",
                    node,
                )
            fail(str(error), node)

    def evaluated(self, node: Node, what: str | Expression) -> Any:
        """The value of an expression; its errors have the place of the node."""
        try:
            expression = parse_expression(what) if isinstance(what, str) else what
            for name in expression.calls:
                if name not in self.functions:
                    raise DefinitionError(self._unknown_function(name))
            self.used.update(self.shared.keys() & expression.names)
            names = ChainMap(*self.values.maps, self.shared)
            return expression.evaluate(names, self.functions)
        except ParamInspectError as error:
            if not isinstance(error, DefinitionError) or not error.place:
                fail(str(error), node)
            error.caller = str(node.place)  # of a block: the outermost call is the last to say so
            raise

    def _unknown_function(self, name: str) -> str:
        if name in self.modelling.absent:
            return f"{name} is not called in a definition: {self.modelling.absent[name]}"
        if name in self.shared:
            return f"{name} is a shared layer: write it without parentheses"
        whose = foreign(name, self.framework)
        if whose is not None:
            return whose
        layers = self.functions.keys() - self.modelling.values.keys()
        known = ", ".join(list(self.functions)[:6])
        return f"unknown layer {name!r}{nearest(name, layers) or f'; known are {known}, ...'}"

    def unknown_layer(self, name: str, node: Node) -> NoReturn:
        """Refuse a bare name that does not name a layer."""
        if name in self.functions:
            fail(f"{name} is a layer: write {name}()", node)
        if name in self.values:
            fail(f"{name} is {self.values[name]!r}, expected a layer", node)
        if name in self.modelling.absent or foreign(name, self.framework):
            fail(self._unknown_function(name), node)
        known = [*self.shared, *(f for f in self.functions if f not in self.modelling.values)]
        ending = nearest(name, known) or f"; known are {', '.join(known[:6])}, ..."
        fail(f"unknown layer {name!r}{ending}", node)
