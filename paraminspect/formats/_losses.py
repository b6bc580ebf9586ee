"""What a tree has and a format does not hold, said line by line."""

from __future__ import annotations

from collections.abc import Iterable

from paraminspect.errors import counted
from paraminspect.formats._format import Format
from paraminspect.formats.safetensors._format import FRAMEWORK_KEY
from paraminspect.tree import ParameterTree

SHOWN = 3
"""So many names are given."""


def losses(tree: ParameterTree, format_: Format) -> list[str]:
    """What is lost in a file of a format by its nature, a line each."""
    lines = []
    if tree.ties and not format_.holds.ties:
        written = "were written as copies" if len(tree.ties) > 1 else "was written as a copy"
        tied = counted(len(tree.ties), "tied parameter")
        lines.append(f"{format_.name} cannot store ties; {tied} {written}")
    keys = [key for key in tree.metadata if key not in tree.ties and key != FRAMEWORK_KEY]
    if keys and not format_.holds.metadata:
        lines.append(f"{format_.name} cannot store metadata; left out: {_some(keys)}")
    return lines if format_.holds.others else lines + left_out(tree)


def left_out(tree: ParameterTree, *, others: bool = True) -> list[str]:
    """What of the source of a tree is not written where parameters alone are, a line each.

    `others`: whether these are among it.
    """
    lines = []
    if others and tree.source.others:
        lines.append(f"left out, for it is no parameter: {_some(tree.source.others)}")
    if tree.source.optimizer:
        lines.append(
            f"left out: the state of the optimizer, {counted(len(tree.source.optimizer), 'array')}"
        )
    return lines


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
