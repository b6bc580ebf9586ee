"""Recurrent layers and cells."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._cells import State, gru_step, lstm_step, scan, tanh
from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_last
from paraminspect.compute._run import Part
from paraminspect.errors import ShapeError


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    y = np.matmul(x, weight.T)
    return y if bias is None else y + bias


def _step(kind: str, p: Mapping[str, Any], nonlinearity: str, x: Any, state: State) -> State:
    """One step of a cell; gates are stacked as torch stacks them (i, f, g, o and r, z, n)."""
    h = state[0]
    given = _affine(x, p["weight_ih"], p.get("bias_ih"))
    kept = _affine(h, p["weight_hh"], p.get("bias_hh"))
    if kind == "GRU":
        size = p["weight_hh"].shape[0] // 3
        return (gru_step(f.split(given, size, -1), f.split(kept, size, -1), h),)
    if kind == "RNN":
        return ((tanh if nonlinearity == "tanh" else f.relu)(given + kept),)
    h, c = lstm_step(given + kept, state[1])
    return (h if p.get("weight_hr") is None else np.matmul(h, p["weight_hr"].T), c)


def recurrent(kind: str) -> Compute:
    """`nn.RNN`, `nn.LSTM` or `nn.GRU`: the outputs and the last state, as torch returns them."""

    def compute(part: Part, x: Any, hx: Any = None) -> Any:
        a = part.a
        expect_last(x, a.input_size, "input_size")
        if x.ndim != 3:
            axes = "batch, length" if a.batch_first else "length, batch"
            raise ShapeError(f"expected ({axes}, {a.input_size}), got shape {list(x.shape)}")
        steps = np.swapaxes(x, 0, 1) if a.batch_first else x
        nonlinearity = getattr(a, "nonlinearity", "tanh")
        ends = ("", "_reverse") if a.bidirectional else ("",)
        first = _first_state(kind, part, steps, hx, len(ends))
        last: list[State] = []
        for number in range(a.num_layers):
            outputs = []
            for direction, end in enumerate(ends):
                p = _own(part, f"_l{number}{end}")
                given = first[len(last)]
                step = functools.partial(_step, kind, p, nonlinearity)
                hidden, final = scan(step, steps, given, backwards=bool(direction))
                outputs.append(hidden)
                last.append(final)
            steps = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
        y = np.swapaxes(steps, 0, 1) if a.batch_first else steps
        stacked = tuple(np.stack(parts) for parts in zip(*last, strict=True))
        return y, (stacked if kind == "LSTM" else stacked[0])

    return compute


def _own(part: Part, end: str) -> dict[str, Any]:
    return {name.removesuffix(end): v for name, v in part.p.items() if name.endswith(end)}


def _first_state(kind: str, part: Part, steps: Any, state: Any, directions: int) -> list[State]:
    a = part.a
    rows = a.num_layers * directions
    if state is not None:
        parts = state if kind == "LSTM" else (state,)
        return [tuple(part[row] for part in parts) for row in range(rows)]
    out = getattr(a, "proj_size", 0) or a.hidden_size
    widths = (out, a.hidden_size) if kind == "LSTM" else (out,)
    zeros = tuple(numpy.zeros((steps.shape[1], w), steps.dtype) for w in widths)
    return [zeros] * rows


def cell(kind: str) -> Compute:
    """`nn.RNNCell`, `nn.LSTMCell` or `nn.GRUCell`."""

    def compute(part: Part, x: Any, hx: Any = None) -> Any:
        size = part.a.input_size
        expect_last(x, size, "input_size")
        if x.ndim > 2:
            raise ShapeError(f"expected (batch, {size}) or ({size}), got shape {list(x.shape)}")
        if hx is None:
            zeros = numpy.zeros((*x.shape[:-1], part.a.hidden_size), x.dtype)
            hx = (zeros, zeros) if kind == "LSTM" else zeros
        given = tuple(hx) if kind == "LSTM" else (hx,)
        new = _step(kind, part.p, getattr(part.a, "nonlinearity", "tanh"), x, given)
        return new if kind == "LSTM" else new[0]

    return compute


RECURRENT: dict[str, Compute] = {
    **{kind: recurrent(kind) for kind in ("RNN", "LSTM", "GRU")},
    **{f"{kind}Cell": cell(kind) for kind in ("RNN", "LSTM", "GRU")},
}
"""Layer kind to computation."""
