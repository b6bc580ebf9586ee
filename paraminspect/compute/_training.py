"""Training: plain gradient descent, with momentum, and Adam, as `torch.optim` steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.compute._gradients import Arrays, Gradients, gradients
from paraminspect.errors import ParamInspectError
from paraminspect.tree import ParameterTree

State = dict[str, Any]
WAY_OUT = "a smaller learning rate may help"

Update = Callable[[State, Any, Any, int], Any]
"""From a parameter's state, value, gradient and the number of the step (from 1 on) to its value."""


@dataclass(frozen=True)
class Step:
    """One step of training: what the pass before it gave, and the values after it, by own name."""

    number: int
    found: Gradients
    values: Arrays


def sgd(lr: float, momentum: float = 0.0) -> Update:
    """`torch.optim.SGD`: v = momentum * v + g, w -= lr * v [Sutskever 2013, as torch has it]."""

    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        if momentum:
            before = state.get("velocity")
            gradient = gradient if before is None else momentum * before + gradient
            state["velocity"] = gradient
        return _less(value, lr, gradient)

    return update


def _less(value: Any, factor: float, change: Any) -> Any:
    """`value - factor * change`; float32 is rounded once, as torch's `add_(change, alpha=-factor)`.

    A product of two float32 is exact in float64. What torch fuses in float64 would need more.
    """
    if value.dtype != np.float32:
        return value - factor * change
    return (value - np.float64(np.float32(factor)) * change).astype(np.float32)


def adam(lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Update:
    """`torch.optim.Adam` [Kingma & Ba 2015, algorithm 1]."""

    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        first = beta1 * state.get("first", 0.0) + (1 - beta1) * gradient
        second = beta2 * state.get("second", 0.0) + (1 - beta2) * gradient * gradient
        state["first"], state["second"] = first, second
        root = np.sqrt(second) / (1 - beta2**number) ** 0.5 + eps
        return value - lr / (1 - beta1**number) * first / root

    return update


def train(
    tree: ParameterTree,
    batches: Sequence[tuple[Sequence[Any], Any]],
    loss: str,
    update: Update,
    steps: int,
    values: Mapping[str, Any],
) -> Iterator[Step]:
    """Steps, one at a time, each on the next batch `(inputs, target)`, round and round.

    A tied array is stepped once, by the sum of the gradients of its uses.
    """
    values = dict(values)
    states: dict[str, State] = {}
    for number in range(1, steps + 1):
        inputs, target = batches[(number - 1) % len(batches)]
        found = gradients(tree, inputs, loss, target, values, training=True)
        if not math.isfinite(found.loss):
            raise ParamInspectError(f"the loss is {found.loss} at step {number}: {WAY_OUT}")
        with np.errstate(all="ignore"):
            for name, slope in found.total.items():
                if slope is not None:
                    values[name] = update(states.setdefault(name, {}), values[name], slope, number)
        values.update(found.updates)
        if number == steps:
            _check_finite({name: values[name] for name in found.total}, number)
        yield Step(number, found, dict(values))


def _check_finite(values: Arrays, number: int) -> None:
    """Of the last step: those before it show in the loss of the next one."""
    for name, value in values.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ParamInspectError(f"{name} is not finite after step {number}: {WAY_OUT}")
