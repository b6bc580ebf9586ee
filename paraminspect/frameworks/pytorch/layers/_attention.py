"""Attention and the transformer layers built of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._inputs import expect_axes, expect_length
from paraminspect.frameworks.pytorch.layers._elementwise import ELEMENTWISE
from paraminspect.frameworks.pytorch.layers._linear import LINEAR
from paraminspect.frameworks.pytorch.layers._normalization import NORMALIZATIONS
from paraminspect.frameworks.pytorch.layers._parameters import FACTORY, dtype_of, weight
from paraminspect.tree.layers import Build, Built, Layer, Spec, chained, fixed


def _attention(a: SimpleNamespace) -> Build:
    e = a.embed_dim
    if e % a.num_heads:
        raise ExpressionError(f"embed_dim {e} must be divisible by num_heads {a.num_heads}")
    dtype = dtype_of(a)
    widths = {"q": e, "k": e if a.kdim is None else a.kdim, "v": e if a.vdim is None else a.vdim}
    specs: dict[str, Spec | None]
    if set(widths.values()) == {e}:
        specs = {"in_proj_weight": weight((3 * e, e), "xavier_uniform", dtype)}
    else:
        specs = {
            f"{n}_proj_weight": weight((e, w), "xavier_uniform", dtype) for n, w in widths.items()
        }
    specs["in_proj_bias"] = Spec((3 * e,), "zeros", dtype=dtype) if a.bias else None
    if a.add_bias_kv:
        extra = weight((1, 1, e), "xavier_normal", dtype)
        specs |= {"bias_k": extra, "bias_v": extra}
    return fixed(
        specs, {"out_proj": _with_zero_bias(LINEAR["Linear"](e, e, a.bias, dtype=a.dtype))}
    )


def _with_zero_bias(linear: Layer) -> Layer:
    """A linear layer whose bias is drawn by its own constructor and then set to zero."""

    def build(shape: Shape | None) -> Built:
        built = linear.build(shape)
        specs = dict(built.parameters)
        if "bias" in specs:
            drawn = specs["bias"]
            specs["bias"] = replace(drawn, scheme="zeros", overwritten=(drawn.scheme,))
        return replace(built, parameters=specs)

    return replace(linear, make=build)


def _encoder_layer(a: SimpleNamespace) -> Build:
    def output(shape: Shape) -> Shape:
        expect_axes(shape, 1, 2)
        expect_length(shape, -1, a.d_model, "features")
        return shape

    return fixed({}, _parts(a, ("self_attn",)), output)


def _decoder_layer(a: SimpleNamespace) -> Build:
    return fixed({}, _parts(a, ("self_attn", "multihead_attn")))


def _parts(a: SimpleNamespace, attentions: tuple[str, ...]) -> dict[str, Layer | None]:
    """The parts in the order in which torch constructs and lists them."""
    linear, dropout = LINEAR["Linear"], ELEMENTWISE["Dropout"]
    numbers = range(1, len(attentions) + 2)
    parts: dict[str, Layer | None] = {
        name: ATTENTION["MultiheadAttention"](
            a.d_model, a.nhead, a.dropout, a.bias, batch_first=a.batch_first, dtype=a.dtype
        )
        for name in attentions
    }
    parts["linear1"] = linear(a.d_model, a.dim_feedforward, a.bias, dtype=a.dtype)
    parts["dropout"] = dropout(a.dropout)
    parts["linear2"] = linear(a.dim_feedforward, a.d_model, a.bias, dtype=a.dtype)
    parts |= {f"norm{i}": _norm(a) for i in numbers}
    parts |= {f"dropout{i}": dropout(a.dropout) for i in numbers}
    parts["activation"] = a.activation if isinstance(a.activation, Layer) else None
    return parts


def _norm(a: SimpleNamespace) -> Layer:
    return NORMALIZATIONS["LayerNorm"](a.d_model, a.layer_norm_eps, bias=a.bias, dtype=a.dtype)


def _stack(layer: Layer, count: int, norm: Layer | None) -> dict[str, Layer]:
    """Deep copies of one layer, as torch makes them: all begin with equal values."""
    copies = Layer("ModuleList", chained({str(i): layer.copy() for i in range(count)}))
    return {"layers": copies} | ({} if norm is None else {"norm": norm})


def _transformer(a: SimpleNamespace) -> Build:
    names = ("dim_feedforward", "dropout", "activation", "layer_norm_eps", "batch_first")
    same = {name: getattr(a, name) for name in (*names, "norm_first", "bias", "device", "dtype")}

    def stack(kind: str, count: int) -> Layer:
        one = ATTENTION[f"Transformer{kind}Layer"](a.d_model, a.nhead, **same)
        return ATTENTION[f"Transformer{kind}"](one, count, _norm(a))

    encoder = a.custom_encoder or stack("Encoder", a.num_encoder_layers)
    decoder = a.custom_decoder or stack("Decoder", a.num_decoder_layers)
    build = fixed({}, {"encoder": encoder, "decoder": decoder})
    return lambda shape: replace(_redrawn(build(shape)), redrawn=True)


def _redrawn(built: Built) -> Built:
    """All matrices drawn again, as `Transformer._reset_parameters` does when all is constructed."""
    specs = {
        name: replace(spec, scheme="xavier_uniform", overwritten=(*spec.overwritten, spec.scheme))
        if len(spec.shape) > 1
        else spec
        for name, spec in built.parameters.items()
    }
    # What a nested `Transformer` redraws for itself is left: it would be copied at every level.
    children = {
        name: child if child.redrawn else _redrawn(child) for name, child in built.children.items()
    }
    return replace(built, parameters=specs, children=children)


_REST = (
    "dim_feedforward: Count = 2048, dropout: Probability = 0.1, "
    "activation: Literal['relu', 'gelu'] | Layer = 'relu', "
)
_END = (
    "layer_norm_eps: Number = 1e-05, batch_first: Flag = False, norm_first: Flag = False, "
    f"bias: Flag = True, {FACTORY})"
)

ATTENTION = dict(
    [
        declare(
            "MultiheadAttention(embed_dim: Size, num_heads: Size, dropout: Number = 0.0, "
            "bias: Flag = True, add_bias_kv: Flag = False, add_zero_attn: Flag = False, "
            "kdim: Count | None = None, vdim: Count | None = None, batch_first: Flag = False, "
            f"{FACTORY})",
            _attention,
        ),
        declare(
            f"TransformerEncoderLayer(d_model: Size, nhead: Size, {_REST}{_END}", _encoder_layer
        ),
        declare(
            f"TransformerDecoderLayer(d_model: Size, nhead: Size, {_REST}{_END}", _decoder_layer
        ),
        declare(
            "TransformerEncoder(encoder_layer: Layer, num_layers: Depth, "
            "norm: Layer | None = None, enable_nested_tensor: Flag = True, "
            "mask_check: Flag = True)",
            lambda a: chained(_stack(a.encoder_layer, a.num_layers, a.norm)),
        ),
        declare(
            "TransformerDecoder(decoder_layer: Layer, num_layers: Depth, "
            "norm: Layer | None = None)",
            lambda a: fixed({}, _stack(a.decoder_layer, a.num_layers, a.norm)),
        ),
        declare(
            "Transformer(d_model: Size = 512, nhead: Size = 8, num_encoder_layers: Depth = 6, "
            f"num_decoder_layers: Depth = 6, {_REST}custom_encoder: Layer | None = None, "
            f"custom_decoder: Layer | None = None, {_END}",
            _transformer,
        ),
    ]
)
"""Layer functions by name."""
