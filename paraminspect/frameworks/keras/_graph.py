"""The order in which a functional model lists its layers (`keras.src.ops.function.map_graph`).

Layers are sorted by depth, the longest way to the output, and where that is equal by the order in
which a walk from the output meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from paraminspect.frameworks.keras.layers._containers import branches_of, is_functional
from paraminspect.tree.layers import Built


@dataclass(frozen=True, eq=False)
class _Node:
    """One use of a layer and the uses whose outputs it takes."""

    built: Built
    sources: tuple[_Node, ...]

    @property
    def layer(self) -> int:
        """What tells the layer apart, however often it is used."""
        return self.built.layer.serial


def in_order(model: Built) -> list[Built]:
    """The layers of a functional model, those of models and branches inside it included."""
    output = _wired(model, None)
    if output is None:
        return []
    position: dict[int, int] = {}
    finished = list(_walk(output, position))
    node_depth: dict[_Node, int] = {}
    layer_depth: dict[int, int] = {}
    for node in reversed(finished):
        depth = max(node_depth.get(node, 0), layer_depth.get(node.layer, 0))
        layer_depth[node.layer] = depth
        for source in node.sources:
            node_depth[source] = max(depth + 1, node_depth.get(source, 0))
    first = {node.layer: node.built for node in reversed(finished)}
    order = sorted(first, key=lambda layer: (-layer_depth[layer], position[layer]))
    return [first[layer] for layer in order]


def _wired(built: Built, source: _Node | None) -> _Node | None:
    """The node whose output `built` gives for the output of `source`."""
    if built.layer.kind == "Identity":
        return source  # how a definition writes the input itself, which in Keras is no layer
    if is_functional(built.layer):
        for child in built.children.values():
            source = _wired(child, source)
        return source
    branches = branches_of(built)
    ends = [_wired(branch, source) for branch in branches.values()] if branches else [source]
    return _Node(built, tuple(end for end in ends if end is not None))


def _walk(output: _Node, position: dict[int, int]) -> Iterator[_Node]:
    """Depth first from the output, sources before what takes them; numbers layers as met."""
    met = {output}
    position[output.layer] = 0
    path = [(output, iter(output.sources))]
    while path:
        node, sources = path[-1]
        for source in sources:
            if source not in met:
                met.add(source)
                position.setdefault(source.layer, len(position))
                path.append((source, iter(source.sources)))
                break
        else:
            path.pop()
            yield node
