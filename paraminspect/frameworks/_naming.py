"""Names: from a built model to named parameters, ties and modules.

`name_by_path` names as PyTorch's `state_dict()` does; a framework with other rules has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from paraminspect.arrays import Unset
from paraminspect.errors import DefinitionError
from paraminspect.tree import Module, Parameter
from paraminspect.tree.layers import Built, Layer, Spec

MAXIMUM_LENGTH = 500
"""Characters of a full name."""


@dataclass
class Named:
    """A model with names: parameters in order, aliases (alias to own name) and its structure."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    ties: dict[str, str] = field(default_factory=dict)
    root: Module = field(default_factory=Module)


def parameter_of(name: str, spec: Spec, owner: Layer) -> Parameter:
    """The parameter without values that a layer's `spec` describes, under its full name."""
    if len(name) > MAXIMUM_LENGTH:
        raise DefinitionError(f"a name has at most {MAXIMUM_LENGTH} characters: {name[:40]!r}...")
    return Parameter(
        name=name,
        data=Unset(spec.shape, spec.dtype),
        trainable=spec.trainable,
        layer=owner.kind,
        scheme=spec.scheme,
        fans=spec.fans,
        layout=spec.layout,
        own_scheme=spec.own_scheme,
        frozen=spec.frozen,
    )


def name_by_path(root: Built, separator: str = ".") -> Named:
    """Full name = path of the modules + local name; a layer met again gives aliases."""
    named = Named()
    named.root = _Namer(separator, named).module(root, "", 0)
    return named


@dataclass
class _Namer:
    separator: str
    named: Named
    owners: dict[tuple[int, int, str], str] = field(default_factory=dict)

    def module(self, built: Built, prefix: str, copy: int) -> Module:
        """Name what is below `prefix`. `copy` tells apart the inner layers of copied layers."""
        if built.layer.copied_from is not None:
            copy = built.layer.serial
        own = {}
        for local, spec in built.parameters.items():
            full = prefix + local
            if not local:
                raise DefinitionError("a bare parameter needs a name: write a mapping")
            owner, name = built.owner(local)
            key = (copy, owner.serial, name)
            _add(self.named, full, spec, owner, self.owners.setdefault(key, full))
            own[local] = full
        children = {
            name: self.module(child, f"{prefix}{name}{self.separator}", copy)
            for name, child in built.children.items()
        }
        return Module(own, children, built.layer)


def _add(named: Named, full: str, spec: Spec, owner: Layer, own_name: str) -> None:
    if full in named.parameters:
        raise DefinitionError(f"two parameters would be named {full!r}")
    parameter = parameter_of(full, spec, owner)
    if own_name != full:
        first = named.parameters[own_name]
        if first.shape != parameter.shape:
            raise DefinitionError(
                f"the layer shared by {own_name!r} and {full!r} would have"
                f" shape {list(first.shape)} in one place and {list(parameter.shape)} in the other"
            )
        parameter = replace(parameter, data=first.data)
        named.ties[full] = own_name
    named.parameters[full] = parameter
