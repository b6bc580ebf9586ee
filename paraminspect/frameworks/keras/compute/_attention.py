"""Attention; inputs come as Keras orders them: query, value, key."""

from __future__ import annotations

import functools
import operator
from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._computation import Compute
from paraminspect.compute._run import Part
from paraminspect.errors import ShapeError
from paraminspect.frameworks.keras.compute._dense import inputs_of

NEVER = -1e9
"""The score, for Keras, of what must not count."""


def _query_value_key(part: Part, inputs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """One input is all three; the value is the key by default."""
    given = inputs_of(part, inputs)
    return (*given, given[-1], given[-1])[:3]


def _projected(part: Part, x: Any, rule: str) -> Any:
    y = np.einsum(rule, x, part.p["kernel"])
    bias = part.p.get("bias")
    return y if bias is None else y + bias


def multi_head(
    part: Part,
    *inputs: Any,
    query: Any = None,
    value: Any = None,
    key: Any = None,
    query_mask: Any = None,
    value_mask: Any = None,
    key_mask: Any = None,
    attention_mask: Any = None,
    return_attention_scores: bool = False,
    use_causal_mask: bool = False,
) -> Any:
    """`MultiHeadAttention` and `GroupQueryAttention` [Vaswani 2017, Ainslie 2023].

    A mask is True where a position may be attended.
    """
    inputs = (*inputs, *(x for x in (query, value, key) if x is not None))
    query, value, key = _query_value_key(part, inputs)
    for x in (query, value, key):
        if x.ndim != 3:
            raise ShapeError(f"expected (batch, length, features), got shape {list(x.shape)}")
    if part.a.use_gate or part.a.sliding_window or getattr(part.a, "attention_axes", None):
        raise ShapeError("use_gate, sliding_window and attention_axes are not computed")
    q, k, v = (
        _projected(part.children[name], x, "btd,dhk->bthk")
        for name, x in (("query", query), ("key", key), ("value", value))
    )
    repeats = q.shape[2] // k.shape[2]
    if repeats > 1:  # each key and value head serves several query heads
        k, v = (np.repeat(x, repeats, axis=2) for x in (k, v))
    scores = np.einsum("bthk,bshk->bhts", q, k) * float(q.shape[-1]) ** -0.5
    if part.kind == "MultiHeadAttention":
        query_mask = None  # Keras puts in its place the mask that came with the query
    masks = [None if query_mask is None else query_mask[:, None, :, None]]
    masks += [None if m is None else m[:, None, None, :] for m in (value_mask, key_mask)]
    masks += [None if attention_mask is None else attention_mask[..., None, :, :]]
    masks += [numpy.tri(*scores.shape[-2:], dtype=bool)] if use_causal_mask else []
    weights = _weights(scores, masks, is_uniform=not return_attention_scores)
    attended = np.einsum("bhts,bshv->bthv", weights, v)
    y = _projected(part.children["attention_output"], attended, "bthv,hvd->btd")
    return (y, weights) if return_attention_scores else y


def _weights(scores: Any, masks: list[Any], *, is_uniform: bool) -> Any:
    """The softmax of the scores, 0 where any mask is False.

    Where no position is left, all are attended alike if `is_uniform`, and none if not.
    """
    given = [mask for mask in masks if mask is not None]
    for mask in given:
        if mask.dtype != bool:
            raise ShapeError(f"a mask holds bools, got {mask.dtype}")
    if not given:
        return f.softmax(scores)
    masked = ~functools.reduce(operator.and_, given)
    weights = f.softmax(f.masked_fill(scores, masked, NEVER))
    return weights if is_uniform else f.masked_fill(weights, masked, 0.0)


def dot(part: Part, *inputs: Any) -> Any:
    """`Attention` [Luong 2015]; `score_mode='concat'` sums tanh of query plus key."""
    query, value, key = _query_value_key(part, inputs)
    scale = part.p.get("scale", 1.0)
    if part.a.score_mode == "dot":
        scores = scale * np.matmul(query, np.swapaxes(key, -1, -2))
    else:
        summed = np.expand_dims(query, -2) + np.expand_dims(key, -3)
        scores = part.p["concat_score_weight"] * np.sum(np.tanh(scale * summed), axis=-1)
    return np.matmul(f.softmax(scores), value)


def additive(part: Part, *inputs: Any) -> Any:
    """`AdditiveAttention` [Bahdanau 2015]."""
    query, value, key = _query_value_key(part, inputs)
    summed = np.tanh(np.expand_dims(query, -2) + np.expand_dims(key, -3))
    scores = np.sum(part.p.get("scale", 1.0) * summed, axis=-1)
    return np.matmul(f.softmax(scores), value)


ATTENTION: dict[str, Compute] = {
    "MultiHeadAttention": multi_head,
    "GroupQueryAttention": multi_head,
    "Attention": dot,
    "AdditiveAttention": additive,
}
"""Layer kind to computation."""
