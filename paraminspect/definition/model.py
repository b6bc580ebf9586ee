"""Models: a tree that knows what it computes, with the frameworks' own ways to ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from paraminspect.arrays import Shape
from paraminspect.errors import DTypeError, ShapeError, TieError
from paraminspect.operations.fitting import torn_ties, under_names_of
from paraminspect.tree import Parameter, ParameterTree

if TYPE_CHECKING:
    import numpy as np

    from paraminspect.compute import Computation


@dataclass(frozen=True, eq=False, repr=False)
class Model(ParameterTree):
    """The tree of a definition. With values it computes: `y = net(x)`, `net.gradients(x)`."""

    input: Shape | None = None
    """The shape of one example, where the definition has it."""
    computation: Callable[[], Computation] | None = None
    """Gives what the layers of its framework compute, None where that is not known."""

    def __call__(self, *inputs: Any) -> Any:
        """The output for these inputs, outside of training (batch axis first)."""
        from paraminspect.compute import run

        return run(self, _arrays(inputs))

    def gradients(
        self, *inputs: Any, loss: str = "sum", target: Any = None
    ) -> dict[str, np.ndarray[Any, Any] | None]:
        """The gradient of each array by own name, None where no path reaches it.

        The uses of a tied parameter add up. As in the frameworks, each parameter holds the
        gradient of the last call: `net[2].weight.grad`, None before the first.
        """
        from paraminspect.compute import gradients

        found = gradients(self, _arrays(inputs), loss, _arrays(target)).total
        for name, parameter in self.entries.items():
            parameter.hold_gradient(found.get(self.own_name(name)))
        return dict(found)

    def load(self, values: ParameterTree) -> Model:
        """The model with the values of a checkpoint, which must have every array in its shape.

        A tied array may have any of its names (see `fitting`); under several it must have one
        value. Raises `AddressError`, `ShapeError`,
        `DTypeError` (for codes of quantized weights) and `TieError`.
        """
        values = under_names_of(self, values)
        changed = {own.name: self._found(own, values) for own in self.parameters()}
        for alias, own_name in torn_ties(self, values):
            raise TieError(
                f"{alias!r} and {own_name!r} are one array in the definition, and two in"
                f" {values.source.path} that differ"
            )
        entries = {
            name: replace(p, data=changed[self.own_name(name)].data)
            for name, p in self.entries.items()
        }
        return self.edited(entries)

    def edited(
        self,
        entries: Mapping[str, Parameter],
        ties: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Self:
        """The model that an edit gives: its parameters hold gradients of its own."""
        own = {name: replace(p, grad=None) for name, p in entries.items()}
        return super().edited(own, ties, metadata)

    def _found(self, own: Parameter, values: ParameterTree) -> Parameter:
        if own.name not in values.entries:
            raise values.no_match(own.name)
        given = values.entries[own.name]
        if given.shape != own.shape:
            raise ShapeError(
                f"{own.name!r}: {values.source.path} has shape {list(given.shape)},"
                f" the definition {list(own.shape)}"
            )
        if given.codes is not None:
            error = DTypeError(
                f"{own.name!r}: {values.source.path} has codes of quantized weights"
                f" ({given.codes.what}), not weights"
            )
            raise error.unless(dequantize=True) if given.codes.decodable else error
        return given


def _arrays(given: Any) -> Any:
    """Inputs as NumPy arrays: of lists, and of all that has `__array__`; in tuples too."""
    if isinstance(given, tuple):
        return tuple(map(_arrays, given))
    if isinstance(given, list) or hasattr(given, "__array__"):
        import numpy as np

        return np.asarray(given)
    return given
