"""Checkpoints that lack parameters of a model: what is missing, unexpected, of another shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from paraminspect.arrays import Shape
from paraminspect.errors import ShapeError
from paraminspect.operations.fitting import under_names_of
from paraminspect.tree import ParameterTree


@dataclass(frozen=True)
class Completed:
    """A checkpoint with the parameters of a definition that it lacks, which have no values yet."""

    tree: ParameterTree
    missing: tuple[str, ...]
    """Own names that the definition has and the checkpoint lacks."""
    unexpected: tuple[str, ...]
    """Names that the checkpoint has and the definition lacks; they are kept."""
    mismatched: Mapping[str, Shape]
    """Names whose shapes differ, with those of the checkpoint; the definition's are drawn."""
    tied: tuple[str, ...]
    """Names that the checkpoint lacks although it has their arrays: they are written as ties."""


def complete(
    checkpoint: ParameterTree, model: ParameterTree, redrawn: Collection[str] = ()
) -> Completed:
    """The checkpoint completed by a definition, in its order; its ties hold for what is added.

    Raises `ShapeError` for a parameter of another shape, unless it is one of those `redrawn`.
    """
    named = under_names_of(model, checkpoint)
    mismatched = [
        name
        for name, parameter in model.entries.items()
        if name in named.entries and named.entries[name].shape != parameter.shape
    ]
    owners = set(map(model.own_name, redrawn))
    refused = [name for name in mismatched if model.own_name(name) not in owners]
    if refused:
        raise _mismatch(refused, named, model)
    stored = named.subset(named.entries.keys() - set(mismatched))
    entries, ties, missing = dict(model.entries), dict(stored.ties), []
    for own in model.parameters():
        group = [own.name, *model.aliases(own.name)]
        found = next((name for name in group if name in stored.entries), None)
        for name in group:
            if found is not None:
                data = stored.entries[name if name in stored.entries else found].data
                entries[name] = replace(entries[name], data=data)
            if name not in stored.entries:
                owner = own.name if found is None else stored.own_name(found)
                ties.update({name: owner} if name != owner else {})
        if found is None and own.name not in mismatched:
            missing.append(own.name)
    unexpected = {n: p for n, p in stored.entries.items() if n not in model.entries}
    tree = replace(
        stored,
        entries={**entries, **unexpected},
        ties=ties,
        architecture=replace(
            stored.architecture,
            framework=model.architecture.framework,
            construction=model.architecture.construction,
            placement=model.architecture.placement,
        ),
    )
    added = [name for name in named.ties if name not in checkpoint.ties]
    shapes = {name: named.entries[name].shape for name in mismatched if name not in added}
    tied = tuple(name for name in added if name not in mismatched)
    return Completed(tree, tuple(missing), tuple(unexpected), shapes, tied)


def _mismatch(names: list[str], checkpoint: ParameterTree, model: ParameterTree) -> ShapeError:
    shapes = [
        f"{name} has shape {list(found.shape)}, the model {list(model.entries[name].shape)}"
        for name, found in ((name, checkpoint.entries[name]) for name in names[:2])
    ]
    more = f"; {len(names) - 2} more" if len(names) > 2 else ""
    return ShapeError(f"MISMATCH: {'; '.join(shapes)}{more}").unless(rules=...)
