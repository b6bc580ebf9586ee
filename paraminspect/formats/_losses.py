"""What a file holds besides parameters, and another format does not."""

from __future__ import annotations

from paraminspect.errors import counted
from paraminspect.tree import ParameterTree

SHOWN = 3
"""So many names are given."""


def left_out(tree: ParameterTree) -> list[str]:
    """What of the source of a tree is not written where parameters alone are, a line each."""
    lines = []
    if tree.others:
        names = ", ".join(list(tree.others)[:SHOWN]) + (", ..." if len(tree.others) > SHOWN else "")
        lines.append(f"left out, for it is no parameter: {names}")
    if tree.optimizer:
        lines.append(
            f"left out: the state of the optimizer, {counted(len(tree.optimizer), 'array')}"
        )
    return lines
