"""Names of variables in Keras 3's weights files, as `weight.path` gives them.

The groups of such a file are named by class and number, not by layer. The layer's own name is an
attribute of its `vars` group (Keras 3.6 and later) or stands in the archive's config; the names of
the variables follow from the class. What is not told keeps the path under which it is stored.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from paraminspect.arrays import DType, Shape
from paraminspect.checkpoint._keras._classes import (
    CLASSES,
    KERAS2_CLASSES,
    class_of_name,
    variable_names,
)
from paraminspect.checkpoint._keras._config import LayerConfig
from paraminspect.keras_layout import LAYERS, SUBLAYERS, VARS

_INPUT_LAYER = re.compile(r"input_layer(_\d+)?")

_TRAINING = ("optimizer/", "metrics/")
"""Groups beside the model's own that only training needs."""
_SEED_GENERATOR = "/seed_generator/vars/"
"""The state of the random numbers of a Dropout layer."""


def is_training_state(path: str) -> bool:
    """Whether only training needs it: the optimizer's state, metrics, seeds of dropout."""
    return path.startswith(_TRAINING) or _SEED_GENERATOR in path


@dataclass(frozen=True)
class Named:
    """The name of a variable, and the class of its layer where that is known."""

    name: str
    layer: str | None = None


@dataclass
class Layers:
    """The layers of a weights file, by group, and what is known of each."""

    groups: set[str]
    """The groups that have a group of variables; "" is the model itself."""
    names: Mapping[str, str]
    """The names that the file tells."""
    configs: Mapping[str, LayerConfig] = field(default_factory=dict)
    """What the archive's config tells."""
    is_keras2: bool = False
    """tf_keras and Keras 2 name variables by their layer alone."""

    def name_variables(self, variables: Mapping[str, tuple[Shape, DType]]) -> dict[str, Named]:
        """The names of the variables (by path) that have one for certain."""
        named: dict[str, Named] = {}
        for group, paths in variables_by_layer(variables).items():
            named.update(self._name_layer(group, paths, [variables[path] for path in paths]))
        times = Counter(one.name for one in named.values())
        return {
            path: one
            for path, one in named.items()
            if times[one.name] == 1 and one.name not in variables
        }

    def in_order(self, groups: Iterable[str]) -> list[str]:
        """The groups of layers in the order of the config; what it does not tell comes last."""
        place = {group: i for i, group in enumerate(self.configs)}

        def key(group: str) -> tuple[int, int]:
            above, _, attribute = group.rpartition("/")
            if group in place or above not in place:
                return place.get(group, len(place)), 0
            held = list(_held(self.configs[above].class_name))
            attribute = attribute.removeprefix("_")
            return place[above], held.index(attribute) + 1 if attribute in held else len(held) + 1

        return sorted(groups, key=key)

    def _name_layer(
        self, group: str, paths: list[str], variables: list[tuple[Shape, DType]]
    ) -> Iterator[tuple[str, Named]]:
        prefix, class_name = self._full_name(group), self._class(group)
        if prefix is None or class_name is None:
            return
        config = self.configs.get(group) or self.configs.get(group.rpartition("/")[0])
        table = KERAS2_CLASSES if self.is_keras2 else CLASSES
        options = config.options if config else None
        for path, name in zip(
            paths, variable_names(table, class_name, options, variables) or (), strict=False
        ):
            yield path, Named(f"{prefix}{name}", class_name)

    def _full_name(self, group: str) -> str | None:
        """The names of the layers down to this one, each with a slash; None if one is not told.

        The layers of a Functional model exist before it does: they are named without it.
        """
        parts: list[str] = []
        for above in _lineage(group):
            if above not in self.groups:
                continue
            if self._stands_aside(above):
                parts = []
                continue
            name = self.names.get(above) or self._sublayer(above)[0]
            if not name:
                return None
            parts.append(name + "/")
        return "".join(parts)

    def _stands_aside(self, group: str) -> bool:
        config = self.configs.get(group)
        if config is not None:
            return config.is_functional or (self.is_keras2 and config.is_sequential)
        return group in self._functional

    @functools.cached_property
    def _functional(self) -> set[str]:
        """The groups of Functional models: these alone have their inputs among their layers."""
        found = set()
        for group in self.groups:
            above, _, last = group.rpartition("/")
            if _INPUT_LAYER.fullmatch(last) and above.rpartition("/")[2] == LAYERS:
                found.add(above.removesuffix(LAYERS).removesuffix("/"))
        return found

    def _class(self, group: str) -> str | None:
        """The class of a layer: its config's; in a container its group's; or its own name's."""
        if group in self.configs:
            return self.configs[group].class_name
        above, _, last = group.rpartition("/")
        if group and above not in self.groups:
            return class_of_name(last)
        name = self.names.get(group)
        return self._sublayer(group)[1] or (class_of_name(name) if name else None)

    def _sublayer(self, group: str) -> tuple[str, str]:
        """`(name, class)` of a layer that a layer of Keras holds in an attribute; else empty."""
        above, slash, attribute = group.rpartition("/")
        if not slash or above not in self.groups:
            return "", ""
        return _held(self._class(above)).get(attribute.removeprefix("_"), ("", ""))


def _held(class_name: str | None) -> dict[str, tuple[str, str]]:
    """The layers that a layer holds, without underscores, which tf_keras puts before more."""
    held = SUBLAYERS.get(class_name or "", {})
    return {attribute.removeprefix("_"): layer for attribute, layer in held.items()}


def variables_by_layer(paths: Iterable[str]) -> dict[str, list[str]]:
    """The variables of each layer that has all of its own, in order; those of training aside."""
    of_layer: dict[str, dict[int, str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name.isdecimal() and is_vars(folder) and not is_training_state(path):
            of_layer.setdefault(layer_of(folder), {})[int(name)] = path
    return {
        layer: [numbered[number] for number in range(len(numbered))]
        for layer, numbered in of_layer.items()
        if max(numbered) == len(numbered) - 1
    }


def is_vars(group: str) -> bool:
    """Whether a group holds the variables of a layer."""
    return group == VARS or group.endswith("/" + VARS)


def layer_of(group: str) -> str:
    """The group of the layer whose variables a group holds."""
    return group.removesuffix(VARS).removesuffix("/")


def _lineage(group: str) -> Iterator[str]:
    """`""`, `"a"`, `"a/b"` for `"a/b"`."""
    yield ""
    parts = group.split("/") if group else []
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])
