"""Keras' sharded weights: a `.weights.json` that tells which files hold a layer's variables."""

from __future__ import annotations

from typing import Any

from paraminspect.errors import CheckpointError
from paraminspect.formats._json import read_json, shown
from paraminspect.formats.files._reading import RegularFile, open_regular
from paraminspect.formats.hdf5._contents import Contents
from paraminspect.formats.keras._open import open_contents
from paraminspect.formats.keras._trees import weights_tree
from paraminspect.tree import ParameterTree

SHARD_SUFFIX = ".weights.h5"

MAXIMUM_INDEX_NBYTES = 64 << 20


def open_sharded_weights(file: RegularFile) -> ParameterTree:
    """The tree of an index and the shards beside it."""
    shards_of = _read_index(file)
    opened: dict[str, Contents] = {}
    try:
        for shard in dict.fromkeys(shard for shards in shards_of.values() for shard in shards):
            # Not the resolved folder: in a hub's cache the index and the shards are links.
            opened[shard] = open_contents(open_regular(file.path.parent / shard))
        _check_agreement(file, shards_of, opened)
        return weights_tree(list(opened.values()), index=file)
    finally:
        for contents in opened.values():
            contents.library.stop()
            contents.file.release()


def _read_index(file: RegularFile) -> dict[str, list[str]]:
    """The shards of each group of variables."""
    if file.size > MAXIMUM_INDEX_NBYTES:
        raise CheckpointError(f"an index has at most {MAXIMUM_INDEX_NBYTES} bytes").at(file.path)
    text = file.read(0, file.size)
    try:
        return _checked_map(read_json(text))
    except CheckpointError as error:
        raise error.at(file.path) from None


def _checked_map(index: Any) -> dict[str, list[str]]:
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError("not an index of shards: it has no weight_map of groups to files")
    return {
        group.removeprefix("/"): _checked_shards(group, shards)
        for group, shards in weight_map.items()
    }


def _checked_shards(group: str, shards: Any) -> list[str]:
    """The shards of a group; Keras writes a single one without a list."""
    listed = shards if isinstance(shards, list) else [shards]
    for shard in listed:
        plain = isinstance(shard, str) and not any(c in shard for c in "/\\\0")
        if not plain or not shard.endswith(SHARD_SUFFIX):
            raise CheckpointError(
                f"weight_map places {shown(group)} in {shown(shard)}, which is not"
                f" the plain name of a {SHARD_SUFFIX} file beside the index"
            )
    return listed


def _check_agreement(
    file: RegularFile, shards_of: dict[str, list[str]], opened: dict[str, Contents]
) -> None:
    """The index and its shards must tell the same: no variable missing, none in two places."""
    seen: dict[str, str] = {}
    for shard, contents in opened.items():
        for path in contents.datasets:
            group = path.rpartition("/")[0]
            if shard not in shards_of.get(group, ()):
                told = f"places {shown(group)} in {', '.join(shards_of.get(group, ['no shard']))}"
                raise CheckpointError(f"{shard} holds {shown(path)}, but weight_map {told}").at(
                    file.path
                )
            if path in seen:
                raise CheckpointError(f"{shown(path)} is in {seen[path]} and {shard}").at(file.path)
            seen[path] = shard
    held = {(path.rpartition("/")[0], shard) for path, shard in seen.items()}
    for group, shards in shards_of.items():
        for shard in shards:
            if (group, shard) not in held:
                raise CheckpointError(
                    f"weight_map places {shown(group)} in {shard}, which holds nothing of it"
                ).at(file.path)
