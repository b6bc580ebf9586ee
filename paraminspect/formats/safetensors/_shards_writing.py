"""Shards written: only those that differ from what is there, by one file or all at once.

`_shards_planning` says what the set is to be; `Update` compares that with what is at the path. Then
there are two ways, because readers go by the index, and several renames are not one step:

- if at most one shard changes, and the index says already what it is to say, that shard is replaced
  like any file. Its rename is atomic, and a reader meets the old set or the new one;
- everything else (several shards, another index, shards dropped or misnamed) goes through
  `files._replacing_set`: new shards are complete under temporary names before an index names them,
  and the final names come after that.

A run that was killed between those two leaves a valid set under temporary names. `final_name` sees
through these, so that the next edit in place finds its shards again and renames them (`misnamed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from paraminspect.errors import CheckpointError, ParamInspectError
from paraminspect.formats.files._folder import exists_already, new_folder
from paraminspect.formats.files._reading import is_same_file, open_regular
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._replacing_set import NewSet, final_name, replace_set
from paraminspect.formats.files._signals import ending_on_signals
from paraminspect.formats.safetensors._format import INDEX_SUFFIX, SHARDED
from paraminspect.formats.safetensors._shards_planning import OldSet, Plan, new_plan, plan_like
from paraminspect.formats.safetensors._shards_reading import read_index
from paraminspect.formats.safetensors._writing import Layout, fill
from paraminspect.runtime import Progress
from paraminspect.tree import ParameterTree


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
            source = OldSet(tree)
        elif max_shard_nbytes is None or is_same_file(index_path.parent, Path(tree.source.path)):
            refusal = "shards without an index cannot change as one: write one file, or elsewhere"
            raise CheckpointError(refusal).at(tree.source.path).unless(max_shard_nbytes=...)
    try:
        if max_shard_nbytes is not None:
            stem = index_path.name.removesuffix(INDEX_SUFFIX)
            plan = new_plan(tree, stem, max_shard_nbytes)
        elif source is not None:
            plan = plan_like(source, tree)
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
    def of(cls, plan: Plan, path: Path, source: OldSet | None) -> Update:
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
    source: OldSet | None,
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
