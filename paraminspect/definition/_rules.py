"""The schemes of a definition: `init:` maps patterns to schemes, `post_init:` says when."""

from __future__ import annotations

from collections.abc import Mapping as NameMapping
from dataclasses import dataclass, replace
from typing import Any

from paraminspect.definition._place import fail
from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence
from paraminspect.errors import ParamInspectError
from paraminspect.frameworks import Framework
from paraminspect.language import parse_expression
from paraminspect.tree import ParameterTree
from paraminspect.tree.address import matches

MAXIMUM_MATCHES = 10_000_000
"""Rules times names: each rule looks at every name."""


@dataclass(frozen=True)
class Rules:
    """The scheme of each name that a rule matches, the last rule's; and the `post_init` modules."""

    by_name: NameMapping[str, str]
    post_init: tuple[str, ...]

    @classmethod
    def read(
        cls, root: Mapping, tree: ParameterTree, names: NameMapping[str, Any], framework: Framework
    ) -> Rules:
        """What `init:` and `post_init:` say; `names` are those of `let:`, which schemes may use."""
        by_name: dict[str, str] = {}
        init = root.get("init")
        if init is not None and not isinstance(init, Mapping):
            fail("expected a mapping from patterns to schemes", init)
        rules = init.entries if init else ()
        if len(rules) * len(tree.entries) > MAXIMUM_MATCHES:
            fail(f"{len(rules)} rules for {len(tree.entries)} names are too many", root)
        for key, node in rules:
            try:
                scheme = parse_expression(_scheme_text(node)).bind(names).text
                named = key.text in tree.entries  # which wins over what it matches
                found = [key.text] if named else [n for n in tree.entries if matches(key.text, n)]
                if not found:
                    raise tree.no_match(key.text)
            except ParamInspectError as error:
                fail(str(error), node)
            by_name.update(dict.fromkeys([*found, *map(tree.own_name, found)], scheme))
        return cls(by_name, _post_init(root.get("post_init"), tree, framework))

    def applied(self, tree: ParameterTree) -> ParameterTree:
        """The tree with these schemes; a tied array has that of the name that owns it."""
        entries = dict(tree.entries)
        for name in entries if self.by_name else ():
            scheme = self.by_name.get(tree.own_name(name))
            if scheme is not None:
                entries[name] = replace(entries[name], scheme=scheme)
        return replace(tree, entries=entries)


def _scheme_text(node: Node) -> str:
    """A scheme, or a list of them that are drawn in turn, as one expression."""
    if isinstance(node, Sequence):
        return f"[{', '.join(_scheme_text(item) for item in node.items)}]"
    if isinstance(node, Mapping):
        fail("expected a scheme like normal(0, 0.02), got a mapping", node)
    return node.text


def _post_init(node: Node | None, tree: ParameterTree, framework: Framework) -> tuple[str, ...]:
    if node is None:
        return ()
    if not framework.has_post_init:
        fail(f"{framework.name} has no post_init: the models of transformers do", node)
    if not isinstance(node, Sequence):
        fail("expected a list of names of modules", node)
    names = []
    for item in node.items:
        name = item.text if isinstance(item, Scalar) else ""
        if not name or not any(
            n.startswith(name + tree.architecture.separator) for n in tree.entries
        ):
            fail(f"there is no module {name!r} with parameters", item)
        names.append(name)
    return tuple(names)
