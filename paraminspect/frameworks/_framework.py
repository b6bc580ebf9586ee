"""The record of a framework: all that the rest of the package knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paraminspect.init.generators import RandomNumbers

if TYPE_CHECKING:
    from paraminspect.compute import Computation
    from paraminspect.frameworks._modelling import Modelling
    from paraminspect.init.schemes import SchemeFunction


@dataclass(frozen=True)
class Framework:
    """A framework: its name, and what gives the rest when it is first needed.

        FLAX = Framework("flax", modelling=lambda: MODELLING, computation=lambda: COMPUTATION)

    The record is read whenever frameworks are looked through, so it imports nothing large: a
    function that imports does.
    """

    name: str
    aliases: tuple[str, ...] = ()
    """What else it is called; an error suggests the name instead."""
    modelling: Callable[[], Modelling] | None = None
    """Its layers, containers and names; without them no definition is of this framework."""
    computation: Callable[[], Computation] | None = None
    """What its layers and functions compute; without it `run` refuses."""
    words: Callable[[], Mapping[str, SchemeFunction]] = dict
    """The names that it gives to schemes, with its own arguments and defaults."""
    random_numbers: tuple[RandomNumbers, ...] = ()
    """Those that can be reproduced, with the names that `rng` takes for them."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What a checkpoint of this framework carries besides values, and is known by."""
    has_post_init: bool = False
    """Whether its models may draw once more when they are constructed (transformers do)."""
