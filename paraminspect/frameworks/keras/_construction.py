"""What constructing a Keras model draws, in order: each initializer takes a seed when it is made.

A layer makes its initializers when it is constructed, and a seed for dropout and the like; the
layers inside of attention, and initializers that Keras chooses itself, are made when the layer is
built. A functional model calls, and so builds, each layer as soon as it is constructed; a
`Sequential`, and a layer with layers inside, constructs them all before the first is built.
A rule stands for an initializer that the layer was given; it changes nothing that is thrown away.
Source: `keras.src.layers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from paraminspect.errors import SchemeError
from paraminspect.frameworks._initializer import Initializer
from paraminspect.frameworks._modelling import Construction
from paraminspect.frameworks._tracing import TracedModule
from paraminspect.frameworks.keras._initializers import initializer_of
from paraminspect.frameworks.keras._naming import knows_its_input
from paraminspect.frameworks.keras.layers._attention import MULTI_HEAD
from paraminspect.frameworks.keras.layers._containers import BRANCHES, is_branches, is_functional
from paraminspect.frameworks.keras.layers._declare import Initialized
from paraminspect.tree import Module
from paraminspect.tree.layers import Built, Drawn, Layer, Seed, Spec

SEED_FIRST = ("SimpleRNN", "ConvLSTM")
"""Beginnings of layers that take their seed for dropout before their initializers."""

NOISY = {
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianDropout"), "rate"),
    **dict.fromkeys((f"SpatialDropout{n}D" for n in (1, 2, 3)), "rate"),
    **dict.fromkeys(("Attention", "AdditiveAttention"), "dropout"),
    "GaussianNoise": "stddev",
}
"""Layers that take a seed for themselves if this argument is over 0."""

AUGMENTING = {
    **{f"Random{what}": 1 for what in ("Brightness", "Contrast", "Flip", "Rotation")},
    **{f"Random{what}": 1 for what in ("Translation", "Zoom")},
    "RandomCrop": 2,  # one that it keeps, and one of its generator
}
"""Layers that change images at random, and how many seeds each takes."""

_SEED = "seed"
"""Among the arguments that hold initializers: the seed that a layer takes for itself."""

_TAKEN = Spec((), "uniform")
"""Stands for whatever takes a seed and gives no weight."""

When = tuple[int, bool, int]
"""Sorts draws: what was constructed last, whether something was being built, and in which turn."""

Weights = Mapping[str, list[tuple[str, Spec]]]
"""Names and specs of the weights that each argument of a layer initializes."""


def construct(construction: Construction) -> list[Drawn]:
    """Everything that takes a seed; `SchemeError` where values come from elsewhere."""
    walk = _Walk(construction)
    walk.call(construction.built, construction.root, 0)
    walk.throw_away()
    return [drawn for _, drawn in sorted(walk.found, key=lambda one: one[0])]


@dataclass
class _Walk:
    """Goes through the layers in the order of their calls, each once; `found` is not sorted yet."""

    construction: Construction
    found: list[tuple[When, Drawn]] = field(default_factory=list)
    _met: set[tuple[int, int]] = field(default_factory=set)
    _originals: dict[int, Layer] = field(default_factory=dict)

    def call(self, built: Built, module: Module, now: int, copy: int = 0) -> int:
        """Call a layer after `now` was constructed; returns what was constructed before the next.

        `copy` is the serial of the copied layer that it is inside of, 0 if of none.
        """
        if _calls_in_turn(built):
            for child, below in _parts(built, module):
                now = self.call(child, below, now, copy)
            return now
        layer = built.layer
        copy = layer.serial if layer.copied_from else copy
        if BRANCHES in built.children:
            now = self.call(built.children[BRANCHES], module.children[BRANCHES], now, copy)
        now = max(now, _last(built))
        if (copy, layer.serial) not in self._met:
            self._met.add((copy, layer.serial))
            self._construct(built, module, copy)
            self._build(built, module, now, copy)
        return now

    def _construct(self, built: Built, module: Module, copy: int) -> None:
        layer = built.layer
        if layer.arguments.get("weights") is not None:
            raise SchemeError(f"{layer}: the values of `weights` are not known: leave it out")
        if layer.kind == "Bidirectional":
            self._originals[layer.arguments["layer"].serial] = layer.arguments["layer"]
        if "cell" not in built.children:  # which the layer hands its arguments to
            when = (copy or layer.serial, False, 0)
            order = _constructor(layer.kind, layer.arguments)
            self._initialize(when, order, layer.arguments, _weights(built, module), bool(copy))

    def _build(self, built: Built, module: Module, now: int, copy: int) -> None:
        when = (now, True, built.turn)
        for child, below in _parts(built, module):
            if is_branches(child):
                continue
            if built.layer.kind in MULTI_HEAD:
                order = _projection(child.layer, built.layer.arguments)
                weights = _weights(child, below)
                self._initialize(when, order, built.layer.arguments, weights, configured=True)
            else:
                by_itself = is_functional(child.layer) or knows_its_input(child)
                self.call(child, below, 0 if by_itself else now, copy)
        for name, spec in _named(built, module):
            if not isinstance(spec, Initialized) or not built.layer.arguments[spec.argument]:
                self._draw(when, name, spec)
            elif spec.clone:
                made = initializer_of(spec.argument, built.layer.arguments[spec.argument])
                self._draw(when, name, spec, _configured(made))

    def throw_away(self) -> None:
        """What layers draw of which `Bidirectional` makes copies, by their configuration."""
        met = {serial for copy, serial in self._met if not copy}
        waiting = list(self._originals.values())
        while waiting:
            layer = waiting.pop()
            if layer.serial not in met:
                met.add(layer.serial)
                order = _constructor(layer.kind, layer.arguments)
                self._initialize((layer.serial, False, 0), order, layer.arguments, {})
                waiting += _cells(layer)

    def _initialize(
        self,
        when: When,
        order: Iterable[str],
        arguments: Mapping[str, Any],
        weights: Weights,
        configured: bool = False,
    ) -> None:
        """Make initializers; one that was written as a call was made then, unless `configured`.

        From a configuration a new one is made, of which only the seed that was given is the same.
        """
        for argument in order:
            if argument == _SEED:
                self.found.append((when, Drawn((), _TAKEN)))
                continue
            made = initializer_of(argument, arguments[argument])
            seed, since = _configured(made), when
            if isinstance(arguments[argument], Initializer) and not configured:
                seed, since = made.seed, (made.serial, False, 0)
            for name, spec in weights.get(argument, ()):
                self._draw(when, name, spec, seed, since)
            if argument not in weights and seed is not None:
                self.found.append((since, Drawn((), _TAKEN, seed)))

    def _draw(
        self,
        when: When,
        name: str,
        spec: Spec,
        seed: Seed | None = None,
        since: When | None = None,
    ) -> None:
        owner = self.construction.owners.get(name)
        rule = self.construction.rules.get(owner or name)
        names = (owner,) if owner else ()
        if rule is not None:
            self.found.append((when, Drawn(names, replace(spec, scheme=rule))))
        else:
            self.found.append((since or when, Drawn(names, spec, seed)))


def _configured(initializer: Initializer) -> Seed | None:
    """The seed of one that is made by the configuration of another."""
    return initializer.seed and Seed(initializer.seed.given)


def _calls_in_turn(built: Built) -> bool:
    """Whether its parts are called as they are constructed: all but where a forward calls them."""
    in_turn = is_functional(built.layer) or is_branches(built)
    return in_turn and not isinstance(built.layer.make, TracedModule)


def _parts(built: Built, module: Module) -> Iterator[tuple[Built, Module]]:
    return zip(built.children.values(), module.children.values(), strict=True)


def _named(built: Built, module: Module) -> Iterator[tuple[str, Spec]]:
    return zip(module.parameters.values(), built.parameters.values(), strict=True)


def _weights(built: Built, module: Module) -> Weights:
    found: dict[str, list[tuple[str, Spec]]] = {}
    for name, spec in _named(built, module):
        if isinstance(spec, Initialized) and not spec.clone:
            found.setdefault(spec.argument, []).append((name, spec))
    return found


def _last(built: Built) -> int:
    """What was constructed last of a layer and all inside of it, before it is built."""
    inside = built.children
    if built.layer.kind in MULTI_HEAD:
        inside = {name: child for name, child in inside.items() if name == BRANCHES}
    return max(built.layer.serial, *map(_last, inside.values()), 0)


def _cells(layer: Layer) -> list[Layer]:
    cells = layer.arguments.get("cell", layer.arguments.get("cells", ()))
    return [cells] if isinstance(cells, Layer) else list(cells)


def _constructor(kind: str, arguments: Mapping[str, Any]) -> list[str]:
    """What the constructor of a layer makes: arguments with initializers, and its own seeds."""
    made = [name for name in arguments if name.endswith("_initializer") and arguments[name]]
    own = [_SEED] * _own_seeds(kind, arguments)
    return [*own, *made] if kind.startswith(SEED_FIRST) else [*made, *own]


def _own_seeds(kind: str, arguments: Mapping[str, Any]) -> int:
    if arguments.get("seed") is not None:
        return 0
    if kind in NOISY:
        return int(arguments[NOISY[kind]] > 0)
    return 1 if "recurrent_initializer" in arguments else AUGMENTING.get(kind, 0)


def _projection(layer: Layer, arguments: Mapping[str, Any]) -> list[str]:
    """What an attention makes before a projection; the dropout comes before the last of them."""
    dropout = layer.name == "attention_output" and arguments["dropout"] > 0
    own = [_SEED] if dropout and arguments["seed"] is None else []
    return [*own, "kernel_initializer", "bias_initializer"]
