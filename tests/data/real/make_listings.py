"""What PyTorch reads: `make_listings.py FILE.safetensors... > listings.json`; needs torch."""

import hashlib
import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open

listings = {}
for path in map(Path, sys.argv[1:]):
    tensors = {}
    with safe_open(path, framework="pt") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            wide = tensor.to(torch.float64)
            tensors[name] = [
                list(tensor.shape),
                str(tensor.dtype).removeprefix("torch."),
                hashlib.sha256(tensor.numpy().tobytes()).hexdigest(),
                wide.sum().item(),
                wide.min().item(),
                wide.max().item(),
            ]
        listings[path.name] = {"metadata": file.metadata() or {}, "tensors": tensors}
lines = []
for name, listing in listings.items():
    rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in listing["tensors"].items())
    metadata = json.dumps(listing["metadata"])
    lines.append(f'{json.dumps(name)}: {{"metadata": {metadata}, "tensors": {{\n{rows}}}}}')
print("{\n" + ",\n".join(lines) + "\n}")
