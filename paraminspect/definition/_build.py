"""From the nodes of a definition to layers: calls, lists, mappings, repetitions, shared layers."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence
from paraminspect.errors import DefinitionError, ParamInspectError, nearest
from paraminspect.expressions import Expression, parse_expression
from paraminspect.frameworks import Framework
from paraminspect.layers import Layer

MAXIMUM_REPEAT = 10_000
MAXIMUM_LAYERS = 200_000
"""Layers that a definition may construct; counted before a repetition is built."""

REPETITION_KEYS = ("repeat", "of", "name")


@dataclass(frozen=True)
class Block:
    """A function that the definition makes: parameters with their defaults, and a body."""

    name: str
    parameters: dict[str, Expression | None]
    body: Node
    path: str


@dataclass
class Builder:
    """Constructs layers in the order in which the definition writes them, once each."""

    framework: Framework
    names: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    shared: dict[str, Layer] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _factor: int = 1
    _constructed: int = 0

    def value(self, node: Node, path: str) -> Any:
        """A number, string or list of them: plain text is an expression, quoted text a string."""
        if isinstance(node, Sequence):
            return [self.value(n, f"{path}[{i}]") for i, n in enumerate(node.items)]
        if isinstance(node, Mapping):
            fail("expected a value, got a mapping", path, node)
        if not node.plain or not isinstance(node.value, str):
            return node.value
        return self._evaluated(node, node.text, path)

    def layer(self, node: Node, path: str) -> Layer:
        """The layer that a node stands for."""
        if isinstance(node, Sequence):
            return self.framework.sequential(self._list(node, path))
        if isinstance(node, Mapping):
            if node.get("repeat") is not None:
                return self.framework.sequential(dict(self._repetition(node, path)))
            return self.framework.module(self._children(node, path))
        expression = self._expression(node, path)
        repetition = expression.repetition()
        if repetition:
            layers = self._repeated(repetition, node, path)
            return self.framework.sequential({str(i): one for i, one in enumerate(layers)})
        return self._call(expression, node, path)

    def _children(self, node: Mapping, path: str) -> dict[str, Layer]:
        for key, _ in node.entries:
            if not key.text or not key.text.isprintable():
                fail(f"a name must be printable text, got {key.text!r}", path, key)
        return {k.text: self.layer(n, f"{path}.{k.text}") for k, n in node.entries}

    def _list(self, node: Sequence, path: str) -> dict[str, Layer]:
        if not node.items:
            fail("a list of layers is empty", path, node)
        children: dict[str, Layer] = {}
        for i, item in enumerate(node.items):
            for name, one in self._items(item, f"{path}[{i}]"):
                key = str(len(children)) if name is None else name
                if key in children:
                    fail(f"two layers are named {key!r}", f"{path}[{i}]", item)
                children[key] = one
        return children

    def _items(self, node: Node, path: str) -> Iterator[tuple[str | None, Layer]]:
        """What an item of a list adds: a repetition adds as many as it repeats."""
        if isinstance(node, Mapping) and node.get("repeat") is not None:
            named = node.get("name") is not None
            for name, one in self._repetition(node, path):
                yield (name if named else None), one
            return
        repetition = None
        if isinstance(node, Scalar):
            repetition = self._expression(node, path).repetition()
        if repetition and isinstance(node, Scalar):
            for one in self._repeated(repetition, node, path):
                yield None, one
        else:
            yield None, self.layer(node, path)

    def _repeated(
        self, repetition: tuple[Expression, Expression], node: Scalar, path: str
    ) -> Iterator[Layer]:
        count_of, what = repetition
        count = self._count(self._evaluated(node, count_of, path), node, path)
        for _ in self._times(count, node, path):
            yield self._call(what, node, path)

    def _repetition(self, node: Mapping, path: str) -> Iterator[tuple[str, Layer]]:
        for key, _ in node.entries:
            if key.text not in REPETITION_KEYS:
                ending = nearest(key.text, REPETITION_KEYS)
                fail(f"a repetition has repeat, of and name, not {key.text!r}{ending}", path, key)
        of, name, repeat = node.get("of"), node.get("name"), node.get("repeat")
        if of is None or repeat is None:
            fail("a repetition needs 'of': what to repeat", path, node)
        count = self._count(self.value(repeat, f"{path}.repeat"), repeat, f"{path}.repeat")
        form = name.text if isinstance(name, Scalar) else "{i}"
        for i in self._times(count, repeat, f"{path}.repeat"):
            yield self._item_name(form, i, name or node, path), self.layer(of, f"{path}.of")

    def _item_name(self, form: str, i: int, node: Node, path: str) -> str:
        outer, self.names = self.names, {**self.names, "i": i}
        try:
            return re.sub(
                r"\{([^{}]*)\}",
                lambda found: str(self._evaluated(node, found[1], f"{path}.name")),
                form,
            )
        finally:
            self.names = outer

    def _count(self, count: Any, node: Node, path: str) -> int:
        if type(count) is not int or not 1 <= count <= MAXIMUM_REPEAT:
            fail(f"repeat must be an integer, the limit is {MAXIMUM_REPEAT}, got {count}", path, node)
        return count

    def _times(self, count: int, node: Node, path: str) -> Iterator[int]:
        """Count to `count`, refusing before the first if all would be too many."""
        outer = self._factor
        self._factor *= count
        if self._factor > MAXIMUM_LAYERS:
            fail(f"{self._factor} repetitions are over the limit of {MAXIMUM_LAYERS}", path, node)
        yield from range(count)
        self._factor = outer

    def _call(self, expression: Expression, node: Scalar, path: str) -> Layer:
        name = expression.name
        if name in self.shared:
            return self.shared[name]
        if name is not None:
            self._unknown_name(name, node, path)
        if expression.called is None:
            fail(f"expected a layer like Linear(4, 8), got {node.text!r}", path, node)
        value = self._evaluated(node, expression, path)
        if not isinstance(value, Layer):
            fail(f"expected a layer, got {node.text!r}", path, node)
        return value

    def _unknown_name(self, name: str, node: Node, path: str) -> NoReturn:
        if name in self._functions:
            fail(f"{name} is a layer: write {name}()", path, node)
        known = [*self.shared, *self._functions]
        fail(f"unknown layer {name!r}{nearest(name, known)}", path, node)

    def _expression(self, node: Scalar, path: str) -> Expression:
        if not node.text.strip():
            fail("expected a layer, got nothing", path, node)
        try:
            return parse_expression(node.text)
        except ParamInspectError as error:
            if node.flow and node.text.count("(") != node.text.count(")"):
                fail(
                    f"the comma in YAML's flow style split a call, got {node.text!r}:"
                    " write each call on its own line, or quote it",
                    path,
                    node,
                )
            fail(str(error), path, node)

    def _evaluated(self, node: Node, what: str | Expression, path: str) -> Any:
        try:
            expression = parse_expression(what) if isinstance(what, str) else what
            name = expression.called
            if name is not None and name not in self._functions:
                known = ", ".join(list(self._functions)[:6])
                ending = nearest(name, self._functions) or f"; known are {known}, ..."
                fail(f"unknown layer {name!r}{ending}", path, node)
            return expression.evaluate({**self.names, **self.shared}, self._functions)
        except ParamInspectError as error:
            fail(str(error), path, node)

    @property
    def _functions(self) -> dict[str, Callable[..., Any]]:
        layers = {name: self._counted(make) for name, make in self.framework.layers.items()}
        return {**layers, **{n: self._function(block) for n, block in self.blocks.items()}}
