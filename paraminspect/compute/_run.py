"""Running: inputs go through the modules of a tree, each layer computing as its framework does."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from paraminspect.compute._bounds import bounded_all
from paraminspect.compute._call import Call, Compute
from paraminspect.compute._promotion import Operators
from paraminspect.errors import DefinitionError, ExpressionError, ShapeError, nearest
from paraminspect.language.forward import in_order
from paraminspect.language.sizes import check_count, check_result, is_array
from paraminspect.tree import Module, ParameterTree
from paraminspect.tree.layers import SEQUENCES, Layer


@functools.cache
def compute_table(framework: str) -> Mapping[str, Compute]:
    """Layer kind to computation, for a framework."""
    table: Mapping[str, Compute] = _module(framework).COMPUTE
    return table


@functools.cache
def language(framework: str) -> tuple[Mapping[str, Callable[..., Any]], Operators]:
    """What may be called in a framework's forwards, and what operators mean there."""
    tables = _module(framework)
    return bounded_all(tables.FUNCTIONS), tables.OPERATORS


def _module(framework: str) -> Any:
    return importlib.import_module(f"paraminspect.frameworks.{framework}.compute")


@dataclass
class Run:
    """One pass through a tree with the given values, keyed by names of the tree.

    `updates` gathers the buffers that training changes (running statistics).
    """

    tree: ParameterTree
    values: Mapping[str, Any]
    training: bool = False
    updates: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *inputs: Any) -> Any:
        """The output of the whole model."""
        return Part(self, self.tree.structure, "")(*inputs)

    @functools.cached_property
    def table(self) -> Mapping[str, Compute]:
        """The computations of the tree's framework."""
        return compute_table(self._framework)

    @functools.cached_property
    def input_names(self) -> tuple[str, ...]:
        """What the framework calls the first input of a layer."""
        names: tuple[str, ...] = _module(self._framework).INPUTS
        return names

    @functools.cached_property
    def of_any_layer(self) -> frozenset[str]:
        """What every call of a layer takes in the framework."""
        return frozenset(getattr(_module(self._framework), "OF_ANY_LAYER", ()))

    @functools.cached_property
    def language(self) -> tuple[Mapping[str, Callable[..., Any]], Operators]:
        """The functions and operators of the tree's framework."""
        return language(self._framework)

    @property
    def _framework(self) -> str:
        if self.tree.framework is None or self.tree.root is None:
            raise ShapeError(f"{self.tree.source}: only a definition tells what a model computes")
        return self.tree.framework


class Part:
    """A module as a function of its inputs; `children` are the parts below it."""

    def __init__(self, run: Run, module: Module, path: str) -> None:
        self._run = run
        self._module = module
        self._path = path

    @functools.cached_property
    def children(self) -> dict[str, Part]:
        """The parts below this one, by name."""
        separator = self._run.tree.separator
        start = f"{self._path}{separator}" if self._path else ""
        return {
            name: Part(self._run, child, start + name)
            for name, child in self._module.children.items()
        }

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        layer = self._module.layer
        if layer is None:
            raise ShapeError(f"{self._path}: nothing tells what this part computes")
        own = set(layer.forward.inputs) if layer.forward else set()
        if named.keys() & self._run.of_any_layer - own:
            return self._told(inputs, named)
        if layer.forward is not None:
            known, operators = self._run.language
            functions: dict[str, Callable[..., Any]] = {**known, **self.children}
            names = {**self.values, "training": self._run.training}
            given = self._in_order(layer.forward.inputs, inputs, named)
            return layer.forward.run(given, names, functions, operators)
        inputs, named = self._first_by_name(inputs, named)
        compute = self._run.table.get(layer.kind)
        if compute is not None:
            return self._computed(compute, inputs, named)
        if layer.kind in SEQUENCES:
            (x,) = self._in_order(("x",), inputs, named)
            for child in self.children.values():
                x = child(x)
            return x
        raise self._unknown(layer)

    def _told(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """With what a call says for this part and all below it: whether it is training."""
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
        name = next((name for name in self._run.input_names if name in named), None)
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

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the layer."""
        return self._module.layer.arguments if self._module.layer else {}

    def _unknown(self, layer: Layer) -> ShapeError:
        if layer.is_module:
            name = f"module {self._path} ({layer})" if self._path else "the model"
            return ShapeError(
                "no forward: its `forward` must be told, or its parts written as a list"
                " (in Keras below `Functional():`), which runs by itself"
            ).at(name)
        ending = nearest(layer.kind, self._run.table)
        message = f"the computation of {layer.kind} is not known{ending}"
        return ShapeError(message).at(self._title())

    @functools.cached_property
    def values(self) -> dict[str, Any]:
        """The values of the layer's own parameters, by local name."""
        values = self._run.values
        return {local: values[full] for local, full in self._module.parameters.items()}

    def _computed(self, compute: Compute, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        layer = self._module.layer
        assert layer is not None
        call = Call(
            SimpleNamespace(**layer.arguments),
            self.values,
            self.children,
            self._run.training,
            self._update,
            self,
        )
        try:
            self._check_output(inputs)
            output = compute(call, *inputs, **named)
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
        """Refuse an output that is too large where the layer can tell its shape beforehand."""
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
        """Tell inputs that the layer does not have from a bug of ours."""
        signature = inspect.signature(compute)
        try:
            signature.bind(None, *inputs, **named)
        except TypeError as error:
            unknown = next((name for name in named if name not in signature.parameters), "")
            ending = nearest(unknown, signature.parameters) if unknown else ""
            raise ShapeError(f"{error}{ending}").at(self._title()) from None

    def _title(self) -> str:
        return f"layer {self._path or '(the whole)'}, {self._module.layer}"

    def _update(self, local: str, value: Any) -> None:
        self._run.updates[self._run.tree.own_name(self._module.parameters[local])] = value
