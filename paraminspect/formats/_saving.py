"""Saving: which format a tree is written in, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from paraminspect.arrays import Unset
from paraminspect.errors import CheckpointError, nearest
from paraminspect.formats._format import Format
from paraminspect.formats._losses import losses
from paraminspect.formats._table import FORMATS
from paraminspect.formats.files._hard_links import OtherNames
from paraminspect.formats.files._reading import is_same_file
from paraminspect.formats.safetensors._format import SAFETENSORS, SHARDED
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import ParameterTree, SourceFile, check_tree

DEFAULT = SAFETENSORS
"""The format of what neither has a source nor a suffix."""


def written_names() -> str:
    """How the names of checkpoints that are written end, for messages."""
    suffixes = [suffix for format_ in _written().values() for suffix in format_.suffixes]
    return ", ".join(f"*{suffix}" for suffix in suffixes) + " or a folder for shards"


def _written() -> dict[str, Format]:
    return {name: format_ for name, format_ in FORMATS.items() if format_.saver}


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

        >>> import tempfile
        >>> import paraminspect as pi
        >>> tree = pi.ParameterTree({"w": [1.0, 2.0]}, metadata={"by": "me"})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pi.save(tree, f"{folder}/w.npz")
        ['npz cannot store metadata; left out: by']

    The format is `format_`, or that of the path's suffix, or that of the source; a folder or an
    index (`*.safetensors.index.json`) gets shards of at most `max_shard_nbytes` bytes each, or
    those of the source. Values are written block by block, and the kernel copies arrays that lie
    in a file as they are to be. `progress` is called with the number of bytes just written.

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
    sizes = {"max_shard_nbytes": max_shard_nbytes} if chosen is SHARDED else {}
    lost = chosen.save(tree, path, overwrite=overwrite, progress=progress, **sizes)
    return [*losses(tree, chosen), *lost, *others.left_behind()]


def _replaced(tree: ParameterTree, path: Path, format_: Format) -> Iterator[Path]:
    """Every file that writing a tree to a path may replace."""
    yield path
    folder = path if path.is_dir() else path.parent
    if format_ is SHARDED and folder.is_dir():
        yield from folder.glob(f"*{SAFETENSORS.suffixes[0]}")
    else:
        yield from (file.path for file in tree.source.files[1:])


def check_target(tree: ParameterTree, path: Path, *, sharded: bool) -> None:
    """Raise what `save_checkpoint` would of the path, so that no long work is for nothing."""
    choose_format(tree, path, None, sharded=sharded)
    if not path.parent.is_dir():
        raise CheckpointError(f"cannot write: there is no folder {path.parent}").at(path)


def choose_format(
    tree: ParameterTree, path: Path, format_: str | None, *, sharded: bool = False
) -> Format:
    """The format in which a tree is written to a path; raises `CheckpointError`."""
    asked = None if format_ is None else _format_called(format_)
    named = named_format(path)
    if asked and named and asked.saver != named.saver:  # HDF5 of Keras is HDF5
        raise CheckpointError(
            f"the name says {named.name}, and the format that is asked for is {asked.name}"
        ).at(path)
    if sharded and (asked or named or SHARDED) is not SHARDED:
        index = SHARDED.suffixes[0]
        raise CheckpointError(f"shards need a folder or an index, FOLDER or *{index}").at(path)
    if sharded:
        return SHARDED
    own = _written_or_none(tree.source.format)
    if own and tree.source.path and is_same_file(path, Path(tree.source.path)):
        return asked or own
    chosen = asked or named or (None if path.suffix else own or DEFAULT)
    if chosen is None:
        raise CheckpointError(
            f"the name does not tell a format that is written: {written_names()}"
        ).at(path)
    return chosen


def named_format(path: Path, *, sharded: bool = False) -> Format | None:
    """The format in which a file of this name (or a folder) is written, if the name tells one."""
    if sharded or path.is_dir():
        return SHARDED
    format_ = FORMATS.named(path.name)
    return format_ if format_ and format_.saver else None


def _format_called(name: str) -> Format:
    format_ = _written_or_none(name)
    if format_ is None:
        known = _written()
        raise CheckpointError(
            f"format {name!r} is not written{nearest(name, known)}; known are {', '.join(known)}"
        )
    return format_


def _written_or_none(name: str) -> Format | None:
    format_ = FORMATS.get(name) if name else None
    return format_ if format_ and format_.saver else None


def check_values(tree: ParameterTree, progress: Progress = unwatched) -> None:
    """Make all values that saving the tree would make, for the errors that this may raise."""
    from paraminspect.formats.files._transfer import check_values as check

    check((parameter.data for parameter in tree.parameters()), progress)


def write_file(
    path: Path, pieces: Iterable[bytes], *, inputs: Iterable[SourceFile], overwrite: bool
) -> list[str]:
    """Write what is made of `inputs` to a file piece by piece: whole or not at all, durably.

    Returns what there is to say of it, a line each. Raises `CheckpointError` with what was there
    untouched, also if an input has changed meanwhile.
    """
    from paraminspect.formats.files._replacing import replacing

    others = OtherNames.of([path])
    with replacing(path, 0, inputs=inputs, overwrite=overwrite) as new:
        at = 0
        for piece in pieces:
            new.write(piece, at)
            at += len(piece)
    return others.left_behind()
