"""Attention: each layer takes a query, a value and a key, all the same where one input is given."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import DefinitionError, ExpressionError, counted
from paraminspect.frameworks.keras.layers._declare import drawn, layer
from paraminspect.frameworks.keras.layers._dense import einsum_dense
from paraminspect.frameworks.keras.layers._shapes import known
from paraminspect.tree.layers import Build, Built, Layer

Join = Callable[[SimpleNamespace, Sequence[Shape]], Built]
"""How a layer is built on several inputs."""


def _projection(
    a: SimpleNamespace, name: str, summed: int, out: Sequence[int], shape: Shape
) -> Built:
    """An `EinsumDense` that sums the last `summed` axes of `shape` and gives `out`."""
    for argument in ("kernel_initializer", "bias_initializer"):
        if getattr(a, argument) is None:  # Keras copies it for each projection
            raise ExpressionError(f"{a.kind}: {argument} must be an initializer, got None")
    letters = string.ascii_lowercase
    ndim = len(shape) + 1
    free, bound = letters[: ndim - summed], letters[ndim - summed : ndim]
    new = letters[ndim : ndim + len(out)]
    inner = SimpleNamespace(
        kind="EinsumDense",
        equation=f"{free}{bound},{bound}{new}->{free}{new}",
        output_shape=(*shape[: ndim - summed - 1], *out),
        bias_axes=new if a.use_bias else None,
        kernel_initializer=a.kernel_initializer,
        bias_initializer=a.bias_initializer,
        variable_dtype=a.variable_dtype,
        trainable=True,  # Keras does not pass `trainable` on to the projections
    )
    return Layer("EinsumDense", einsum_dense(inner), name=name).build(shape)


def _query_value_key(a: SimpleNamespace, shapes: Sequence[Shape]) -> tuple[Shape, Shape, Shape]:
    """The shapes of the three, whatever of them is given: the value is the key by default."""
    if not 1 <= len(shapes) <= 3:
        raise DefinitionError(
            f"{a.kind} takes a query, a value and a key, got {counted(len(shapes), 'input')}"
        )
    query, value, key = (*shapes, shapes[-1], shapes[-1])[:3]
    for shape in (query, value, key):
        known(a.kind, shape, least=1)
    if value[:-1] != key[:-1]:
        raise DefinitionError(
            f"{a.kind}: value {list(value)} and key {list(key)} may differ in the last axis only"
        )
    return query, value, key


def _multi_head(a: SimpleNamespace, shapes: Sequence[Shape]) -> Built:
    query, value, key = _query_value_key(a, shapes)
    value_dim = a.value_dim or a.key_dim
    out = (query[-1],)
    if a.output_shape:
        out = (a.output_shape,) if isinstance(a.output_shape, int) else tuple(a.output_shape)
    children = {
        "query": _projection(a, "query", 1, (a.num_heads, a.key_dim), query),
        "key": _projection(a, "key", 1, (a.num_heads, a.key_dim), key),
    }
    if a.use_gate:
        children["gate"] = _projection(a, "gate", 1, (a.num_heads, value_dim), query)
    children["value"] = _projection(a, "value", 1, (a.num_heads, value_dim), value)
    attended = (*query[:-1], a.num_heads, value_dim)
    children["attention_output"] = _projection(a, "attention_output", 2, out, attended)
    return Built({}, children, (*query[:-1], *out))


def _grouped_query(a: SimpleNamespace, shapes: Sequence[Shape]) -> Built:
    query, value, key = _query_value_key(a, shapes)
    for shape in (query, value, key):
        known(a.kind, shape, 2)
    if query[-1] != value[-1]:
        raise DefinitionError(
            f"{a.kind}: query {list(query)} and value {list(value)} must agree in the last axis"
        )
    queries, keys = (a.num_query_heads, a.head_dim), (a.num_key_value_heads, a.head_dim)
    children = {
        "query": _projection(a, "query", 1, queries, query),
        "key": _projection(a, "key", 1, keys, key),
    }
    if a.use_gate:
        children["gate"] = _projection(a, "gate", 1, queries, query)
    children["value"] = _projection(a, "value", 1, keys, value)
    attended = (*query[:-1], *queries)
    children["attention_output"] = _projection(a, "attention_output", 2, query[-1:], attended)
    return Built({}, children, query)


def _dot(a: SimpleNamespace, shapes: Sequence[Shape]) -> Built:
    query, value, _ = _query_value_key(a, shapes)
    specs = {}
    if a.kind == "AdditiveAttention":
        if a.use_scale:
            specs["scale"] = drawn(a, query[-1:], "glorot_uniform")
    else:
        if a.use_scale:
            specs["scale"] = drawn(a, (), "ones")
        if a.score_mode == "concat":
            specs["concat_score_weight"] = drawn(a, (), "ones")
    return Built(specs, output=(*query[:-1], value[-1]))


MULTI_HEAD = ("MultiHeadAttention", "GroupQueryAttention")
"""Attentions that hold layers, which they construct when they are built."""

ATTENTIONS: dict[str, Join] = {
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _grouped_query,
    "Attention": _dot,
    "AdditiveAttention": _dot,
}
"""How each is built on its query, value and key."""


def _to_itself(a: SimpleNamespace) -> Build:
    """One input is query, value and key at once."""
    if a.kind == "GroupQueryAttention" and a.num_query_heads % a.num_key_value_heads:
        raise ExpressionError(
            f"{a.kind}: num_query_heads {a.num_query_heads} must be divisible by"
            f" num_key_value_heads {a.num_key_value_heads}"
        )
    if a.kind == "Attention" and a.score_mode not in ("dot", "concat"):
        raise ExpressionError(
            f"{a.kind}: score_mode must be one of dot, concat, got {a.score_mode!r}"
        )
    return lambda shape: ATTENTIONS[a.kind](a, [known(a.kind, shape)])


_WINDOW = "sliding_window: Size | None = None, flash_attention: Flag | None = None"
_REST = (
    "kernel_initializer='glorot_uniform', bias_initializer='zeros', kernel_regularizer=None, "
    "bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, "
    "bias_constraint=None, use_gate: Flag = False, seed: Count | None = None, **kwargs)"
)

ATTENTION = dict(
    [
        layer(
            "MultiHeadAttention(num_heads: Size, key_dim: Size, value_dim: Size | None = None, "
            "dropout: Number = 0.0, use_bias: Flag = True, output_shape: Sizes | None = None, "
            f"attention_axes: Integers | None = None, {_WINDOW}, {_REST}",
            _to_itself,
        ),
        layer(
            "GroupQueryAttention(head_dim: Size, num_query_heads: Size, num_key_value_heads: Size, "
            f"dropout: Number = 0.0, use_bias: Flag = True, {_WINDOW}, {_REST}",
            _to_itself,
        ),
        layer(
            "Attention(use_scale: Flag = False, score_mode: Text = 'dot', dropout: Number = 0.0, "
            "seed: Count | None = None, **kwargs)",
            _to_itself,
        ),
        layer(
            "AdditiveAttention(use_scale: Flag = True, dropout: Number = 0.0, **kwargs)", _to_itself
        ),
    ]
)
"""Layer functions by name."""
