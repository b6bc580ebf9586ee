"""Layers: what a framework's layer call stands for, before its parameters have names.

A framework is a table of layer functions. Each is decorated with `layer`, has exactly the
framework's own argument names, order and defaults, and returns how the layer is built once the
shape of its input is known. Shapes are those of one example: the batch axis is left out.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from paraminspect.arrays import DTYPES, DType, Shape, parse_dtype
from paraminspect.errors import DefinitionError, DTypeError, ExpressionError
from paraminspect.expressions import call, format_call, format_value, signature
from paraminspect.forward import Forward

MAXIMUM_SIZE = 2**31 - 1
"""The largest length of an axis."""

Size = int
"""Annotation of a size: an integer from 1 to 2**31 - 1."""
Count = int
"""Annotation of an integer from 0 on."""
Sizes = int | tuple[int, ...]
"""Annotation of a size for each axis: one for all, or a tuple."""
Counts = int | tuple[int, ...]
"""Annotation of integers from 0 on, one for all axes or a tuple."""
Flag = bool
Number = float
Text = str


class Fans(NamedTuple):
    """Inputs that feed one output, and outputs that one input feeds [Glorot 2010]."""

    fan_in: int
    fan_out: int


@dataclass(frozen=True)
class Spec:
    """One parameter of a layer: everything but its name and its values.

    `scheme` is the framework's default, written in the expression language; `overwritten` are those
    that the framework draws before it, only to overwrite them. `layout` says which axes are what:
    `out_in` (`(out, in, *kernel)`), `in_out` (`(*kernel, in, out)`).
    """

    shape: Shape
    scheme: str
    fans: Fans | None = None
    layout: str | None = None
    dtype: DType = DTYPES["float32"]
    trainable: bool = True
    overwritten: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """One drawing while a model is constructed: of `spec.scheme`, for the parameters `names`.

    Several names: the framework draws once and copies. None: it throws the values away.
    """

    names: tuple[str, ...]
    spec: Spec


@dataclass(frozen=True, eq=False)
class Built:
    """A layer whose input shape is known: own parameters and built children, in their order.

    `output` is the shape that the layer gives, None where nobody needs it or can tell. `redrawn`:
    the last draw of every parameter of 2 or more axes below it comes when all is constructed.
    """

    parameters: Mapping[str, Spec] = field(default_factory=dict)
    children: Mapping[str, Built] = field(default_factory=dict)
    output: Shape | None = None
    redrawn: bool = False
    layer: Layer = None  # type: ignore[assignment]  # set by Layer.build, which knows it


Build = Callable[[Shape | None], Built]

_serials = itertools.count()


def next_serial() -> int:
    """A place in the order of construction, after all that were given out before."""
    return next(_serials)


@dataclass(frozen=True, eq=False)
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

    def __str__(self) -> str:
        return self.call or self.kind

    def build(self, shape: Shape | None) -> Built:
        """The layer with its parameters, for an input of `shape` (None: unknown)."""
        made = self.make(shape)
        return replace(made, layer=self)

    def copy(self) -> Layer:
        """A new layer just like this one, as `copy.deepcopy` makes."""
        return Layer(self.kind, self.make, self.arguments, self.call, copied_from=self)


def layer(function: Callable[..., Build]) -> Callable[..., Layer]:
    """Make a layer function: its arguments are checked by their annotations and kept."""
    kind = function.__name__

    @functools.wraps(function)
    def construct(*arguments: Any, **keywords: Any) -> Layer:
        bound = signature(function).bind(*arguments, **keywords)
        bound.apply_defaults()
        check_arguments(function, bound.arguments)
        make = function(*bound.args, **bound.kwargs)
        return Layer(kind, make, bound.arguments, _canonical_call(function, kind, bound.arguments))

    return construct


def construct_layer(
    table: Mapping[str, Callable[..., Layer]],
    kind: str,
    *arguments: Any,
    **keywords: Any,
) -> Layer:
    """A layer of a framework's table, by name."""
    made: Layer = call(table[kind], kind, list(arguments), keywords)
    return made


def fixed(
    parameters: Mapping[str, Spec | None] | None = None,
    children: Mapping[str, Layer | None] | None = None,
    output: Callable[[Shape], Shape] | None = None,
) -> Build:
    """A layer whose parameters do not depend on its input; what is None is left out."""
    own = {name: spec for name, spec in (parameters or {}).items() if spec is not None}

    def build(shape: Shape | None) -> Built:
        below = {
            name: child.build(None) for name, child in (children or {}).items() if child is not None
        }
        known = output is not None and shape is not None
        return Built(own, below, output(shape) if known and output and shape is not None else None)

    return build


def same_shape(shape: Shape) -> Shape:
    """The output shape of a layer that works element by element."""
    return shape


def chained(children: Mapping[str, Layer]) -> Build:
    """Children applied one after the other: the output of each is the input of the next."""

    def build(shape: Shape | None) -> Built:
        built = {}
        for name, child in children.items():
            try:
                built[name] = child.build(shape)
            except (DefinitionError, ExpressionError) as error:
                raise DefinitionError(f"{name}: {error}") from error
            shape = built[name].output
        return Built({}, built, shape)

    return build


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raise `ExpressionError` for an argument that is not what its annotation says."""
    for name, parameter in signature(function).parameters.items():
        annotation = str(parameter.annotation)
        kind, _, other = annotation.partition(" | ")
        value = arguments.get(name)
        if kind not in _CHECKS or (value is None and other == "None"):
            continue
        expected, is_right = _CHECKS[kind]
        values = value if parameter.kind is parameter.VAR_POSITIONAL else (value,)
        for one in values or ():
            if not is_right(one):
                raise ExpressionError(
                    f"{function.__name__}: {name} must be {expected}, got {format_value(one)}"
                )


def _is_integer(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= MAXIMUM_SIZE


def _is_integers(value: Any, least: int) -> bool:
    if isinstance(value, tuple | list):
        return bool(value) and all(_is_integer(item, least) for item in value)
    return _is_integer(value, least)


def _is_dtype(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse_dtype(value))
    except DTypeError:
        return False


_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "Size": (f"an integer from 1 to {MAXIMUM_SIZE}", lambda v: _is_integer(v, 1)),
    "Count": ("an integer from 0 on", lambda v: _is_integer(v, 0)),
    "Sizes": ("an integer from 1 on or a tuple of them", lambda v: _is_integers(v, 1)),
    "Counts": ("an integer from 0 on or a tuple of them", lambda v: _is_integers(v, 0)),
    "Flag": ("True or False", lambda v: isinstance(v, bool)),
    "Number": (
        "a number",
        lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    ),
    "Text": ("a string", lambda v: isinstance(v, str)),
    "TypeName": ("the name of a dtype", _is_dtype),
    "Layer": ("a layer", lambda v: isinstance(v, Layer)),
}

TypeName = str
"""Annotation of a dtype's name."""


def _canonical_call(function: Callable[..., Any], kind: str, arguments: Mapping[str, Any]) -> str:
    """The shortest call that means the same: required arguments by position, others if changed."""
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for name, parameter in signature(function).parameters.items():
        value = arguments.get(name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value or ()
        elif parameter.default is parameter.empty and not keywords:
            positional.append(value)
        elif value != parameter.default or type(value) is not type(parameter.default):
            keywords[name] = value
    return format_call(kind, positional, keywords)
