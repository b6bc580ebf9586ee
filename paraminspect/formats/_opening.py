"""Opening: the format of a file by its first bytes, and the file that a folder stands for."""

from __future__ import annotations

from pathlib import Path

from paraminspect.arrays import Array
from paraminspect.formats._finding import choose_files, is_folder, names_of_checkpoints
from paraminspect.formats._format import FIRST_NBYTES
from paraminspect.formats._table import FORMATS
from paraminspect.formats.files._reading import open_regular
from paraminspect.operations.quantization import marked
from paraminspect.tree import ParameterTree


def open_checkpoint(path: Path) -> ParameterTree:
    """The tree of a checkpoint; raises `CheckpointError`. Values are read only when asked for."""
    if is_folder(path):
        found = choose_files(path)
        if len(found) > 1:
            format_ = FORMATS.named(found[0].name)
            assert format_ is not None, "the suffix has found it"
            return marked(format_.open_set(path, found))
        (path,) = found
    file = open_regular(path)
    first = file.read(0, min(file.size, FIRST_NBYTES))
    return marked(FORMATS.beginning_with(first).open(file))


def files_in_folder(path: Path) -> list[str] | None:
    """The names of what look like checkpoints in a folder, by their suffixes; None for a file."""
    return names_of_checkpoints(path) if is_folder(path) else None


def open_array(path: str | Path) -> Array:
    """The array of a .npy file; raises `CheckpointError`. Values are read only when asked for."""
    from paraminspect.formats.npz._reading import open_npy

    return open_npy(open_regular(path))
