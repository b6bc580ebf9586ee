"""An HDF5 file, whoever wrote it: a weights file of Keras 3, a legacy one, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paraminspect.errors import CheckpointError
from paraminspect.formats.files._reading import RegularFile
from paraminspect.formats.hdf5._superblock import find_extent
from paraminspect.libhdf5.process import Library

if TYPE_CHECKING:
    from paraminspect.formats.hdf5._contents import Contents
    from paraminspect.tree import ParameterTree


def open_hdf5(file: RegularFile) -> ParameterTree:
    """The tree of an HDF5 file; values are not read."""
    contents = open_contents(file)
    try:
        tree = _tree_of(contents)
    except BaseException:
        contents.library.stop()
        raise
    if contents.asks_for_values:
        contents.library.stop_soon()
    else:
        contents.library.stop()
    return tree


def open_contents(file: RegularFile) -> Contents:
    """What an HDF5 file holds; stop its library when nothing more is to be asked."""
    try:
        extent = find_extent(file)
    except CheckpointError as error:
        raise error.at(file.path) from None
    library = Library(file, extent)
    library.start()
    # Imported while the library starts, which takes longer.
    from paraminspect.formats.hdf5._contents import read_contents

    return read_contents(file, library, file)


def _tree_of(contents: Contents) -> ParameterTree:
    from paraminspect.formats.hdf5._tree import tree_of
    from paraminspect.formats.keras._legacy import find_root
    from paraminspect.formats.keras._trees import is_weights_file, legacy_tree, weights_tree

    if is_weights_file(contents):
        return weights_tree([contents])
    root = find_root(contents)
    return tree_of(contents) if root is None else legacy_tree(contents, root)
