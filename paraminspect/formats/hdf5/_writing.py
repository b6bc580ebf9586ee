"""HDF5 files written: a name is a path, a tie a hard link, values lie contiguously.

With a layout a parameter has the path that this tells instead, and layers have groups.

libhdf5 makes the file without values, in a process of its own, and tells where these are to lie;
that is checked, and then they are copied by the kernel or made block by block, as for any format.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from paraminspect.arrays import Array, Opaque, Shape, count_elements
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError
from paraminspect.formats._json import check_text, shown
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import open_regular
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._transfer import Placed, transfer
from paraminspect.formats.hdf5._contents import Contents, read_contents
from paraminspect.formats.hdf5._tree import NAME_ATTRIBUTE, told_dtypes
from paraminspect.libhdf5.process import GARBAGE, Extent, Library
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import Parameter, ParameterTree
from paraminspect.tree.placement import Placement

SECONDS = 60
"""Seconds of the processor for making a file: it is ours, and a hundred thousand names take ten."""

_NATIVE = frozenset(
    [f"{sign}int{nbits}" for sign in ("", "u") for nbits in (8, 16, 32, 64)]
    + ["float16", "float32", "float64", "complex64", "complex128", "bool"]
)
"""Dtypes that HDF5 has, or h5py has a way to write; others are bytes, and an attribute tells."""


class Target:
    """A new file as the library's process gets it; `path` is what messages call it."""

    def __init__(self, new: NewFile, path: Path) -> None:
        self.new = new
        self.path = path

    @property
    def descriptor(self) -> AbstractContextManager[int]:
        """The descriptor of the new file, which is open in any case."""
        return nullcontext(self.new.descriptor)

    def check_unchanged(self) -> None:
        """Nothing: nobody else has the file yet."""


def save_hdf5(
    tree: ParameterTree,
    path: Path,
    *,
    overwrite: bool,
    placement: Placement | None = None,
    progress: Progress = unwatched,
) -> list[str]:
    """Write all parameters of a tree into one file; returns what HDF5 cannot keep."""
    places = placement.paths if placement else {name: name for name in tree.entries}
    names = placement.names if placement else {}
    try:
        _check_names(dict.fromkeys(places[name] for name in tree.entries))
        _check_names(names)
        objects, arrays = _objects(tree, places)
        texts, lost = _kept_metadata(tree)
    except ParamInspectError as error:
        raise error.at(path) from None
    texts += [(group, NAME_ATTRIBUTE, name) for group, name in names.items()]
    nbytes = sum(map(_nbytes, arrays.values()))
    with replacing(
        path, nbytes, inputs=tree.source.files, overwrite=overwrite, progress=progress
    ) as new:
        library = Library(Target(new, path), Extent(0, 0), "Creator")
        offsets, _ = library.ask("create", SECONDS, objects=objects, texts=texts)
        size, _ = library.ask("close", SECONDS)
        library.stop()
        placed = _placed(library, arrays, offsets, size)
        transfer(placed.values(), new)
        ties = dict(made for made in objects if len(made) == 2)
        _check_written(arrays, placed, ties, new, size)
    return lost


def _objects(
    tree: ParameterTree, places: Mapping[str, str]
) -> tuple[list[tuple[Any, ...]], dict[str, Array]]:
    """What to make, in the order of the tree, and the array of each dataset among it, by paths.

    The first name of an array makes a dataset, and others become links to that: `(path, first)`.
    """
    objects: list[tuple[Any, ...]] = []
    arrays: dict[str, Array] = {}
    firsts: dict[str, str] = {}
    for name, parameter in tree.entries.items():
        place = places[name]
        first = firsts.setdefault(tree.own_name(name), place)
        if first == place:
            objects.append(_dataset(place, parameter))
            arrays[place] = parameter.data
        else:
            objects.append((place, first))
    return objects, arrays


def _check_names(names: Collection[str]) -> None:
    """Raise `CheckpointError` for a name that is not a path of HDF5, or a group too."""
    for name in names:
        parts = name.split("/")
        _check_encodes(name)
        if "\0" in name or any(part in ("", ".") for part in parts):
            raise CheckpointError(f"HDF5 cannot hold a parameter named {shown(name)}")
        for end in range(1, len(parts)):
            above = "/".join(parts[:end])
            if above in names:
                raise CheckpointError(
                    f"HDF5 cannot hold {shown(name)} beside {shown(above)}: one name is"
                    " a group, or a dataset"
                )


def _check_encodes(name: str) -> None:
    try:
        name.encode("utf-8", "surrogateescape")  # which a name that was read need not pass
    except UnicodeEncodeError:
        check_text(name, "a name")


def _dataset(path: str, parameter: Parameter) -> tuple[str, Shape, str, int]:
    """`(path, shape, dtype, bytes of an element)`; no bytes if HDF5 has the dtype itself."""
    name, array, dtype = parameter.name, parameter.data, parameter.dtype
    if isinstance(array, Opaque) and array.packed_bytes is None:
        raise array.refusal().at(name)
    if isinstance(array, Opaque) and not dtype.name.startswith("void"):
        raise DTypeError(f"HDF5 files of ours hold no values of the type {dtype}").at(name)
    if dtype.is_packed:
        raise DTypeError(f"HDF5 has no elements that share bytes, as {dtype} has").at(name)
    if dtype.name in _NATIVE:
        return path, array.shape, dtype.name, 0
    told = "" if isinstance(array, Opaque) else dtype.name
    return path, array.shape, told, dtype.nbits // 8


def _kept_metadata(tree: ParameterTree) -> tuple[list[tuple[str, str, str]], list[str]]:
    """The texts that become attributes of the root, and what is lost of the metadata."""
    kept, lost = [], []
    for key, text in tree.metadata.items():
        if tree.ties.get(key) == text:
            continue  # a tie, as safetensors records it
        check_text(key + text, "metadata")
        if key and "\0" not in key + text:
            kept.append(("", key, text))
        else:
            lost.append(f"an attribute of HDF5 cannot hold the metadata of {shown(key)}")
    return kept, lost


def _nbytes(array: Array) -> int:
    return array.dtype.nbytes(count_elements(array.shape))


def _placed(
    library: Library, arrays: Mapping[str, Array], offsets: Any, size: Any
) -> dict[str, Placed]:
    """Where the values of each dataset go: the library's word, checked as that of a stranger."""
    if type(offsets) is not list or len(offsets) != len(arrays) or type(size) is not int:
        raise library.error(GARBAGE)
    placed = {}
    reached = 0
    for (name, array), offset in zip(arrays.items(), offsets, strict=True):
        nbytes = _nbytes(array)
        if not nbytes:
            continue
        if type(offset) is not int or offset < 0 or offset + nbytes > size:
            raise library.error(f"dataset {name!r} has no place in the file")
        data = array.packed_bytes if isinstance(array, Opaque) else array
        assert data is not None
        placed[name] = Placed(data, offset)
    for at, end in sorted((p.at, p.at + _nbytes(p.array)) for p in placed.values()):
        if at < reached:
            raise library.error("two datasets have one place in the file")
        reached = end
    return placed


def _check_written(
    arrays: Mapping[str, Array],
    placed: Mapping[str, Placed],
    ties: Mapping[str, str],
    new: NewFile,
    size: int,
) -> None:
    """Raise `CheckpointError` unless our reader finds what was to be written, where it was put."""
    every = {**arrays, **{alias: arrays[own] for alias, own in ties.items()}}
    expected = {name: (tuple(array.shape), array.dtype) for name, array in every.items()}
    contents = read_back(new, Extent(0, size))
    dtypes = told_dtypes(contents)
    contents.library.stop()
    found = {
        name: (dataset.shape, dtypes.get(name, dataset.bytes_dtype))
        for name, dataset in contents.datasets.items()
    }
    groups = {name: contents.datasets[name].address for name in found}
    untied = [alias for alias, own in ties.items() if groups.get(alias) != groups.get(own)]
    if (
        found != expected
        or untied
        or len(set(groups.values())) != len(arrays)
        or any(contents.datasets[name].offset != place.at for name, place in placed.items())
    ):
        raise new.misread()


def read_back(new: NewFile, extent: Extent) -> Contents:
    """What a new file holds at an extent; the library runs until it is stopped."""
    try:
        file = open_regular(new.path)
        library = Library(file, extent)
        return read_contents(file, library, file)
    except CheckpointError as error:
        raise new.unreadable(error) from None
