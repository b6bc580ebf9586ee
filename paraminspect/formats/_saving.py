"""Saving: which format a tree is written in, and by whom."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from paraminspect.arrays import Unset
from paraminspect.errors import CheckpointError, nearest
from paraminspect.formats._losses import left_out
from paraminspect.formats.files._hard_links import OtherNames
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import ParameterTree, check_tree

SHARDED = "safetensors-sharded"
INDEX_SUFFIX = ".safetensors.index.json"


class Save(Protocol):
    """Writes a tree to a file, by `replacing` it; tells, line by line, what is lost on the way."""

    def __call__(
        self, tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress
    ) -> list[str]:
        """Raises before anything is written for what the format cannot hold."""


class Saver(NamedTuple):
    """Who writes a format; the name of the format is that of `ParameterTree.format`."""

    suffixes: tuple[str, ...]
    module: str
    function: str

    def load(self) -> Save:
        """The function, imported when needed."""
        module = importlib.import_module(f"paraminspect.formats.{self.module}")
        save: Save = getattr(module, self.function)
        return save


SAVERS = {
    "safetensors": Saver((".safetensors",), "safetensors._writing", "save_safetensors"),
    "npz": Saver((".npz",), "npz._writing", "save_npz"),
    "hdf5": Saver((".h5", ".hdf5"), "keras._writing", "save_h5"),
    "keras": Saver((".keras",), "keras._writing", "save_keras"),
    "keras-h5": Saver((), "keras._writing", "save_h5"),
    "keras-sharded": Saver((), "keras._writing", "save_sharded_weights"),
}
"""Every format that is one file, by its name."""

FORMATS = (*SAVERS, SHARDED)

WRITTEN_NAMES = (
    ", ".join(f"*{suffix}" for saver in SAVERS.values() for suffix in saver.suffixes)
    + f", *{INDEX_SUFFIX} or a folder for shards"
)
"""How the names of checkpoints end, for errors."""

ALONE = frozenset(("safetensors", SHARDED))
"""Formats that hold parameters and nothing else; the savers of others tell what they leave out."""

DEFAULT = "safetensors"
"""The format of what neither has a source nor a suffix."""


def save_checkpoint(
    tree: ParameterTree,
    path: str | Path,
    *,
    format_: str | None = None,
    max_shard_nbytes: int | None = None,
    overwrite: bool = False,
    progress: Progress = unwatched,
) -> list[str]:
    """Write a tree to a file, whole or not at all, durably; its source may be that very file.

    The format is `format_`, or what the suffix of the path tells, or that of the source; a folder
    or an index (`*.safetensors.index.json`) gets shards, those of the source if
    `max_shard_nbytes` does not tell how large. Values are written block by block, and arrays that
    lie in a file as they are to be are copied by the kernel. `progress` is told of bytes as they
    are written.

    Returns what the format could not keep, and which files go on under other names (hard links)
    as they were, a line each. Raises `CheckpointError` with what was there untouched, `UnsetError`
    for a parameter without values, `DTypeError` and `TieError` for what the format cannot hold,
    `DurabilityError` with the new file in place.
    """
    check_tree(tree)
    for parameter in tree.parameters():
        if isinstance(parameter.data, Unset):
            parameter.data.read(0, 0)  # raises
    path = Path(path)
    chosen = choose_format(tree, path, format_, sharded=max_shard_nbytes is not None)
    others = OtherNames.of(_replaced(tree, path, chosen))
    if chosen == SHARDED:
        from paraminspect.formats.safetensors._shards_writing import save_sharded

        lost = save_sharded(tree, path, max_shard_nbytes, overwrite=overwrite, progress=progress)
    else:
        lost = SAVERS[chosen].load()(tree, path, overwrite=overwrite, progress=progress)
    return [*lost, *(left_out(tree) if chosen in ALONE else []), *others.left_behind()]


def _replaced(tree: ParameterTree, path: Path, format_: str) -> Iterator[Path]:
    """Every file that writing a tree to a path may replace."""
    yield path
    folder = path if path.is_dir() else path.parent
    if format_ == SHARDED and folder.is_dir():
        yield from folder.glob("*.safetensors")
    else:
        yield from (file.path for file in tree.files[1:])


def check_target(tree: ParameterTree, path: Path, *, sharded: bool) -> None:
    """Raise what `save_checkpoint` would of the path, so that no long work is for nothing."""
    choose_format(tree, path, None, sharded=sharded)
    if not path.parent.is_dir():
        raise CheckpointError(f"{path}: cannot write: there is no folder {path.parent}")


def choose_format(
    tree: ParameterTree, path: Path, format_: str | None, *, sharded: bool = False
) -> str:
    """The name of the format in which a tree is written to a path; raises `CheckpointError`."""
    if format_ is not None and format_ not in FORMATS:
        known = ", ".join(FORMATS)
        raise CheckpointError(
            f"format {format_!r} is not written{nearest(format_, FORMATS)}; known are {known}"
        )
    named = named_format(path)
    if format_ and named and not _is_one_kind(format_, named):
        raise CheckpointError(
            f"{path}: the name says {named}, and the format that is asked for is {format_}"
        )
    if sharded and (format_ not in (None, SHARDED) or named in SAVERS):
        raise CheckpointError(
            f"{path}: shards need a folder or an index, FOLDER or *{INDEX_SUFFIX}"
        )
    if sharded:
        return SHARDED
    own = tree.format if tree.format in FORMATS else None
    if own and tree.source and _is_same(path, Path(tree.source)):
        return format_ or own
    chosen = format_ or named or (None if path.suffix else own or DEFAULT)
    if chosen is None:
        raise CheckpointError(
            f"{path}: the name does not tell a format that is written: {WRITTEN_NAMES}"
        )
    return chosen


def named_format(path: Path) -> str | None:
    """The format that the name of a file (or a folder) tells, if it tells one."""
    if path.name.endswith(INDEX_SUFFIX) or path.is_dir():
        return SHARDED
    fitting = (
        (suffix, name)
        for name, saver in SAVERS.items()
        for suffix in saver.suffixes
        if path.name.endswith(suffix)
    )
    return max(fitting, key=lambda pair: len(pair[0]), default=(None, None))[1]


def _is_one_kind(one: str, other: str) -> bool:
    """Whether two formats are written by one function: HDF5 of Keras is HDF5."""
    if one not in SAVERS or other not in SAVERS:
        return one == other
    return SAVERS[one].function == SAVERS[other].function


def _is_same(left: Path, right: Path) -> bool:
    try:
        return left.samefile(right)
    except OSError:
        return False
