"""Recurrent layers: a cell walks along axis 1. Gates are stacked (LSTM i, f, c, o; GRU z, r, h)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._cells import State, lstm_step
from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_last
from paraminspect.compute._layout import along, channels_first
from paraminspect.compute._run import Part
from paraminspect.compute._windows import convolve
from paraminspect.errors import ShapeError
from paraminspect.frameworks._inputs import per_axis
from paraminspect.frameworks.keras.compute._activations import activation_of
from paraminspect.frameworks.keras.compute._convolution import same_pairs, weight_of

Step = Callable[[Any, State], State]
"""From an input and a state to the next state, whose first part is the output."""


def _simple(a: SimpleNamespace, p: Any, x: Any, state: State) -> State:
    total = np.matmul(x, p["kernel"]) + np.matmul(state[0], p["recurrent_kernel"])
    total = total + p["bias"] if "bias" in p else total
    return (activation_of(a.activation)(total),)


def _lstm(a: SimpleNamespace, p: Any, x: Any, state: State) -> State:
    total = np.matmul(x, p["kernel"]) + np.matmul(state[0], p["recurrent_kernel"])
    total = total + p["bias"] if "bias" in p else total
    activations = activation_of(a.activation), activation_of(a.recurrent_activation)
    return lstm_step(total, state[1], *activations)


def _gru(a: SimpleNamespace, p: Any, x: Any, state: State) -> State:
    """With `reset_after` the reset gate is applied behind the product, else before it."""
    h, units = state[0], p["recurrent_kernel"].shape[0]
    activation, recurrent = activation_of(a.activation), activation_of(a.recurrent_activation)
    bias = p.get("bias")
    given = np.matmul(x, p["kernel"])
    if bias is not None:
        given = given + (bias[0] if a.reset_after else bias)
    z, r, n = f.split(given, units, -1)
    if a.reset_after:
        kept = np.matmul(h, p["recurrent_kernel"])
        kept_z, kept_r, kept_n = f.split(kept if bias is None else kept + bias[1], units, -1)
        z, r = recurrent(z + kept_z), recurrent(r + kept_r)
        n = activation(n + r * kept_n)
    else:
        to_z, to_r, to_n = f.split(p["recurrent_kernel"], units, -1)
        z, r = recurrent(z + np.matmul(h, to_z)), recurrent(r + np.matmul(h, to_r))
        n = activation(n + np.matmul(r * h, to_n))
    return (z * h + (1 - z) * n,)


STEPS = {"SimpleRNNCell": _simple, "LSTMCell": _lstm, "GRUCell": _gru}
STATES = {"SimpleRNNCell": 1, "LSTMCell": 2, "GRUCell": 1}


def _step_of(cell: Part, arguments: SimpleNamespace | None) -> tuple[Step, State]:
    """How a cell steps, and its first state; inner cells take their layer's arguments."""
    if cell.kind == "StackedRNNCells":
        return _stacked([_step_of(child, None) for child in cell.children.values()])
    a = arguments or cell.a
    if a.dropout or a.recurrent_dropout:
        raise ShapeError("dropout inside a recurrent layer is not computed")
    step, p = STEPS[cell.kind], cell.p
    zeros = numpy.zeros((1, p["recurrent_kernel"].shape[0]), p["kernel"].dtype)

    def checked(x: Any, state: State) -> State:
        expect_last(x, p["kernel"].shape[0], "features")
        return step(a, p, x, state)

    return checked, (zeros,) * STATES[cell.kind]


def _stacked(cells: list[tuple[Step, State]]) -> tuple[Step, State]:
    """Cells above one another: the state is theirs in turn, behind the output of the last."""

    def step(x: Any, state: State) -> State:
        after: list[Any] = []
        at = 1
        for below, first in cells:
            new = below(x, state[at : at + len(first)])
            x, at = new[0], at + len(first)
            after += new
        return (x, *after)

    states = [part for _, first in cells for part in first]
    return step, (states[-1], *states)


def walk(
    step: Step, first: State, x: Any, backwards: bool, return_sequences: bool
) -> tuple[Any, State]:
    """The outputs in the order in which they were made, or the last one; and the last state."""
    state, hidden = first, []
    order = range(x.shape[1])
    for i in reversed(order) if backwards else order:
        state = step(x[:, i], state)
        hidden.append(state[0])
    return (np.stack(hidden, axis=1) if return_sequences else hidden[-1]), state


def _walked(layer: Part, x: Any, backwards: bool, initial_state: Any = None) -> tuple[Any, State]:
    a = layer.a
    (cell,) = layer.children.values()
    if cell.kind == "ConvLSTMCell":
        step, first = _convolutional(a, cell, x)
    else:
        step, first = _step_of(cell, None if layer.kind == "RNN" else a)
        first = tuple(s + numpy.zeros((x.shape[0], 1), s.dtype) for s in first)
    if initial_state is not None:
        given = initial_state if isinstance(initial_state, tuple | list) else (initial_state,)
        if [s.shape for s in given] != [s.shape for s in first]:
            shapes = ", ".join(str(list(s.shape)) for s in first)
            raise ShapeError(f"expected an initial_state of shape {shapes}")
        first = tuple(given)
    return walk(step, first, x, backwards, a.return_sequences)


def recurrent(part: Part, x: Any, initial_state: Any = None) -> Any:
    """`SimpleRNN`, `LSTM`, `GRU`, `RNN`, `ConvLSTM`; with `return_state` the states too."""
    y, state = _walked(part, x, part.a.go_backwards, initial_state)
    return (y, *state) if part.a.return_state else y


def cell(part: Part, x: Any, states: Any = None) -> Any:
    """A cell by itself: the output and the new states."""
    step, first = _step_of(part, None)
    if states is None:
        given = tuple(s + numpy.zeros((x.shape[0], 1), s.dtype) for s in first)
    else:
        given = tuple(states) if isinstance(states, tuple | list) else (states,)
    new = step(x, given)
    return new[0], list(new)


def _convolutional(a: SimpleNamespace, cell: Part, x: Any) -> tuple[Step, State]:
    """[Shi 2015, without peepholes]: the products of an LSTM as convolutions."""
    p = cell.p
    given, kept = weight_of(p["kernel"]), weight_of(p["recurrent_kernel"])
    ndim = given.ndim - 2
    ones = (1,) * ndim
    strides, dilation = (
        per_axis(a.strides, ndim, "strides"),
        per_axis(a.dilation_rate, ndim, "dilation_rate"),
    )
    last = a.data_format != "channels_first"
    activations = activation_of(a.activation), activation_of(a.recurrent_activation)

    def of_input(x: Any) -> Any:
        pairs = [(0, 0)] * ndim
        if a.padding == "same":
            pairs = list(same_pairs(x.shape[2:], given.shape[2:], strides, dilation))
        y = convolve(x, given, strides, pairs, dilation)
        return y + along(p["bias"], 1, y.ndim) if "bias" in p else y

    def of_state(h: Any) -> Any:
        return convolve(h, kept, ones, same_pairs(h.shape[2:], kept.shape[2:], ones, ones), ones)

    def step(x: Any, state: State) -> State:
        total = channels_first(of_input, x, last) + channels_first(of_state, state[0], last)
        if last:
            return lstm_step(total, state[1], *activations)
        moved = lstm_step(np.moveaxis(total, 1, -1), np.moveaxis(state[1], 1, -1), *activations)
        return tuple(np.moveaxis(part, -1, 1) for part in moved)

    made = f.plain(channels_first(of_input, x[:, 0], last)).shape
    channel = -1 if last else 1
    sizes = list(made)
    sizes[channel] //= 4
    return step, (numpy.zeros(sizes, p["kernel"].dtype),) * 2


def bidirectional(part: Part, x: Any, initial_state: Any = None) -> Any:
    """`Bidirectional`: a layer and its copy that walks the other way, merged.

    `initial_state` holds the states of the one, then those of the other.
    """
    forward, backward = part.children.values()
    states: tuple[Any, Any] = (None, None)
    if initial_state is not None:
        if not isinstance(initial_state, tuple | list) or len(initial_state) % 2:
            raise ShapeError("initial_state must list the states of both directions")
        half = len(initial_state) // 2
        states = initial_state[:half], initial_state[half:]
    one, after_one = _walked(forward, x, bool(forward.a.go_backwards), states[0])
    other, after_other = _walked(backward, x, not forward.a.go_backwards, states[1])
    if forward.a.return_sequences:
        other = other[:, ::-1]
    y = _merged(one, other, part.a.merge_mode)
    if not forward.a.return_state:
        return y
    return (*(y if isinstance(y, tuple) else (y,)), *after_one, *after_other)


def _merged(one: Any, other: Any, mode: str | None) -> Any:
    match mode:
        case "concat":
            return np.concatenate([one, other], axis=-1)
        case "sum":
            return one + other
        case "ave":
            return (one + other) / 2
        case "mul":
            return one * other
    return one, other


def _has_statistics(part: Part) -> bool:
    return "moving_mean" in part.p or any(map(_has_statistics, part.children.values()))


def time_distributed(part: Part, x: Any) -> Any:
    """`TimeDistributed`: the layer applied to every step."""
    (inner,) = part.children.values()
    if part.training and _has_statistics(inner):
        raise ShapeError("in training the statistics of every step are not computed")
    y = inner(np.reshape(x, (-1, *x.shape[2:])))
    return np.reshape(y, (*x.shape[:2], *y.shape[1:]))


RECURRENT: dict[str, Compute] = {
    **dict.fromkeys(
        ("RNN", "SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), recurrent
    ),
    **dict.fromkeys((*STEPS, "StackedRNNCells"), cell),
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
}
"""Layer kind to computation."""
