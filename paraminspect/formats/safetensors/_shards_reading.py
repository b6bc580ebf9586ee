"""Sharded safetensors: an index that says which plain sibling file holds which tensor.

Shards without an index are one model too, as long as no two hold one name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from paraminspect.errors import CheckpointError, counted
from paraminspect.formats._foreign import foreign_json
from paraminspect.formats._json import check_text, read_json, shown
from paraminspect.formats.files._reading import RegularFile, StoredArray, open_regular
from paraminspect.formats.safetensors._format import SHARDED, SUFFIX
from paraminspect.formats.safetensors._reading import read_header, tree_of
from paraminspect.tree import ParameterTree

MAXIMUM_INDEX_NBYTES = 64 << 20

SHOWN = 3
"""So many missing shards are named."""


class Index(NamedTuple):
    """What an index says: the shard of each tensor, and all else that stands in it."""

    weight_map: dict[str, str]
    rest: dict[str, Any]

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the whole, of any kind."""
        metadata = self.rest.get("metadata")
        return metadata if isinstance(metadata, dict) else {}


def open_sharded(file: RegularFile) -> ParameterTree:
    """The tree of an index (`*.safetensors.index.json`) and the shards beside it.

    Metadata is that of the index (where the Hugging Face hub's library records ties) and of all
    shards; sizes, which writers often get wrong, are left aside.
    """
    # Not the resolved folder: in a hub's cache the index and the shards are links.
    folder = file.path.parent
    index = read_index(file)
    names_of: dict[str, list[str]] = {}
    for name, shard in index.weight_map.items():
        names_of.setdefault(shard, []).append(name)
    _check_presence(file.path, [folder / shard for shard in names_of])
    found: dict[str, StoredArray] = {}
    files = [file]
    metadata = _strings(file.path, index.metadata)
    for shard, names in names_of.items():
        shard_file = open_regular(folder / shard)
        header = read_header(shard_file)
        shard_file.release()  # a model of a thousand shards must not need a thousand descriptors
        _check_agreement(file.path, index.weight_map, shard, names, header.arrays)
        found.update(header.arrays)
        metadata.update(header.metadata)
        files.append(shard_file)
    arrays = {name: found[name] for name in index.weight_map}
    return tree_of(arrays, metadata, files, SHARDED.name)


def open_shards(folder: Path, paths: Sequence[Path]) -> ParameterTree:
    """The tree of all these shards in a folder without an index."""
    found: dict[str, StoredArray] = {}
    metadata: dict[str, str] = {}
    files = []
    for path in paths:
        file = open_regular(path)
        header = read_header(file)
        file.release()
        for name in header.arrays:
            if name in found:
                first = found[name].file.path.name
                raise CheckpointError(f"{first} and {path.name} both hold {shown(name)}").at(folder)
        found.update(header.arrays)
        metadata.update(header.metadata)
        files.append(file)
    tree = tree_of(found, metadata, files, SHARDED.name)
    return replace(tree, source=replace(tree.source, path=str(folder)))


def read_index(file: RegularFile) -> Index:
    """The index, strictly read; its shards are plain siblings."""
    if file.size > MAXIMUM_INDEX_NBYTES:
        raise CheckpointError(f"an index has at most {MAXIMUM_INDEX_NBYTES} bytes").at(file.path)
    text = file.read(0, file.size)
    if b'"weight_map"' not in text and (foreign := foreign_json(file.path, text)):
        raise foreign
    try:
        index = read_json(text)
        weight_map = _check_weight_map(index)
        del index["weight_map"]
        return Index(weight_map, index)
    except CheckpointError as error:
        raise error.at(file.path) from None


def _check_weight_map(index: Any) -> dict[str, str]:
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict):
        raise CheckpointError("not an index of shards: it has no weight_map of names to files")
    for name, shard in weight_map.items():
        if not isinstance(shard, str):
            raise CheckpointError(
                f"weight_map gives {shown(shard)} for {shown(name)}, expected a file name"
            )
        # A shard is a plain sibling: an index may not name files elsewhere.
        plain = shard not in ("", ".", "..") and not any(c in shard for c in "/\\\0")
        if not plain or not shard.endswith(SUFFIX):
            raise CheckpointError(
                f"weight_map places {shown(name)} in {shown(shard)}, which is not"
                " the plain name of a .safetensors file beside the index"
            )
    return weight_map


def _strings(path: Path, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Those items of the metadata of an index that the metadata of a tree can hold."""
    found = {key: value for key, value in metadata.items() if isinstance(value, str)}
    try:
        for text in (*found.keys(), *found.values()):
            check_text(text, "metadata")
    except CheckpointError as error:
        raise error.at(path) from None
    return found


def _check_presence(path: Path, shards: list[Path]) -> None:
    """Tell of all missing shards at once: an interrupted download lacks more than the first."""
    missing = [shard.name for shard in shards if not shard.exists()]
    if missing:
        names = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        raise CheckpointError(
            f"{len(missing)} of {counted(len(shards), 'shard')} missing: {names}"
        ).at(path)


def _check_agreement(
    path: Path,
    weight_map: dict[str, str],
    shard: str,
    names: list[str],
    arrays: dict[str, StoredArray],
) -> None:
    """Every tensor is in the one shard that the index names."""
    for name in names:
        if name not in arrays:
            raise CheckpointError(
                f"weight_map places {shown(name)} in {shard}, which has no such tensor"
            ).at(path)
    for name in arrays:
        told = weight_map.get(name)
        if told != shard:
            where = f"places it in {told}" if told else "does not name it"
            raise CheckpointError(f"{shard} holds {shown(name)}, but weight_map {where}").at(path)
