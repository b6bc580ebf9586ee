"""Gradients: outputs, losses and what a backward pass gives, for a definition with values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import autograd
import numpy as np
from autograd.extend import Box
from autograd.util import toposort

from paraminspect.compute._functions import plain
from paraminspect.compute._losses import LOSSES, NEED_TARGET
from paraminspect.compute._run import Computable, Run
from paraminspect.errors import DTypeError, ParamInspectError, ShapeError, nearest

Arrays = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Gradients:
    """What a forward and backward pass gives.

    `by_use` has the gradient of every name, `total` that of every array by own name: the sum over
    its names. A parameter that no path reaches has None.
    """

    output: Any
    loss: float
    total: Mapping[str, np.ndarray[Any, Any] | None]
    by_use: Mapping[str, np.ndarray[Any, Any] | None]
    updates: Arrays


def load_values(tree: Computable, dtype: str = "float32") -> dict[str, np.ndarray[Any, Any]]:
    """The values of every array by own name, floats in `dtype` (`float32` or `float64`)."""
    if dtype not in ("float32", "float64"):
        raise DTypeError(f"computing knows float32 and float64, got {dtype}")
    values = {}
    for parameter in tree.parameters():
        array = parameter.numpy()
        is_float = parameter.dtype.name.startswith(("float", "bfloat"))
        values[parameter.name] = array.astype(dtype, copy=False) if is_float else array
    return values


def run(tree: Computable, inputs: Sequence[Any], values: Arrays | None = None) -> Any:
    """The output for these inputs, outside of training. `values` are keyed by own names."""
    own = load_values(tree) if values is None else values
    with _quiet():
        return Run(tree, _by_name(tree, own))(*inputs)


def gradients(
    tree: Computable,
    inputs: Sequence[Any],
    loss: str = "sum",
    target: Any = None,
    values: Arrays | None = None,
    training: bool = False,
) -> Gradients:
    """Output, loss and the gradient of each parameter; the uses of a tied one add up."""
    function = _loss(loss, target)
    by_name = _by_name(tree, load_values(tree) if values is None else values)
    trained = {
        name: by_name[name]
        for name, p in tree.entries.items()
        if p.trainable is not False and by_name[name].dtype.kind == "f"
    }
    kept: dict[str, Any] = {}

    def evaluate(leaves: Mapping[str, Any]) -> Any:
        boxes = {name: leaves[name] for name in trained}
        pass_ = Run(tree, {**by_name, **boxes}, training)
        kept["output"] = output = pass_(*inputs)
        kept["updates"] = pass_.updates
        if not hasattr(output, "shape"):
            raise ShapeError("the model gives several outputs: its `forward` must end in one")
        value = function(output, target)
        kept["reached"] = _reached(value, boxes)
        return value

    with _quiet():
        backward, value = autograd.make_vjp(evaluate)(trained)
        if np.shape(value) != ():
            raise ShapeError(f"the loss must be one number, got shape {list(np.shape(value))}")
        found = backward(np.ones((), np.asarray(value).dtype))
        by_use = {name: found[name] if name in kept["reached"] else None for name in trained}
        total = _totals(tree, by_use)
    return Gradients(plain(kept["output"]), float(value), total, by_use, kept["updates"])


@contextmanager
def _quiet() -> Iterator[None]:
    """As in the frameworks, infinities and NaN are values; and a loss may depend on nothing."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent of input")
        yield


def _reached(value: Any, boxes: Mapping[str, Any]) -> set[str]:
    """The names that a path leads to from the loss: autograd itself gives the others zeros."""
    if not isinstance(value, Box):
        return set()
    nodes = set(map(id, toposort(value._node)))
    return {name for name, box in boxes.items() if id(box._node) in nodes}


def _by_name(tree: Computable, own: Arrays) -> dict[str, Any]:
    return {name: own[tree.own_name(name)] for name in tree.entries}


def _loss(name: str, target: Any) -> Any:
    if name not in LOSSES:
        known = ", ".join(LOSSES)
        raise ParamInspectError(f"unknown loss {name!r}, known are {known}{nearest(name, LOSSES)}")
    if name in NEED_TARGET and target is None:
        raise ParamInspectError(f"the loss {name} needs a target")
    return LOSSES[name]


def _totals(tree: Computable, by_use: Mapping[str, Any]) -> dict[str, Any]:
    totals: dict[str, Any] = {}
    for name, gradient in by_use.items():
        own = tree.own_name(name)
        known = totals.get(own)
        totals[own] = known if gradient is None else gradient if known is None else known + gradient
    return totals
