"""Run by an interpreter with torch: `make_pytorch_layers.py pytorch_layers.json OUT.npz`.

For each case `{"call", "inputs", "train"}` a layer of torch.nn is built, its parameters are drawn,
and outputs, gradients of sum(output * weights), and state are stored under `INDEX/...`.
"""

import json
import sys

import numpy as np
import torch
from torch import nn


def made_input(spec, generator):
    if isinstance(spec, dict):
        return torch.randint(0, spec["below"], spec["shape"], generator=generator)
    return torch.randn(spec, generator=generator, dtype=torch.float64)


def first(y):
    return y[0] if isinstance(y, tuple) else y


def main(cases_path, out_path):
    with open(cases_path, encoding="utf-8") as file:
        cases = json.load(file)
    out = {}
    for number, case in enumerate(cases):
        generator = torch.Generator().manual_seed(number)
        layer = eval(case["call"], {"__builtins__": {}}, vars(nn)).double()
        inputs = [made_input(spec, generator) for spec in case["inputs"]]
        layer.train(case["train"])
        if "Lazy" in case["call"]:
            layer(*inputs)
        with torch.no_grad():
            for p in layer.parameters():
                p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) * 0.5)
            for name, b in layer.named_buffers():
                if name.endswith("running_mean") or name.endswith("running_var"):
                    b.copy_(torch.rand(b.shape, generator=generator, dtype=torch.float64) + 0.5)
        for name, value in layer.state_dict().items():
            out[f"{number}/state/{name}"] = value.numpy().copy()
        for x in inputs:
            x.requires_grad_(x.is_floating_point())
        y = first(layer(*inputs))
        weights = torch.randn(y.shape, generator=generator, dtype=torch.float64)
        (y * weights).sum().backward()
        out[f"{number}/weights"] = weights.numpy()
        out[f"{number}/output"] = y.detach().numpy()
        for i, x in enumerate(inputs):
            out[f"{number}/input/x{i}"] = x.detach().numpy()
            if x.requires_grad:
                out[f"{number}/grad/x{i}"] = x.grad.numpy()
        for name, p in layer.named_parameters():
            out[f"{number}/grad/layer.{name}"] = p.grad.numpy()
        for name, b in layer.named_buffers():
            out[f"{number}/after/{name}"] = b.numpy()
    np.savez_compressed(out_path, **out)


if __name__ == "__main__":
    main(*sys.argv[1:])
