"""Running: inputs go through the modules of a tree, each layer computing as its framework does."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

from paraminspect.compute._computation import Computation, Compute
from paraminspect.errors import DefinitionError, ExpressionError, ShapeError, nearest
from paraminspect.language.forward import in_order
from paraminspect.language.sizes import check_count, check_result, is_array
from paraminspect.tree import Architecture, Module, Parameter, Source
from paraminspect.tree.layers import Layer


class Computable(Protocol):
    """A tree that knows what its layers compute: that of a definition, whose framework gives it."""

    @property
    def computation(self) -> Callable[[], Computation] | None:
        """Gives the computation of its framework, None where that is not known."""

    @property
    def source(self) -> Source:
        """Where it came from."""

    @property
    def architecture(self) -> Architecture:
        """How it is made."""

    @property
    def structure(self) -> Module:
        """Its modules."""

    @property
    def entries(self) -> Mapping[str, Parameter]:
        """Its parameters, aliases included."""

    def own_name(self, name: str) -> str:
        """The name under which an array is stored."""

    def parameters(self) -> list[Parameter]:
        """Each array once."""


@dataclass
class Run:
    """One pass through a tree with the given values, keyed by names of the tree.

    `updates` gathers the buffers that training changes (running statistics).
    """

    tree: Computable
    values: Mapping[str, Any]
    training: bool = False
    updates: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *inputs: Any) -> Any:
        """The output of the whole model."""
        return Part(self, self.tree.structure, "")(*inputs)

    @functools.cached_property
    def computation(self) -> Computation:
        """What the tree's framework computes."""
        if self.tree.computation is None:
            raise ShapeError("what the layers of its framework compute is not known").at(
                self.tree.source.path
            )
        return self.tree.computation()


class Part:
    """A module as a function of its inputs: what the computation of its layer is given.

    `a` has the layer's arguments as attributes, `p` the values of its own parameters by local
    name; `children` are the parts below it.
    """

    def __init__(self, run: Run, module: Module, path: str) -> None:
        self._run = run
        self._module = module
        self._path = path

    @functools.cached_property
    def children(self) -> dict[str, Part]:
        """The parts below this one, by name."""
        separator = self._run.tree.architecture.separator
        start = f"{self._path}{separator}" if self._path else ""
        return {
            name: Part(self._run, child, start + name)
            for name, child in self._module.children.items()
        }

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        layer, computation = self._module.layer, self._run.computation
        if layer is None:
            raise ShapeError(f"{self._path}: nothing says what this part computes")
        own = set(layer.forward.inputs) if layer.forward else set()
        if named.keys() & computation.of_any_layer - own:
            return self._with_call_arguments(inputs, named)
        if layer.forward is not None:
            functions: dict[str, Callable[..., Any]] = {
                **computation.bounded_functions,
                **self.children,
            }
            names = {**self.p, "training": self.training}
            given = self._in_order(layer.forward.inputs, inputs, named)
            return layer.forward.run(given, names, functions, computation.operators)
        inputs, named = self._first_by_name(inputs, named)
        compute = computation.layers.get(layer.kind)
        if compute is not None:
            return self._computed(compute, inputs, named)
        if layer.kind in computation.sequences:
            (x,) = self._in_order(("x",), inputs, named)
            for child in self.children.values():
                x = child(x)
            return x
        raise self._unknown(layer)

    def _with_call_arguments(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Run with what a call of a layer says for all below it too: whether it is training."""
        if named.pop("mask", None) is not None:
            raise ShapeError("a mask is not computed here: leave it out").at(self._title())
        training = named.pop("training", None)
        if training not in (None, False, True):
            raise ShapeError("training must be True, False or None").at(self._title())
        run = self._run if training is None else replace(self._run, training=bool(training))
        return Part(run, self._module, self._path)(*inputs, **named)

    def _first_by_name(
        self, inputs: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The first input may come under the name that the framework gives it."""
        name = next((name for name in self._run.computation.input_names if name in named), None)
        if inputs or name is None:
            return inputs, named
        return (named[name],), {key: value for key, value in named.items() if key != name}

    def _in_order(
        self, names: Sequence[str], inputs: tuple[Any, ...], named: Mapping[str, Any]
    ) -> list[Any]:
        """The inputs as a part with these names for them takes them."""
        try:
            return in_order(names, inputs, named)
        except ExpressionError as error:
            raise ShapeError(error.message).at(self._title()) from None

    @property
    def kind(self) -> str:
        """The class of the layer."""
        return self._module.kind

    @functools.cached_property
    def a(self) -> SimpleNamespace:
        """The arguments of the layer."""
        return SimpleNamespace(**(self._module.layer.arguments if self._module.layer else {}))

    @functools.cached_property
    def p(self) -> dict[str, Any]:
        """The values of the layer's own parameters, by local name."""
        values = self._run.values
        return {local: values[full] for local, full in self._module.parameters.items()}

    @property
    def training(self) -> bool:
        """Whether it runs as in training."""
        return self._run.training

    def update(self, local: str, value: Any) -> None:
        """Keep the value that a buffer has after this run."""
        self._run.updates[self._run.tree.own_name(self._module.parameters[local])] = value

    def _unknown(self, layer: Layer) -> ShapeError:
        if layer.is_module:
            name = f"module {self._path} ({layer})" if self._path else "the model"
            return ShapeError(
                "no forward: write its `forward`, or its parts as a list"
                " (in Keras below `Functional():`), which runs by itself"
            ).at(name)
        ending = nearest(layer.kind, self._run.computation.layers)
        message = f"the computation of {layer.kind} is not known{ending}"
        return ShapeError(message).at(self._title())

    def _computed(self, compute: Compute, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        try:
            self._check_output(inputs)
            output = compute(self, *inputs, **named)
            check_result(output)
        except (ShapeError, ExpressionError) as error:
            if error.is_located:
                raise
            raise ShapeError(error.message).at(self._title()) from None
        except (ValueError, IndexError) as error:
            shapes = ", ".join(str(list(x.shape)) for x in inputs if hasattr(x, "shape"))
            message = f"{self._title()} cannot take an input of shape {shapes}"
            raise ShapeError(str(error)).at(message) from error
        except TypeError:
            self._check_inputs(compute, inputs, named)
            raise
        return output

    def _check_output(self, inputs: tuple[Any, ...]) -> None:
        """Refuse an output that is too large where the layer knows its shape beforehand."""
        if len(inputs) != 1 or not is_array(inputs[0]) or not inputs[0].shape:
            return
        batch, *shape = inputs[0].shape
        layer = self._module.layer
        try:
            output = layer.build(tuple(shape)).output if layer else None
        except (DefinitionError, ExpressionError):
            return  # the computation says better what is wrong
        check_count(batch * math.prod(output) if output else 0)

    def _check_inputs(self, compute: Compute, inputs: tuple[Any, ...], named: Any) -> None:
        """Refuse inputs that the layer does not have; any other `TypeError` is a bug of ours."""
        signature = inspect.signature(compute)
        try:
            signature.bind(None, *inputs, **named)
        except TypeError as error:
            unknown = next((name for name in named if name not in signature.parameters), "")
            ending = nearest(unknown, signature.parameters) if unknown else ""
            raise ShapeError(f"{error}{ending}").at(self._title()) from None

    def _title(self) -> str:
        return f"layer {self._path or '(the whole)'}, {self._module.layer}"
