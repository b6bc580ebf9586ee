"""From what HDF5 files hold to a tree with Keras' names; the optimizer's state stands aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from paraminspect.arrays import DTYPES, DType
from paraminspect.formats.files._reading import RegularFile
from paraminspect.formats.hdf5._contents import Contents
from paraminspect.formats.hdf5._origin import Origin
from paraminspect.formats.hdf5._tree import (
    NAME_ATTRIBUTE,
    SEPARATOR,
    parameters_of,
    resolve_links,
    ties_of,
    told_dtypes,
)
from paraminspect.formats.keras._format import KERAS_H5, SHARDED
from paraminspect.formats.keras._legacy import OPTIMIZER, stored_names
from paraminspect.formats.keras._vars import (
    Named,
    is_training_state,
    is_vars,
    layer_of,
    variables_by_layer,
)
from paraminspect.frameworks.keras._record import FRAMEWORK
from paraminspect.tree import Architecture, Parameter, ParameterTree, Source

if TYPE_CHECKING:
    from paraminspect.formats.keras._config import LayerConfig


def is_weights_file(contents: Contents) -> bool:
    """Whether it is laid out as Keras 3 and tf_keras lay out `.weights.h5`."""
    return any(is_vars(group) for group in contents.groups)


def weights_tree(
    parts: Sequence[Contents],
    configs: Mapping[str, LayerConfig] = MappingProxyType({}),
    config_names: Mapping[str, str] = MappingProxyType({}),
    is_keras2: bool = False,
    index: RegularFile | None = None,
) -> ParameterTree:
    """The tree of a weights file, or of all shards of one.

    `configs` and `config_names`, by group, are what an archive's config tells of its layers.
    """
    # Imported only now: other HDF5 files are listed without the layers of Keras.
    from paraminspect.formats.keras._config import describes
    from paraminspect.formats.keras._variables import Layers

    told: dict[str, str] = {}
    groups: set[str] = set()
    parameters: list[Parameter] = []
    for contents in parts:
        resolve_links(contents)
        holders = [group for group in contents.groups if is_vars(group)]
        names = contents.attributes([(holder, NAME_ATTRIBUTE) for holder in holders])
        groups.update(map(layer_of, holders))
        told.update(
            (layer_of(holder), name)
            for holder, name in zip(holders, names, strict=True)
            if isinstance(name, str)
        )
        parameters += parameters_of(contents, told_dtypes(contents))
    variables = {p.name: (p.shape, p.dtype) for p in parameters}
    by_layer = variables_by_layer(variables)
    first = {layer: variables[paths[0]][0] for layer, paths in by_layer.items()}
    if not describes(configs, groups, first):
        configs, config_names = {}, {}
    layers = Layers(groups, {**config_names, **told}, configs, is_keras2)
    named = layers.name_variables(variables)
    ordered = layers.in_order(by_layer, _places(parts))
    place = {
        path: (i, named[path].place if path in named else number)
        for i, group in enumerate(ordered)
        for number, path in enumerate(by_layer[group])
    }
    parameters.sort(key=lambda parameter: place.get(parameter.name, (len(place), 0)))
    return _tree(parts, parameters, named, is_training_state, index)


def _places(parts: Sequence[Contents]) -> dict[str, int]:
    """Where in the files each group begins, so that groups can be put in the order of writing."""
    places: dict[str, int] = {}
    start = 0
    for contents in parts:
        for path, dataset in contents.datasets.items():
            group = path
            while group:
                group = group.rpartition("/")[0]
                places[group] = min(
                    places.get(group, start + dataset.address), start + dataset.address
                )
        start += contents.file.size
    return places


def legacy_tree(contents: Contents, root: str) -> ParameterTree:
    """The tree of a legacy file, in the order of the model; `root` is the group of the layers.

    Bytes in pairs are bfloat16 there: of Keras' dtypes it is the only one of two bytes that HDF5
    does not know, and the file does not say so otherwise.
    """
    resolve_links(contents)
    paths = stored_names(contents, root)
    dtypes: dict[str, DType] = {}
    for path, dataset in contents.datasets.items():
        if dataset.dtype is not None:
            dtypes[path] = dataset.dtype
        elif dataset.is_opaque and dataset.itemsize == 2:
            dtypes[path] = DTYPES["bfloat16"]
    place = {path: number for number, path in enumerate(paths)}
    parameters = parameters_of(contents, dtypes)
    parameters.sort(key=lambda parameter: place.get(parameter.name, len(place)))
    named = {path: Named(name) for path, name in paths.items()}
    tree = _tree([contents], parameters, named, lambda path: path.startswith(OPTIMIZER + "/"))
    more = partial(contents.metadata, ["", root] if root else [""])
    return replace(tree, source=replace(tree.source, more_metadata=more))


def _tree(
    parts: Sequence[Contents],
    parameters: Sequence[Parameter],
    named: Mapping[str, Named],
    is_training: Callable[[str], bool],
    index: RegularFile | None = None,
) -> ParameterTree:
    entries: dict[str, Parameter] = {}
    training: dict[str, Parameter] = {}
    names: dict[str, str] = {}
    for parameter in parameters:
        path = parameter.name
        if is_training(path):
            training[path] = parameter
            continue
        known = named.get(path)
        if known is not None and known.name != path:
            parameter = replace(parameter, name=known.name, layer=known.layer, stored_path=path)
        names[path] = parameter.name
        entries[parameter.name] = parameter
    ties: dict[str, str] = {}
    others: dict[str, str] = {}
    for contents in parts:
        own = {path: name for path, name in names.items() if path in contents.datasets}
        ties.update(ties_of(contents, own))
        others.update(contents.others)
    files = (*([index] if index else []), *(contents.source for contents in parts))
    return ParameterTree(
        entries,
        ties,
        source=Source(
            str(files[0].path),
            (SHARDED if index else KERAS_H5).name,
            files=files,
            others=others,
            optimizer=training,
            origin=Origin(parts, {**entries, **training}, ties),
            more_metadata=parts[0].metadata,
            is_in_order=True,
        ),
        architecture=Architecture(FRAMEWORK.name, separator=SEPARATOR),
    )
