"""NPZ files written: arrays stored as they are, byte for byte as `numpy.savez` writes them.

The format knows no ties: a tied array is written under each of its names. It knows no metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from paraminspect.arrays import Array, Opaque, count_elements
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError
from paraminspect.formats._losses import left_out
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import open_regular
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._transfer import Placed, transfer
from paraminspect.formats.npz._format import SUFFIX
from paraminspect.formats.npz._npy import format_npy_header
from paraminspect.formats.npz._reading import NpzOrigin, open_npz
from paraminspect.formats.zip import NewArchive
from paraminspect.formats.zip._finishing import finish_archive
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import ParameterTree


def save_npz(
    tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress = unwatched
) -> list[str]:
    """Write all names of a tree into one file; returns what the format cannot keep."""
    arrays = {name: parameter.data for name, parameter in tree.entries.items()}
    origin = tree.source.origin
    others = origin.members() if isinstance(origin, NpzOrigin) else {}
    others = {name: data for name, data in others.items() if name not in arrays}
    try:
        headers = {name: _header(name, array) for name, array in arrays.items()}
        sizes = {
            name + SUFFIX: len(header)
            + arrays[name].dtype.nbytes(count_elements(arrays[name].shape))
            for name, header in headers.items()
        }
        sizes = _in_place(sizes, tree, {name: data.nbytes for name, data in others.items()})
        archive = NewArchive(sizes)
    except ParamInspectError as error:
        raise error.at(path) from None
    with replacing(
        path, archive.nbytes, inputs=tree.source.files, overwrite=overwrite, progress=progress
    ) as new:
        _fill(new, archive, headers, arrays, others)
        _check(new, arrays, others)
    return left_out(tree, others=not others)


def _in_place(sizes: dict[str, int], tree: ParameterTree, others: dict[str, int]) -> dict[str, int]:
    """The sizes of all members, the others behind what they stand behind in their archive."""
    order = list(sizes)
    before = ""
    origin = tree.source.origin
    for name in origin.archive.members if isinstance(origin, NpzOrigin) else ():
        if name.removesuffix(SUFFIX) in others:
            order.insert(order.index(before) + 1 if before in order else 0, name)
            sizes[name] = others[name.removesuffix(SUFFIX)]
        before = name
    return {name: sizes[name] for name in order}


def _header(name: str, array: Array) -> bytes:
    if isinstance(array, Opaque) and array.packed_bytes is None:
        raise array.refusal().at(name)
    try:
        return format_npy_header(tuple(array.shape), array.dtype)
    except DTypeError as error:
        raise error.at(name) from None


def _fill(
    new: NewFile,
    archive: NewArchive,
    headers: Mapping[str, bytes],
    arrays: Mapping[str, Array],
    others: Mapping[str, Array],
) -> None:
    """Write arrays behind their headers, and `others` as they are stored, with theirs."""
    placed = [Placed(data, archive.members[name + SUFFIX].offset) for name, data in others.items()]
    for name, array in arrays.items():
        at = archive.members[name + SUFFIX].offset
        new.write(headers[name], at)
        data = array.packed_bytes if isinstance(array, Opaque) else array
        if data is not None:
            placed.append(Placed(data, at + len(headers[name])))
    transfer(placed, new)
    finish_archive(new, archive)


def _check(new: NewFile, arrays: Mapping[str, Array], others: Mapping[str, Array]) -> None:
    """Raise `CheckpointError` unless our reader reads what was to be written."""
    try:
        tree = open_npz(open_regular(new.path))
    except CheckpointError as error:
        raise new.unreadable(error) from None
    found = [(name, p.shape, p.dtype) for name, p in tree.entries.items()]
    meant = [(name, tuple(array.shape), array.dtype) for name, array in arrays.items()]
    if found != meant or tree.source.others.keys() != others.keys():
        raise new.misread()
