"""Every layer computes what its framework computes: outputs, gradients, running statistics.

Once against values that the framework gave (`tests/data/compute/make_*_layers.py`), and in the
parity suite against an installed one.
"""

import subprocess

import autograd
import numpy as np
import pytest
from layer_cases import CASES, DATA, EVERY, definition, frozen

from paraminspect import compute
from paraminspect.compute import gradients
from paraminspect.compute._run import Run
from paraminspect.definition import load_definition
from paraminspect.frameworks import load_computation

MODULES = {"pytorch": "torch", "keras": "keras", "mxnet": "mxnet"}

RTOL = {"float64": 1e-9, "float32": 2e-5}
ROUNDED = {
    "pytorch": ("CELU", "Hardsigmoid"),
    "keras": ("LeakyReLU", "Activation('leaky_relu'", "Activation('gelu'"),
    "mxnet": ("PReLU", "LeakyReLU", "ELU", "SELU", "GELU", "RNN", "BatchNorm", "LayerNorm"),
}
"""Layers in which the framework rounds a constant to float32."""
FIXED = ("gamma", "beta")
"""MXNet writes ones into a scale that is switched off; here it is left alone."""
WRONG = {("mxnet", "SELU()")}
"""MXNet takes its output for its input in the derivative of SELU."""


@pytest.fixture(scope="module", params=["frozen", pytest.param("live", marks=pytest.mark.parity)])
def expected(request, tmp_path_factory):
    """What the framework gives, by framework; asked for when first needed."""
    found = {}

    def of(framework):
        if framework not in found:
            if request.param == "live":
                python = request.getfixturevalue("framework_python")(MODULES[framework])
                path = tmp_path_factory.mktemp(framework) / "layers.npz"
                script = DATA / f"make_{framework}_layers.py"
                cases = DATA / f"{framework}_layers.json"
                subprocess.run([python, script, cases, path], check=True)
                with np.load(path) as file:
                    found[framework] = {name: file[name] for name in file.files}
            else:
                found[framework] = frozen(framework)
        return found[framework]

    return of


@pytest.mark.parametrize(("framework", "number"), EVERY)
def test_a_layer_computes_what_its_framework_computes(framework, number, expected, monkeypatch):
    case = CASES[framework][number]
    arrays = expected(framework)

    def of(kind):
        start = f"{number}/{kind}/"
        return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}

    inputs = of("input")
    text = definition(framework, case["call"], inputs)
    net = load_definition(text.encode(), "definition")
    layer = f"layer{net.architecture.separator}"
    values = {layer + name: value for name, value in of("state").items()}
    if framework != "keras":  # which has no bare parameters
        values |= {name: x for name, x in inputs.items() if x.dtype.kind == "f"}
    weights = arrays[f"{number}/weights"]
    monkeypatch.setitem(compute.LOSSES, "sum", lambda y, target: (y * weights).sum())
    given = list(inputs.values()) if framework == "keras" else [inputs["x0"]]
    found = gradients(net, given, "sum", values=values, training=case["train"])
    output = arrays[f"{number}/output"]
    assert found.output.shape == output.shape
    is_rounded = output.dtype == np.float64 and case["call"].startswith(ROUNDED[framework])
    rtol = 1e-6 if is_rounded else RTOL[output.dtype.name]
    np.testing.assert_allclose(found.output, output, rtol=rtol, atol=rtol / 10)
    wanted = of("grad")
    if framework == "keras":
        of_input = wanted.pop("x0", None)
        run = Run(net, values, case["train"])
        if of_input is not None:
            ours = autograd.grad(lambda x: (run(x, *given[1:]) * weights).sum())(given[0])
            np.testing.assert_allclose(ours, of_input, rtol=rtol, atol=rtol / 10)
    assert set(found.total) == set(wanted)
    for name, gradient in wanted.items() if (framework, case["call"]) not in WRONG else ():
        ours = found.total[name]
        np.testing.assert_allclose(ours, gradient, rtol=rtol, atol=rtol / 10, err_msg=name)
    after = {n: a for n, a in of("after").items() if n not in FIXED}
    for name, value in found.updates.items():
        np.testing.assert_allclose(value, after[name.removeprefix(layer)], rtol=rtol)
    changed = {name for name, value in after.items() if (value != of("state")[name]).any()}
    assert {name.removeprefix(layer) for name in found.updates} >= changed


@pytest.mark.parametrize(("framework", "number"), EVERY)
def test_a_gradient_is_the_slope_of_the_loss(framework, number, monkeypatch):
    """By central differences, along a random direction of all parameters together."""
    case = CASES[framework][number]
    arrays = {n: a for n, a in frozen(framework).items() if n.startswith(f"{number}/")}
    inputs = {n.rpartition("/")[2]: a for n, a in arrays.items() if "/input/" in n}
    net = load_definition(definition(framework, case["call"], inputs).encode(), "definition")
    start = f"{number}/state/"
    values = {
        f"layer{net.architecture.separator}{n.removeprefix(start)}": a
        for n, a in arrays.items()
        if start in n
    }
    if framework != "keras":
        values |= {name: x for name, x in inputs.items() if x.dtype.kind == "f"}
    values = {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in values.items()}
    given = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs.values()]
    given = given if framework == "keras" else given[:1]
    weights = arrays[f"{number}/weights"]
    monkeypatch.setitem(compute.LOSSES, "sum", lambda y, target: (y * weights).sum())

    def loss(step):
        moved = {n: a + step * directions[n] if n in directions else a for n, a in values.items()}
        return gradients(net, given, "sum", values=moved, training=case["train"])

    directions: dict = {}
    found = loss(0.0)
    rng = np.random.default_rng(number)
    directions |= {n: rng.standard_normal(g.shape) for n, g in found.total.items()}
    if "padding_idx=2" in case["call"]:
        directions["layer.weight"][2] = 0  # a row that is used and, by decree, not trained
    slope = sum((found.total[n] * d).sum() for n, d in directions.items())
    h = 1e-6
    measured = (loss(h).loss - loss(-h).loss) / (2 * h)
    assert slope == pytest.approx(measured, rel=1e-5, abs=1e-6)


TWINS = {
    "pytorch": ("Lazy", "RReLU", "SyncBatchNorm", "AlphaDropout", "FeatureAlphaDropout", "Conv1D"),
    "keras": (
        *("InputLayer", "ActivityRegularization", "AlphaDropout", "Gaussian", "SpatialDropout"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
        *("SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"),
    ),
    "mxnet": ("BatchNormReLU", "RNNCell", "LSTMCell", "GRUCell", "Conv3DTranspose"),
}
"""Computations that are others' under another name, need branches, or are not to be had."""


@pytest.mark.parametrize("framework", MODULES)
def test_every_computation_is_compared(framework):
    called = {case["call"].partition("(")[0] for case in CASES[framework]}

    def family(kind):
        return kind.rstrip("dD").rstrip("123")

    missing = {
        kind for kind in load_computation(framework).layers if not kind.startswith(TWINS[framework])
    }
    assert {family(kind) for kind in missing} <= {family(kind) for kind in called}
