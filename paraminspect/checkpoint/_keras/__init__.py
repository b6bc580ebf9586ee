"""Keras' files, and any other HDF5 file: names of parameters as the framework gives them.

Told apart by what they hold: groups named `vars` (Keras 3), lists of `layer_names` (legacy), an
archive with `model.weights.h5` (`.keras`). Whatever is none of these is listed by its paths.
"""

from __future__ import annotations

from paraminspect.checkpoint._files import RegularFile
from paraminspect.checkpoint._hdf5 import Contents, open_contents, tree_of
from paraminspect.checkpoint._keras._archive import open_keras
from paraminspect.checkpoint._keras._legacy import find_root
from paraminspect.checkpoint._keras._sharded import open_sharded_weights
from paraminspect.checkpoint._keras._trees import is_weights_file, legacy_tree, weights_tree
from paraminspect.tree import ParameterTree

__all__ = ["open_hdf5", "open_keras", "open_sharded_weights"]


def open_hdf5(file: RegularFile) -> ParameterTree:
    """The tree of an HDF5 file, whoever wrote it; values are not read."""
    contents = open_contents(file)
    try:
        return _tree_of(contents)
    finally:
        contents.library.stop()


def _tree_of(contents: Contents) -> ParameterTree:
    if is_weights_file(contents):
        return weights_tree([contents])
    root = find_root(contents)
    return tree_of(contents) if root is None else legacy_tree(contents, root)
