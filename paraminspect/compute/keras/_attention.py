"""Attention; inputs come as Keras orders them: query, value, key."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np

from paraminspect.compute import _functions as f
from paraminspect.compute._call import Call, Compute
from paraminspect.compute._run import Part
from paraminspect.compute.keras._dense import inputs_of
from paraminspect.errors import ShapeError


def _query_value_key(call: Call, inputs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """One input is all three; the value is the key by default."""
    given = inputs_of(call, inputs)
    return (*given, given[-1], given[-1])[:3]


def _projected(part: Part, x: Any, rule: str) -> Any:
    y = np.einsum(rule, x, part.values["kernel"])
    bias = part.values.get("bias")
    return y if bias is None else y + bias


def multi_head(call: Call, *inputs: Any) -> Any:
    """`MultiHeadAttention` and `GroupQueryAttention` [Vaswani 2017, Ainslie 2023]."""
    query, value, key = _query_value_key(call, inputs)
    for x in (query, value, key):
        if x.ndim != 3:
            raise ShapeError(f"expected (batch, length, features), got shape {list(x.shape)}")
    if call.a.use_gate or call.a.sliding_window or getattr(call.a, "attention_axes", None):
        raise ShapeError("use_gate, sliding_window and attention_axes are not computed")
    q, k, v = (
        _projected(call.children[name], x, "btd,dhk->bthk")
        for name, x in (("query", query), ("key", key), ("value", value))
    )
    repeats = q.shape[2] // k.shape[2]
    if repeats > 1:  # each key and value head serves several query heads
        k, v = (np.repeat(x, repeats, axis=2) for x in (k, v))
    scores = np.einsum("bthk,bshk->bhts", q, k) * float(q.shape[-1]) ** -0.5
    attended = np.einsum("bhts,bshv->bthv", f.softmax(scores), v)
    return _projected(call.children["attention_output"], attended, "bthv,hvd->btd")


def dot(call: Call, *inputs: Any) -> Any:
    """`Attention` [Luong 2015]; `score_mode='concat'` sums tanh of query plus key."""
    query, value, key = _query_value_key(call, inputs)
    scale = call.p.get("scale", 1.0)
    if call.a.score_mode == "dot":
        scores = scale * np.matmul(query, np.swapaxes(key, -1, -2))
    else:
        summed = np.expand_dims(query, -2) + np.expand_dims(key, -3)
        scores = call.p["concat_score_weight"] * np.sum(np.tanh(scale * summed), axis=-1)
    return np.matmul(f.softmax(scores), value)


def additive(call: Call, *inputs: Any) -> Any:
    """`AdditiveAttention` [Bahdanau 2015]."""
    query, value, key = _query_value_key(call, inputs)
    summed = np.tanh(np.expand_dims(query, -2) + np.expand_dims(key, -3))
    scores = np.sum(call.p.get("scale", 1.0) * summed, axis=-1)
    return np.matmul(f.softmax(scores), value)


ATTENTION: dict[str, Compute] = {
    "MultiHeadAttention": multi_head,
    "GroupQueryAttention": multi_head,
    "Attention": dot,
    "AdditiveAttention": additive,
}
"""Layer kind to computation."""
