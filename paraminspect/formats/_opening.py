"""Checkpoints: any file or folder with values, its format told by its content."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from paraminspect.arrays import Array
from paraminspect.formats._finding import choose_files, files_ending_in, is_folder
from paraminspect.formats._signatures import (
    FIRST_NBYTES,
    is_hdf5,
    is_json,
    is_keras_index,
    is_npz,
    is_zip,
)
from paraminspect.formats.files._reading import RegularFile, open_regular
from paraminspect.operations.quantization import marked
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import ParameterTree, SourceFile


class Format(NamedTuple):
    """A format: what its files look like, what they are called, and who opens them."""

    fits: Callable[[bytes], bool]
    """Whether a file that begins with these bytes is of this format, or meant to be."""
    suffix: str
    """How its files' names end: only for finding one in a folder."""
    module: str
    opener: str
    """A function of the module, imported when needed: from the open file to its tree."""

    def open(self, file: RegularFile) -> ParameterTree:
        """The tree of a file of this format."""
        module = importlib.import_module(f"paraminspect.formats.{self.module}")
        tree: ParameterTree = getattr(module, self.opener)(file)
        return tree


SAFETENSORS = ".safetensors"

FORMATS = (
    Format(is_keras_index, ".weights.json", "keras._sharded", "open_sharded_weights"),
    Format(is_json, ".safetensors.index.json", "safetensors._shards_reading", "open_sharded"),
    Format(is_npz, ".npz", "npz._reading", "open_npz"),
    Format(is_hdf5, ".h5", "keras._open", "open_hdf5"),
    Format(is_zip, ".keras", "keras._archive", "open_keras"),
    # Last: it begins with a mere number, so its reader tells what a file is that nobody reads.
    Format(lambda _: True, SAFETENSORS, "safetensors._reading", "open_safetensors"),
)
"""Every format that is read; the first one that fits opens the file."""

SUFFIXES = [format_.suffix for format_ in FORMATS]


def open_checkpoint(path: Path) -> ParameterTree:
    """The tree of a checkpoint; raises `CheckpointError`. Values are read only when asked for."""
    if is_folder(path):
        found = choose_files(path, SUFFIXES, SAFETENSORS)
        if len(found) > 1:
            from paraminspect.formats.safetensors._shards_reading import open_shards

            return marked(open_shards(path, found))
        (path,) = found
    file = open_regular(path)
    first = file.read(0, min(file.size, FIRST_NBYTES))
    return marked(next(format_ for format_ in FORMATS if format_.fits(first)).open(file))


def files_in_folder(path: Path) -> list[str] | None:
    """The names of what look like checkpoints in a folder, by their suffixes; None for a file."""
    return files_ending_in(path, SUFFIXES) if is_folder(path) else None


def open_array(path: str | Path) -> Array:
    """The array of a .npy file; raises `CheckpointError`. Values are read only when asked for."""
    from paraminspect.formats.npz._reading import open_npy

    return open_npy(open_regular(path))


def check_values(tree: ParameterTree, progress: Progress = unwatched) -> None:
    """Make all values that saving the tree would make, for the errors that this may raise."""
    from paraminspect.formats.files._transfer import check_values as check

    check((parameter.data for parameter in tree.parameters()), progress)


def write_file(
    path: Path, pieces: Iterable[bytes], *, inputs: Iterable[SourceFile], overwrite: bool
) -> list[str]:
    """Write what is made of `inputs` to a file piece by piece: whole or not at all, durably.

    Returns what is to be told of it, a line each. Raises `CheckpointError` with what was there
    untouched, also if an input has changed meanwhile.
    """
    from paraminspect.formats.files._hard_links import OtherNames
    from paraminspect.formats.files._replacing import replacing

    others = OtherNames.of([path])
    with replacing(path, 0, inputs=inputs, overwrite=overwrite) as new:
        at = 0
        for piece in pieces:
            new.write(piece, at)
            at += len(piece)
    return others.left_behind()
