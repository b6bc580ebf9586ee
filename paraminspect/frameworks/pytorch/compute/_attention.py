"""Attention, and the transformer layers built of it."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy

from paraminspect.compute import _functions as f
from paraminspect.compute._computation import Compute
from paraminspect.compute._expect import expect_last
from paraminspect.compute._run import Part
from paraminspect.compute._steady import mean
from paraminspect.errors import ShapeError


def attention(
    part: Part,
    query: Any,
    key: Any,
    value: Any,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """`nn.MultiheadAttention` [Vaswani 2017]: the output and the weights.

    A bool mask is True where a position must not be attended; a float mask is added.
    """
    a, p = part.a, part.p
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
    if is_causal and attn_mask is None:
        raise ShapeError("is_causal is a hint: attn_mask must be given too")
    if is_causal and not need_weights and key_padding_mask is None:
        attn_mask = _later(q.shape[-2], k.shape[-2])
    mask = _masks(attn_mask, key_padding_mask, q.shape, k.shape, a.num_heads)
    if "bias_k" in p:
        k, v = (_appended(x, p[name]) for x, name in ((k, "bias_k"), (v, "bias_v")))
    if a.add_zero_attn:
        k, v = (_appended(x, numpy.zeros((1, 1, a.embed_dim), x.dtype)) for x in (k, v))
    # Asked for no weights, torch takes a kernel that makes 0 of a row that attends nowhere.
    y, scores = f.attend(q, k, v, a.num_heads, mask, is_safe=not need_weights)
    y = part.children["out_proj"](y)
    y = y if a.batch_first or y.ndim == 2 else np.swapaxes(y, 0, 1)
    if not need_weights:
        return y, None
    return y, (mean(scores, axis=-3) if average_attn_weights else scores)


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    y = np.matmul(x, weight.T)
    return y if bias is None else y + bias


def _later(length: int, keys: int) -> Any:
    return numpy.triu(numpy.ones((length, keys), bool), 1)


def _masks(
    attended: Any, padding: Any, query: tuple[int, ...], key: tuple[int, ...], heads: int
) -> Any:
    """Both masks in one that fits scores of `(batch, heads, length, keys)`; None without any."""
    length, keys, batch = query[-2], key[-2], query[:-2]
    if attended is not None:
        shapes = [(length, keys), (*(heads * n for n in batch or (1,)), length, keys)]
        _expect("attn_mask", attended, shapes)
        if attended.ndim == 3:
            attended = np.reshape(attended, (*batch, heads, length, keys))
    if padding is not None:
        _expect("key_padding_mask", padding, [(*batch, keys)])
        padding = np.reshape(padding, (*batch, 1, 1, keys))
    given = [mask for mask in (attended, padding) if mask is not None]
    if not given or all(mask.dtype == bool for mask in given):
        return given[0] | given[-1] if given else None
    added = [numpy.where(m, -numpy.inf, numpy.float32(0)) if m.dtype == bool else m for m in given]
    return added[0] + added[1] if len(added) == 2 else added[0]


def _expect(name: str, mask: Any, shapes: list[tuple[int, ...]]) -> None:
    if mask.dtype.kind not in "bf":
        raise ShapeError(f"{name} holds bools or floats, got {mask.dtype}")
    if mask.shape not in shapes:
        known = " or ".join(str(list(shape)) for shape in shapes)
        raise ShapeError(f"expected {name} of shape {known}, got {list(mask.shape)}")


def _appended(x: Any, row: Any) -> Any:
    """One position more at the end of the sequence."""
    row = np.reshape(row, (1,) * (x.ndim - 1) + (-1,)) * numpy.ones((*x.shape[:-2], 1, 1), x.dtype)
    return np.concatenate([x, row], axis=-2)


def _feed(part: Part, x: Any) -> Any:
    activation = {"relu": f.relu, "gelu": f.gelu}[part.a.activation]
    return part.children["linear2"](activation(part.children["linear1"](x)))


def _attended(
    part: Part, name: str, x: Any, memory: Any, mask: Any, padding: Any, is_causal: bool
) -> Any:
    """What an inner attention gives, which is not asked for its weights."""
    y, _ = part.children[name](x, memory, memory, padding, False, mask, True, is_causal)
    return y


def encoder_layer(
    part: Part,
    src: Any,
    src_mask: Any = None,
    src_key_padding_mask: Any = None,
    is_causal: bool = False,
) -> Any:
    """`nn.TransformerEncoderLayer`."""
    c, x = part.children, src

    def attended(y: Any) -> Any:
        return _attended(part, "self_attn", y, y, src_mask, src_key_padding_mask, is_causal)

    if part.a.norm_first:
        x = x + attended(c["norm1"](x))
        return x + _feed(part, c["norm2"](x))
    x = c["norm1"](x + attended(x))
    return c["norm2"](x + _feed(part, x))


def decoder_layer(
    part: Part,
    tgt: Any,
    memory: Any,
    tgt_mask: Any = None,
    memory_mask: Any = None,
    tgt_key_padding_mask: Any = None,
    memory_key_padding_mask: Any = None,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
) -> Any:
    """`nn.TransformerDecoderLayer`."""
    c, x = part.children, tgt

    def attended(y: Any) -> Any:
        return _attended(part, "self_attn", y, y, tgt_mask, tgt_key_padding_mask, tgt_is_causal)

    def looked_up(y: Any) -> Any:
        padding = memory_key_padding_mask
        return _attended(part, "multihead_attn", y, memory, memory_mask, padding, memory_is_causal)

    if part.a.norm_first:
        x = x + attended(c["norm1"](x))
        x = x + looked_up(c["norm2"](x))
        return x + _feed(part, c["norm3"](x))
    x = c["norm1"](x + attended(x))
    x = c["norm2"](x + looked_up(x))
    return c["norm3"](x + _feed(part, x))


def encoder(
    part: Part,
    src: Any,
    mask: Any = None,
    src_key_padding_mask: Any = None,
    is_causal: bool | None = None,
) -> Any:
    """`nn.TransformerEncoder`; `is_causal=None` looks at the mask, which holds either way."""
    return _stacked(part, src, mask, src_key_padding_mask, bool(is_causal))


def decoder(
    part: Part,
    tgt: Any,
    memory: Any,
    tgt_mask: Any = None,
    memory_mask: Any = None,
    tgt_key_padding_mask: Any = None,
    memory_key_padding_mask: Any = None,
    tgt_is_causal: bool | None = None,
    memory_is_causal: bool = False,
) -> Any:
    """`nn.TransformerDecoder`."""
    masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
    return _stacked(part, tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)


def _stacked(part: Part, x: Any, *others: Any) -> Any:
    for layer in part.children["layers"].children.values():
        x = layer(x, *others)
    norm = part.children.get("norm")
    return x if norm is None else norm(x)


def transformer(
    part: Part,
    src: Any,
    tgt: Any,
    src_mask: Any = None,
    tgt_mask: Any = None,
    memory_mask: Any = None,
    src_key_padding_mask: Any = None,
    tgt_key_padding_mask: Any = None,
    memory_key_padding_mask: Any = None,
    src_is_causal: bool | None = None,
    tgt_is_causal: bool | None = None,
    memory_is_causal: bool = False,
) -> Any:
    """`nn.Transformer`."""
    memory = part.children["encoder"](src, src_mask, src_key_padding_mask, src_is_causal)
    masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
    return part.children["decoder"](tgt, memory, *masks, tgt_is_causal, memory_is_causal)


ATTENTION: dict[str, Compute] = {
    "MultiheadAttention": attention,
    "TransformerEncoderLayer": encoder_layer,
    "TransformerDecoderLayer": decoder_layer,
    "TransformerEncoder": encoder,
    "TransformerDecoder": decoder,
    "Transformer": transformer,
}
"""Layer kind to computation."""
