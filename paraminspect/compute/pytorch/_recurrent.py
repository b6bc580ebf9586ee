"""Recurrent layers and cells, attention, and the transformer layers built of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._call import Call, Compute, expect_last
from paraminspect.compute._cells import State, gru_step, lstm_step, scan, tanh
from paraminspect.compute._steady import mean
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

    def compute(call: Call, x: Any, state: Any = None) -> Any:
        a = call.a
        expect_last(x, a.input_size, "input_size")
        if x.ndim != 3:
            axes = "batch, length" if a.batch_first else "length, batch"
            raise ShapeError(f"expected ({axes}, {a.input_size}), got shape {list(x.shape)}")
        steps = np.swapaxes(x, 0, 1) if a.batch_first else x
        nonlinearity = getattr(a, "nonlinearity", "tanh")
        ends = ("", "_reverse") if a.bidirectional else ("",)
        first = _first_state(kind, call, steps, state, len(ends))
        last: list[State] = []
        for number in range(a.num_layers):
            outputs = []
            for direction, end in enumerate(ends):
                p = _own(call, f"_l{number}{end}")
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


def _own(call: Call, end: str) -> dict[str, Any]:
    return {name.removesuffix(end): v for name, v in call.p.items() if name.endswith(end)}


def _first_state(kind: str, call: Call, steps: Any, state: Any, directions: int) -> list[State]:
    a = call.a
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

    def compute(call: Call, x: Any, state: Any = None) -> Any:
        size = call.a.input_size
        expect_last(x, size, "input_size")
        if x.ndim > 2:
            raise ShapeError(f"expected (batch, {size}) or ({size}), got shape {list(x.shape)}")
        if state is None:
            zeros = numpy.zeros((*x.shape[:-1], call.a.hidden_size), x.dtype)
            state = (zeros, zeros) if kind == "LSTM" else zeros
        given = tuple(state) if kind == "LSTM" else (state,)
        new = _step(kind, call.p, getattr(call.a, "nonlinearity", "tanh"), x, given)
        return new if kind == "LSTM" else new[0]

    return compute


def attention(
    call: Call, query: Any, key: Any, value: Any, attn_mask: Any = None, is_causal: bool = False
) -> Any:
    """`nn.MultiheadAttention` [Vaswani 2017]: the output and the weights, averaged over heads.

    A bool mask is True where a position must not be attended; a float mask is added.
    """
    a, p = call.a, call.p
    if not a.batch_first and query.ndim == 3:
        query, key, value = (np.swapaxes(x, 0, 1) for x in (query, key, value))
    expect_last(query, a.embed_dim, "embed_dim")
    if "in_proj_weight" in p:
        weights = f.split(p["in_proj_weight"], a.embed_dim)
    else:
        weights = [p[f"{name}_proj_weight"] for name in "qkv"]
    biases = f.split(p["in_proj_bias"], a.embed_dim) if "in_proj_bias" in p else [None] * 3
    q, k, v = (
        _affine(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)
    )
    if "bias_k" in p:
        k, v = (_appended(x, p[name]) for x, name in ((k, "bias_k"), (v, "bias_v")))
    if a.add_zero_attn:
        k, v = (_appended(x, numpy.zeros((1, 1, a.embed_dim), x.dtype)) for x in (k, v))
    if is_causal and attn_mask is None:
        attn_mask = f.causal_mask(q.shape[-2])
    y, scores = f.attend(q, k, v, a.num_heads, attn_mask)
    y = call.children["out_proj"](y)
    return (y if a.batch_first or y.ndim == 2 else np.swapaxes(y, 0, 1)), mean(scores, axis=-3)


def _appended(x: Any, row: Any) -> Any:
    """One position more at the end of the sequence."""
    row = np.reshape(row, (1,) * (x.ndim - 1) + (-1,)) * numpy.ones((*x.shape[:-2], 1, 1), x.dtype)
    return np.concatenate([x, row], axis=-2)


def _feed(call: Call, x: Any) -> Any:
    activation = {"relu": f.relu, "gelu": f.gelu}[call.a.activation]
    return call.children["linear2"](activation(call.children["linear1"](x)))


def encoder_layer(call: Call, x: Any, mask: Any = None) -> Any:
    """`nn.TransformerEncoderLayer`."""
    c = call.children

    def attended(y: Any) -> Any:
        return c["self_attn"](y, y, y, mask)[0]

    if call.a.norm_first:
        x = x + attended(c["norm1"](x))
        return x + _feed(call, c["norm2"](x))
    x = c["norm1"](x + attended(x))
    return c["norm2"](x + _feed(call, x))


def decoder_layer(
    call: Call, x: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None
) -> Any:
    """`nn.TransformerDecoderLayer`."""
    c = call.children

    def attended(y: Any) -> Any:
        return c["self_attn"](y, y, y, tgt_mask)[0]

    def looked_up(y: Any) -> Any:
        return c["multihead_attn"](y, memory, memory, memory_mask)[0]

    if call.a.norm_first:
        x = x + attended(c["norm1"](x))
        x = x + looked_up(c["norm2"](x))
        return x + _feed(call, c["norm3"](x))
    x = c["norm1"](x + attended(x))
    x = c["norm2"](x + looked_up(x))
    return c["norm3"](x + _feed(call, x))


def stack(call: Call, x: Any, *others: Any) -> Any:
    """`nn.TransformerEncoder` and `nn.TransformerDecoder`."""
    for layer in call.children["layers"].children.values():
        x = layer(x, *others)
    norm = call.children.get("norm")
    return x if norm is None else norm(x)


def transformer(
    call: Call, source: Any, target: Any, src_mask: Any = None, tgt_mask: Any = None
) -> Any:
    """`nn.Transformer`."""
    memory = call.children["encoder"](source, src_mask)
    return call.children["decoder"](target, memory, tgt_mask)


COMPUTE: dict[str, Compute] = {
    **{kind: recurrent(kind) for kind in ("RNN", "LSTM", "GRU")},
    **{f"{kind}Cell": cell(kind) for kind in ("RNN", "LSTM", "GRU")},
    "MultiheadAttention": attention,
    "TransformerEncoderLayer": encoder_layer,
    "TransformerDecoderLayer": decoder_layer,
    "TransformerEncoder": stack,
    "TransformerDecoder": stack,
    "Transformer": transformer,
}
"""Layer kind to computation."""
