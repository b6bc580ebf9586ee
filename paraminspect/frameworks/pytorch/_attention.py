"""Attention and the transformer layers built of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import DType, Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks.pytorch._linear import FACTORY, dtype_of, linear_layer, weight
from paraminspect.frameworks.pytorch._normalization import NORMALIZATIONS
from paraminspect.layers import Build, Built, Fans, Layer, Spec, fixed, same_shape


def _attention(a: SimpleNamespace) -> Build:
    e = a.embed_dim
    if e % a.num_heads:
        raise ExpressionError(f"embed_dim {e} must be divisible by num_heads {a.num_heads}")
    dtype = dtype_of(a)
    kdim, vdim = a.kdim or e, a.vdim or e
    specs: dict[str, Spec | None]
    if kdim == vdim == e:
        specs = {"in_proj_weight": weight((3 * e, e), "xavier_uniform", dtype)}
    else:
        widths = {"q": e, "k": kdim, "v": vdim}
        specs = {
            f"{n}_proj_weight": weight((e, w), "xavier_uniform", dtype) for n, w in widths.items()
        }
    specs["in_proj_bias"] = Spec((3 * e,), "zeros", dtype=dtype) if a.bias else None
    if a.add_bias_kv:
        extra = Spec((1, 1, e), "xavier_normal", Fans(e, e), "out_in", dtype)
        specs |= {"bias_k": extra, "bias_v": extra}
    return fixed(specs, {"out_proj": _output_projection(e, a.bias, dtype)}, same_shape)


def _output_projection(features: int, bias: bool, dtype: DType) -> Layer:
    """A linear layer whose bias is drawn by its own constructor and then set to zero."""
    plain = linear_layer(features, features, bias, dtype)

    def build(shape: Shape | None) -> Built:
        built = plain.build(shape)
        specs = dict(built.parameters)
        if bias:
            drawn = specs["bias"]
            specs["bias"] = replace(drawn, scheme="zeros", overwritten=(drawn.scheme,))
        return replace(built, parameters=specs)

    return replace(plain, make=build)


_MULTIHEAD_ATTENTION = declare(
    "MultiheadAttention(embed_dim: Size, num_heads: Size, dropout: Number = 0.0, "
    "bias: Flag = True, add_bias_kv: Flag = False, add_zero_attn: Flag = False, "
    "kdim: Size | None = None, vdim: Size | None = None, batch_first: Flag = False, "
    f"{FACTORY})",
    _attention,
)


def _attention_layer(a: SimpleNamespace) -> Layer:
    _, construct = _MULTIHEAD_ATTENTION
    return construct(
        a.d_model, a.nhead, a.dropout, bias=a.bias, batch_first=a.batch_first, dtype=a.dtype
    )


def _norm_layer(a: SimpleNamespace) -> Layer:
    construct = dict(NORMALIZATIONS)["LayerNorm"]
    return construct(a.d_model, a.layer_norm_eps, bias=a.bias, dtype=a.dtype)


def _transformer_layer(a: SimpleNamespace, attentions: tuple[str, ...]) -> Build:
    dtype = dtype_of(a)
    children: dict[str, Layer | None] = {name: _attention_layer(a) for name in attentions}
    children["linear1"] = linear_layer(a.d_model, a.dim_feedforward, a.bias, dtype)
    children["linear2"] = linear_layer(a.dim_feedforward, a.d_model, a.bias, dtype)
    for number in range(1, len(attentions) + 2):
        children[f"norm{number}"] = _norm_layer(a)
    return fixed({}, children, same_shape)


ENCODER_ATTENTIONS = ("self_attn",)
DECODER_ATTENTIONS = ("self_attn", "multihead_attn")


def _stack(layer: Layer, count: int, norm: Layer | None) -> Build:
    """Deep copies of one layer, as torch makes them: all begin with equal values."""
    copies: dict[str, Layer | None] = {str(i): layer.copy() for i in range(count)}
    layers = Layer("ModuleList", fixed({}, copies))
    return fixed({}, {"layers": layers, "norm": norm}, same_shape)


_REST = (
    "dim_feedforward: Size = 2048, dropout: Number = 0.1, activation: Text = 'relu', "
    "layer_norm_eps: Number = 1e-05, batch_first: Flag = False, norm_first: Flag = False, "
    f"bias: Flag = True, {FACTORY})"
)

_LAYERS = {
    "Encoder": declare(
        f"TransformerEncoderLayer(d_model: Size, nhead: Size, {_REST}",
        lambda a: _transformer_layer(a, ENCODER_ATTENTIONS),
    ),
    "Decoder": declare(
        f"TransformerDecoderLayer(d_model: Size, nhead: Size, {_REST}",
        lambda a: _transformer_layer(a, DECODER_ATTENTIONS),
    ),
}
_STACKS = {
    "Encoder": declare(
        "TransformerEncoder(encoder_layer: Layer, num_layers: Size, norm: Layer | None = None, "
        "enable_nested_tensor: Flag = True, mask_check: Flag = True)",
        lambda a: _stack(a.encoder_layer, a.num_layers, a.norm),
    ),
    "Decoder": declare(
        "TransformerDecoder(decoder_layer: Layer, num_layers: Size, norm: Layer | None = None)",
        lambda a: _stack(a.decoder_layer, a.num_layers, a.norm),
    ),
}


def _transformer(a: SimpleNamespace) -> Build:
    shared = ("dim_feedforward", "dropout", "activation", "layer_norm_eps", "batch_first")
    options = {name: getattr(a, name) for name in (*shared, "norm_first", "bias", "dtype")}

    def stack(kind: str, count: int) -> Layer:
        _, layer = _LAYERS[kind]
        _, stacked = _STACKS[kind]
        return stacked(layer(a.d_model, a.nhead, **options), count, _norm_layer(a))

    children: dict[str, Layer | None] = {
        "encoder": a.custom_encoder or stack("Encoder", a.num_encoder_layers),
        "decoder": a.custom_decoder or stack("Decoder", a.num_decoder_layers),
    }
    whole = fixed({}, children, same_shape)
    return lambda shape: replace(_redrawn(whole(shape)), redrawn=True)


def _redrawn(built: Built) -> Built:
    """All matrices drawn again, as `Transformer._reset_parameters` does when all is constructed."""
    specs = {
        name: replace(spec, scheme="xavier_uniform", overwritten=(*spec.overwritten, spec.scheme))
        if len(spec.shape) > 1
        else spec
        for name, spec in built.parameters.items()
    }
    children = {name: _redrawn(child) for name, child in built.children.items()}
    return replace(built, parameters=specs, children=children)


ATTENTION = [
    _MULTIHEAD_ATTENTION,
    *_LAYERS.values(),
    *_STACKS.values(),
    declare(
        "Transformer(d_model: Size = 512, nhead: Size = 8, num_encoder_layers: Size = 6, "
        "num_decoder_layers: Size = 6, dim_feedforward: Size = 2048, dropout: Number = 0.1, "
        "activation: Text = 'relu', custom_encoder: Layer | None = None, "
        "custom_decoder: Layer | None = None, layer_norm_eps: Number = 1e-05, "
        f"batch_first: Flag = False, norm_first: Flag = False, bias: Flag = True, {FACTORY})",
        _transformer,
    ),
]
"""Names and layer functions."""
