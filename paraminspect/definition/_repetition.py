"""Repetitions: `repeat`, `of` and `name`, the long form of `12 * block(d)`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from paraminspect.definition._place import fail
from paraminspect.definition._scope import Scope
from paraminspect.definition._yaml import Mapping, Node, Scalar
from paraminspect.errors import nearest

KEYS = ("repeat", "of", "name")

MAXIMUM_REPEAT = 10_000

MAXIMUM_NAME = 200
"""Characters of the name of one part."""


@dataclass(frozen=True)
class Repetition:
    """What to construct, how many times, and the form of the names, `block {i}`; None: numbers."""

    count: int
    of: Node
    name: Scalar | None

    def label(self, scope: Scope, i: int) -> str | None:
        """The name of repetition `i`; what stands in braces is evaluated."""
        form = self.name
        if form is None:
            return None

        def value(found: re.Match[str]) -> str:
            return str(scope.evaluated(form, found[1]))

        with scope.inner({"i": i}):
            return re.sub(r"\{([^{}]*)\}", value, form.text)


def is_repetition(node: Mapping) -> bool:
    """Whether a mapping is a repetition, not a module with named children."""
    return node.get("repeat") is not None or node.get("of") is not None


def read_repetition(scope: Scope, node: Mapping) -> Repetition:
    """The repetition that a mapping writes."""
    for key, _ in node.entries:
        if key.text not in KEYS:
            ending = nearest(key.text, KEYS)
            fail(f"a repetition has repeat, of and name, not {key.text!r}{ending}", key)
    of, name, repeat = node.get("of"), node.get("name"), node.get("repeat")
    if of is None or repeat is None:
        lacking = "'of': what to repeat" if of is None else "'repeat': how many times"
        fail(f"a repetition needs {lacking}", node)
    if name is not None and not (isinstance(name, Scalar) and len(name.text) <= MAXIMUM_NAME):
        fail("expected a short name like block {i}", name)
    return Repetition(checked_count(scope.value(repeat), repeat), of, name)


def checked_count(count: Any, node: Node) -> int:
    """How many times; refused unless it is an integer within the limit."""
    if type(count) is not int or not 1 <= count <= MAXIMUM_REPEAT:
        fail(
            f"repeat must be an integer from 1 to the limit of {MAXIMUM_REPEAT}, got {count!r}",
            node,
        )
    return count
