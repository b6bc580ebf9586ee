"""The `ties:` of a definition: pairs of names that are one array."""

from __future__ import annotations

from dataclasses import replace

from paraminspect.definition._place import fail
from paraminspect.definition._yaml import Mapping, Scalar
from paraminspect.errors import ParamInspectError, TieError
from paraminspect.tree import ParameterTree, check_tie


def read_ties(root: Mapping, tree: ParameterTree) -> tuple[ParameterTree, dict[str, str | None]]:
    """The tree with its `ties:`, and for each constructed array the name that keeps it, if any."""
    node = root.get("ties")
    if node is not None and not isinstance(node, Mapping):
        fail("expected a mapping from aliases to names", node)
    groups = _Groups(tree)
    for key, target in node.entries if node else ():
        if not isinstance(target, Scalar):
            fail("expected the name of a parameter", target)
        try:
            groups.join(key.text, target.text)
        except ParamInspectError as error:
            fail(str(error), target)
    tied = groups.tied()
    constructed = (p.name for p in tree.parameters())
    owners = {n: None if groups.is_dropped(n) else tied.own_name(n) for n in constructed}
    return tied, owners


class _Groups:
    """Names by the array that they are: each leads, perhaps over others, to the one kept."""

    def __init__(self, tree: ParameterTree) -> None:
        self._tree = tree
        self._above = dict(tree.ties)
        self._dropped: set[str] = set()
        self._wanted: dict[str, str] = {}

    def kept(self, name: str) -> str:
        """The name whose array is kept for `name`."""
        way = []
        while name in self._above:
            way.append(name)
            name = self._above[name]
        self._above.update(dict.fromkeys(way, name))
        return name

    def is_dropped(self, name: str) -> bool:
        """Whether the array constructed under this name was given up for another."""
        return name in self._dropped

    def join(self, alias: str, target: str) -> None:
        """Make two names one array, that of `target`."""
        self._wanted[alias] = target
        for name in (alias, target):
            if name not in self._tree.entries:
                raise self._tree.no_match(name)
        dropped, kept = self.kept(alias), self.kept(target)
        if dropped == kept:
            raise TieError(self._twice(alias, target))
        check_tie(self._tree.entries[alias], self._tree.entries[target])
        self._above[dropped] = kept
        self._dropped.add(dropped)

    def _twice(self, alias: str, target: str) -> str:
        chain = [alias, target]
        while chain[-1] != alias and chain[-1] in self._wanted:
            chain.append(self._wanted[chain[-1]])
        if chain[-1] == alias:
            return f"the ties form a cycle: {' -> '.join(chain)}"
        return f"{alias!r} and {target!r} are one array already"

    def tied(self) -> ParameterTree:
        """The tree; of tied names the first in definition order is the own one, as in PyTorch."""
        first: dict[str, str] = {}
        ties, entries = {}, dict(self._tree.entries)
        for name, parameter in self._tree.entries.items():
            kept = self._tree.entries[self.kept(name)]
            own = first.setdefault(kept.name, name)
            if own != name:
                ties[name] = own
            if kept.name != name:
                entries[name] = replace(
                    parameter,
                    data=kept.data,
                    trainable=kept.trainable,
                    frozen=kept.frozen,
                    scheme=kept.scheme,
                    fans=kept.fans,
                    layout=kept.layout,
                )
        return replace(self._tree, entries=entries, ties=ties)
