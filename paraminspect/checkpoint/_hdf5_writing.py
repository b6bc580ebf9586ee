"""HDF5 files written: a name is a path, a tie a hard link, values lie contiguously.

libhdf5 makes the file without values, in its own process, and tells where these are to lie; that
is checked, and then they are copied by the kernel or made block by block, as for any format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from paraminspect.arrays import Array, DType, Opaque, count_elements
from paraminspect.checkpoint._files import open_regular
from paraminspect.checkpoint._hdf5._process import Extent, Library
from paraminspect.checkpoint._json import check_text, shown
from paraminspect.checkpoint._transfer import Placed, transfer
from paraminspect.checkpoint._writing import NewFile, replacing
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError
from paraminspect.tree import ParameterTree

SECONDS = 60
"""Seconds of the processor for making a file: it is ours, and a hundred thousand names take ten."""

MAXIMUM_TEXT_NBYTES = 60_000
"""An attribute of an HDF5 file holds little more."""

NATIVE = frozenset(
    [f"{sign}int{nbits}" for sign in ("", "u") for nbits in (8, 16, 32, 64)]
    + ["float16", "float32", "float64", "complex64", "complex128", "bool"]
)
"""Dtypes that HDF5 has, or h5py has a way to write; others are bytes, and an attribute names them.
"""


class Target:
    """A new file as the library's process gets it; `path` is what messages call it."""

    def __init__(self, new: NewFile, path: Path) -> None:
        self.new = new
        self.path = path

    def fileno(self) -> int:
        """The descriptor of the new file."""
        return self.new.descriptor

    def check_unchanged(self) -> None:
        """Nothing: nobody else has the file yet."""


def save_hdf5(tree: ParameterTree, path: Path, *, overwrite: bool) -> list[str]:
    """Write all parameters of a tree into one file; returns what HDF5 cannot keep."""
    own = {p.name: p.data for p in tree.parameters()}
    try:
        check_names(tree.entries)
        datasets = [_dataset(name, array) for name, array in own.items()]
    except ParamInspectError as error:
        raise type(error)(f"{path}: {error}") from None
    metadata, lost = _kept_metadata(tree)
    nbytes = sum(array.dtype.nbytes(count_elements(array.shape)) for array in own.values())
    with replacing(path, nbytes, inputs=tree.files, overwrite=overwrite) as new:
        library = Library(Target(new, path), Extent(0, 0), "Creator")
        try:
            offsets, _ = library.ask(
                "create", SECONDS, datasets=datasets, links=list(tree.ties.items()), attributes=metadata
            )
            size, _ = library.ask("close", SECONDS)
        finally:
            library.stop()
        placed = _checked(path, own, offsets, size)
        transfer(placed, new)
        check_written(new, path, {n: (p.shape, p.dtype) for n, p in tree.entries.items()}, tree.ties)
    return lost
