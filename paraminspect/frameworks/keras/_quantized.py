"""The variables of quantized layers, in the order in which Keras' files number them.

As `variable_serialization_spec` of Dense, EinsumDense, Embedding and ReversibleEmbedding has them
(keras/src/layers/core, Keras 3.15).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

_SCALED = ("kernel_scale", "kernel_zero", "g_idx")
_HISTORY = ("inputs_scale", "inputs_amax_history", "kernel_scale", "kernel_amax_history")
_GRADIENTS = ("outputs_grad_scale", "outputs_grad_amax_history")
_KERNEL = {
    "int8": ("kernel", "bias", "kernel_scale"),
    "int4": ("kernel", "bias", *_SCALED),
    "float8": ("kernel", "bias", *_HISTORY, *_GRADIENTS),
    "gptq": ("bias", "quantized_kernel", *_SCALED),
    "awq": ("bias", "quantized_kernel", *_SCALED[:2], "awq_scales", "g_idx"),
}
_EMBEDDINGS = {
    "int8": ("embeddings", "embeddings_scale"),
    "int4": ("embeddings", "embeddings_scale", "embeddings_zero", "g_idx"),
}
_REVERSED = {
    "int8": ("reverse_embeddings", "reverse_embeddings_scale"),
    "int4": ("reverse_embeddings", "reverse_embeddings_scale", "reverse_embeddings_zero"),
}
_IN_BLOCKS = ("kernel_zero", "embeddings_zero", "reverse_embeddings_zero", "g_idx")
"""What int4 has only where each block of a channel has a scale."""

MODES = (*_KERNEL,)
INTEGER_MODES = ("int8", "int4")
"""The modes whose first variable is an array of integers."""


def quantized_names(names: Collection[str], mode: str) -> Iterator[tuple[str, ...]]:
    """What a layer with the variables `names` holds when it is quantized: all possibilities."""
    if "embeddings" in names:
        whole = _EMBEDDINGS.get(mode, ())
        whole += _REVERSED.get(mode, ()) if "reverse_embeddings" in names else ()
    else:
        whole = _KERNEL.get(mode, ()) if "kernel" in names else ()
        whole = tuple(name for name in whole if name != "bias" or "bias" in names)
    if whole:
        yield whole
    if mode == "int4":
        yield tuple(name for name in whole if name not in _IN_BLOCKS)


def in_order_of_weights(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as `model.weights` lists them: what is trained, the bias, comes first."""
    is_quantized = any(name.endswith("_scale") for name in names)
    if not is_quantized or "inputs_scale" in names:  # float8 trains its kernel too
        return names
    return tuple(sorted(names, key=lambda name: name != "bias"))
