"""Run by an interpreter with MXNet 1.9.1: `make_mxnet_layers.py mxnet_layers.json OUT.npz`.

The same as `make_pytorch_layers.py`, with structural names; float32 where MXNet has no float64.
"""

import json
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd

NAMES = {**vars(gluon.rnn), **vars(gluon.nn)}


def made_input(spec, rng, dtype):
    if isinstance(spec, dict):
        return nd.array(rng.integers(0, spec["below"], spec["shape"]), dtype=dtype)
    return nd.array(rng.standard_normal(spec), dtype=dtype)


def computed(case, number, dtype):
    """`(kind/name, array)` of one case."""
    rng = np.random.default_rng(number)
    layer = eval(case["call"], {"__builtins__": {}}, NAMES)
    layer.cast(dtype)
    inputs = [made_input(spec, rng, dtype) for spec in case["inputs"]]
    layer.initialize()
    layer(*inputs)
    parameters = layer._collect_params_with_prefix()
    for name, p in sorted(parameters.items()):
        values = rng.standard_normal(p.shape) * 0.5
        p.set_data(nd.array(np.abs(values) + 0.5 if "var" in name else values, dtype=dtype))
        yield f"state/{name}", p.data().asnumpy()
    for x, spec in zip(inputs, case["inputs"]):
        if not isinstance(spec, dict):
            x.attach_grad()
    with autograd.record(train_mode=case["train"]):
        y = layer(*inputs)
        weights = nd.array(rng.standard_normal(y.shape), dtype=dtype)
        total = (y * weights).sum()
    total.backward(train_mode=case["train"])
    yield "weights", weights.asnumpy()
    yield "output", y.asnumpy()
    for i, (x, spec) in enumerate(zip(inputs, case["inputs"])):
        is_float = not isinstance(spec, dict)
        yield f"input/x{i}", x.asnumpy() if is_float else x.asnumpy().astype("int64")
        if is_float:
            yield f"grad/x{i}", x.grad.asnumpy()
    for name, p in parameters.items():
        if p.grad_req != "null":
            yield f"grad/layer.{name}", p.grad().asnumpy()
        elif case["train"]:
            yield f"after/{name}", p.data().asnumpy()


def main(cases_path, out_path):
    out = {}
    for number, case in enumerate(json.loads(Path(cases_path).read_text(encoding="utf-8"))):
        try:
            arrays = dict(computed(case, number, "float64"))
        except mx.MXNetError:  # some layers compute in float32 alone
            arrays = dict(computed(case, number, "float32"))
        out.update({f"{number}/{name}": array for name, array in arrays.items()})
    np.savez_compressed(out_path, **out)


if __name__ == "__main__":
    main(*sys.argv[1:])
