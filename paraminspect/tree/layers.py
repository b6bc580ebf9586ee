"""Layers: what a framework's layer call stands for, before its parameters have names.

A layer is constructed once and built when the shape of its input is known (or None, where it is
not): building gives its parameters. Shapes are those of one example: the batch axis is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from paraminspect.arrays import DTYPES, DType, Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.language.forward import Forward
from paraminspect.tree.lengths import UNKNOWN

MAXIMUM_SIZE = 2**31 - 1
"""The largest length of an axis."""

MAXIMUM_PARTS = 300_000
"""Layers and parameters that a model may have."""


class Fans(NamedTuple):
    """Inputs that feed one output, and outputs that one input feeds [Glorot 2010]."""

    fan_in: int
    fan_out: int


@dataclass(frozen=True, slots=True)
class Spec:
    """One parameter of a layer: everything but its name and its values.

    `scheme` is the framework's default, written in the expression language; `overwritten` are those
    that the framework draws before it, only to overwrite them. `layout` says which axes are what:
    `out_in` (`(out, in, *kernel)`), `in_out` (`(*kernel, in, out)`). `own_scheme`: the call of the
    layer names the scheme, and one for the whole model does not reach it. `frozen`: it is not
    trained because its layer says so; what else is not `trainable` is a buffer.
    """

    shape: Shape
    scheme: str
    fans: Fans | None = None
    layout: str | None = None
    dtype: DType = DTYPES["float32"]
    trainable: bool = True
    overwritten: tuple[str, ...] = ()
    own_scheme: bool = False
    frozen: bool = False


@dataclass(frozen=True)
class Drawn:
    """One drawing while a model is constructed: of `spec.scheme`, for the parameters `names`.

    Several names: the framework draws once and copies. None: it throws the values away.
    `seed` is what it begins with, where the framework gives each draw a seed (see `Draw`).
    """

    names: tuple[str, ...]
    spec: Spec
    seed: Seed | None = None


class BuildError(DefinitionError):
    """A layer cannot be built for the input that reaches it.

    `layers` are the layer and those around it, `names` those of the parts, innermost first.
    """

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason, place)
        self.reason = reason
        self.layers: list[Layer] = []
        self.names: list[str] = []

    @property
    def message(self) -> str:
        """The reason, after the names of the parts around it."""
        return ": ".join(filter(None, (".".join(reversed(self.names)), self.reason)))


class UnknownInputError(BuildError):
    """A layer takes its sizes from its input, whose shape is not known."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} needs the shape of its input")
        self.is_explained = False

    def explain(self, why: str) -> None:
        """Say why the shape is not known; the first to know is right."""
        if not self.is_explained:
            self.reason += f": {why}"
            self.is_explained = True


_turns = itertools.count()


@dataclass(frozen=True, eq=False, slots=True)
class Built:
    """A layer whose input shape is known: own parameters and built children, in their order.

    `output` is the shape that the layer gives, None where the layer cannot tell. `bare` are the
    layers that stand for parameters of its own. `redrawn`: the last draw of every parameter of 2
    or more axes below it comes when all is constructed. `turn` grows in the order of building.
    """

    parameters: Mapping[str, Spec] = field(default_factory=dict)
    children: Mapping[str, Built] = field(default_factory=dict)
    output: Shape | None = None
    bare: Mapping[str, Layer] = field(default_factory=dict)
    redrawn: bool = False
    layer: Layer = None  # type: ignore[assignment]  # set by Layer.build, which knows it
    turn: int = field(default_factory=lambda: next(_turns))
    size: int = field(init=False)
    """How many layers and parameters it holds, itself included."""

    def __post_init__(self) -> None:
        size = 1 + len(self.parameters) + sum(child.size for child in self.children.values())
        object.__setattr__(self, "size", size)

    def owner(self, local: str) -> tuple[Layer, str]:
        """The layer whose parameter it is, and its name there: shared layers share both."""
        return (self.bare[local], "") if local in self.bare else (self.layer, local)


Build = Callable[[Shape | None], Built]

_serials = itertools.count()


def next_serial() -> int:
    """A place in the order of construction, after all that were given out before."""
    return next(_serials)


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """One layer object, constructed once. Used in two places it is shared: equality is identity.

    `serial` grows in the order of construction, on which frameworks' counters and random numbers
    depend; only its order means anything. `copied_from` is the layer that a framework deep-copied.
    `name` is the one that its place gives it (a mapping's key, a repetition's `name`), which is of
    use to frameworks that name layers and not places.
    `forward` is what a module of a definition does with its input, where that is told.
    """

    kind: str
    make: Build
    arguments: Mapping[str, Any] = field(default_factory=dict)
    call: str = ""
    copied_from: Layer | None = None
    name: str | None = None
    forward: Forward | None = None
    serial: int = field(default_factory=next_serial)
    _built: dict[Shape | None, Built] = field(default_factory=dict, init=False, repr=False)
    size: int = field(init=False)
    """Layers that it is made of, itself included, as far as that is known before it is built."""

    def __post_init__(self) -> None:
        given = (value for value in self.arguments.values() if isinstance(value, Layer))
        size = max(getattr(self.make, "size", 1), 1 + sum(layer.size for layer in given))
        if size > MAXIMUM_PARTS:
            raise DefinitionError(f"{self.kind} is made of more than {MAXIMUM_PARTS} layers")
        object.__setattr__(self, "size", size)

    def __str__(self) -> str:
        return self.call or self.kind

    @property
    def is_module(self) -> bool:
        """Whether it is a module of the user's own, which computes what its forward says."""
        return not self.call or self.call.startswith(("Block(", "HybridBlock("))

    def build(self, shape: Shape | None) -> Built:
        """The layer with its parameters, for an input of `shape` (None: unknown).

        What was built once is given again: shared containers in one another would take long.
        """
        if shape in self._built:
            return self._built[shape]
        try:
            made = self.make(shape)
        except BuildError as error:
            error.layers.append(self)
            raise
        except (DefinitionError, ExpressionError) as error:
            located = BuildError(error.message, error.place)
            located.layers.append(self)
            raise located from error
        if any(size is UNKNOWN for spec in made.parameters.values() for size in spec.shape):
            lacking = UnknownInputError(self.kind)
            lacking.explain("a size that it takes is null")
            lacking.layers.append(self)
            raise lacking
        built = Built(made.parameters, made.children, made.output, made.bare, made.redrawn, self)
        self._built[shape] = built
        return built

    def copy(self) -> Layer:
        """A new layer just like this one, as `copy.deepcopy` makes."""
        return Layer(self.kind, self.make, self.arguments, self.call, copied_from=self)


def fixed(
    parameters: Mapping[str, Spec | None] | None = None,
    children: Mapping[str, Layer | None] | None = None,
    output: Callable[[Shape], Shape | None] | None = None,
) -> Build:
    """A layer whose parameters do not depend on its input; what is None is left out."""
    own = {name: spec for name, spec in (parameters or {}).items() if spec is not None}
    below = {name: child for name, child in (children or {}).items() if child is not None}

    def build(shape: Shape | None) -> Built:
        parts = Parts()
        for name, child in below.items():
            parts.add(name, child, None)
        known = output(shape) if output is not None and shape is not None else None
        return Built(own, parts.built, known)

    return _Sized(build, below)


class _Sized:
    """`build`, with the number of layers that it makes: doubled forty times it must not start."""

    def __init__(self, build: Build, children: Mapping[str, Layer]) -> None:
        self._build = build
        self.size = 1 + sum(child.size for child in children.values())

    def __call__(self, shape: Shape | None) -> Built:
        return self._build(shape)


def same_shape(shape: Shape) -> Shape:
    """The output shape of a layer that works element by element."""
    return shape


def chained(children: Mapping[str, Layer]) -> Build:
    """Children applied one after the other: the output of each is the input of the next."""

    def build(shape: Shape | None) -> Built:
        parts = Parts()
        lost = ""
        for name, child in children.items():
            try:
                output = parts.add(name, child, shape).output
            except UnknownInputError as error:
                if lost:
                    error.explain(lost)
                raise
            if shape is not None and output is None:
                lost = f"it is not known after {name}: {child}"
            shape = output
        return Built({}, parts.built, shape)

    return _Sized(build, children)


@dataclass
class Parts:
    """Built children by name, refused before there are too many to hold."""

    built: dict[str, Built] = field(default_factory=dict)
    size: int = 0

    def add(self, name: str, child: Layer, shape: Shape | None) -> Built:
        """Build a child for the shape of its input and keep it."""
        try:
            part = child.build(shape)
        except BuildError as error:
            error.names.append(name)
            raise
        self.size += part.size
        if self.size > MAXIMUM_PARTS:
            raise DefinitionError(f"more layers and parameters than the limit of {MAXIMUM_PARTS}")
        self.built[name] = part
        return part


@dataclass(frozen=True, eq=False)
class Seed:
    """What a framework begins several draws with alike, as it does for one initializer object.

    `given` is what the definition says, None where it is taken from the generator at first use.
    """

    given: int | None = None
