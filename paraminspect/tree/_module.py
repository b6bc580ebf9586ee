"""Modules: the nodes of a model's structure, as a definition has them or as names spell them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from paraminspect.tree.layers import Layer

MAXIMUM_DEPTH = 64
"""Levels of modules that names are taken to spell: a file may hold one with 1000s of dots."""


@dataclass(frozen=True)
class Module:
    """A node of the model's structure; `parameters` maps local names to names in the tree."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, Module] = field(default_factory=dict)
    layer: Layer | None = None

    @property
    def kind(self) -> str:
        """The class of the layer, `""` where the source does not tell."""
        return self.layer.kind if self.layer else ""

    def keep(self, names: Container[str]) -> Module:
        """The module with these parameters of the tree alone, and the parts that hold them."""
        own = {local: full for local, full in self.parameters.items() if full in names}
        below = {name: child.keep(names) for name, child in self.children.items()}
        kept = {name: child for name, child in below.items() if child.parameters or child.children}
        return Module(own, kept, self.layer)


def relative_names(module: Module, prefix: str, separator: str) -> Iterator[tuple[str, str]]:
    """Names below a module, relative to it after `prefix`, and those of the tree."""
    for local, full in module.parameters.items():
        yield prefix + local, full
    for name, child in module.children.items():
        yield from relative_names(child, f"{prefix}{name}{separator}", separator)


def module_of_names(names: Iterable[str], separator: str) -> Module:
    """The structure that the names of a checkpoint spell, cut at the separator."""
    root = _Node({}, {})
    for name in names:
        *path, last = name.split(separator, MAXIMUM_DEPTH)
        node = root
        for part in path:
            node = node.children.setdefault(part, _Node({}, {}))
        node.parameters[last] = name
    return root.module()


class _Node(NamedTuple):
    parameters: dict[str, str]
    children: dict[str, _Node]

    def module(self) -> Module:
        below = {name: child.module() for name, child in self.children.items()}
        return Module(self.parameters, below)
