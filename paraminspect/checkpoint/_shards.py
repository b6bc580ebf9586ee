"""Sharded safetensors: an index that says which plain sibling file holds which tensor."""

from __future__ import annotations

from pathlib import Path

from paraminspect.checkpoint._files import RegularFile, open_regular
from paraminspect.checkpoint._json import read_json
from paraminspect.checkpoint._safetensors import open_safetensors
from paraminspect.errors import CheckpointError
from paraminspect.tree import Parameter, ParameterTree

MAXIMUM_INDEX_NBYTES = 64 << 20


def open_sharded(file: RegularFile) -> ParameterTree:
    """The tree of an index (`*.safetensors.index.json`) and the shards beside it."""
    path = file.path
    weight_map = _read_index(file)
    names_of: dict[str, list[str]] = {}
    for name, shard in weight_map.items():
        names_of.setdefault(shard, []).append(name)
    found: dict[str, Parameter] = {}
    ties: dict[str, str] = {}
    metadata: dict[str, str] = {}
    for shard in names_of:
        # Not the resolved folder: in a hub's cache the index and the shards are links.
        tree = open_safetensors(open_regular(path.parent / shard))
        _check_shard(weight_map, shard, names_of[shard], tree, path)
        found.update(tree.entries)
        ties.update(tree.ties)
        metadata.update(tree.metadata)
    order = [*weight_map, *(name for name in found if name not in weight_map)]
    entries = {name: found[name] for name in order}
    framework = "pytorch" if metadata.get("format") == "pt" else None
    return ParameterTree(entries, ties, metadata, str(path), "safetensors-sharded", framework)


def _read_index(file: RegularFile) -> dict[str, str]:
    path = file.path
    if file.size > MAXIMUM_INDEX_NBYTES:
        raise CheckpointError(f"{path}: an index has at most {MAXIMUM_INDEX_NBYTES} bytes")
    try:
        index = read_json(file.read(0, file.size))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict):
        raise CheckpointError(f"{path}: expected an object with a weight_map of names to files")
    for name, shard in weight_map.items():
        if not isinstance(shard, str):
            raise CheckpointError(
                f"{path}: weight_map gives {shard!r} for {name!r}, expected a file name"
            )
        _check_shard_name(path, shard)
    return weight_map


def _check_shard_name(path: Path, shard: str) -> None:
    """A shard is a plain sibling: an index may not name files elsewhere."""
    plain = shard not in ("", ".", "..") and not any(c in shard for c in "/\\\0")
    if not plain or not shard.endswith(".safetensors"):
        raise CheckpointError(
            f"{path}: the shard {shard!r} is not the plain name of a .safetensors file beside it"
        )


def _check_shard(
    weight_map: dict[str, str], shard: str, names: list[str], tree: ParameterTree, path: Path
) -> None:
    for name in names:
        if name not in tree.entries:
            raise CheckpointError(
                f"{path}: {name!r} should be in {shard}, which has no such tensor"
            )
    for name in tree.entries:
        told = weight_map.get(name)
        if told != shard and name not in tree.ties:
            where = f"says it is in {told}" if told else "does not name it"
            raise CheckpointError(f"{path}: {shard} holds {name!r}, but the index {where}")
