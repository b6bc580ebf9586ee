"""PyTorch 2.13: the layers of `torch.nn`, with its argument names, order and defaults.

Names are those of `state_dict()`: a module's own parameters, its own buffers, then its children.
"""

from __future__ import annotations

from collections.abc import Mapping

from paraminspect.arrays import Shape
from paraminspect.frameworks import Framework
from paraminspect.frameworks.pytorch._attention import ATTENTION
from paraminspect.frameworks.pytorch._construction import construct
from paraminspect.frameworks.pytorch._convolution import CONVOLUTIONS
from paraminspect.frameworks.pytorch._linear import LINEAR
from paraminspect.frameworks.pytorch._normalization import NORMALIZATIONS
from paraminspect.frameworks.pytorch._plain import PLAIN
from paraminspect.frameworks.pytorch._recurrent import RECURRENT
from paraminspect.layers import Built, Layer, chained
from paraminspect.naming import name_by_path


def _sequential(children: Mapping[str, Layer]) -> Layer:
    return Layer("Sequential", chained(children))


def _module(children: Mapping[str, Layer], block: str) -> Layer:
    """A module with named children; bare parameters and buffers become its own."""
    bare = {n: c for n, c in children.items() if c.kind in ("Parameter", "Buffer")}
    parts = chained({n: c for n, c in children.items() if n not in bare})

    def build(shape: Shape | None) -> Built:
        built = parts(shape)
        own = {
            name: spec
            for kind in ("Parameter", "Buffer")
            for name, child in bare.items()
            if child.kind == kind
            for spec in child.build(None).parameters.values()
        }
        return Built(own, built.children, built.output)

    return Layer(block or "Module", build)


FRAMEWORK = Framework(
    name="pytorch",
    layers=dict([*LINEAR, *CONVOLUTIONS, *NORMALIZATIONS, *RECURRENT, *ATTENTION, *PLAIN]),
    sequential=_sequential,
    module=_module,
    name_parameters=name_by_path,
    construct=construct,
    metadata={"format": "pt"},
)
