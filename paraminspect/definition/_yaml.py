"""YAML read strictly: events to nodes that keep their line, with limits on size and depth.

Only what a definition needs: one document, no tags, no merge keys, no duplicate keys; plain
scalars by the YAML 1.2 core schema. See https://yaml.org/spec/1.2.2/#103-core-schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from paraminspect.definition._place import Place
from paraminspect.errors import DefinitionError

MAXIMUM_NBYTES = 1 << 20
MAXIMUM_NBYTES_PURE = 1 << 18
"""Without libyaml the event parser is twenty times slower."""
MAXIMUM_DEPTH = 32
MAXIMUM_NODES = 400_000
MAXIMUM_EXPANDED = 100_000
"""Nodes that aliases may stand for, in total."""


@dataclass(frozen=True)
class Scalar:
    """A scalar: its text, and whether it was plain (neither quoted nor a block)."""

    text: str
    plain: bool
    place: Place
    flow: bool = False
    """Whether it stands inside `[...]` or `{...}`, where a comma splits."""

    size: int = 1

    @property
    def value(self) -> Any:
        """The value by the YAML 1.2 core schema; a quoted scalar is a string."""
        if not self.plain:
            return self.text
        if self.text in _CONSTANTS:
            return _CONSTANTS[self.text]
        if _INTEGER.fullmatch(self.text):
            return int(self.text, 16) if "x" in self.text else int(self.text)
        if _FLOAT.fullmatch(self.text):
            return float(self.text)
        return self.text


@dataclass(frozen=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    place: Place
    size: int


@dataclass(frozen=True)
class Mapping:
    """An ordered mapping from unique string keys to nodes."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place
    size: int

    def get(self, name: str) -> Node | None:
        """The node of a key, or None."""
        return next((node for key, node in self.entries if key.text == name), None)


Node = Scalar | Sequence | Mapping

_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,38})|0x[0-9a-fA-F]{1,32}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,4})?")


def read_yaml(text: bytes) -> Node:
    """The one document in `text`; raises `DefinitionError` ending in the line."""
    decoded = _decode(text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(yaml.parse(decoded, Loader=loader)).read()
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(f"not YAML: {_problem(error, decoded)}") from None
    except yaml.YAMLError as error:
        raise DefinitionError(f"not YAML: {' '.join(str(error).split())}") from None


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = error.problem or error.context or "cannot be read"
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return problem
    line = text.split("\n")[mark.line] if mark.line <= text.count("\n") else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        problem = "a tab cannot indent: use spaces"
    return f"{problem} (line {mark.line + 1})"


def _decode(text: bytes) -> str:
    limit = MAXIMUM_NBYTES if hasattr(yaml, "CSafeLoader") else MAXIMUM_NBYTES_PURE
    if len(text) > limit:
        raise DefinitionError(f"a definition has at most {limit} bytes, this one has {len(text)}")
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise DefinitionError(f"not UTF-8: byte 0x{text[error.start]:02x} (line {line})") from None
    if decoded.startswith("\ufeff"):
        raise DefinitionError("begins with a byte order mark: save it as plain UTF-8")
    if not decoded.strip():
        raise DefinitionError("the definition is empty")
    return decoded


class _Reader:
    """Turns events into nodes; the events come from a parser that does not recurse."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._count = 0
        self._expanded = 0

    def read(self) -> Node:
        root: Node | None = None
        for event in self._events:
            place = Place("$", _line(event))
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise DefinitionError("expected one document, got another", place)
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, place, 1, flow=False)
        if root is None:
            raise DefinitionError("the definition is empty")
        return root

    def _node(self, event: yaml.Event, place: Place, depth: int, flow: bool) -> Node:
        """An anchor is open (None) until its node is read: so an alias within itself is seen."""
        assert isinstance(event, yaml.NodeEvent)
        self._count += 1
        if self._count > MAXIMUM_NODES:
            raise DefinitionError(f"more than {MAXIMUM_NODES} nodes", place)
        if depth > MAXIMUM_DEPTH:
            raise DefinitionError(f"nested deeper than {MAXIMUM_DEPTH} levels", place)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise DefinitionError(f"tags are not part of the language, got {tag!r}", place)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._content(event, place, depth, flow)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: yaml.NodeEvent, place: Place, depth: int, flow: bool) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            # libyaml's parser has an empty style where the pure one has None; `implicit` agrees.
            return Scalar(event.value, bool(event.implicit[0]), place, flow)
        flow = flow or bool(getattr(event, "flow_style", False))
        if isinstance(event, yaml.SequenceStartEvent):
            items = tuple(self._items(place, depth + 1, flow))
            return Sequence(items, place, 1 + sum(item.size for item in items))
        entries = tuple(self._entries(place, depth + 1, flow))
        return Mapping(entries, place, 1 + sum(key.size + node.size for key, node in entries))

    def _items(self, around: Place, depth: int, flow: bool) -> Iterator[Node]:
        for i, event in enumerate(self._events):
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._node(event, Place(f"[{i}]", _line(event), around), depth, flow)

    def _entries(self, around: Place, depth: int, flow: bool) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            key = self._key(event, around, depth, flow)
            if key.text in seen:
                first = seen[key.text]
                place = Place("", _line(event), around)
                raise DefinitionError(f"duplicate key {key.text!r}, first on line {first}", place)
            seen[key.text] = key.place.line
            value = next(self._events)
            step = f".{key.text}"
            yield key, self._node(value, Place(step, _line(value), around), depth, flow)

    def _key(self, event: yaml.Event, around: Place, depth: int, flow: bool) -> Scalar:
        here = Place("", _line(event), around)
        node = self._node(event, here, depth, flow)
        if not isinstance(node, Scalar):
            raise DefinitionError("a key must be a string", here)
        if node.plain and node.text == "<<":
            raise DefinitionError("merge keys are not part of the language", here)
        return replace(node, place=Place(f".{node.text}", here.line, around))

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        if event.anchor not in self._anchors:
            raise DefinitionError(f"unknown alias *{event.anchor}", place)
        node = self._anchors[event.anchor]
        if node is None:
            raise DefinitionError(f"the alias *{event.anchor} contains itself", place)
        self._expanded += node.size
        if self._expanded > MAXIMUM_EXPANDED:
            raise DefinitionError(
                f"aliases stand for more than {MAXIMUM_EXPANDED} nodes: too large", place
            )
        return replace(node, place=place)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
