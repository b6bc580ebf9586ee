"""What a framework computes, as it is handed to the engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paraminspect.compute._bounds import bounded_all
from paraminspect.compute._promotion import Operators, plain_operators

Compute = Callable[..., Any]
"""From a `Part` and its inputs to its output."""


@dataclass(frozen=True)
class Computation:
    """What the layers of a framework compute, and what its functions mean in a `forward`.

        Computation({"Dense": lambda part, x: x @ part.p["kernel"] + part.p["bias"]})

    Arrays have the batch axis and the layout of the framework.
    """

    layers: Mapping[str, Compute]
    """Kind of layer to its computation."""
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What a `forward` may call, besides the children of its module."""
    operators: Operators = field(default_factory=plain_operators)
    """What `x + y`, `x @ y` and `x[i]` mean in a `forward`."""
    sequences: tuple[str, ...] = ("Sequential",)
    """Kinds of layers whose children run one after another."""
    input_names: tuple[str, ...] = ("input",)
    """What a layer's first input may be called, whatever its computation calls it."""
    of_any_layer: frozenset[str] = frozenset()
    """What every call of a layer takes beside its inputs: `training`, `mask`."""

    @functools.cached_property
    def bounded_functions(self) -> Mapping[str, Callable[..., Any]]:
        """The functions, each of which refuses to make too much before it does."""
        return bounded_all(self.functions)
