"""Make the pair of files of this folder, and the numbers of their difference, with PyTorch.

    python make_pair.py fracast_f32.safetensors

The source is the model of the package fracast 0.1.0 (Apache-2.0); its smaller arrays are kept.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

MOST_ELEMENTS = 600

here = Path(__file__).parent
left = {n: a.clone() for n, a in load_file(sys.argv[1]).items() if a.numel() <= MOST_ELEMENTS}
right = {name: array.to(torch.bfloat16) for name, array in left.items()}
save_file(left, here / "fracast_f32.safetensors")
save_file(right, here / "fracast_bf16.safetensors")
numbers = {}
for name in sorted(left):
    one, two = left[name].double().flatten(), right[name].double().flatten()
    gap = (one - two).abs()
    numbers[name] = {
        "differing": int((gap > 0).sum()),
        "count": gap.numel(),
        "max_abs": gap.max().item(),
        "max_rel": (gap / two.abs())[gap > 0].max().item(),
        "rms": gap.square().mean().sqrt().item(),
        "cosine": torch.nn.functional.cosine_similarity(one, two, dim=0).item(),
        "worst": int(gap.argmax()),
    }
(here / "fracast.json").write_text(json.dumps(numbers, indent=1) + "\n")
