"""Architectures: how a model is made, as far as its source tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paraminspect.tree._module import Module
from paraminspect.tree.layers import Drawn
from paraminspect.tree.placement import Placement


@dataclass(frozen=True)
class Architecture:
    """How a model is made. Of a checkpoint little of it is known."""

    framework: str | None = None
    root: Module | None = None
    """The modules as a definition has them; None: as the names of the parameters spell them."""
    separator: str = "."
    """What stands between the parts of a name."""
    construction: Callable[[Mapping[str, str]], Sequence[Drawn]] | None = None
    """For a definition: what its framework draws when it constructs the model, in order.

    It takes schemes by name, which are as if they stood last in `init:`.
    """
    placement: Callable[[], Placement] | None = None
    """For a definition: where its framework's own files keep the parameters.

    It raises `DefinitionError` for a model that such files cannot hold.
    """
