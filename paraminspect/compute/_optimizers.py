"""Optimizers: how a step moves one array, as the single-tensor code of `torch.optim` does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from paraminspect.errors import ParamInspectError

State = dict[str, Any]

Update = Callable[[State, Any, Any, int], Any]
"""From a parameter's state, value, gradient and the number of the step (from 1 on) to its value."""


def sgd(
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
) -> Update:
    """`torch.optim.SGD`: v = momentum * v + g, w -= lr * v [Sutskever 2013, as torch has it]."""
    if nesterov and (not momentum or dampening):
        raise ParamInspectError("Nesterov momentum needs a momentum and no dampening")

    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        gradient = _decayed(gradient, value, weight_decay)
        if momentum:
            before = state.get("velocity")
            velocity = (
                gradient if before is None else _plus(momentum * before, 1 - dampening, gradient)
            )
            state["velocity"] = velocity
            gradient = _plus(gradient, momentum, velocity) if nesterov else velocity
        return _plus(value, -lr, gradient)

    return update


def adam(
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
) -> Update:
    """`torch.optim.Adam` [Kingma & Ba 2015, algorithm 1]; `amsgrad` [Reddi 2018, algorithm 2]."""
    step = _adam_step(lr, betas, eps, amsgrad)

    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        return step(state, value, _decayed(gradient, value, weight_decay), number)

    return update


def adamw(
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
) -> Update:
    """`torch.optim.AdamW`: the weights decay apart from the gradient [Loshchilov & Hutter 2019]."""
    step = _adam_step(lr, betas, eps, amsgrad)

    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        return step(state, value * (1 - lr * weight_decay), gradient, number)

    return update


def _adam_step(lr: float, betas: tuple[float, float], eps: float, amsgrad: bool) -> Update:
    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        first = _towards(state.get("first", np.zeros_like(value)), gradient, 1 - betas[0])
        second = _squares(state, gradient, betas[1])
        state["first"] = first
        if amsgrad:
            second = state["largest"] = np.maximum(state.get("largest", second), second)
        root = np.sqrt(second) / (1 - betas[1] ** number) ** 0.5 + eps
        return value + -lr / (1 - betas[0] ** number) * first / root

    return update


def rmsprop(
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
) -> Update:
    """`torch.optim.RMSprop` [Hinton 2012]; `centered` by the variance [Graves 2013, eq. 40]."""

    def update(state: State, value: Any, gradient: Any, number: int) -> Any:
        gradient = _decayed(gradient, value, weight_decay)
        second = _squares(state, gradient, alpha)
        if centered:
            mean = _towards(state.get("first", np.zeros_like(value)), gradient, 1 - alpha)
            state["first"] = mean
            second = second - mean * mean
        root = np.sqrt(second) + eps
        if not momentum:
            return value + -lr * gradient / root
        state["velocity"] = momentum * state.get("velocity", 0.0) + gradient / root
        return _plus(value, -lr, state["velocity"])

    return update


def _decayed(gradient: Any, value: Any, weight_decay: float) -> Any:
    """The gradient of a loss to which half of `weight_decay` times the squared values is added."""
    return _plus(gradient, weight_decay, value) if weight_decay else gradient


def _squares(state: State, gradient: Any, kept: float) -> Any:
    """The running mean of the squared gradients, of which a part `kept` stays at each step."""
    state["second"] = kept * state.get("second", 0.0) + (1 - kept) * gradient * gradient
    return state["second"]


def _towards(start: Any, end: Any, weight: float) -> Any:
    """`torch.lerp`, which counts from the nearer end."""
    if weight < 0.5:
        return start + weight * (end - start)
    return end - (end - start) * (1 - weight)


def _plus(value: Any, factor: float, change: Any) -> Any:
    """`value + factor * change`; float32 is rounded once, as torch's `add(change, alpha=factor)`.

    A product of two float32 is exact in float64. What torch fuses in float64 would need more.
    """
    if value.dtype != np.float32:
        return value + factor * change
    return (value + np.float64(np.float32(factor)) * change).astype(np.float32)


OPTIMIZERS: dict[str, Callable[..., Update]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adamw,
    "rmsprop": rmsprop,
}
"""Optimizers by name; each takes a learning rate and the arguments of its class in torch."""
