"""Every layer computes what PyTorch computes: outputs, gradients, running statistics.

Once against values that torch 2.13 gave (`tests/data/compute/make_layers.py`), and in the parity
suite against an installed torch.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from paraminspect import compute
from paraminspect.compute import gradients
from paraminspect.compute._run import compute_table
from paraminspect.definition import load_definition

DATA = Path(__file__).parent.parent / "data/compute"
CASES = json.loads((DATA / "layers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["frozen", pytest.param("live", marks=pytest.mark.parity)])
def expected(request, tmp_path_factory):
    path = DATA / "layers.npz"
    if request.param == "live":
        python = request.getfixturevalue("framework_python")("torch")
        path = tmp_path_factory.mktemp("torch") / "layers.npz"
        script = DATA / "make_layers.py"
        subprocess.run([python, script, DATA / "layers.json", path], check=True)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=[f"{c['call']}{'-train' * c['train']}" for c in CASES]
)
def test_a_layer_computes_what_pytorch_computes(number, expected, monkeypatch):
    call, training = CASES[number]["call"], CASES[number]["train"]

    def of(kind):
        start = f"{number}/{kind}/"
        return {n.removeprefix(start): a for n, a in expected.items() if n.startswith(start)}

    inputs = of("input")
    net = load_definition(definition(call, inputs).encode(), "definition")
    values = {f"layer.{name}": value for name, value in of("state").items()}
    values |= {name: x for name, x in inputs.items() if x.dtype.kind == "f"}
    weights = expected[f"{number}/weights"]
    monkeypatch.setitem(compute.LOSSES, "sum", lambda y, target: (y * weights).sum())
    given = [inputs["x0"]]
    found = gradients(net, given, "sum", values=values, training=training)
    assert found.output.shape == expected[f"{number}/output"].shape
    np.testing.assert_allclose(found.output, expected[f"{number}/output"], rtol=1e-9, atol=1e-11)
    wanted = of("grad")
    # torch rounds a constant of these two to float32 in its backward pass
    rtol = 1e-7 if call.startswith(("CELU", "Hardsigmoid")) else 1e-9
    assert set(found.total) == set(wanted)
    for name, gradient in wanted.items():
        ours = found.total[name]
        np.testing.assert_allclose(ours, gradient, rtol=rtol, atol=rtol / 10, err_msg=name)
    after = of("after")
    for name, value in found.updates.items():
        np.testing.assert_allclose(value, after[name.removeprefix("layer.")], rtol=1e-12)
    assert bool(found.updates) == (training and bool(after))


def definition(call, inputs):
    """The layer, applied to its inputs; those of floats are parameters, to have gradients too."""
    lines = ["framework: pytorch"]
    if "Lazy" in call:
        lines.append(f"input: {list(inputs['x0'].shape[1:])}")
    lines += ["layers:", f"  layer: {call}"]
    for name, x in inputs.items():
        if x.dtype.kind == "f":
            lines.append(f"  {name}: Parameter{x.shape if x.ndim > 1 else f'({x.size})'}")
    names = [name if x.dtype.kind == "f" else "given" for name, x in inputs.items()]
    result = f"layer({', '.join(names)})"
    several = ("RNN(", "LSTM(", "GRU(", "LSTMCell", "MultiheadAttention")
    ending = "[0]" if call.startswith(several) else ""
    return "\n".join([*lines, "  forward(given):", f"    - y = {result}{ending}", "    - y"])


def test_every_computation_is_compared():
    called = {case["call"].partition("(")[0] for case in CASES}
    inside = {"NonDynamicallyQuantizableLinear", "Conv1D"}
    lazy_twins = {k for k in compute_table("pytorch") if k.startswith("Lazy")}
    compared_once = {"RReLU", "SyncBatchNorm", "AlphaDropout", "FeatureAlphaDropout"}
    missing = set(compute_table("pytorch")) - called - inside - lazy_twins - compared_once
    assert {kind.rstrip("d").rstrip("123") for kind in missing} <= {
        kind.rstrip("d").rstrip("123") for kind in called
    }
