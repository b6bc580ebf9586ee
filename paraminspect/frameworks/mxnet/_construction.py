"""What constructing a model draws: what has a shape, then what the first input determines."""

from __future__ import annotations

from collections.abc import Sequence

from paraminspect.frameworks._modelling import Construction, draw_in_order
from paraminspect.frameworks.mxnet.layers._declare import Deferred
from paraminspect.tree.layers import Drawn


def construct(construction: Construction) -> Sequence[Drawn]:
    """`initialize()` draws in the order of `collect_params()`; the first forward draws the rest."""
    drawn = draw_in_order(construction)
    return sorted(drawn, key=lambda one: isinstance(one.spec, Deferred))
