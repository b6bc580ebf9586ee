"""Any HDF5 file as a tree: groups are the path, links to one dataset are ties."""

from __future__ import annotations

from collections.abc import Mapping

from paraminspect.arrays import DTYPES, DType, Opaque
from paraminspect.formats.hdf5._contents import Contents, Dataset
from paraminspect.formats.hdf5._format import HDF5
from paraminspect.formats.hdf5._origin import Origin
from paraminspect.tree import Architecture, Parameter, ParameterTree, Source

SEPARATOR = "/"
MAXIMUM_SOFT_LINKS = 16
"""A soft link may lead to a soft link, and in a circle."""

NAME_ATTRIBUTE = "name"
"""Names the layer that a group is of, as Keras writes it."""

DTYPE_ATTRIBUTE = "dtype"
"""Names the dtype of what HDF5 has no type for, as Keras 3 writes bfloat16."""


def tree_of(contents: Contents) -> ParameterTree:
    """The tree of a file of which nothing more is known."""
    resolve_links(contents)
    entries = {p.name: p for p in parameters_of(contents, told_dtypes(contents))}
    ties = ties_of(contents, {name: name for name in entries})
    return ParameterTree(
        entries,
        ties,
        source=Source(
            str(contents.file.path),
            HDF5.name,
            files=(contents.source,),
            others=contents.others,
            origin=Origin([contents], entries, ties),
            more_metadata=contents.metadata,
        ),
        architecture=Architecture(separator=SEPARATOR),
    )


def parameters_of(contents: Contents, dtypes: Mapping[str, DType]) -> list[Parameter]:
    """The datasets as parameters, each under its path; what has no dtype joins the others."""
    parameters = []
    for path, dataset in contents.datasets.items():
        if path in dtypes:
            parameters.append(Parameter(path, contents.array(dataset, dtypes[path])))
        elif dataset.is_opaque:
            parameters.append(Parameter(path, _opaque_array(contents, dataset)))
        else:
            contents.others[path] = f"{dataset.what}, shape {list(dataset.shape)}"
    return parameters


def _opaque_array(contents: Contents, dataset: Dataset) -> Opaque:
    dtype = dataset.bytes_dtype
    like = {16: "bfloat16", 8: "float8"}.get(dtype.nbits)
    ending = f": {like} saved by h5py looks so" if like else ""
    why = f"are not read: {contents.file.path} does not say what numbers they are{ending}"
    packed_bytes = contents.array(dataset, dtype).packed_bytes
    return Opaque(dataset.shape, dtype, why, packed_bytes, like is not None)


def ties_of(contents: Contents, names: Mapping[str, str]) -> dict[str, str]:
    """The ties among `names` (path to name): alias to own name, the first in the alphabet.

    Hard links have no direction, and the alphabet is a rule that every format can follow. A soft
    link is never the own name.
    """
    groups: dict[int, list[tuple[bool, str]]] = {}
    for path, name in names.items():
        address = contents.datasets[path].address
        groups.setdefault(address, []).append((path in contents.links, name))
    owners = {address: min(group)[1] for address, group in groups.items()}
    own_names = {name: owners[contents.datasets[path].address] for path, name in names.items()}
    return {name: own for name, own in own_names.items() if name != own}


def told_dtypes(contents: Contents) -> dict[str, DType]:
    """The dtype of each dataset that has one: its HDF5 type's, or the one that it says itself."""
    dtypes = {path: d.dtype for path, d in contents.datasets.items() if d.dtype is not None}
    opaque = {path: d for path, d in contents.datasets.items() if d.is_opaque}
    told = contents.attributes([(d.path, DTYPE_ATTRIBUTE) for d in opaque.values()])
    for (path, dataset), name in zip(opaque.items(), told, strict=True):
        dtype = DTYPES.get(name) if isinstance(name, str) else None
        if dtype is not None and dtype.nbits == 8 * dataset.itemsize:
            dtypes[path] = dtype
    return dtypes


def resolve_links(contents: Contents) -> None:
    """Take soft links to datasets for other names of these; tell of all others."""
    for path, target in list(contents.links.items()):
        found = _follow(contents, path, target)
        if isinstance(found, Dataset):
            contents.datasets[path] = found
        else:
            contents.others[path] = found


def _follow(contents: Contents, path: str, target: str) -> Dataset | str:
    """The dataset that a soft link leads to, or what it leads to instead."""
    place = path
    for _ in range(MAXIMUM_SOFT_LINKS):
        folder = "" if target.startswith("/") else place.rpartition("/")[0]
        parts = [*folder.split("/"), *target.split("/")]
        place = "/".join(part for part in parts if part not in ("", "."))
        if place in contents.datasets:
            return contents.datasets[place]
        if place not in contents.links:
            break
        target = contents.links[place]
    if place in contents.links:
        return "a link that leads in a circle"
    if place in contents.groups or not place:
        return f"a link to the group {'/' + place!r}"
    return f"a link to {'/' + place!r}, which is not there"
