"""Places: an error in a definition ends in its path from the root and its line."""

from __future__ import annotations

from typing import NoReturn

from paraminspect.definition._yaml import Node
from paraminspect.errors import DefinitionError


class LocatedError(DefinitionError):
    """A definition error that says already where it is; `caller` is where its block was called."""

    caller = ""

    def __str__(self) -> str:
        return super().__str__() + (f", called from {self.caller}" if self.caller else "")


def fail(message: str, path: str, node: Node) -> NoReturn:
    """Raise with the place: the path from the root and the line."""
    raise LocatedError(f"{message} @ {path} (line {node.line})") from None
