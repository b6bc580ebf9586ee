"""Shards planned: which tensor goes into which file, and which files are right as they are.

Two kinds of sets are planned:

- a new one (`new_plan`), split and named as transformers does, so that its loader takes it for one
  of its own: `model-00001-of-00003.safetensors`, tensors in their order, ties in the index;
- one that is edited (`plan_like`): a tensor stays in the shard from which it came, and a new one
  goes to the last. Sizes may drift, but an edit of one tensor then writes one shard, not all.

A plan says everything of each shard but its values: header, offsets, metadata. So a shard needs no
writing if its layout is the planned one and each of its arrays is still the stored one at that very
offset (`OldSet.holds`): no value is read to find that out.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paraminspect.formats.files._reading import StoredArray, open_regular
from paraminspect.formats.files._replacing_set import final_name
from paraminspect.formats.safetensors._format import FRAMEWORK_KEY, SUFFIX
from paraminspect.formats.safetensors._reading import Header, is_tie, read_header
from paraminspect.formats.safetensors._shards_reading import read_index
from paraminspect.formats.safetensors._writing import Layout, lay_out, stored_metadata
from paraminspect.tree import Parameter, ParameterTree

_TOTAL = "total_size"


@dataclass(frozen=True)
class Plan:
    """A set of shards as it is to be, by their final names, and what its index says."""

    layouts: Mapping[str, Layout]
    order: Sequence[str]
    """The names of all tensors, in the order of the index."""
    rest: Mapping[str, Any]
    """What the index says besides."""

    def index(self, present: Mapping[str, str]) -> dict[str, Any]:
        """The index while some shards have other names: `present` gives these by final name."""
        shard_of = {
            name: present.get(shard, shard)
            for shard, layout in self.layouts.items()
            for name in layout.tensors
        }
        return {**self.rest, "weight_map": {name: shard_of[name] for name in self.order}}

    def index_text(self, present: Mapping[str, str]) -> bytes:
        """The index as transformers formats it."""
        return (json.dumps(self.index(present), indent=2) + "\n").encode()


class OldSet:
    """The set of shards from which a tree was opened."""

    def __init__(self, tree: ParameterTree) -> None:
        index, *shards = tree.source.files
        self.path = index.path
        self.index = read_index(open_regular(index.path))
        self.shards: dict[str, Any] = {file.path.name: file for file in shards}
        self.headers = {name: self._header(file) for name, file in self.shards.items()}

    def _header(self, file: Any) -> Header:
        header = read_header(file)
        file.release()
        return header

    @property
    def index_record(self) -> dict[str, Any]:
        """What the index says, as `Plan.index` gives it."""
        return {**self.index.rest, "weight_map": self.index.weight_map}

    def reusable(self, layouts: Mapping[str, Layout]) -> dict[str, str]:
        """The shards that are already as they are to be: final to present name."""
        present = {final_name(name): name for name in self.shards}
        return {
            name: present[name]
            for name, layout in layouts.items()
            if name in present and self.holds(present[name], layout)
        }

    def holds(self, shard: str, layout: Layout) -> bool:
        """Whether a shard is already what the layout says, values included."""
        header, file = self.headers[shard], self.shards[shard]
        present = {name: array.offset for name, array in header.arrays.items()}
        in_place = all(
            isinstance(t.array, StoredArray)
            and t.array.file is file
            and t.array.offset == present.get(name)
            for name, t in layout.tensors.items()
        )
        same = len(present) == len(layout.tensors) and header.metadata == layout.metadata
        return in_place and same


def new_plan(tree: ParameterTree, stem: str, max_nbytes: int) -> Plan:
    """As transformers splits and names them; metadata and ties go into the index, as there."""
    metadata = stored_metadata(tree)
    of_shards = {k: v for k, v in metadata.items() if k == FRAMEWORK_KEY}
    parts = split(tree.parameters(), max_nbytes)
    layouts = {
        f"{stem}-{number:05}-of-{len(parts):05}{SUFFIX}": lay_out(
            {p.name: p.data for p in part}, of_shards
        )
        for number, part in enumerate(parts, 1)
    }
    of_index = {**metadata, _TOTAL: tree.totals.nbytes}
    return Plan(layouts, [p.name for p in tree.parameters()], {"metadata": of_index})


def split(parameters: Iterable[Parameter], max_nbytes: int) -> list[list[Parameter]]:
    """Parameters in their order, in lists of at most `max_nbytes` bytes, as transformers splits.

    A parameter that is larger has a list of its own, and the list before it goes on after it.
    """
    parts: list[list[Parameter]] = []
    present: list[Parameter] = []
    reached = 0
    for parameter in parameters:
        if parameter.nbytes > max_nbytes:
            parts.append([parameter])
            continue
        if reached + parameter.nbytes > max_nbytes:
            parts.append(present)
            present, reached = [], 0
        present.append(parameter)
        reached += parameter.nbytes
    return [*parts, present] if present or not parts else parts


def plan_like(source: OldSet, tree: ParameterTree) -> Plan:
    """Every parameter in the shard that it came from; one without goes to the last shard."""
    ties = stored_metadata(tree).items() & tree.ties.items()
    stored = (source.index.weight_map, {p.name for p in tree.parameters()})
    last = list(source.shards)[-1]
    parts: dict[str, dict[str, Any]] = {name: {} for name in source.shards}
    for parameter in tree.parameters():
        parts[source.index.weight_map.get(parameter.name, last)][parameter.name] = parameter.data
    layouts = {}
    recorded: set[tuple[str, str]] = set()
    for shard, arrays in parts.items():
        header = source.headers[shard]
        metadata = _without_old_ties(header.metadata, stored, ties)
        recorded |= metadata.items() & ties
        if arrays:
            in_order = {name: arrays[name] for name in header.arrays if name in arrays} | arrays
            layouts[final_name(shard)] = lay_out(in_order, metadata)
    of_index = _without_old_ties(source.index.metadata, stored, ties)
    of_index |= dict(ties - recorded)
    nbytes = tree.totals.nbytes
    if nbytes != sum(a.nbytes for h in source.headers.values() for a in h.arrays.values()):
        of_index[_TOTAL] = nbytes
    order = [p.name for p in tree.parameters()]
    return Plan(layouts, order, {**source.index.rest, "metadata": of_index})


def _without_old_ties(
    metadata: Mapping[str, Any], stored: Iterable[Container[str]], ties: Container[tuple[str, str]]
) -> dict[str, Any]:
    """Leave out what was, or would be, read as a tie, and is none; `stored`: names then and now."""
    return {
        key: value
        for key, value in metadata.items()
        if not isinstance(value, str)
        or (key, value) in ties
        or not any(is_tie(key, value, names) for names in stored)
    }
