"""Whether a checkpoint fits a definition: one rule for what compares, loads and completes.

A checkpoint seldom has all names of a definition. A tied array is stored once, under any of its
names (`save_pretrained` keeps one and leaves no trace of the others); a weights file of Keras
names its arrays by the classes of layers. Where the definition stands on the other side, it tells
these names: an array is missing only if it is there under none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from paraminspect.arrays import Unset
from paraminspect.errors import DefinitionError
from paraminspect.operations.duplicates import same_values
from paraminspect.tree import Parameter, ParameterTree


def is_definition(tree: ParameterTree) -> bool:
    """Whether a tree has parameters without values; without any parameter, its format tells."""
    if not tree.entries:
        return tree.source.format == "definition"
    return any(isinstance(p.data, Unset) for p in tree.entries.values())


def under_names_of(definition: ParameterTree, checkpoint: ParameterTree) -> ParameterTree:
    """The checkpoint under the names of a definition, as far as it has the arrays.

    The other names of a declared tie become aliases of the array that is there. What the
    definition does not know keeps its name.
    """
    made, theirs = definition.architecture, checkpoint.architecture
    if made.placement is not None and theirs.framework == made.framework:
        names = _names_by_place(definition, checkpoint) or _names_by_order(definition, checkpoint)
        checkpoint = _renamed(definition, checkpoint, names)
    return _with_declared_ties(definition, checkpoint)


def pair_under_one_naming(
    left: ParameterTree, right: ParameterTree
) -> tuple[ParameterTree, ParameterTree]:
    """Both trees, the checkpoint under the names of the definition where the other is one."""
    match is_definition(left), is_definition(right):
        case True, False:
            return left, under_names_of(left, right)
        case False, True:
            return under_names_of(right, left), right
    return left, right


def torn_ties(definition: ParameterTree, checkpoint: ParameterTree) -> Iterator[tuple[str, str]]:
    """Declared ties `(alias, own name)` that the checkpoint holds as arrays that differ.

    Only arrays that are stored twice are read. Two that agree are as good as one.
    """
    for own in definition.parameters():
        first, *others = [
            name for name in (own.name, *definition.aliases(own.name)) if name in checkpoint.entries
        ] or [own.name]
        for name in others:
            if checkpoint.own_name(name) != checkpoint.own_name(first) and not _agree(
                checkpoint.entries[name], checkpoint.entries[first]
            ):
                yield name, first


def _agree(one: Parameter, other: Parameter) -> bool:
    alike = (one.shape, one.dtype) == (other.shape, other.dtype)
    return alike and same_values(one.data, other.data)


def _with_declared_ties(definition: ParameterTree, checkpoint: ParameterTree) -> ParameterTree:
    entries, ties = dict(checkpoint.entries), dict(checkpoint.ties)
    for own in definition.parameters():
        names = [own.name, *definition.aliases(own.name)]
        found = next((name for name in names if name in checkpoint.entries), None)
        if found is None:
            continue
        for name in names:
            if name not in entries:
                ties[name] = checkpoint.own_name(found)
                entries[name] = replace(checkpoint.entries[found], name=name)
    if len(entries) == len(checkpoint.entries):
        return checkpoint
    return checkpoint.with_names(entries, ties)


def _names_by_place(definition: ParameterTree, checkpoint: ParameterTree) -> dict[str, str]:
    """New names by old: a weights file tells places, and the definition what Keras keeps there.

    Where file and definition have the same places, Keras would load the one into the other, and
    all names are the definition's. Else only what the file leaves without a name gets one.
    """
    assert definition.architecture.placement is not None
    try:
        paths = definition.architecture.placement().paths
    except DefinitionError:  # no such file holds this model
        return {}
    name_at = {_place(path): name for name, path in paths.items()}
    places = {name: _place(p.stored_path or name) for name, p in checkpoint.entries.items()}
    is_whole = set(places.values()) == name_at.keys()
    return {
        old: name_at[place]
        for old, place in places.items()
        if is_whole
        or (place == _place(old) and place in name_at and name_at[place] not in checkpoint.entries)
    }


def _place(path: str) -> str:
    """Where a dataset lies; Keras 2 writes an underscore before more attributes than Keras 3."""
    return ("/" + path).replace("/_", "/")


def _names_by_order(definition: ParameterTree, checkpoint: ParameterTree) -> dict[str, str]:
    """New names by old where only the layers are called otherwise, as Keras loads legacy files.

    All arrays must agree, one after another, in shape and in the last part of the name.
    """
    wanted, found = definition.parameters(), checkpoint.parameters()
    if not checkpoint.source.is_in_order or all(p.name in checkpoint.entries for p in wanted):
        return {}
    if [(p.shape, _last(p.name)) for p in wanted] != [(p.shape, _last(p.name)) for p in found]:
        return {}
    return {old.name: new.name for old, new in zip(found, wanted, strict=True)}


def _last(name: str) -> str:
    """The last part of a name; Keras 2 calls one kernel otherwise."""
    return name.rpartition("/")[2].removeprefix("depthwise_")


def _renamed(
    definition: ParameterTree, checkpoint: ParameterTree, names: dict[str, str]
) -> ParameterTree:
    """The checkpoint under new names, in the order of the definition."""
    if all(old == new for old, new in names.items()):
        return checkpoint
    names = {old: names.get(old, old) for old in checkpoint.entries}
    order = {name: i for i, name in enumerate(definition.entries)}
    in_order = sorted(names, key=lambda old: order.get(names[old], len(order)))
    entries = {names[old]: _moved(checkpoint.entries[old], names[old]) for old in in_order}
    ties = {names[alias]: names[own] for alias, own in checkpoint.ties.items()}
    return checkpoint.with_names(entries, ties)


def _moved(parameter: Parameter, name: str) -> Parameter:
    return replace(parameter, name=name, stored_path=parameter.stored_path or parameter.name)
