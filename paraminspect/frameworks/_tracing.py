"""Shapes through a forward: it is run without values, to learn what reaches each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.language.forward import Forward
from paraminspect.tree.layers import BuildError, Built, Layer, Parts, UnknownInputError

Join = Callable[[Layer, Sequence[Shape]], Layer]
"""A layer that is called with several inputs, as one that is built without any."""


class Traced:
    """A value of which the shape is known, without its batch; None: not even that."""

    def __init__(self, shape: Shape | None) -> None:
        self.shape = shape

    @property
    def fed(self) -> Shape | None:
        """The shape without a batch when it is the input of a layer."""
        return self.shape

    def unpacked(self, count: int) -> list[Traced]:
        """As several values: what a layer gives first is what its shape is of."""
        return [self, *[Traced(None)] * (count - 1)]

    def _with(self, other: Any) -> Traced:
        return _broadcast(self, other)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _with
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _with
    __pow__ = __rpow__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _with
    __lt__ = __le__ = __gt__ = __ge__ = _with

    def __neg__(self) -> Traced:
        return self

    __pos__ = __invert__ = __neg__

    def __matmul__(self, other: Any) -> Traced:
        return Traced(None)

    __rmatmul__ = __getitem__ = __matmul__

    def __bool__(self) -> bool:
        # What a loop repeats keeps the shape, else it could not be repeated: it is left out.
        return False


class TracedParameter(Traced):
    """A bare parameter: its first axis is a batch only to a layer that gets it as its input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(None)
        self._whole = shape

    @property
    def fed(self) -> Shape | None:
        """All axes but the first."""
        return self._whole[1:]


def _broadcast(*values: Any) -> Traced:
    """The shape of what is computed element by element from values and numbers."""
    merged: Shape = ()
    for value in values:
        shape = value.shape if isinstance(value, Traced) else ()
        if shape is None:
            return Traced(None)
        ahead = merged[: max(0, len(merged) - len(shape))] or shape[: len(shape) - len(merged)]
        pairs = zip(reversed(merged), reversed(shape), strict=False)
        sizes = [(m, n) for m, n in pairs]
        if any(m != n and 1 not in (m, n) for m, n in sizes):
            raise ExpressionError(f"shapes {list(merged)} and {list(shape)} do not fit")
        merged = (*ahead, *reversed([n if m == 1 else m for m, n in sizes]))
    return Traced(merged)


Rule = Callable[..., Traced]
"""What a function of a forward does to shapes."""


def _like_the_first(*arguments: Any, **named: Any) -> Traced:
    first = next(iter((*arguments, *named.values())), None)
    return first if isinstance(first, Traced) else Traced(None)


def _of_all(*arguments: Any, **named: Any) -> Traced:
    return _broadcast(*arguments, *named.values())


def _joined(values: Any, axis: Any) -> Traced:
    """Concatenated along an axis that counts the batch."""
    shapes = [value.shape if isinstance(value, Traced) else None for value in values]
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes) or len({len(shape) for shape in known}) != 1:
        return Traced(None)
    place = axis % (len(known[0]) + 1) - 1 if isinstance(axis, int) else -1
    if place < 0:
        return Traced(None)
    for shape in known:
        if shape[:place] + shape[place + 1 :] != known[0][:place] + known[0][place + 1 :]:
            raise ExpressionError(f"{list(known[0])} and {list(shape)} differ beside axis {axis}")
    length = sum(shape[place] for shape in known)
    return Traced((*known[0][:place], length, *known[0][place + 1 :]))


def _not_known(*_: Any, **__: Any) -> Traced:
    return Traced(None)


OURS: dict[str, Rule] = {
    "attend": _like_the_first,
    **dict.fromkeys(("shape", "causal_mask"), _not_known),
}
"""The functions that are the same in all frameworks."""


def rules(
    alike: Sequence[str], together: Sequence[str], others: Sequence[str], joints: Mapping[str, Rule]
) -> dict[str, Rule]:
    """The rules of a framework's functions, by their names.

    What is `alike` gives the shape of its first argument, what is computed `together` that to
    which all broadcast; `joints` have rules of their own (see `joint`), the `others` none.
    """
    return {
        **dict.fromkeys(alike, _like_the_first),
        **dict.fromkeys(together, _of_all),
        **dict.fromkeys(others, _not_known),
        **joints,
        **OURS,
    }


def joint(arrays: str, axis: str) -> Rule:
    """The rule of a function that joins the list `arrays` along an `axis`, 0 by default."""

    def join(*arguments: Any, **named: Any) -> Traced:
        given = dict(zip((arrays, axis), arguments, strict=False)) | named
        return _joined(given.get(arrays, ()), given.get(axis, 0))

    return join


def joint_of_several(axis: str, default: int) -> Rule:
    """The rule of a function that joins all its arguments along an `axis`."""
    return lambda *arrays, **named: _joined(arrays, named.get(axis, default))


INPUT_NAMES = ("input", "inputs", "sequences", "query", "value", "key")
"""What frameworks call the inputs of a layer, in their order; what else has a name is none."""


class _Stopped(Exception):  # noqa: N818 (it only carries an error)
    """A part cannot be built: the error passes through the forward as it is."""

    def __init__(self, error: BuildError) -> None:
        self.error = error


def one_input(layer: Layer, shapes: Sequence[Shape]) -> Layer:
    """A `Join` where no layer takes several inputs, or none that this framework describes."""
    raise DefinitionError(f"{layer} takes one input, got {len(shapes)}")


@dataclass(frozen=True)
class TracedModule:
    """How a module with a forward is built: its children get what the forward gives them.

    They stand in their own order, each built for its first use. `rules` say what the functions of
    the framework do to shapes. `bare` are the shapes of bare parameters, which have names too.
    """

    forward: Forward
    children: Mapping[str, Layer]
    rules: Mapping[str, Rule]
    bare: Mapping[str, Shape] = field(default_factory=dict)
    join: Join = one_input

    def __call__(self, shape: Shape | None) -> Built:
        """Built for inputs that all have this shape."""
        return self.on([shape] * len(self.forward.inputs))

    def on(self, shapes: Sequence[Shape | None]) -> Built:
        """Built for inputs of these shapes."""
        parts = Parts()
        functions = {**self.rules, **{name: self._use(name, parts) for name in self.children}}
        bare = {name: TracedParameter(shape) for name, shape in self.bare.items()}
        inputs = [Traced(shape) for shape in shapes]
        try:
            result = self.forward.run(inputs, {"training": False, **bare}, functions)
        except _Stopped as stopped:
            if None not in shapes and isinstance(stopped.error, UnknownInputError):
                stopped.error.explain("the forward of its module does not determine it")
            raise stopped.error from None
        for name in self.children.keys() - parts.built.keys():
            _add_unused(parts, name, self.children[name])
        built = {name: parts.built[name] for name in self.children}
        return Built({}, built, result.shape if isinstance(result, Traced) else None)

    def _use(self, name: str, parts: Parts) -> Callable[..., Traced]:
        def called(*inputs: Any, **named: Any) -> Traced:
            inputs = (*inputs, *(named[key] for key in INPUT_NAMES if key in named))
            try:
                return Traced(_built(parts, name, self.children[name], inputs, self.join).output)
            except BuildError as error:
                raise _Stopped(error) from error

        return called


def _built(parts: Parts, name: str, child: Layer, inputs: Sequence[Any], join: Join) -> Built:
    several = inputs[0] if inputs and isinstance(inputs[0], list | tuple) else inputs
    shapes = [one.fed if isinstance(one, Traced) else None for one in several]
    known = [shape for shape in shapes if shape is not None]
    if len(shapes) > 1:
        if len(known) < len(shapes):
            raise UnknownInputError(child.kind)
        child, known = join(child, known), []
    reached = known[0] if known else None
    return child.build(reached) if name in parts.built else parts.add(name, child, reached)


def _add_unused(parts: Parts, name: str, child: Layer) -> None:
    try:
        parts.add(name, child, None)
    except UnknownInputError as error:
        error.explain("the forward of its module does not call it")
        raise
