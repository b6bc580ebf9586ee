"""Cells: one step of a recurrent layer, and a walk through a sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np

from paraminspect.compute._functions import sigmoid, split

State = tuple[Any, ...]
"""`(h,)`, or `(h, c)` of an LSTM."""
Activation = Callable[[Any], Any]


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return np.tanh(x)


def lstm_step(
    gates: Any, c: Any, activation: Activation = tanh, recurrent: Activation = sigmoid
) -> State:
    """`(h, c)` from the four stacked gates i, f, g, o before their activations.

    [Hochreiter & Schmidhuber 1997, with the forget gate of Gers 2000.]
    """
    i, forget, g, o = split(gates, gates.shape[-1] // 4, -1)
    c = recurrent(forget) * c + recurrent(i) * activation(g)
    return recurrent(o) * activation(c), c


def gru_step(
    given: Sequence[Any],
    kept: Sequence[Any],
    h: Any,
    activation: Activation = tanh,
    recurrent: Activation = sigmoid,
) -> Any:
    """H from the parts r, z, n of what the input gives and of what the state keeps.

    The reset gate is applied after the product with the state, as cuDNN does [Cho 2014].
    """
    r, z = (recurrent(a + b) for a, b in zip(given[:2], kept[:2], strict=True))
    n = activation(given[2] + r * kept[2])
    return (1 - z) * n + z * h


def scan(
    step: Callable[[Any, State], State], steps: Any, state: State, backwards: bool = False
) -> tuple[Any, State]:
    """Outputs `(length, batch, size)` and the last state of a walk along axis 0 of `steps`."""
    order = range(steps.shape[0])
    hidden = []
    for i in reversed(order) if backwards else order:
        state = step(steps[i], state)
        hidden.append(state[0])
    return np.stack(hidden[::-1] if backwards else hidden), state
