"""Dense layers and embeddings, with the low-rank update (LoRA) that each may carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import DTYPES, Shape
from paraminspect.errors import ExpressionError
from paraminspect.frameworks.keras.layers._declare import drawn, layer, weight
from paraminspect.frameworks.keras.layers._einsum import analyze_einsum
from paraminspect.frameworks.keras.layers._shapes import known
from paraminspect.tree.layers import Build, Built, Spec


def _dense(a: SimpleNamespace) -> Build:
    _refuse_quantization(a)

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape, least=1)
        specs = {"kernel": weight(a, (shape[-1], a.units), "kernel_initializer")}
        if a.use_bias:
            specs["bias"] = weight(a, (a.units,), "bias_initializer")
        return Built(_with_lora(a, specs, "kernel"), output=(*shape[:-1], a.units))

    return build


def einsum_dense(a: SimpleNamespace) -> Build:
    """What `EinsumDense` builds; fans are counted over the axes that the equation sums."""

    def build(shape: Shape | None) -> Built:
        shape = known(a.kind, shape)
        einsum = analyze_einsum(a.kind, a.equation, a.bias_axes, shape, a.output_shape)
        specs = {"kernel": weight(a, einsum.kernel, "kernel_initializer", fans=einsum.fans)}
        if einsum.bias is not None:
            specs["bias"] = weight(a, einsum.bias, "bias_initializer")
        return Built(_with_lora(a, specs, "kernel"), output=einsum.output)

    return build


def _einsum_dense(a: SimpleNamespace) -> Build:
    _refuse_quantization(a)
    return einsum_dense(a)


def _embedding(a: SimpleNamespace) -> Build:
    _refuse_quantization(a)
    own = {"embeddings": weight(a, (a.input_dim, a.output_dim), "embeddings_initializer")}
    specs = dict(_with_lora(a, own, "embeddings"))
    if not getattr(a, "tie_weights", True):
        shape = (a.output_dim, a.input_dim)
        specs["reverse_embeddings"] = weight(a, shape, "embeddings_initializer")

    def build(shape: Shape | None) -> Built:
        return Built(specs, output=None if shape is None else (*shape, a.output_dim))

    return build


def _with_lora(a: SimpleNamespace, specs: Mapping[str, Spec], name: str) -> Mapping[str, Spec]:
    """The frozen weight `name`, and the two float32 factors of what is added to it."""
    rank = getattr(a, "lora_rank", None)
    if not rank:
        return specs
    shape = specs[name].shape
    a = SimpleNamespace(**{**vars(a), "variable_dtype": DTYPES["float32"]})
    return {
        **specs,
        name: replace(specs[name], trainable=False, frozen=True),
        f"lora_{name}_a": drawn(a, (*shape[:-1], rank), "he_uniform"),
        f"lora_{name}_b": drawn(a, (rank, shape[-1]), "zeros"),
    }


def _refuse_quantization(a: SimpleNamespace) -> None:
    if getattr(a, "quantization_config", None) is not None:
        raise ExpressionError(f"{a.kind}: quantized layers cannot be described, only float ones")


_PENALTIES = (
    "kernel_regularizer=None, bias_regularizer=None, {}kernel_constraint=None, bias_constraint=None"
)
_LORA = "lora_rank: Size | None = None, lora_alpha: Number | None = None"

DENSE = dict(
    [
        layer(
            "Dense(units: Size, activation=None, use_bias: Flag = True, "
            "kernel_initializer='glorot_uniform', bias_initializer='zeros', "
            f"{_PENALTIES.format('activity_regularizer=None, ')}, {_LORA}, "
            "quantization_config=None, **kwargs)",
            _dense,
        ),
        layer(
            "EinsumDense(equation: Text, output_shape: OptionalCounts, activation=None, "
            "bias_axes: Text | None = None, kernel_initializer='glorot_uniform', "
            "bias_initializer='zeros', "
            f"{_PENALTIES.format('')}, {_LORA}, gptq_unpacked_column_size=None, "
            "quantization_config=None, **kwargs)",
            _einsum_dense,
        ),
        layer(
            "Embedding(input_dim: Size, output_dim: Size, embeddings_initializer='uniform', "
            "embeddings_regularizer=None, embeddings_constraint=None, mask_zero: Flag = False, "
            f"weights=None, {_LORA}, quantization_config=None, **kwargs)",
            _embedding,
        ),
        layer(
            "ReversibleEmbedding(input_dim: Size, output_dim: Size, tie_weights: Flag = True, "
            "embeddings_initializer='uniform', embeddings_regularizer=None, "
            "embeddings_constraint=None, mask_zero: Flag = False, reverse_dtype=None, "
            "logit_soft_cap: Number | None = None, **kwargs)",
            _embedding,
        ),
    ]
)
"""Layer functions by name."""
