"""Training: steps of an optimizer, each on the next batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paraminspect.compute._gradients import Arrays, Gradients, gradients
from paraminspect.compute._optimizers import State, Update
from paraminspect.compute._run import Computable
from paraminspect.errors import ParamInspectError

WAY_OUT = "a smaller learning rate may help"


@dataclass(frozen=True)
class Step:
    """One step of training: what the pass before it gave, and the values after it, by own name."""

    number: int
    found: Gradients
    values: Arrays


def train(
    tree: Computable,
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
    """Refuse a last step that is not finite: earlier ones show in the loss of the next."""
    for name, value in values.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ParamInspectError(f"{name} is not finite after step {number}: {WAY_OUT}")
