"""A model in float32 computes in float32, forward and backward, as in the frameworks."""

import autograd.core
import numpy as np
import pytest
from layer_cases import CASES, EVERY, definition, frozen

from paraminspect import compute
from paraminspect.compute import gradients
from paraminspect.definition import load_definition


@pytest.fixture
def wide(monkeypatch):
    """The functions that made a float64 on the way forward or back."""
    found = []
    original = autograd.core.VJPNode.__init__

    def watched(node, value, function, *rest):
        original(node, value, function, *rest)
        backward = node.vjp
        if value.dtype == np.float64:
            found.append(f"forward {function.__name__}")

        def vjp(gradient):
            back = list(backward(gradient))
            if any(getattr(x, "dtype", None) == np.float64 for x in back):
                found.append(f"backward {function.__name__}")
            return back

        node.vjp = vjp

    monkeypatch.setattr(autograd.core.VJPNode, "__init__", watched)
    return found


def narrow(array):
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def results(found):
    return [found.output, *(g for g in found.total.values() if g is not None)]


@pytest.mark.parametrize(("framework", "number"), EVERY)
def test_a_float32_layer_computes_nothing_in_float64(framework, number, wide, monkeypatch):
    case = CASES[framework][number]
    arrays = {n: narrow(a) for n, a in frozen(framework).items() if n.startswith(f"{number}/")}
    inputs = {n.rpartition("/")[2]: a for n, a in arrays.items() if "/input/" in n}
    net = load_definition(definition(framework, case["call"], inputs).encode(), "definition")
    start = f"{number}/state/"
    values = {
        f"layer{net.architecture.separator}{n.removeprefix(start)}": a
        for n, a in arrays.items()
        if start in n
    }
    values |= inputs if framework != "keras" else {}
    weights = arrays[f"{number}/weights"]
    monkeypatch.setitem(compute.LOSSES, "sum", lambda y, target: (y * weights).sum())
    given = [*inputs.values()] if framework == "keras" else [inputs["x0"]]
    found = gradients(net, given, "sum", values=values, training=case["train"])
    assert not wide
    assert all(x.dtype != np.float64 for x in [*results(found), *found.updates.values()])


@pytest.mark.parametrize("loss", ["mse", "cross_entropy", "sum", "mean"])
def test_a_float32_loss_computes_nothing_in_float64(loss, wide):
    net = load_definition(b"framework: pytorch\nlayers:\n- Linear(4, 3)\n", "definition")
    values = {p.name: np.ones(p.shape, np.float32) for p in net.parameters()}
    target = np.array([0, 2]) if loss == "cross_entropy" else np.ones((2, 3), np.float32)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = gradients(net, [x], loss, target, values)
    assert not wide
    assert all(x.dtype == np.float32 for x in results(found))


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "maximum(x, w)",
            "minimum(x, w)",
            "clip(x, 0.1, 2)",
            "where(x > 2, x, w)",
        ),
        *("where(x > 2, x, 0)", "where(x > 2, x, arange(4))", "masked_fill(x, x > 2, 0)"),
        *(
            "max(x)",
            "max(x, 1)[0]",
            "min(x, 0, True)[0]",
            "amax(x, 1)",
            "mean(x)",
            "mean(x, [0, 1])",
            "var(x, 1)",
        ),
        *("sum(x, 0)", "norm(x)", "sqrt(x)", "abs(x)", "erf(x)", "gelu(x)", "softmax(x, 1)"),
        *("x / sqrt(shape(x)[1])", "x * exp(1)", "x * arange(4)", "x + arange(0, 2, 0.5)"),
        *("x * sum(x > 2)", "x * (x > 2)", "x + ones(4)", "x + zeros(3, 4)", "x // 2", "x % 2"),
        *("cat([x, reshape(arange(12), 3, 4)])", "stack([arange(4), x[0]])"),
        *("x ** 2", "2 ** x", "x ** w", "1 / x", "attend(x, x, w, 2, causal_mask(3))"),
    ],
)
def test_a_float32_forward_computes_nothing_in_float64(expression, wide):
    text = f"layers:\n  w: Parameter(3, 4)\n  forward:\n    - x = x + w\n    - {expression}\n"
    net = load_definition(f"framework: pytorch\n{text}".encode(), "definition")
    x = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    found = gradients(net, [x], values={"w": x[::-1] / 8})
    assert not wide
    assert all(x.dtype == np.float32 for x in results(found))


@pytest.mark.parametrize(
    ("expression", "gradient"),
    [
        ("max(w)", [[0, 0, 0], [0.5, 0, 0.5]]),
        ("amax(w, 1)", [[0, 1, 0], [0.5, 0, 0.5]]),
        ("max(w, 1)[0]", [[0, 1, 0], [1, 0, 0]]),
        ("min(w, 0, True)[0]", [[1, 0, 1], [0, 1, 0]]),
        ("maximum(w, 2 * ones(3))", [[0, 0.5, 0], [1, 0, 1]]),
        ("minimum(w, w[0])", [[2, 1, 2], [0, 1, 0]]),
        ("clip(w, 0, 2)", [[1, 1, 1], [0, 1, 0]]),
        ("clip(w, 1, None)", [[0, 1, 1], [1, 1, 1]]),
        ("where(w > 1, 2 * w, w[0])", [[1, 3, 1], [2, 0, 2]]),
    ],
)
def test_equal_elements_share_a_gradient_and_broadcast_ones_add_up(expression, gradient):
    text = f"framework: pytorch\nlayers:\n  w: Parameter(2, 3)\n  forward: sum({expression})\n"
    net = load_definition(text.encode(), "definition")
    w = np.array([[0.0, 2.0, 1.0], [3.0, 1.0, 3.0]])
    np.testing.assert_array_equal(gradients(net, [w], values={"w": w}).total["w"], gradient)
