"""Checkpoints that lack parameters of a model: what is missing, unexpected, of another shape."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from paraminspect.errors import ShapeError
from paraminspect.tree import ParameterTree


@dataclass(frozen=True)
class Completed:
    """A checkpoint with the parameters of a definition that it lacks, which have no values yet."""

    tree: ParameterTree
    missing: tuple[str, ...]
    """Own names that the definition has and the checkpoint lacks."""
    unexpected: tuple[str, ...]
    """Names that the checkpoint has and the definition lacks; they are kept."""
    mismatched: tuple[str, ...]
    """Names whose shapes differ; they are taken from the definition, as missing ones are."""


def complete(
    checkpoint: ParameterTree, model: ParameterTree, redrawn: Container[str] = ()
) -> Completed:
    """The checkpoint completed by a definition, in its order; its ties hold for what is added.

    A shape that differs is a `ShapeError`, unless the parameter is one of those `redrawn` anyway.
    """
    mismatched = [
        name
        for name, parameter in model.entries.items()
        if name in checkpoint.entries and checkpoint.entries[name].shape != parameter.shape
    ]
    refused = [name for name in mismatched if name not in redrawn]
    if refused:
        raise ShapeError(_mismatch(refused, checkpoint, model))
    stored = checkpoint.keep(lambda name: name not in mismatched)
    entries, ties, missing = dict(model.entries), dict(stored.ties), []
    for parameter in model.parameters():
        group = [parameter.name, *model.aliases(parameter.name)]
        found = [name for name in group if name in stored.entries]
        owner = stored.own_name(found[0]) if found else parameter.name
        if not found and owner not in mismatched:
            missing.append(owner)
        for name in group:
            if name in found:
                entries[name] = replace(entries[name], data=stored.entries[name].data)
            elif found:
                entries[name] = replace(entries[name], data=stored.entries[owner].data)
            if name not in found and name != owner:
                ties[name] = owner
    unexpected = {n: p for n, p in stored.entries.items() if n not in model.entries}
    tree = replace(
        stored,
        entries={**entries, **unexpected},
        ties=ties,
        framework=model.framework,
        construction=model.construction,
        layout=model.layout,
    )
    return Completed(tree, tuple(missing), tuple(unexpected), tuple(mismatched))


def _mismatch(names: list[str], checkpoint: ParameterTree, model: ParameterTree) -> str:
    shapes = [
        f"{name} has shape {list(found.shape)}, the model {list(model.entries[name].shape)}"
        for name, found in ((name, checkpoint.entries[name]) for name in names[:2])
    ]
    more = f"; {len(names) - 2} more" if len(names) > 2 else ""
    return f"MISMATCH: {'; '.join(shapes)}{more}: a --rule for it draws it anew"
