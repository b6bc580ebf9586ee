"""Descriptions: a part of a tree as `print(net)` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from paraminspect.errors import escape
from paraminspect.tree._module import Module
from paraminspect.tree._parameter import Parameter


def describe(
    module: Module, entries: Mapping[str, Parameter], ties: Mapping[str, str], title: str
) -> str:
    """The structure, with the layers and the parameters of each, below a title."""

    def lines(module: Module, title: str, indent: str) -> Iterator[str]:
        own = "  ".join(
            f"{escape(local)} {list(entries[full].shape)}"
            + (f" = {escape(ties[full])}" if full in ties else "")
            for local, full in module.parameters.items()
        )
        yield f"{indent}{title}" + (f"  {own}" if own else "")
        for name, child in module.children.items():
            yield from lines(child, titled(name, child), indent + "  ")

    return "\n".join(lines(module, title, ""))


def titled(name: str, module: Module) -> str:
    """`(0): Linear(4, 8)`, without the class where the source does not tell it."""
    return f"({escape(name)}): {label(module)}".rstrip(": ")


def label(module: Module) -> str:
    """The call of a layer, the class of a module with children."""
    return str(module.layer) if module.layer and not module.children else module.kind
