"""What layers give when they are called with other arguments than their input.

`make.py pytorch` and `make.py keras`, each in an interpreter that has the framework, write
pytorch.npz and keras.npz: the inputs, and per case of cases.json the values and the output.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def inputs():
    rng = np.random.default_rng(3)
    kept, own = np.ones((2, 6), bool), np.ones((2, 5), bool)
    kept[0, 4:], own[1, 3:] = False, False
    across = rng.random((5, 6)) < 0.3
    across[:, 0] = False
    nowhere = across.copy()
    nowhere[1] = True
    return {
        "x": rng.standard_normal((2, 5, 8)),
        "y": rng.standard_normal((2, 6, 8)),
        "h": rng.standard_normal((1, 2, 4)),
        "h0": rng.standard_normal((2, 4)),
        "padding": ~kept,
        "own_padding": ~own,
        "kept": kept,
        "own_kept": own,
        "causal": np.triu(np.ones((5, 5), bool), 1),
        "across": across,
        "across_kept": np.broadcast_to(~across, (2, 5, 6)).copy(),
        "per_head": np.broadcast_to(across, (4, 5, 6)).copy(),
        "nowhere": nowhere,
        "nowhere_kept": np.broadcast_to(~nowhere, (2, 5, 6)).copy(),
        "scores": rng.standard_normal((2, 2)),
    }


def of_torch(case, number, given):
    import torch
    from torch import nn

    torch.backends.mha.set_fastpath_enabled(False)
    dtype = getattr(torch, case.get("dtype", "float64"))
    layer = eval(case["layer"], dict(vars(nn))).to(dtype).eval()
    rng = np.random.default_rng(number)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.from_numpy(rng.standard_normal(tuple(p.shape)) * 0.5))
        tensors = {name: torch.from_numpy(value) for name, value in given.items()}
        output = eval(case["call"], {"layer": layer, **tensors})
    return output.numpy(), {name: p.numpy() for name, p in layer.state_dict().items()}


def of_keras(case, number, given):
    import keras

    dtype = case.get("dtype", "float64")
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    layer = eval(case["layer"], dict(vars(keras.layers)))
    tensors = {name: keras.ops.convert_to_tensor(value) for name, value in given.items()}
    eval(case["call"], {"layer": layer, **tensors})
    rng = np.random.default_rng(number)
    for w in layer.weights:
        w.assign(abs(rng.standard_normal(tuple(w.shape))) * 0.5)
    values = {str(i): np.array(w) for i, w in enumerate(layer.weights)}
    return np.array(eval(case["call"], {"layer": layer, **tensors})), values


def main(framework):
    given = inputs()
    found = {f"input/{name}": value for name, value in given.items()}
    of = {"pytorch": of_torch, "keras": of_keras}[framework]
    for number, case in enumerate(json.loads((HERE / "cases.json").read_text())[framework]):
        output, values = of(case, number, given)
        found[f"{number}/output"] = output
        found |= {f"{number}/value/{name}": value for name, value in values.items()}
    np.savez_compressed(HERE / f"{framework}.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1])
