"""Names of variables in Keras 3's weights files, as `weight.path` gives them.

The groups of such a file are named by class and number, not by layer. The layer's own name is an
attribute of its `vars` group (Keras 3.6 and later) or stands in the archive's config; the names of
the variables follow from the class. What does not follow keeps the path under which it is stored.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from paraminspect.arrays import DType, Shape
from paraminspect.formats.keras._classes import KERAS2_NAMES, class_of_name, mode_of, variable_names
from paraminspect.formats.keras._config import LayerConfig
from paraminspect.formats.keras._vars import Named, variables_by_layer
from paraminspect.frameworks.keras._groups import LAYERS
from paraminspect.frameworks.keras._naming import SIDES
from paraminspect.frameworks.keras._quantized import in_order_of_weights
from paraminspect.frameworks.keras._stored import StoredLayer, stored_layers

_INPUT_LAYER = re.compile(r"input_layer(_\d+)?")


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
    _known: dict[str, list[StoredLayer]] = field(default_factory=dict)

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

    def in_order(self, groups: Iterable[str], places: Mapping[str, int]) -> list[str]:
        """The groups of layers in the order of the model.

        The config tells it; of the layers in the attributes of another, that layer. Keras writes
        the rest of a model in its order too: `places` are those of groups in the file.
        """
        numbers = {group: i for i, group in enumerate(self.configs)}

        def key(group: str) -> list[tuple[int, int]]:
            keys = []
            for above, below in itertools.pairwise(_lineage(group)):
                held = self._held(above)
                attribute = below.rpartition("/")[2].removeprefix("_")
                if below in numbers:
                    keys.append((0, numbers[below]))
                elif attribute in held:
                    keys.append((1, list(held).index(attribute)))
                elif attribute in SIDES:
                    keys.append((1, list(SIDES).index(attribute)))
                else:
                    keys.append((2, places.get(below, 0)))
            return keys

        return sorted(groups, key=key)

    def _name_layer(
        self, group: str, paths: list[str], variables: list[tuple[Shape, DType]]
    ) -> Iterator[tuple[str, Named]]:
        prefix, class_name = self._full_name(group), self._class(group)
        if prefix is None or class_name is None:
            return
        config = self.configs.get(group) or self.configs.get(group.rpartition("/")[0])
        mode = mode_of(config.options) if config else None
        names = variable_names(self._possible(group), variables, mode) or ()
        places = {name: i for i, name in enumerate(in_order_of_weights(names))}
        others = KERAS2_NAMES.get(class_name, {}) if self.is_keras2 else {}
        for path, name in zip(paths, names, strict=False):
            own = others.get(name, name)
            yield path, Named(f"{prefix}{own}", class_name, places[name])

    def _possible(self, group: str) -> list[StoredLayer]:
        """All that the layer of a group can be."""
        if group in self._known:
            return self._known[group]
        config = self.configs.get(group)
        attribute = group.rpartition("/")[2]
        held = [one.held.get(attribute.removeprefix("_")) for one in self._around(group)]
        found = [one for one in held if one is not None]
        if not found:
            class_name = config.class_name if config else self._named_class(group)
            found = [*stored_layers(class_name or "", config.options if config else None)]
        self._known[group] = found
        return found

    def _around(self, group: str) -> list[StoredLayer]:
        """All that the layer can be that has this group's in an attribute."""
        above, slash, _ = group.rpartition("/")
        return self._possible(above) if slash and above in self.groups else []

    def _held(self, group: str) -> dict[str, StoredLayer]:
        """The layers that a layer has in its attributes, in their order."""
        if group not in self.groups:
            return {}
        return {name: layer for one in self._possible(group) for name, layer in one.held.items()}

    def _full_name(self, group: str) -> str | None:
        """The names of the layers down to this one, each with a slash; None if one is unknown.

        The layers of a Functional model exist before it does: they are named without it.
        """
        parts: list[str] = []
        for above in _lineage(group):
            if above not in self.groups:
                continue
            if self._stands_aside(above):
                parts = []
                continue
            name = self.names.get(above) or next((one.name for one in self._possible(above)), "")
            if not name:
                return None
            if not self._is_nameless(above):
                parts.append(name + "/")
        return "".join(parts)

    def _stands_aside(self, group: str) -> bool:
        config = self.configs.get(group)
        if config is not None:
            return config.is_functional or (self.is_keras2 and config.is_sequential)
        return group in self._functional

    def _is_nameless(self, group: str) -> bool:
        """Whether it adds nothing to names: in Keras 2, the layer inside a TimeDistributed."""
        around = self.configs.get(group.rpartition("/")[0])
        return self.is_keras2 and around is not None and around.class_name == "TimeDistributed"

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
        """The class of a layer: its config's, or that of what it can be."""
        if group in self.configs:
            return self.configs[group].class_name
        found = {one.class_name for one in self._possible(group)}
        return found.pop() if len(found) == 1 else None

    def _named_class(self, group: str) -> str | None:
        """The class that a name tells: in a container the group's; elsewhere the layer's own."""
        above, _, last = group.rpartition("/")
        if group and above not in self.groups:
            return class_of_name(last)
        name = self.names.get(group)
        return class_of_name(name) if name else None


def _lineage(group: str) -> Iterator[str]:
    """`""`, `"a"`, `"a/b"` for `"a/b"`."""
    yield ""
    parts = group.split("/") if group else []
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])
