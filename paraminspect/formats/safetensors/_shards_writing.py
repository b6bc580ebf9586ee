"""Sharded safetensors written: which tensor goes into which shard, and which have to be written.

A new set is split and named as transformers does. A set that is edited keeps its shards, and only
those that change are written. How several files change as one is told in `_file_set`.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paraminspect.errors import CheckpointError, ParamInspectError
from paraminspect.formats.files._folder import exists_already, new_folder
from paraminspect.formats.files._reading import StoredArray, is_same_file, open_regular
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._replacing_set import NewSet, final_name, replace_set
from paraminspect.formats.files._signals import ending_on_signals
from paraminspect.formats.safetensors._format import FRAMEWORK_KEY, INDEX_SUFFIX, SHARDED, SUFFIX
from paraminspect.formats.safetensors._reading import Header, is_tie, read_header
from paraminspect.formats.safetensors._shards_reading import read_index
from paraminspect.formats.safetensors._writing import Layout, fill, lay_out, stored_metadata
from paraminspect.runtime import Progress
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


class Source:
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


def save_sharded(
    tree: ParameterTree,
    path: Path,
    *,
    max_shard_nbytes: int | None = None,
    overwrite: bool,
    progress: Progress,
) -> list[str]:
    """Write shards and an index: into the folder `path`, or as the index that `path` names.

    With `max_shard_nbytes`, shards of at most so many bytes (or one larger tensor) each; without,
    the shards of the source. Everything becomes new at once, or nothing.
    """
    is_folder = not path.name.endswith(INDEX_SUFFIX)
    index_path = path / f"model{INDEX_SUFFIX}" if is_folder else path
    _check_target(index_path, overwrite)
    source = None
    if tree.source.format == SHARDED.name:
        if tree.source.files[0].path.name.endswith(".json"):
            source = Source(tree)
        elif max_shard_nbytes is None or is_same_file(index_path.parent, Path(tree.source.path)):
            refusal = "shards without an index cannot change as one: write one file, or elsewhere"
            raise CheckpointError(refusal).at(tree.source.path).unless(max_shard_nbytes=...)
    try:
        if max_shard_nbytes is not None:
            stem = index_path.name.removesuffix(INDEX_SUFFIX)
            plan = _new_plan(tree, stem, max_shard_nbytes)
        elif source is not None:
            plan = _plan_like(source, tree)
        else:
            refusal = "folders and indices are for shards: say how large these may be"
            raise CheckpointError(refusal).unless(max_shard_nbytes=...)
    except ParamInspectError as error:
        raise error.at(path) from None
    with ending_on_signals(), new_folder(path) if is_folder else nullcontext():
        _write(plan, index_path, tree, source, overwrite, progress)
    return []


def _check_target(index_path: Path, overwrite: bool) -> None:
    if index_path.exists() and not overwrite:
        raise exists_already(index_path)
    single = index_path.with_name(index_path.name.removesuffix(".index.json"))
    if single.exists():
        raise CheckpointError(
            "readers prefer this file to an index beside it: remove it, or write to another folder"
        ).at(single)


@dataclass(frozen=True)
class Update:
    """What makes the set at a path the planned one: only what differs from it is written."""

    changed: Mapping[str, Layout]
    """Shards that have to be written, by their final names."""
    kept: Mapping[str, str]
    """Shards that are right as they are: final to present name, which a killed run may have left
    a temporary one."""
    dropped: frozenset[str]
    """Files that the set at the path names, and the planned one does not."""
    keeps_index: bool
    """Whether the index at the path says already what it is to say."""

    @classmethod
    def of(cls, plan: Plan, path: Path, source: Source | None) -> Update:
        """How the set at `path` differs; without a `source` that is this very set, in all."""
        here = source if source is not None and is_same_file(path, source.path) else None
        kept = {} if here is None else here.reusable(plan.layouts)
        return cls(
            {name: layout for name, layout in plan.layouts.items() if name not in kept},
            kept,
            frozenset(_names_of_old_set(path) - plan.layouts.keys()),
            here is not None and plan.index({}) == here.index_record,
        )

    @property
    def misnamed(self) -> dict[str, str]:
        """Kept shards that are to get their final names."""
        return {name: present for name, present in self.kept.items() if name != present}

    @property
    def is_one_file(self) -> bool:
        """Whether at most one file changes: then no reader can meet a mixture of two versions.

        An index that stays names no file that is misnamed, or that is dropped.
        """
        return self.keeps_index and len(self.changed) <= 1


def _write(
    plan: Plan,
    path: Path,
    tree: ParameterTree,
    source: Source | None,
    overwrite: bool,
    progress: Progress,
) -> None:
    """Make the set at `path` the planned one, by one file that is replaced or all at once.

    Replacing a single shard is atomic by itself, and leaves the index and its links alone.
    Everything else goes through `replace_set`, which lets an index take over.
    """
    update = Update.of(plan, path, source)
    progress(sum(plan.layouts[name].nbytes for name in update.kept))
    if update.is_one_file:
        for name, layout in update.changed.items():
            shard = path.parent / name
            with replacing(
                shard, layout.nbytes, inputs=tree.source.files, progress=progress
            ) as file:
                fill(file, layout)
        return
    new = NewSet(
        index_name=path.name,
        index_suffix=INDEX_SUFFIX,
        index=plan.index_text,
        sizes={name: layout.nbytes for name, layout in update.changed.items()},
        fill=lambda name, file: fill(file, update.changed[name]),
        misnamed=update.misnamed,
        dropped=update.dropped,
    )
    replace_set(new, path, tree.source.files, overwrite=overwrite, progress=progress)


def _names_of_old_set(path: Path) -> set[str]:
    """The files that the index at `path` names, if there is a valid one, by all their names."""
    names: set[str] = set()
    with suppress(CheckpointError):
        for name in read_index(open_regular(path)).weight_map.values():
            names |= {name, final_name(name)}
    return names


def _new_plan(tree: ParameterTree, stem: str, max_nbytes: int) -> Plan:
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


def _plan_like(source: Source, tree: ParameterTree) -> Plan:
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
