"""From the nodes of a definition to layers: calls, lists, mappings, repetitions, shared layers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from paraminspect.definition._blocks import read_head
from paraminspect.definition._forward import build_forward, is_forward
from paraminspect.definition._place import fail
from paraminspect.definition._repetition import (
    MAXIMUM_NAME,
    checked_count,
    is_repetition,
    read_repetition,
)
from paraminspect.definition._scope import Scope
from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence
from paraminspect.errors import ParamInspectError
from paraminspect.language import Expression, bind_arguments
from paraminspect.language.forward import Forward
from paraminspect.tree.layers import Layer, next_serial

MAXIMUM_LAYERS = 200_000
"""Layers that a definition may construct; a repetition is refused before it is built."""
MAXIMUM_LEVELS = 64
"""How deep blocks, lists and mappings may lie in one another."""

_CALL_KEY = re.compile(r"[A-Za-z_]\w*\(.*\)", re.DOTALL)
"""A key that is a call: the layer stands around what is below it."""

Item = tuple[str | None, Layer]
"""A layer of a list, with the name that its place gives it."""


@dataclass
class Builder:
    """Constructs layers in the order in which the definition writes them, once each."""

    scope: Scope
    _places: dict[int, Node] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _factor: int = 1
    _level: int = 0
    _first_serial: int = field(default_factory=next_serial)

    def node(self, layer: Layer) -> Node | None:
        """The node that the layer was constructed from; None inside of a call."""
        return self._places.get(layer.serial)

    def layer(self, node: Node, block: str = "") -> Layer:
        """The layer that a node stands for; `block` is the function whose body it is."""
        self._level += 1
        if self._level > MAXIMUM_LEVELS:
            fail(f"nested deeper than {MAXIMUM_LEVELS} levels of blocks and lists", node)
        made = self._layer(node, block)
        self._level -= 1
        return self._placed(made, node)

    def _placed(self, layer: Layer, node: Node) -> Layer:
        self._places.setdefault(layer.serial, node)
        if layer.serial - self._first_serial > MAXIMUM_LAYERS:
            fail(f"more layers than the limit of {MAXIMUM_LAYERS}", node)
        return layer

    def _layer(self, node: Node, block: str) -> Layer:
        if isinstance(node, Scalar):
            expression = self.scope.expression(node)
            if not expression.repetition():
                return self._call(expression, node)
        serial = next_serial()  # a container is constructed before what it holds
        return replace(self._container(node, block), serial=serial)

    def _container(self, node: Node, block: str) -> Layer:
        if isinstance(node, Sequence):
            return self._sequential(self._list(node), node)
        if isinstance(node, Scalar) or is_repetition(node):
            return self._sequential(self._keyed(self._items(node), node), node)
        if any(_CALL_KEY.fullmatch(k.text) and not is_forward(k) for k, _ in node.entries):
            return self._around(node, block)
        return self._module(self._children(node), node, block)

    def _sequential(self, children: dict[str, Layer], node: Node) -> Layer:
        return self._made(lambda: self.scope.modelling.sequential(children), node)

    def _made(self, make: Callable[[], Layer], node: Node) -> Layer:
        try:
            return make()
        except ParamInspectError as error:
            fail(str(error), node)

    def _around(self, node: Mapping, block: str) -> Layer:
        """A call with layers below it, `Add(): [a, b]`: the framework says what it makes."""
        key, below = node.entries[0]
        if len(node.entries) > 1:
            fail("a call with layers below it must be alone in its mapping", node)
        layer = self._call(self.scope.expression(key), key)
        if isinstance(below, Mapping) and not is_repetition(below):
            children = self._children(below)
            plain = self._module(children, below, block)
        elif isinstance(below, Sequence):
            children = self._list(below)
            plain = self._sequential(children, below)
        else:
            children = self._keyed(self._items(below), below)
            plain = self._sequential(children, below)
        return self._made(lambda: self.scope.modelling.around(layer, plain, children), key)

    def _module(self, children: dict[str, Layer], node: Mapping, block: str) -> Layer:
        """A module with named children; a key `forward` or `forward(a, b)` says what it does."""
        forward: Forward | None = None
        for key, statements in node.entries:
            if is_forward(key):
                forward = build_forward(key, statements, self.scope.values)
        make = self.scope.modelling.module
        module = self._made(lambda: make(children, block, forward), node)
        return replace(module, forward=forward)

    def _children(self, node: Mapping) -> dict[str, Layer]:
        for key, _ in node.entries:
            if not key.text or not key.text.isprintable() or len(key.text) > MAXIMUM_NAME:
                short = repr(key.text[:40])
                fail(
                    f"a name is printable text of {MAXIMUM_NAME} characters at most, got {short}",
                    node,
                )
        return {
            key.text: self._named(child, key.text)
            for key, child in node.entries
            if not is_forward(key)
        }

    def _named(self, node: Node, name: str) -> Layer:
        """The layer with the name of its place, unless it was constructed elsewhere."""
        before = next_serial()
        made = self.layer(node)
        return replace(made, name=name) if made.serial > before else made

    def _list(self, node: Sequence) -> dict[str, Layer]:
        children: dict[str, Layer] = {}
        for item in node.items:
            children = self._keyed(self._items(item), item, children)
        return children

    def _keyed(
        self, items: Iterator[Item], node: Node, before: dict[str, Layer] | None = None
    ) -> dict[str, Layer]:
        children = {} if before is None else before
        for name, one in items:
            key = str(len(children)) if name is None else name
            if key in children:
                fail(f"two layers are named {key!r}", node)
            children[key] = one
        return children

    def _items(self, node: Node) -> Iterator[Item]:
        """What an item of a list adds: a repetition adds as many as it repeats."""
        if isinstance(node, Mapping) and is_repetition(node):
            yield from self._repetition(node)
            return
        repetition = None
        if isinstance(node, Scalar):
            repetition = self.scope.expression(node).repetition()
        if repetition and isinstance(node, Scalar):
            for one in self._repeated(repetition, node):
                yield None, one
        else:
            yield None, self.layer(node)

    def _repeated(self, repetition: tuple[Expression, Expression], node: Scalar) -> Iterator[Layer]:
        count_of, what = repetition
        count = checked_count(self.scope.evaluated(node, count_of), node)
        for _ in self._times(count, node):
            yield self._placed(self._call(what, node), node)

    def _repetition(self, node: Mapping) -> Iterator[Item]:
        repetition = read_repetition(self.scope, node)
        for i in self._times(repetition.count, node.get("repeat") or node):
            label = repetition.label(self.scope, i)
            if label is None:
                yield None, self.layer(repetition.of)
            else:
                yield label, self._named(repetition.of, label)

    def _times(self, count: int, node: Node) -> Iterator[int]:
        """Count to `count`, refusing before the first if all would be too many."""
        outer = self._factor
        self._factor *= count
        if self._factor > MAXIMUM_LAYERS:
            fail(f"{self._factor} repetitions are over the limit of {MAXIMUM_LAYERS}", node)
        yield from range(count)
        self._factor = outer

    def _call(self, expression: Expression, node: Scalar) -> Layer:
        name = expression.name
        if name is not None:
            known = self.scope.layer(name)
            if known is not None:
                return known
            self.scope.unknown_layer(name, node)
        if expression.called is None:
            example = "Linear(4, 8) or 12 * block(d)"
            fail(f"expected a layer like {example}, got {node.text!r}", node)
        value = self.scope.evaluated(node, expression)
        if not isinstance(value, Layer):
            fail(f"expected a layer, got {node.text!r}", node)
        return value

    def define(self, head: Scalar, body: Node) -> None:
        """Add the function that `head`, like `block(d, stride=1)`, and its body make."""
        name, signature = read_head(self.scope, head)
        self.scope.functions[name] = self._block(name, signature, body)

    def _block(self, name: str, signature: inspect.Signature, body: Node) -> Callable[..., Layer]:
        """The function of a block: each call constructs its body anew with its arguments."""

        def construct(*arguments: Any, **keywords: Any) -> Layer:
            if name in self._open:
                fail(f"the block {name!r} uses itself: blocks cannot recurse", body)
            bound = bind_arguments(signature, name, arguments, keywords)
            bound.apply_defaults()
            self._open.append(name)
            with self.scope.inner(bound.arguments):
                made = self.layer(body, name)
            self._open.pop()
            return made

        # mypy knows no attributes of functions; `inspect` reads the first, `call` the second.
        construct.__signature__ = signature  # type: ignore[attr-defined]
        construct.binds_itself = True  # type: ignore[attr-defined]
        return construct
