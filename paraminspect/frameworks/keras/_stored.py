"""What Keras' files hold of a layer: found by building the layer as a definition would.

A file numbers the variables of a layer and does not name them. They are those of the layer here,
built with the arguments that a configuration has, else with all that would change them, on an
input of any shape that it takes: so whatever a definition can describe has names in files too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import ParamInspectError
from paraminspect.frameworks.keras._layout import held_layers
from paraminspect.frameworks.keras._modelling import MODELLING
from paraminspect.frameworks.keras._naming import CLASS_NAMES, class_name
from paraminspect.frameworks.keras._quantized import quantized_names
from paraminspect.tree.layers import Built, Layer

_PROBES = (2**10 * 3**3 * 5**2 * 7 * 11, 2**11 * 3**3 * 5**2 * 7 * 11)
"""Sizes for an input of unknown size: most numbers of groups divide them. Where two of them give
one size, the layer alone determines it."""
_MAXIMUM_NDIM = 4

_REQUIRED: dict[str, Any] = {"equation": "ab,bc->ac", "output_shape": 1}
"""Values for arguments that a layer needs where no configuration gives them; 1 for others."""
_ALTERNATIVES: dict[str, tuple[Any, ...]] = {"score_mode": ("dot", "concat"), "bias_axes": ("c",)}
"""Values of arguments that change which variables there are, besides flags."""
_ENDINGS = ("_initializer", "_regularizer", "_constraint")
"""Arguments that change no name and no shape."""


_OPEN_ENDINGS = ("axis", "axes", "equation")
"""Arguments on which it depends how many axes a variable has."""


@dataclass(frozen=True)
class StoredLayer:
    """One possibility for a layer: its variables as a file numbers them, and what it holds."""

    name: str
    """Its own name, where the layer around it gives one; else empty."""
    class_name: str
    names: tuple[str, ...]
    sizes: tuple[tuple[int | None, ...], ...]
    """The axes of each variable; None where the size is not certain."""
    held: Mapping[str, StoredLayer]
    """The layers in its attributes, and their order; attributes without underscores."""
    has_open_axes: bool
    """Whether arguments or the input determine how many axes a variable has."""

    def agrees(self, shape: Shape) -> bool:
        """Whether the first variable can be of a shape."""
        if self.has_open_axes or not self.sizes:
            return True
        sizes = self.sizes[0]
        return len(sizes) == len(shape) and all(
            size in (None, length) for size, length in zip(sizes, shape, strict=True)
        )

    def possible_names(self, modes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """The variables in each of these modes of quantization; without one, those of floats."""
        if not modes:
            yield self.names
        for mode in modes:
            yield from quantized_names(self.names, mode)


def stored_layers(class_: str, options: Mapping[str, Any] | None) -> tuple[StoredLayer, ...]:
    """All that a layer of a class can be, as far as its options are known; none if we know none.

    `options` are those of a configuration, whose values are JSON; None: there is none.
    """
    kind = _kind(class_)
    if kind not in MODELLING.layers:
        return ()
    if options is not None:
        found = _stored(kind, _told(kind, options))
        if found is not None:
            return (found,)
        flags = {name: value for name, value in _told(kind, options).items() if value in (0, 1)}
        return _possible(kind, tuple(sorted(flags.items())))
    return _possible(kind, ())


def _kind(class_: str) -> str:
    """The name under which Keras exports a class."""
    return next((kind for kind, name in CLASS_NAMES.items() if name == class_), class_)


def _told(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {}
    for name in inspect.signature(MODELLING.layers[kind]).parameters:
        value = options.get(name)
        if value is None or isinstance(value, dict) or name.endswith(_ENDINGS):
            continue
        if name not in ("activation", "recurrent_activation", "dtype", "name"):
            given[name] = tuple(value) if isinstance(value, list) else value
    if options.get("rms_scaling") is True:  # LayerNormalization's, which has gamma alone
        given |= {"scale": True, "center": False}
    return given


@functools.cache
def _possible(kind: str, given: tuple[tuple[str, Any], ...]) -> tuple[StoredLayer, ...]:
    """Every combination of arguments that makes a difference, tried out."""
    signature = inspect.signature(MODELLING.layers[kind])
    known = {
        name: _REQUIRED.get(name, 1)
        for name, p in signature.parameters.items()
        if p.default is p.empty
    } | dict(given)
    usual = _stored(kind, known)
    if usual is None:
        return ()
    choices = []
    for name, parameter in signature.parameters.items():
        other = _ALTERNATIVES.get(name, ())
        if parameter.annotation == "Flag":
            other = (not parameter.default,)
        changed = [_stored(kind, {**known, name: value}) for value in other if name not in known]
        if any(one is not None and not _alike(one, usual) for one in changed):
            choices.append([(name, value) for value in (parameter.default, *other)])
    found = [_stored(kind, {**known, **dict(chosen)}) for chosen in product(*choices)]
    return tuple(_without_sizes(one) for one in found if one is not None)


def _without_sizes(layer: StoredLayer) -> StoredLayer:
    """The layer whose sizes are unknown."""
    sizes = tuple((None,) * len(shape) for shape in layer.sizes)
    held = {attribute: _without_sizes(one) for attribute, one in layer.held.items()}
    return replace(layer, sizes=sizes, held=held)


def _alike(one: StoredLayer, other: StoredLayer) -> bool:
    return (
        one.names == other.names
        and one.held.keys() == other.held.keys()
        and all(_alike(one.held[attribute], other.held[attribute]) for attribute in one.held)
    )


def _stored(kind: str, arguments: Mapping[str, Any]) -> StoredLayer | None:
    """The layer as it is stored; None for one that cannot be built."""
    for ndim in range(1, _MAXIMUM_NDIM + 1):
        try:
            layer: Layer = MODELLING.layers[kind](**arguments)
            one, other = (layer.build((size,) * ndim) for size in _PROBES)
        except ParamInspectError:
            continue
        names = inspect.signature(MODELLING.layers[kind]).parameters
        return _described(one, other, any(name.endswith(_OPEN_ENDINGS) for name in names))
    return None


def _described(one: Built, other: Built, has_open_axes: bool) -> StoredLayer:
    # Keras adds the low-rank update of a layer (LoRA) to its kernel when it saves it.
    names = [name for name in one.parameters if not name.startswith("lora_")]
    pairs = [(one.parameters[name].shape, other.parameters[name].shape) for name in names]
    sizes = [tuple(a if a == b else None for a, b in zip(*p, strict=True)) for p in pairs]
    inside = zip(held_layers(one), held_layers(other), strict=True)
    held = {
        # Keras 2 writes an underscore before more of them.
        attribute.removeprefix("_"): _described(child, again, has_open_axes)
        for (attribute, child), (_, again) in inside
    }
    name, class_ = one.layer.name or "", class_name(one.layer)
    return StoredLayer(name, class_, tuple(names), tuple(sizes), held, has_open_axes)
