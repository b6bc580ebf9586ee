"""Recurrent layers and cells of Gluon; gates are stacked as in cuDNN (i, f, g, o and r, z, n)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._cells import State, gru_step, lstm_step, scan, tanh
from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_last
from paraminspect.compute._run import Part
from paraminspect.errors import ShapeError
from paraminspect.frameworks.mxnet.compute._linear import ACTIVATIONS


def _step(
    kind: str, p: Mapping[str, Any], activation: Callable[[Any], Any], x: Any, state: State
) -> State:
    h = state[0]
    given = np.matmul(x, p["i2h_weight"].T) + p["i2h_bias"]
    kept = np.matmul(h, p["h2h_weight"].T) + p["h2h_bias"]
    if kind == "GRU":
        size = p["h2h_weight"].shape[0] // 3
        return (gru_step(f.split(given, size, -1), f.split(kept, size, -1), h),)
    if kind == "RNN":
        return (activation(given + kept),)
    h, c = lstm_step(given + kept, state[1])
    return (h if p.get("h2r_weight") is None else np.matmul(h, p["h2r_weight"].T), c)


def recurrent(kind: str) -> Compute:
    """`rnn.RNN`, `rnn.LSTM` or `rnn.GRU`; with the states given, they are returned too."""

    def compute(part: Part, x: Any, states: Any = None) -> Any:
        a = part.a
        if x.ndim != 3:
            raise ShapeError(f"expected {', '.join(a.layout)}, got shape {list(x.shape)}")
        steps = x if a.layout == "TNC" else np.swapaxes(x, 0, 1)
        sides = "lr" if a.bidirectional else "l"
        activation = ACTIVATIONS[a.activation] if kind == "RNN" else tanh
        first = _first_states(kind, part, steps, states, len(sides))
        last: list[State] = []
        for number in range(a.num_layers):
            outputs = []
            for side in sides:
                p = _own(part, f"{side}{number}_")
                expect_last(steps, p["i2h_weight"].shape[1], "input_size")
                step = functools.partial(_step, kind, p, activation)
                hidden, final = scan(step, steps, first[len(last)], backwards=side == "r")
                outputs.append(hidden)
                last.append(final)
            steps = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
        y = steps if a.layout == "TNC" else np.swapaxes(steps, 0, 1)
        if states is None:
            return y
        return y, [np.stack(parts) for parts in zip(*last, strict=True)]

    return compute


def _own(part: Part, start: str) -> dict[str, Any]:
    return {name.removeprefix(start): v for name, v in part.p.items() if name.startswith(start)}


def _first_states(kind: str, part: Part, steps: Any, states: Any, sides: int) -> list[State]:
    rows = part.a.num_layers * sides
    if states is not None:
        parts = states if isinstance(states, tuple | list) else (states,)
        return [tuple(part[row] for part in parts) for row in range(rows)]
    out = getattr(part.a, "projection_size", None) or part.a.hidden_size
    widths = (out, part.a.hidden_size) if kind == "LSTM" else (out,)
    return [tuple(numpy.zeros((steps.shape[1], w), steps.dtype) for w in widths)] * rows


def cell(kind: str) -> Compute:
    """`rnn.RNNCell`, `rnn.LSTMCell` or `rnn.GRUCell`: the output and the new states."""

    def compute(part: Part, x: Any, states: Any = None) -> Any:
        expect_last(x, part.p["i2h_weight"].shape[1], "input_size")
        count = 2 if kind == "LSTM" else 1
        zeros = numpy.zeros((*x.shape[:-1], part.a.hidden_size), x.dtype)
        given = (zeros,) * count if states is None else tuple(states)
        activation = ACTIVATIONS[part.a.activation] if kind == "RNN" else tanh
        new = _step(kind, part.p, activation, x, given)
        return new[0], list(new)

    return compute


RECURRENT: dict[str, Compute] = {
    **{kind: recurrent(kind) for kind in ("RNN", "LSTM", "GRU")},
    **{f"{kind}Cell": cell(kind) for kind in ("RNN", "LSTM", "GRU")},
}
"""Layer kind to computation."""
