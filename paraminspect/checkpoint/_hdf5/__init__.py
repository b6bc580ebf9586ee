"""HDF5 files: libhdf5 tells from a child process what they hold, values are read here."""

from __future__ import annotations

from paraminspect.checkpoint._files import RegularFile
from paraminspect.checkpoint._hdf5._contents import Contents, Dataset, read_contents
from paraminspect.checkpoint._hdf5._process import Extent, Library
from paraminspect.checkpoint._hdf5._superblock import find_extent
from paraminspect.checkpoint._hdf5._tree import (
    SEPARATOR,
    parameters_of,
    resolve_links,
    ties_of,
    told_dtypes,
    tree_of,
)
from paraminspect.errors import CheckpointError

__all__ = [
    "SEPARATOR",
    "Contents",
    "Dataset",
    "Extent",
    "Library",
    "find_extent",
    "open_contents",
    "parameters_of",
    "read_contents",
    "resolve_links",
    "ties_of",
    "told_dtypes",
    "tree_of",
]


def open_contents(file: RegularFile) -> Contents:
    """What an HDF5 file holds; stop its library when nothing more is to be asked."""
    try:
        extent = find_extent(file)
    except CheckpointError as error:
        raise CheckpointError(f"{file.path}: {error}") from None
    return read_contents(file, extent, file)
