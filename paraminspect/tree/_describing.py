"""Descriptions: a part of a tree as `print(net)` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from paraminspect.errors import escape
from paraminspect.tree._module import Module

if TYPE_CHECKING:
    from paraminspect.tree._tree import ParameterTree


def describe(module: Module, tree: ParameterTree, name: str) -> str:
    """The structure, with the layers and the parameters of each; `name` is that of the part."""
    return "\n".join(_description_lines(module, tree, name, ""))


def _description_lines(
    module: Module, tree: ParameterTree, name: str, indent: str
) -> Iterator[str]:
    """The structure as `print(net)` shows it, with the parameters of each layer."""
    own = "  ".join(
        f"{escape(local)} {list(tree[full].shape)}"
        + (f" = {escape(tree.ties[full])}" if full in tree.ties else "")
        for local, full in module.parameters.items()
    )
    label = str(module.layer) if module.layer and not module.children else module.kind
    title = f"({escape(name)}): {label}" if name else label or escape(tree.source)
    yield f"{indent}{title.rstrip(': ')}" + (f"  {own}" if own else "")
    for child_name, child in module.children.items():
        yield from _description_lines(child, tree, child_name, indent + "  ")
