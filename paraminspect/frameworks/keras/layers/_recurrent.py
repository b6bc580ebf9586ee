"""Recurrent layers and their cells; gates are stacked (LSTM i, f, c, o; GRU z, r, h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import Maker
from paraminspect.frameworks.keras._initializers import SEED, scheme_of
from paraminspect.frameworks.keras.layers._convolution import (
    convolved,
    geometry,
    refuse_strided_dilation,
)
from paraminspect.frameworks.keras.layers._declare import Initialized, layer, namespace, weight
from paraminspect.frameworks.keras.layers._shapes import known, split_channels
from paraminspect.language import format_value
from paraminspect.tree.layers import Build, Built, Layer

GATES = {"LSTMCell": 4, "GRUCell": 3, "SimpleRNNCell": 1}


def _bias(a: SimpleNamespace, shape: Shape) -> Initialized:
    """The bias of an LSTM: the forget gate begins with ones where `unit_forget_bias` says so."""
    scheme = scheme_of("bias_initializer", a.bias_initializer)
    if getattr(a, "unit_forget_bias", False) and scheme != "ones":
        if scheme != "zeros":
            raise ExpressionError(
                f"{a.kind}: a bias_initializer other than zeros and ones needs"
                " unit_forget_bias=False: a definition cannot tell the gates apart"
            )
        scheme = "lstm_bias"
    return replace(weight(a, shape, "bias_initializer"), scheme=scheme)


def _cell(a: SimpleNamespace) -> Build:
    stacked = GATES[a.kind] * a.units

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape, least=1)
        specs = {
            "kernel": weight(a, (shape[-1], stacked), "kernel_initializer"),
            "recurrent_kernel": weight(a, (a.units, stacked), "recurrent_initializer"),
        }
        if a.use_bias:
            separate = getattr(a, "reset_after", False)
            specs["bias"] = _bias(a, (2, stacked) if separate else (stacked,))
        return Built(specs, output=(a.units,))

    return build


def _convolution_cell(ndim: int) -> Maker:
    def make(a: SimpleNamespace) -> Build:
        g = geometry(a, ndim)
        refuse_strided_dilation(a, g)

        def build(shape: Shape | None) -> Built:
            shape = known(a.kind, shape, ndim + 1)
            _, channels = split_channels(shape, g.data_format)
            stacked = 4 * a.filters
            kernel, recurrent = (*g.kernel, channels, stacked), (*g.kernel, a.filters, stacked)
            specs = {
                "kernel": weight(a, kernel, "kernel_initializer"),
                "recurrent_kernel": weight(a, recurrent, "recurrent_initializer"),
            }
            if a.use_bias:
                specs["bias"] = _bias(a, (stacked,))
            return Built(specs, output=convolved(a.kind, g, shape, a.filters))

        return build

    return make


def _over_time(a: SimpleNamespace, cell: Layer, ndim: int | None = None) -> Build:
    """A cell applied to each step; the states that `return_state` adds are not passed on."""

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape, ndim, least=2)
        built = cell.build(shape[1:])
        step = built.output or ()
        return Built({}, {"cell": built}, (shape[0], *step) if a.return_sequences else step)

    return build


def _layer_of(cell_kind: str, name: str, make: Maker, ndim: int) -> Maker:
    def over_time(a: SimpleNamespace) -> Build:
        inner = {k: v for k, v in vars(a).items() if k not in ("kind", "name", "variable_dtype")}
        if ndim > 2:  # Keras does not pass `trainable` on to the cell of a ConvLSTM
            del inner["trainable"]
        cell = Layer(cell_kind, make(namespace(cell_kind, inner)), inner, name=name)
        return _over_time(a, cell, ndim)

    return over_time


def _stacked(a: SimpleNamespace) -> Build:
    cells = a.cells
    if not isinstance(cells, list | tuple) or not cells:
        raise ExpressionError(f"{a.kind}: cells must be a list of cells, got {format_value(cells)}")
    for cell in cells:
        _check_cell(a.kind, cell)

    def build(shape: Shape | None) -> Built:
        children = {}
        for i, cell in enumerate(cells):
            children[str(i)] = cell.build(shape)
            shape = children[str(i)].output
        return Built({}, children, shape)

    return build


def _check_cell(kind: str, cell: Any) -> None:
    if not isinstance(cell, Layer) or cell.kind not in CELLS:
        raise ExpressionError(
            f"{kind}: a cell must be one of {', '.join(CELLS)}, got {format_value(cell)}"
        )


CELLS = (*GATES, "StackedRNNCells")


def _rnn(a: SimpleNamespace) -> Build:
    cell = a.cell
    if isinstance(cell, list | tuple):
        make = _stacked(namespace("StackedRNNCells", {"cells": cell}))
        cell = Layer("StackedRNNCells", make, {"cells": cell})
    _check_cell(a.kind, cell)
    return _over_time(a, cell)


RECURRENT_KINDS = ("RNN", "SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")


def _bidirectional(a: SimpleNamespace) -> Build:
    for one in (a.layer, a.backward_layer):
        if one is not None and (not isinstance(one, Layer) or one.kind not in RECURRENT_KINDS):
            known_kinds = ", ".join(RECURRENT_KINDS)
            raise ExpressionError(
                f"{a.kind} goes around one of {known_kinds}, not {format_value(one)}"
            )
    if a.merge_mode not in MERGE_MODES:
        modes = ", ".join(map(repr, MERGE_MODES))
        raise ExpressionError(f"{a.kind}: merge_mode must be one of {modes}, got {a.merge_mode!r}")
    if a.backward_layer is not None:
        _check_backward(a.kind, a.layer.arguments, a.backward_layer.arguments)
    elif a.layer.arguments["go_backwards"]:
        raise ExpressionError(f"{a.kind} goes backwards by itself: leave go_backwards out")
    # Keras makes both from the configuration of the layer, which itself is thrown away.
    forward = a.layer.copy()
    backward = a.backward_layer or a.layer.copy()

    def build(shape: Shape | None) -> Built:
        children = {"forward_layer": forward.build(shape), "backward_layer": backward.build(shape)}
        output = children["forward_layer"].output
        if a.merge_mode == "concat" and output is not None:
            output = (*output[:-1], 2 * output[-1])
        return Built({}, children, output if a.merge_mode else None)

    return build


MERGE_MODES = ("sum", "mul", "ave", "concat", None)


def _check_backward(kind: str, forward: Any, backward: Any) -> None:
    if forward["go_backwards"] == backward["go_backwards"]:
        raise ExpressionError(f"{kind}: backward_layer must have the other go_backwards")
    for name in ("stateful", "return_sequences", "return_state"):
        if forward[name] != backward[name]:
            raise ExpressionError(f"{kind}: {name} must be the same in layer and backward_layer")


def _time_distributed(a: SimpleNamespace) -> Build:
    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape, least=2)
        built = a.layer.build(shape[1:])
        output = None if built.output is None else (shape[0], *built.output)
        return Built({}, {"layer": built}, output)

    return build


def _signature(name: str, middle: str, end: str, activity: str = "") -> str:
    return (
        f"{name}(units: Size, activation='tanh', {middle}"
        "kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', "
        f"bias_initializer='zeros', {_FORGET if 'LSTM' in name else ''}{_PENALTIES}{activity}"
        f"{_CONSTRAINTS}dropout: Number = 0.0, recurrent_dropout: Number = 0.0, {end}**kwargs)"
    )


_FORGET = "unit_forget_bias: Flag = True, "
_PENALTIES = "kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, "
_CONSTRAINTS = "kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, "
_ACTIVITY = "activity_regularizer=None, "
_GATED = "recurrent_activation='sigmoid', use_bias: Flag = True, "
_PLAIN = "use_bias: Flag = True, "
_SEED = f"{SEED}, "
_RETURNS = (
    "return_sequences: Flag = False, return_state: Flag = False, go_backwards: Flag = False, "
    "stateful: Flag = False, "
)
_UNROLL = "unroll: Flag = False, "
_CUDNN = "use_cudnn='auto', "
_RESET = "reset_after: Flag = True, "


def _convolutional(ndim: int) -> tuple[str, Callable[..., Layer]]:
    signature = (
        f"ConvLSTM{ndim}D(filters: Size, kernel_size, strides=1, padding='valid', "
        f"data_format=None, dilation_rate=1, activation='tanh', {_GATED}"
        "kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', "
        f"bias_initializer='zeros', {_FORGET}{_PENALTIES}{_ACTIVITY}{_CONSTRAINTS}"
        f"dropout: Number = 0.0, recurrent_dropout: Number = 0.0, {_SEED}{_RETURNS}**kwargs)"
    )
    cell = _convolution_cell(ndim)
    return layer(signature, _layer_of("ConvLSTMCell", "conv_lstm_cell", cell, ndim + 2))


RECURRENT = dict(
    [
        layer(_signature("SimpleRNNCell", _PLAIN, _SEED), _cell),
        layer(_signature("LSTMCell", _GATED, _SEED), _cell),
        layer(_signature("GRUCell", _GATED, _RESET + _SEED), _cell),
        layer(
            _signature("SimpleRNN", _PLAIN, _RETURNS + _UNROLL + _SEED, _ACTIVITY),
            _layer_of("SimpleRNNCell", "simple_rnn_cell", _cell, 2),
        ),
        layer(
            _signature("LSTM", _GATED, _SEED + _RETURNS + _UNROLL + _CUDNN, _ACTIVITY),
            _layer_of("LSTMCell", "lstm_cell", _cell, 2),
        ),
        layer(
            _signature("GRU", _GATED, _SEED + _RETURNS + _UNROLL + _RESET + _CUDNN, _ACTIVITY),
            _layer_of("GRUCell", "gru_cell", _cell, 2),
        ),
        *map(_convolutional, (1, 2, 3)),
        layer("StackedRNNCells(cells, **kwargs)", _stacked),
        layer(f"RNN(cell, {_RETURNS}{_UNROLL}zero_output_for_mask: Flag = False, **kwargs)", _rnn),
        layer(
            "Bidirectional(layer: Layer, merge_mode='concat', weights=None, "
            "backward_layer: Layer | None = None, **kwargs)",
            _bidirectional,
        ),
        layer("TimeDistributed(layer: Layer, **kwargs)", _time_distributed),
    ]
)
"""Layer functions by name."""
