"""The conventions by which files hold quantized weights: which names, dtypes and shapes they have.

A row is tried where the name of an array ends in `codes` and its dtype is one of `dtypes`; what is
before that ending is the stem, and with each of `parts` behind it there must be an array. The
first row that fits, the shapes too, holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from paraminspect.arrays import Shape, count_elements

FP8 = frozenset(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"))
U8, I8, U32, I32 = (frozenset((name,)) for name in ("uint8", "int8", "uint32", "int32"))

BLOCK = 128
"""Rows and columns that share a scale, where the shape of the scales tells nothing else."""

MLX_GROUP = 64
"""Elements that share a scale, if `mlx.core.quantize` is not told otherwise."""

Count = Callable[[Shape, Sequence[Shape]], int | None]
"""From the shapes of codes and parts: how many weights there are; None if they do not fit."""


class Convention(NamedTuple):
    """One way to keep quantized weights."""

    name: str
    codes: str
    dtypes: frozenset[str]
    parts: tuple[str, ...]
    weights: Count
    is_scaled: bool = False
    """Whether the weights are the codes times the first part, and nothing else is needed."""
    also: tuple[str, ...] = ()
    """What may stand in the same module, and only quantized weights need."""
    unless: tuple[str, ...] = ()
    """What must not stand there for `is_scaled`."""


def grid(codes: Shape, scales: Shape) -> tuple[int, int] | None:
    """Rows and columns of codes `(..., rows, columns)` that share a scale; None if none fit.

    One scale is for all, `(rows,)` are for rows, and `(..., i, j)` for a grid of blocks of 128 or,
    as transformers has it (`Fp8Dequantize`), of what divides the codes evenly.
    """
    rows, columns = (1, 1, *codes)[-2:]
    if count_elements(scales) == 1:
        return max(count_elements(codes[:-1]), 1), max(columns, 1)
    if len(codes) == 2 and scales == (rows,):
        return 1, max(columns, 1)
    if len(codes) < 2 or len(scales) != len(codes) or scales[:-2] != codes[:-2]:
        return None
    down, across = scales[-2:]
    if (down, across) == (-(-rows // BLOCK), -(-columns // BLOCK)):
        return BLOCK, BLOCK
    if not down or not across or rows % down or columns % across:
        return None
    return rows // down, columns // across


def _scaled(codes: Shape, parts: Sequence[Shape]) -> int | None:
    return None if grid(codes, parts[0]) is None else count_elements(codes)


def _two_a_byte(codes: Shape, _parts: Sequence[Shape]) -> int | None:
    return 2 * count_elements(codes)


def _mxfp4(codes: Shape, parts: Sequence[Shape]) -> int | None:
    return 2 * count_elements(codes) if codes[:-1] == parts[0] else None


def _gptq(codes: Shape, parts: Sequence[Shape]) -> int | None:
    """Codes `(in * bits / 32, out)`, zeros `(groups, out * bits / 32)`, scales `(groups, out)`."""
    zeros, scales = parts
    if not len(codes) == len(zeros) == len(scales) == 2 or codes[1] != scales[1]:
        return None
    return _unpacked(codes, zeros, scales)


def _awq(codes: Shape, parts: Sequence[Shape]) -> int | None:
    """Codes `(in, out * bits / 32)`, zeros `(groups, out * bits / 32)`, scales `(groups, out)`."""
    zeros, scales = parts
    if not len(codes) == len(zeros) == len(scales) == 2 or codes[1] != zeros[1]:
        return None
    return _unpacked(codes, zeros, scales)


def _compressed(codes: Shape, parts: Sequence[Shape]) -> int | None:
    """Codes `(out, in * bits / 32)`, scales `(out, groups)`; the bits, mostly 4, are not told."""
    scales = parts[0]
    return 8 * count_elements(codes) if len(codes) == 2 and codes[0] == scales[0] else None


def _unpacked(codes: Shape, zeros: Shape, scales: Shape) -> int | None:
    """The zeros are packed as the codes are, and there are as many of them as of the scales."""
    if zeros[0] != scales[0] or not zeros[1] or 32 * zeros[1] % scales[1]:
        return None
    bits = 32 * zeros[1] // scales[1]
    return 32 * count_elements(codes) // bits if scales[1] * bits == 32 * zeros[1] else None


def _mlx(codes: Shape, parts: Sequence[Shape]) -> int | None:
    """Codes `(..., out, in * bits / 32)`, scales and biases `(..., out, in / group)`."""
    scales, biases = parts
    if scales != biases or not codes or codes[:-1] != scales[:-1] or not scales[-1]:
        return None
    return MLX_GROUP * count_elements(scales)


def _mlx_mxfp4(codes: Shape, parts: Sequence[Shape]) -> int | None:
    (scales,) = parts
    fits = codes[:-1] == scales[:-1] and codes[-1:] == (4 * (*scales, 0)[len(scales) - 1],)
    return 8 * count_elements(codes) if fits else None


def _same(codes: Shape, _parts: Sequence[Shape]) -> int | None:
    return count_elements(codes)


CONVENTIONS = (
    # https://github.com/NVIDIA/TensorRT-Model-Optimizer: NVFP4, blocks of 16
    Convention(
        "NVFP4 (ModelOpt)", "weight", U8, ("weight_scale", "weight_scale_2"), _two_a_byte,
        also=("input_scale",),
    ),
    # https://github.com/vllm-project/compressed-tensors: nvfp4-pack-quantized, pack-quantized
    Convention(
        "NVFP4 (compressed-tensors)", "weight_packed", U8, ("weight_scale", "weight_global_scale"),
        _two_a_byte, also=("input_global_scale",),
    ),
    Convention(
        "packed integers (compressed-tensors; 4 bits assumed)", "weight_packed", I32,
        ("weight_scale",), _compressed,
        also=("weight_shape", "weight_zero_point", "weight_g_idx"),
    ),
    # https://github.com/openai/gpt-oss: `*_blocks` of 16 bytes, `*_scales` a power of two for each
    Convention("MXFP4 (gpt-oss)", "_blocks", U8, ("_scales",), _mxfp4),
    # DeepSeek-V3's inference/kernel.py (weight_dequant), transformers' Fp8Dequantize
    Convention("scaled FP4 (DeepSeek)", "", I8 | U8, ("_scale_inv",), _two_a_byte),
    Convention(
        "scaled FP8 (DeepSeek)", "", FP8, ("_scale_inv",), _scaled, is_scaled=True,
        also=("activation_scale", "input_scale"),
    ),
    # compressed-tensors' float-quantized and int-quantized: `_dequantize`; ModelOpt's FP8
    Convention(
        "scaled FP8 (compressed-tensors)", "weight", FP8, ("weight_scale",), _scaled,
        is_scaled=True, also=("input_scale",),
    ),
    Convention(
        "scaled INT8 (compressed-tensors)", "weight", I8, ("weight_scale",), _scaled,
        is_scaled=True, also=("input_scale", "input_zero_point", "weight_zero_point"),
        unless=("weight_zero_point",),
    ),
    # https://github.com/comfyanonymous/ComfyUI, comfy/ops.py: scaled_fp8_ops
    Convention(
        "scaled FP8 (ComfyUI)", "weight", FP8, ("scale_weight",), _scaled,
        is_scaled=True, also=("scale_input",),
    ),
    # https://github.com/AutoGPTQ/AutoGPTQ, nn_modules/qlinear; https://github.com/casper-hansen/AutoAWQ
    Convention("GPTQ", "qweight", I32, ("qzeros", "scales"), _gptq, also=("g_idx",)),
    Convention("AWQ", "qweight", I32, ("qzeros", "scales"), _awq),
    # https://ml-explore.github.io/mlx: mlx.core.quantize
    Convention("MLX (groups of 64 assumed)", "weight", U32, ("scales", "biases"), _mlx),
    Convention("MLX (MXFP4)", "weight", U32, ("scales",), _mlx_mxfp4),
    # https://github.com/bitsandbytes-foundation/bitsandbytes: functional.QuantState, Int8Params
    Convention(
        "bitsandbytes, 4 bits", "weight", U8, ("weight.absmax", "weight.quant_map"), _two_a_byte,
        also=(
            "weight.nested_absmax", "weight.nested_quant_map",
            "weight.quant_state.bitsandbytes__nf4", "weight.quant_state.bitsandbytes__fp4",
        ),
    ),
    Convention("bitsandbytes, 8 bits", "weight", I8, ("SCB",), _same, also=("weight_format",)),
    # https://github.com/huggingface/optimum-quanto
    Convention(
        "quanto", "weight._data", I8 | U8 | FP8, ("weight._scale",), _same,
        also=("weight._shift", "input_scale", "output_scale"),
    ),
)  # fmt: skip

MARKERS = frozenset(("scaled_fp8",))
"""Arrays that say that a file is quantized, and are nothing else."""
