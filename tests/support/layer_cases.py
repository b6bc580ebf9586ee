"""Layers that the frameworks computed (`data/compute/make_*_layers.py`), and their definitions."""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from paraminspect.compute import run
from paraminspect.definition import load_definition

DATA = Path(__file__).parents[1] / "data/compute"
CASES = {
    framework: json.loads((DATA / f"{framework}_layers.json").read_text(encoding="utf-8"))
    for framework in ("pytorch", "keras", "mxnet")
}
EVERY = [
    pytest.param(framework, number, id=f"{framework}-{case['call']}{'-train' * case['train']}")
    for framework, cases in CASES.items()
    for number, case in enumerate(cases)
]


@functools.cache
def frozen(framework):
    with np.load(DATA / f"{framework}_layers.npz") as file:
        return {name: file[name] for name in file.files}


def definition(framework, call, inputs):
    """The layer, applied to its inputs; those of floats are parameters, to have gradients too."""
    lines = [f"framework: {framework}"]
    if framework == "mxnet":
        lines.append("names: structural")
    if framework != "pytorch" or "Lazy" in call:
        lines.append(f"input: {list(inputs['x0'].shape[1:])}")
    lines += ["layers:", f"  layer: {call}"]
    if framework == "keras":
        names = ", ".join(inputs)
        return "\n".join([*lines, f"  forward({names}): layer({names})"])
    for name, x in inputs.items():
        if x.dtype.kind == "f":
            lines.append(f"  {name}: Parameter({', '.join(map(str, x.shape))}, init='zeros')")
    names = [name if x.dtype.kind == "f" else "given" for name, x in inputs.items()]
    result = f"layer({', '.join(names)})"
    several = ("RNN(", "LSTM(", "GRU(", "LSTMCell", "MultiheadAttention")
    ending = "[0]" if framework == "pytorch" and call.startswith(several) else ""
    return "\n".join([*lines, "  forward(given):", f"    - y = {result}{ending}", "    - y"])


def called(framework, case, given, values):
    """What a call of a layer, `case["call"]`, gives for these inputs and values of the layer.

    Without values, those are ones.
    """
    words = re.findall(r"\w+", case["call"])
    used = [name for name in given if name in words]
    lines = [f"framework: {framework}", "layers:", f"  layer: {case['layer']}"]
    lines.append(f"  forward({', '.join(used)}): {json.dumps(case['call'])}")
    if framework == "keras":
        lines.insert(1, f"input: {list(given[used[0]].shape[1:])}")
    net = load_definition("\n".join(lines).encode(), "definition")
    if not values:
        values = {name: np.ones(p.shape, case.get("dtype")) for name, p in net.entries.items()}
    elif framework == "keras":
        values = dict(zip(net.entries, values.values(), strict=True))
    else:
        values = {f"layer.{name}": value for name, value in values.items()}
    return run(net, [given[name] for name in used], values)
