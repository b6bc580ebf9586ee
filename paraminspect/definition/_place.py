"""Places: an error in a definition ends in its path from the root and its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, Protocol

from paraminspect.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: its step from the node around it, and its line.

    The path is put together only for an error: there are many nodes.
    """

    step: str
    line: int
    around: Place | None = None

    @property
    def path(self) -> str:
        """The steps from the root, `$`."""
        return (self.around.path if self.around else "") + self.step

    def __str__(self) -> str:
        return f"{self.path} (line {self.line})"


class Placed(Protocol):
    """A node, which knows where it stands."""

    @property
    def place(self) -> Place:
        """Its path and line."""


def fail(message: str, node: Placed) -> NoReturn:
    """Refuse a node, with its place."""
    raise DefinitionError(message, node.place) from None
