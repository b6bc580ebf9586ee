"""Makes the files beside it with torch and transformers: `python make.py`.

Each `NAME.safetensors` holds quantized weights under the names of its convention, and
`NAME.want.safetensors` what transformers or torch makes of them, in bfloat16. Other parameters are
beside them as they are in real files.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers.integrations.finegrained_fp8 import Fp8Dequantize, _dequantize_fp8_weight

HERE = Path(__file__).parent
NORM = {"model.norm.weight": torch.linspace(0.5, 2, 9).to(torch.bfloat16)}


def codes(*shape, dtype=torch.float8_e4m3fn):
    return (torch.randn(shape) * 60).clamp(-448, 448).to(dtype)


def scales(*shape, dtype=torch.float32):
    return (torch.rand(shape) * 0.01 + 1e-4).to(dtype)


def save(name, quantized, want):
    save_file({**quantized, **NORM}, HERE / f"{name}.safetensors")
    wanted = {key: value.to(torch.bfloat16).contiguous() for key, value in want.items()}
    save_file({**wanted, **NORM}, HERE / f"{name}.want.safetensors")


def deepseek():
    """Blocks of 128 x 128, the last ones not whole: the formula of transformers' own backward."""
    weight, scale = codes(150, 140), scales(2, 2)
    stacked, its = codes(2, 130, 8), scales(2, 2, 1)
    even, its_even = codes(64, 96), scales(4, 3)
    want = {
        "model.q.weight": _dequantize_fp8_weight(weight, scale, [128, 128], torch.float32),
        "model.experts.up_proj": _dequantize_fp8_weight(stacked, its, [128, 128], torch.float32),
        "model.k.weight": Fp8Dequantize(None)._dequantize_one(even, its_even, torch.float32),
    }
    quantized = {
        "model.q.weight": weight,
        "model.q.weight_scale_inv": scale,
        "model.q.activation_scale": torch.tensor(0.5),
        "model.experts.up_proj": stacked,
        "model.experts.up_proj_scale_inv": its,
        "model.k.weight": even,
        "model.k.weight_scale_inv": its_even,
    }
    save("deepseek", quantized, want)


def ue8m0():
    """Scales that are powers of two, in a byte each; codes of five bits of exponent."""
    weight = codes(6, 8, dtype=torch.float8_e5m2)
    scale = torch.tensor([[2.0**-7, 2.0**-12]]).to(torch.float8_e8m0fnu)
    want = Fp8Dequantize(None)._dequantize_one(weight, scale, torch.float32)
    save("ue8m0", {"w.weight": weight, "w.weight_scale_inv": scale}, {"w.weight": want})


def compressed():
    """A scale for all, for each row, and INT8; bfloat16 scales: weight.to(scale.dtype) * scale."""
    weight, rows, ints = codes(5, 7), codes(5, 7), torch.randint(-127, 128, (5, 7)).to(torch.int8)
    one, many = scales(1, dtype=torch.bfloat16), scales(5, 1, dtype=torch.bfloat16)
    quantized = {
        "a.weight": weight,
        "a.weight_scale": one,
        "a.input_scale": torch.tensor([0.25]),
        "b.weight": rows,
        "b.weight_scale": many,
        "c.weight": ints,
        "c.weight_scale": many.clone(),
    }
    want = {
        "a.weight": weight.to(one.dtype) * one,
        "b.weight": rows.to(many.dtype) * many,
        "c.weight": ints.to(many.dtype) * many,
    }
    save("compressed", quantized, want)


def comfy():
    """One scale for all, in float32, and an empty array that says what the file is."""
    weight, scale = codes(5, 7), scales()
    quantized = {
        "blocks.0.weight": weight,
        "blocks.0.scale_weight": scale,
        "blocks.0.scale_input": torch.tensor(1.0),
        "scaled_fp8": torch.empty(0, dtype=torch.float8_e4m3fn),
    }
    save("comfy", quantized, {"blocks.0.weight": weight.to(torch.float32) * scale})


if __name__ == "__main__":
    torch.manual_seed(0)
    for make in (deepseek, ue8m0, compressed, comfy):
        make()
