"""From the nodes of a definition to layers: calls, lists, mappings, repetitions, shared layers."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from paraminspect.definition._forward import build_forward, is_forward
from paraminspect.definition._place import LocatedError, fail
from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence
from paraminspect.errors import DefinitionError, ParamInspectError, nearest
from paraminspect.expressions import Expression, parse_expression
from paraminspect.forward import Forward
from paraminspect.frameworks import Framework
from paraminspect.layers import Layer, next_serial

MAXIMUM_REPEAT = 10_000
MAXIMUM_LAYERS = 200_000
"""Layers that a definition may construct; counted before a repetition is built."""

REPETITION_KEYS = ("repeat", "of", "name")

_CALL_KEY = re.compile(r"[A-Za-z_]\w*\(.*\)", re.DOTALL)
"""A key that is a call: the layer stands around what is below it."""

Item = tuple[str | None, Layer]
"""A layer of a list, with the name that its place gives it."""


@dataclass
class Builder:
    """Constructs layers in the order in which the definition writes them, once each."""

    framework: Framework
    names: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Layer] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(init=False)
    _open: list[str] = field(default_factory=list)
    _factor: int = 1
    _constructed: int = 0

    def __post_init__(self) -> None:
        self.functions = {**self.framework.layers, **self.framework.values}

    def value(self, node: Node, path: str) -> Any:
        """A number, string or list of them: plain text is an expression, quoted text a string."""
        if isinstance(node, Sequence):
            return [self.value(n, f"{path}[{i}]") for i, n in enumerate(node.items)]
        if isinstance(node, Mapping):
            fail("expected a value, got a mapping", path, node)
        if not node.plain or not isinstance(node.value, str):
            return node.value
        return self._evaluated(node, node.text, path)

    def layer(self, node: Node, path: str, block: str = "") -> Layer:
        """The layer that a node stands for; `block` is the function whose body it is, if one's."""
        if isinstance(node, Scalar):
            expression = self._expression(node, path)
            if not expression.repetition():
                return self._call(expression, node, path)
        serial = next_serial()  # a container is constructed before what it holds
        return replace(self._container(node, path, block), serial=serial)

    def _container(self, node: Node, path: str, block: str) -> Layer:
        if isinstance(node, Sequence):
            return self.framework.sequential(self._list(node, path))
        if isinstance(node, Scalar) or node.get("repeat") is not None:
            return self.framework.sequential(self._keyed(self._items(node, path), node, path))
        if any(_CALL_KEY.fullmatch(k.text) and not is_forward(k) for k, _ in node.entries):
            return self._around(node, path)
        return self._module(node, path, block)

    def _around(self, node: Mapping, path: str) -> Layer:
        key, below = node.entries[0]
        if len(node.entries) > 1:
            fail("a call with layers below it must be alone in its mapping", path, node)
        layer = self._call(self._expression(key, path), key, path)
        path = f"{path}.{key.text}"
        if isinstance(below, Sequence):
            children = self._list(below, path)
        elif isinstance(below, Mapping) and below.get("repeat") is None:
            children = self._children(below, path)
        else:
            children = self._keyed(self._items(below, path), below, path)
        try:
            return self.framework.around(layer, children)
        except ParamInspectError as error:
            fail(str(error), path, key)

    def _module(self, node: Mapping, path: str, block: str) -> Layer:
        """A module with named children; a key `forward` or `forward(a, b)` says what it does."""
        forward: Forward | None = None
        for key, told in node.entries:
            if is_forward(key):
                forward = build_forward(key, told, f"{path}.{key.text}", self.names)
        module = self.framework.module(self._children(node, path), block)
        return replace(module, forward=forward)

    def _children(self, node: Mapping, path: str) -> dict[str, Layer]:
        for key, _ in node.entries:
            if not key.text or not key.text.isprintable():
                fail(f"a name must be printable text, got {key.text!r}", path, key)
        return {
            key.text: self._named(self.layer(child, f"{path}.{key.text}"), key.text)
            for key, child in node.entries
            if not is_forward(key)
        }

    def _named(self, layer: Layer, name: str) -> Layer:
        """The layer with the name of its place, unless it was constructed elsewhere."""
        return layer if layer in self.shared.values() else replace(layer, name=name)

    def _list(self, node: Sequence, path: str) -> dict[str, Layer]:
        if not node.items:
            fail("a list of layers is empty", path, node)
        children: dict[str, Layer] = {}
        for i, item in enumerate(node.items):
            here = f"{path}[{i}]"
            children = self._keyed(self._items(item, here), item, here, children)
        return children

    def _keyed(
        self, items: Iterator[Item], node: Node, path: str, before: dict[str, Layer] | None = None
    ) -> dict[str, Layer]:
        children = {} if before is None else before
        for name, one in items:
            key = str(len(children)) if name is None else name
            if key in children:
                fail(f"two layers are named {key!r}", path, node)
            children[key] = one if name is None else self._named(one, name)
        return children

    def _items(self, node: Node, path: str) -> Iterator[Item]:
        """What an item of a list adds: a repetition adds as many as it repeats."""
        if isinstance(node, Mapping) and node.get("repeat") is not None:
            yield from self._repetition(node, path)
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

    def _repetition(self, node: Mapping, path: str) -> Iterator[Item]:
        for key, _ in node.entries:
            if key.text not in REPETITION_KEYS:
                ending = nearest(key.text, REPETITION_KEYS)
                fail(f"a repetition has repeat, of and name, not {key.text!r}{ending}", path, key)
        of, name, repeat = node.get("of"), node.get("name"), node.get("repeat")
        if of is None or repeat is None:
            fail("a repetition needs 'of': what to repeat", path, node)
        count = self._count(self.value(repeat, f"{path}.repeat"), repeat, f"{path}.repeat")
        for i in self._times(count, repeat, f"{path}.repeat"):
            label = self._item_name(name.text, i, name, path) if isinstance(name, Scalar) else None
            yield label, self.layer(of, f"{path}.of")

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
            fail(
                f"repeat must be an integer, the limit is {MAXIMUM_REPEAT}, got {count}", path, node
            )
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
        self._constructed += 1
        if self._constructed > MAXIMUM_LAYERS:
            fail(f"more layers than the limit of {MAXIMUM_LAYERS}", path, node)
        value = self._evaluated(node, expression, path)
        if not isinstance(value, Layer):
            fail(f"expected a layer, got {node.text!r}", path, node)
        return value

    def _unknown_name(self, name: str, node: Node, path: str) -> NoReturn:
        if name in self.functions:
            fail(f"{name} is a layer: write {name}()", path, node)
        layers = self.functions.keys() - self.framework.values.keys()
        known = [*self.shared, *sorted(layers)]
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
            if name is not None and name not in self.functions:
                known = ", ".join(list(self.functions)[:6])
                ending = nearest(name, self.functions) or f"; known are {known}, ..."
                raise DefinitionError(f"unknown layer {name!r}{ending}")
            return expression.evaluate({**self.names, **self.shared}, self.functions)
        except LocatedError:
            raise
        except ParamInspectError as error:
            fail(str(error), path, node)

    def define(self, head: Scalar, body: Node, path: str) -> None:
        """Add the function that `head`, like `block(d, stride=1)`, and its body make."""
        expression = self._expression(head, path)
        call = expression.node
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            fail(f"a definition is named like a call, block(d), got {head.text!r}", path, head)
        name = call.func.id
        if name in self.functions:
            fail(f"{name!r} is the name of a layer already", path, head)
        parameters = [_parameter(node) for node in call.args]
        for keyword in call.keywords:
            default = self._evaluated(head, ast.unparse(keyword.value), path)
            parameters.append(_parameter(ast.Name(keyword.arg or ""), default))
        if None in parameters:
            fail(f"the parameters of {name} must be names, got {head.text!r}", path, head)
        try:
            signature = inspect.Signature([p for p in parameters if p is not None])
        except ValueError as error:
            fail(str(error), path, head)
        self.functions[name] = self._block(name, signature, body, path)

    def _block(
        self, name: str, signature: inspect.Signature, body: Node, path: str
    ) -> Callable[..., Layer]:
        def construct(*arguments: Any, **keywords: Any) -> Layer:
            if name in self._open:
                fail(f"the block {name!r} uses itself: blocks cannot recurse", path, body)
            bound = signature.bind(*arguments, **keywords)
            bound.apply_defaults()
            outer, self.names = self.names, {**self.names, **bound.arguments}
            self._open.append(name)
            try:
                return self.layer(body, path, name)
            finally:
                self._open.pop()
                self.names = outer

        construct.__signature__ = signature  # type: ignore[attr-defined]
        return construct


def _parameter(node: ast.expr, default: Any = inspect.Parameter.empty) -> inspect.Parameter | None:
    if not isinstance(node, ast.Name):
        return None
    return inspect.Parameter(node.id, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
