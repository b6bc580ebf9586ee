"""Sources: where the parameters of a tree came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from paraminspect.tree._parameter import Parameter


class SourceFile(Protocol):
    """A file that a tree was opened from."""

    @property
    def path(self) -> Path:
        """Where it is."""

    def has_changed(self) -> bool:
        """Whether its path leads to something else than when it was opened."""


@dataclass(frozen=True)
class Source:
    """Where a tree came from; the empty one is that of a tree that was made in Python."""

    path: str = ""
    """As the user named it; `-` is standard input."""
    format: str = ""
    """The name of the file format, `definition` for a definition."""
    files: tuple[SourceFile, ...] = ()
    """Every file that was opened: a writer refuses to go on if one has changed since."""
    others: Mapping[str, str] = field(default_factory=dict)
    """What the files hold that no parameter can be: where it is, and what it is."""
    optimizer: Mapping[str, Parameter] = field(default_factory=dict)
    """What only training needs: the optimizer's state, metrics, seeds. No part of the model."""
    origin: object = None
    """What a format keeps of the file in order to write the tree into a copy of it."""
    more_metadata: Callable[[], Mapping[str, str]] | None = None
    """Reads metadata that is not read with the file, because nobody may want it."""
    is_in_order: bool = False
    """Whether the files tell the order of the model. Listings sort by name where they do not."""
