"""NPZ files written: arrays stored as they are, byte for byte as `numpy.savez` writes them.

The format knows no ties: a tied array is written under each of its names. It knows no metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from paraminspect.arrays import Array, Opaque, count_elements
from paraminspect.checkpoint._archive_writing import finish_archive
from paraminspect.checkpoint._files import open_regular
from paraminspect.checkpoint._new_file import NewFile
from paraminspect.checkpoint._npy import format_npy_header
from paraminspect.checkpoint._npz import SUFFIX, open_npz
from paraminspect.checkpoint._safetensors import FRAMEWORK_KEY
from paraminspect.checkpoint._transfer import Placed, transfer
from paraminspect.checkpoint._writing import replacing
from paraminspect.checkpoint._zip import NewArchive
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError
from paraminspect.parallel import Progress, unwatched
from paraminspect.tree import ParameterTree
from paraminspect.wording import counted


def save_npz(
    tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress = unwatched
) -> list[str]:
    """Write all names of a tree into one file; returns what the format cannot keep."""
    arrays = {name: parameter.data for name, parameter in tree.entries.items()}
    try:
        headers = {name: _header(name, array) for name, array in arrays.items()}
        sizes = {
            name + SUFFIX: len(header)
            + arrays[name].dtype.nbytes(count_elements(arrays[name].shape))
            for name, header in headers.items()
        }
        archive = NewArchive(sizes)
    except ParamInspectError as error:
        raise error.at(str(path)) from None
    with replacing(
        path, archive.nbytes, inputs=tree.files, overwrite=overwrite, progress=progress
    ) as new:
        _fill(new, archive, headers, arrays)
        _check(new.path, arrays)
    return _lost(tree, path)


def _header(name: str, array: Array) -> bytes:
    if isinstance(array, Opaque) and array.packed_bytes is None:
        raise DTypeError(f"{name}: values of the type {array.dtype} {array.why}")
    try:
        return format_npy_header(tuple(array.shape), array.dtype)
    except DTypeError as error:
        raise DTypeError(f"{name}: {error}") from None


def _fill(
    new: NewFile, archive: NewArchive, headers: Mapping[str, bytes], arrays: Mapping[str, Array]
) -> None:
    placed = []
    for name, array in arrays.items():
        at = archive.members[name + SUFFIX].offset
        new.write(headers[name], at)
        data = array.packed_bytes if isinstance(array, Opaque) else array
        if data is not None:
            placed.append(Placed(data, at + len(headers[name])))
    transfer(placed, new)
    finish_archive(new, archive)


def _check(path: Path, arrays: Mapping[str, Array]) -> None:
    """Raise `CheckpointError` unless our reader reads what was to be written."""
    try:
        read = open_npz(open_regular(path)).entries
    except CheckpointError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise CheckpointError(f"what was written cannot be read back: {message}") from None
    found = [(name, parameter.shape, parameter.dtype) for name, parameter in read.items()]
    if found != [(name, tuple(array.shape), array.dtype) for name, array in arrays.items()]:
        raise CheckpointError("what was written reads back as something else")


def _lost(tree: ParameterTree, path: Path) -> list[str]:
    lost = []
    if tree.ties:
        aliases = counted(len(tree.ties), "alias", "aliases")
        written = "are copies" if len(tree.ties) > 1 else "is a copy"
        lost.append(f"npz knows no ties: {aliases} {written} in {path}")
    keys = [key for key in tree.metadata if key not in tree.ties and key != FRAMEWORK_KEY]
    if keys:
        are = "are" if len(keys) > 1 else "is"
        lost.append(f"npz knows no metadata: {', '.join(keys)} {are} not in {path}")
    return lost
