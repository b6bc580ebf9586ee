"""Outputs, losses, gradients and training steps are those of real PyTorch."""

import re
from pathlib import Path

import numpy as np
import pytest

import paraminspect as pi
from paraminspect.compute import adam, adamw, gradients, rmsprop, run, sgd, train
from paraminspect.definition import load_definition
from paraminspect.errors import ShapeError

SAMPLES = Path(__file__).parents[2] / "sample_models"
DATA = Path(__file__).parents[1] / "data/compute"

SHARED_MLP = """
framework: pytorch
share: {shared: "Linear(8, 8)"}
layers:
  - Linear(4, 8)
  - ReLU()
  - shared
  - ReLU()
  - shared
  - ReLU()
  - Linear(8, 1)
"""

# name -> (definition, loss)
CASES = {
    "mlp": ("framework: pytorch\nlayers:\n- Linear(4, 8)\n- ReLU()\n- Linear(8, 3)\n", "mse"),
    "shared_mlp": (SHARED_MLP, "mse"),
    "fancy_mlp": (
        """
framework: pytorch
layers:
  rand_weight: Buffer(20, 20)
  linear: Linear(20, 20)
  forward:
    - x = linear(x)
    - x = relu(mm(x, rand_weight) + 1)
    - x = linear(x)
    - while norm(x) > 1: x /= 2
    - x = x * 10 if norm(x) < 0.8 else x
    - sum(x)
""",
        "sum",
    ),
    "lenet": (
        """
framework: pytorch
layers:
  conv:
    - Conv2d(1, 2, 5)
    - Sigmoid()
    - MaxPool2d(2, 2)
    - Conv2d(2, 4, 5)
    - Sigmoid()
    - MaxPool2d(2, 2)
  fc:
    - Linear(64, 12)
    - Sigmoid()
    - Linear(12, 8)
    - Sigmoid()
    - Linear(8, 10)
  forward: fc(flatten(conv(x), 1))
""",
        "cross_entropy",
    ),
    "lstm_lm": (
        """
framework: pytorch
layers:
  encoder: Embedding(20, 8)
  rnn: LSTM(8, 8, 2)
  decoder: Linear(8, 20)
  forward:
    - y, state = rnn(encoder(x))
    - decoder(y)
ties: {decoder.weight: encoder.weight}
""",
        "cross_entropy",
    ),
    "transformer_lm": (
        """
framework: pytorch
define:
  block(): TransformerEncoderLayer(8, 2, 16, 0.0, 'gelu', batch_first=True, norm_first=True)
layers:
  tok: Embedding(20, 8)
  pos: Parameter(7, 8)
  enc: TransformerEncoder(block(), 2, norm=LayerNorm(8))
  head: Linear(8, 20, bias=False)
  mask: Buffer(7, 7, dtype='bool')
  forward:
    - t = shape(x)[1]
    - head(enc(tok(x) + pos[:t], mask[:t, :t]))
ties: {head.weight: tok.weight}
""",
        "cross_entropy",
    ),
}


def load(text):
    return load_definition(text.encode(), "definition")


def of_case(case, prefix):
    file = pi.open(str(DATA / f"{case}.safetensors"))
    return {n.removeprefix(prefix): p.numpy() for n, p in file.items() if n.startswith(prefix)}


@pytest.mark.parametrize(("tag", "rtol"), [("f64", 1e-10), ("f32", 1e-5)])
@pytest.mark.parametrize("case", CASES)
def test_outputs_losses_and_gradients_are_those_of_pytorch(case, tag, rtol):
    text, loss = CASES[case]
    check(load(text), case, tag, loss, rtol)


def check(net, case, tag, loss, rtol):
    tensors = of_case(case, f"{tag}/")
    values = {
        name.partition("/")[2]: array
        for name, array in tensors.items()
        if name.startswith(("param/", "buffer/"))
    }
    found = gradients(net, [tensors["input/x"]], loss, tensors.get("input/target"), values)
    pairs = [(found.output, tensors["output"]), (np.asarray(found.loss), tensors["loss"])]
    wanted = {n.removeprefix("grad/"): g for n, g in tensors.items() if n.startswith("grad/")}
    assert set(found.total) == set(wanted)
    pairs += [(found.total[name], gradient) for name, gradient in wanted.items()]
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        # The bias of a key has no influence: its gradient is nothing but rounding.
        assert np.abs(ours - theirs).max() <= rtol * np.abs(theirs).max() + 1e-15
    assert all(g.dtype == tensors["output"].dtype for g in found.total.values())


TINY = {"vocab": 20, "depth": 2, "heads": 2}
# sample -> (case, sizes that differ from those it states, rtol)
SIZED = {
    "gpt2": ("gpt2", {**TINY, "d": 8, "positions": 10}, 1e-10),
    "bert_base": ("bert", {**TINY, "d": 8, "positions": 9, "ff": 12}, 1e-10),
    # transformers has angles and RMSNorm in float32, whatever the precision of the model
    "llama_7b": ("llama", {**TINY, "d": 16, "kv": 8, "ff": 12, "heads": 4}, 1e-5),
    "vit_base": (
        "vit",
        {"d": 8, "ff": 12, "patches": 4, "depth": 2, "heads": 2, "classes": 3},
        1e-10,
    ),
    "resnet18": ("resnet18", {"w": 2, "classes": 5}, 1e-10),
}


def sized(sample, sizes):
    text = (SAMPLES / f"{sample}.yaml").read_text(encoding="utf-8")
    for name, size in sizes.items():
        text, changed = re.subn(rf"(?m)^(let: .*\b{name}): [^,}}]+", rf"\1: {size}", text)
        assert changed == 1
    return load(text)


def test_a_batch_norm_in_float32_loses_no_more_than_that_of_pytorch():
    data = of_case("batch_norm_f32", "")
    text = "framework: pytorch\nlayers:\n  x: Parameter(4, 3, 12, 12)\n  bn: BatchNorm2d(3)\n"
    text += "  forward(w): sum(w * bn(x))"
    values = {
        "x": data["x"],
        "bn.weight": np.ones(3, np.float32),
        "bn.bias": np.zeros(3, np.float32),
    }
    values |= {"bn.running_mean": values["bn.bias"], "bn.running_var": values["bn.weight"]}
    values |= {"bn.num_batches_tracked": np.array(0)}
    found = gradients(load(text), [data["weights"]], values=values, training=True)
    for name, ours in found.total.items():
        short = name.removeprefix("bn.")
        theirs, exact = (data[f"{tag}/grad/{short}"] for tag in ("f32", "f64"))
        last_place = np.spacing(np.abs(theirs).max())
        assert np.abs(ours - exact).max() <= 1.1 * np.abs(theirs - exact).max() + 2 * last_place


@pytest.mark.parametrize("sample", SIZED)
def test_a_sample_model_computes_what_pytorch_computes(sample):
    case, sizes, rtol = SIZED[sample]
    check(sized(sample, sizes), case, "f64", "cross_entropy", rtol)


ADJUSTED = {"betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1}
UPDATES = {
    "sgd": sgd(0.05),
    "momentum": sgd(0.02, momentum=0.9),
    "dampening": sgd(0.05, momentum=0.9, dampening=0.4, weight_decay=0.1),
    "nesterov": sgd(0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
    "adam": adam(0.01),
    "adam_all": adam(0.01, amsgrad=True, **ADJUSTED),
    "adam_far": adam(0.01, betas=(0.4, 0.999)),
    "adamw": adamw(0.01),
    "adamw_all": adamw(0.01, amsgrad=True, **ADJUSTED),
    "rmsprop": rmsprop(0.01),
    "rmsprop_all": rmsprop(
        0.01, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.5, centered=True
    ),
}
"""The optimizers of `make_cases.py`."""


@pytest.mark.parametrize("case", UPDATES)
def test_twenty_steps_of_a_shared_mlp_are_those_of_pytorch(case):
    data, update = of_case(f"train_{case}", ""), UPDATES[case]
    before = {n.removeprefix("before/"): a for n, a in data.items() if n.startswith("before/")}
    x, target = data["input/x"], data["input/target"]
    steps = list(train(load(SHARED_MLP), [([x], target)], "mse", update, 20, before))
    losses = [step.found.loss for step in steps]
    last = gradients(load(SHARED_MLP), [x], "mse", target, steps[-1].values).loss
    np.testing.assert_allclose([*losses, last], data["loss"], rtol=1e-10)
    for name, value in steps[-1].values.items():
        np.testing.assert_allclose(value, data[f"after/{name}"], rtol=1e-9, atol=1e-12)


def test_twenty_float32_steps_of_a_shared_mlp_are_those_of_pytorch():
    data = of_case("train_sgd_f32", "")
    before = {n.removeprefix("before/"): a for n, a in data.items() if n.startswith("before/")}
    batches = [([data["input/x"]], data["input/target"])]
    *_, last = train(load(SHARED_MLP), batches, "mse", sgd(0.05), 20, before)
    for name, value in last.values.items():
        assert value.dtype == np.float32
        # An element that crosses zero on the way keeps the rounding of what was around 1.
        np.testing.assert_allclose(value, data[f"after/{name}"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("case", UPDATES)
def test_a_float32_step_is_that_of_pytorch(case):
    """To the bit for SGD; the others divide by a root, and torch's is not rounded correctly."""
    data, state = of_case("steps_f32", ""), {}
    value = data["before"]
    for number in (1, 2):
        value = UPDATES[case](state, value, data[f"gradient/{number}"], number)
        wanted = data[f"{case}/{number}"]
        if case in ("sgd", "momentum", "dampening", "nesterov"):
            np.testing.assert_array_equal(value, wanted, strict=True)
        else:
            assert value.dtype == np.float32
            assert (np.abs(value - wanted) <= 2 * np.spacing(np.abs(wanted).max())).all()


def test_the_gradients_of_the_uses_add_up_and_an_unreached_parameter_has_none():
    text = """
framework: pytorch
layers:
  a: Linear(2, 2, bias=False)
  b: Linear(2, 2, bias=False)
  idle: Linear(2, 2)
  forward:
    - unused = idle(x)
    - sum(b(a(x)))
ties: {b.weight: a.weight}
"""
    values = {
        "a.weight": np.array([[1.0, 2.0], [3.0, 5.0]]),
        "idle.weight": np.eye(2),
        "idle.bias": np.zeros(2),
    }
    found = gradients(load(text), [np.array([[1.0, -1.0]])], values=values)
    by_use = found.by_use
    np.testing.assert_array_equal(found.total["a.weight"], by_use["a.weight"] + by_use["b.weight"])
    assert found.total["idle.weight"] is None
    assert found.total["idle.bias"] is None


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("layers:\n- Linear(4, 8)", (2, 3), r"layer 0, Linear\(4, 8\): expected in_features 4"),
        ("layers:\n- Conv2d(3, 4, 3)", (2, 1, 8, 8), r"expected \(batch, 3, height, width\), got"),
        ("layers:\n  a: Linear(2, 2)\n  w: Parameter(2)", (1, 2), "write its `forward`"),
        (
            "layers:\n  a: Linear(2, 2)\n  forward: a(x) + ones(3)",
            (1, 2),
            r"could not be broadcast .* in `a\(x\) \+ ones\(3\)` @ \$\.layers\.forward \(line 4\)",
        ),
        (
            "layers:\n  a: Linear(2, 2)\n  forward:\n    - while 1 < 2: x = x\n    - x",
            (1, 2),
            r"still holds after 10000 rounds @ \$\.layers\.forward\[0\] \(line 5\)",
        ),
        ("layers:\n  a: Linear(2, 2)\n  forward: b(x)", (1, 2), "unknown function 'b'"),
    ],
    ids=["features", "channels", "no forward", "broadcast", "endless", "unknown"],
)
def test_what_does_not_fit_says_which_layer_and_which_shapes(text, shape, message):
    net = load(f"framework: pytorch\n{text}\n")
    values = {p.name: np.zeros(p.shape) for p in net.parameters()}
    with pytest.raises(pi.ParamInspectError, match=message):
        gradients(net, [np.zeros(shape)], values=values)


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("framework: pytorch\nlayers: {a: 'Linear(2, 2)', b: 'Linear(2, 2)'}", "the model"),
        (
            "framework: pytorch\nlayers: {m: {a: 'Linear(2, 2)'}, forward: m(x)}",
            r"module m \(Module\)",
        ),
        (
            "framework: pytorch\ndefine:\n  block(d):\n    a: Linear(d, d)\nlayers: [2 * block(2)]",
            r"module 0 \(block\)",
        ),
        ("framework: pytorch\nlayers: [ReLU(), {a: 'ReLU()'}]", r"module 1 \(Module\)"),
        ("framework: keras\ninput: [2]\nlayers: {a: Dense(2), b: Dense(2)}", "the model"),
        (
            "framework: keras\ninput: [2]\nlayers: {m: {a: Dense(2)}, forward: m(x)}",
            r"module m \(keras.Model\)",
        ),
        ("framework: mxnet\ninput: [2]\nlayers: {a: Dense(2)}", "the model"),
        ("framework: mxnet\ninput: [2]\nlayers: [{HybridBlock(): {a: Dense(2)}}]", "module 0"),
    ],
)
def test_a_mapping_without_a_forward_does_not_run(text, module):
    net = pi.initialize(load(text), seed=0)
    with pytest.raises(pi.ParamInspectError, match=rf"^{module}.* no forward: "):
        net(np.ones((1, 2), np.float32))


def test_a_sequence_runs_by_itself():
    text = "framework: keras\ninput: [2]\nlayers: {Functional(): {a: ReLU(), b: ReLU(1)}}"
    assert run(load(text), [np.array([[-1.0, 3.0]])], {}).tolist() == [[0, 1]]
    text = "framework: mxnet\ninput: [2]\nlayers: {HybridSequential(): [Flatten(), Flatten()]}"
    assert run(load(text), [np.array([[-1.0, 3.0]])], {}).tolist() == [[-1, 3]]


PARTS = """
framework: pytorch
layers:
  chain:
  - Linear(4, 4)
  part:
    inner: Linear(4, 4)
    forward(x, scale): inner(x) * scale
  forward: {}
"""


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        ("chain(x, x)", r"^layer chain, Sequential: expected 1 input \(x\), got 2 in `chain"),
        (
            "chain(x, mask=x)",
            r"^layer chain, Sequential: expected 1 input \(x\), got 1 and mask= in",
        ),
        ("chain()", r"expected 1 input \(x\), got 0 in"),
        ("part(x)", r"^layer part, Module: expected 2 inputs \(x, scale\), got 1 in"),
        ("part(x, foo=2)", r"expected 2 inputs \(x, scale\), got 1 and foo= in"),
        ("part(x, x=2)", r"expected 2 inputs \(x, scale\), got 1 and x= in"),
        ("part(chain(ones(2, 3)), 1)", r"^layer chain\.0, Linear\(4, 4\): expected in_features 4"),
        ("matmul(x, ones(3, 3))", r"^matmul: .* in `matmul\(x, ones\(3, 3\)\)` @ \$"),
        ("reshape(x, 5)", r"^reshape: cannot reshape array of size 8"),
        ("max(x, 7)", "^max: axis 7 is out of bounds for an array of 2 axes"),
        ("relu('a')", "^relu: "),
        ("ones(10**5, 10**5)", "the shape .* has over 268435456 elements in"),
    ],
)
def test_a_call_in_a_forward_that_does_not_fit_says_so_once(forward, message):
    net = load(PARTS.format(forward))
    values = {p.name: np.zeros(p.shape) for p in net.parameters()}
    with pytest.raises(pi.ParamInspectError, match=message) as caught:
        run(net, [np.zeros((2, 4))], values)
    assert str(caught.value).endswith("@ $.layers.forward (line 9)")


@pytest.mark.parametrize(
    ("call", "value", "gradient"),
    [  # what torch 2.13 gives for torch.var
        ("var(w, 1)", [1.0, 4 / 3], [[-1, 1, 0], [2 / 3, -4 / 3, 2 / 3]]),
        (
            "var(w, 1, correction=0)",
            [2 / 3, 8 / 9],
            [[-2 / 3, 2 / 3, 0], [4 / 9, -8 / 9, 4 / 9]],
        ),
        ("var(w)", 22 / 15, None),
        ("var(w[:1], 0)", [np.nan] * 3, None),
    ],
)
def test_a_variance_is_that_of_pytorch(call, value, gradient):
    net = load(f"framework: pytorch\nlayers:\n  w: Parameter(2, 3)\n  forward: {call}\n")
    w = np.array([[0.0, 2.0, 1.0], [3.0, 1.0, 3.0]])
    np.testing.assert_allclose(run(net, [w], {"w": w}), value, rtol=1e-14)
    if gradient is not None:
        found = gradients(net, [w], values={"w": w}).total["w"]
        np.testing.assert_allclose(found, gradient, rtol=1e-14, atol=1e-15)


def test_an_input_of_a_part_can_be_named():
    net = load(PARTS.format("part(scale=2, x=x) - part(x, scale=2) + part(x, 3)"))
    values = {p.name: np.ones(p.shape) for p in net.parameters()}
    x = np.arange(8.0).reshape(2, 4)
    expected = np.repeat(3 * (x.sum(1, keepdims=True) + 1), 4, axis=1)
    np.testing.assert_array_equal(run(net, [x], values), expected, strict=True)


def test_an_error_in_the_forward_of_a_branch_is_located_once():
    text = """
framework: keras
input: [4]
layers:
- Add():
  - Functional():
      a: Dense(4)
      forward: clip(a(x), 0, 'a')
  - Dense(4)
"""
    net = load(text)
    values = {p.name: np.zeros(p.shape) for p in net.parameters()}
    with pytest.raises(pi.ParamInspectError, match=r"^clip: x_max must .* @ \$\.layers\[0\]"):
        run(net, [np.zeros((1, 4))], values)
    joined = text.replace("  - Functional():\n    ", "    ").replace("  - Dense(4)\n", "")
    with pytest.raises(pi.ParamInspectError, match="Add\\(\\) joins the layers below it: leave"):
        load(joined)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        ("[y = x]", "ends in the result"),
        ("[x.y]", "attribute access"),
        ("[a.b = x, x]", "only names can be assigned to"),
        ("[]", "at least one statement"),
        ("[import os, x]", "expected `name = EXPRESSION`"),
        ("{if x: x}", "expected `name = EXPRESSION`"),
    ],
)
def test_a_bad_forward_says_where(forward, message):
    text = f"framework: pytorch\nlayers:\n  a: ReLU()\n  forward: {forward}\n"
    with pytest.raises(pi.ParamInspectError, match=message) as caught:
        load(text)
    assert "@ $.layers.forward" in str(caught.value)


@pytest.mark.parametrize(
    ("merge", "of"),
    [
        ("Add", lambda x, t: x + t),
        ("Subtract", lambda x, t: x - t),
        ("Multiply", lambda x, t: x * t),
        ("Average", lambda x, t: (x + t) / 2),
        ("Maximum", np.maximum),
        ("Minimum", np.minimum),
        ("Concatenate", lambda x, t: np.concatenate([x, t], axis=-1)),
        ("Dot(-1)", lambda x, t: (x * t).sum(-1, keepdims=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layer_of_keras_merges_its_branches(merge, of):
    call = merge if "(" in merge else f"{merge}()"
    text = f"framework: keras\ninput: [3]\nlayers:\n- {call}: [Identity(), Activation('tanh')]\n"
    x = np.random.default_rng(0).standard_normal((2, 3))
    np.testing.assert_allclose(run(load(text), [x], {}), of(x, np.tanh(x)), rtol=1e-14)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("ReLU()", [np.nan, 0.0, 0.0, 0.5, 9.0]),
        ("ReLU6()", [np.nan, 0.0, 0.0, 0.5, 6.0]),
        ("Hardsigmoid()", [np.nan, 0.0, 0.5, 0.5833333, 1.0]),
        ("Hardshrink()", [np.nan, -9.0, 0.0, 0.0, 9.0]),
        ("Softshrink()", [np.nan, -8.5, 0.0, 0.0, 8.5]),
        ("Threshold(0.5, 20)", [np.nan, 20.0, 20.0, 20.0, 9.0]),
    ],
)
def test_nan_is_not_hidden_by_an_activation(tmp_path, layer, expected):
    """The numbers are those of torch 2.13."""
    (tmp_path / "m.yaml").write_text(f"framework: pytorch\nlayers:\n- {layer}\n")
    x = np.array([np.nan, -9.0, 0.0, 0.5, 9.0], np.float32)
    np.testing.assert_allclose(pi.open(tmp_path / "m.yaml")(x), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        ("BatchNorm1d(2)", (2,), "2 or 3"),
        ("BatchNorm1d(2)", (3, 2, 5, 5), "2 or 3"),
        ("BatchNorm2d(2)", (3, 2), "4"),
        ("BatchNorm2d(2)", (3, 2, 5), "4"),
        ("BatchNorm3d(2)", (3, 2, 5, 5), "5"),
        ("InstanceNorm1d(2)", (3, 2, 5, 5), "2 or 3"),
        ("InstanceNorm2d(2)", (3, 2), "3 or 4"),
    ],
)
def test_a_norm_refuses_the_axes_that_torch_refuses(tmp_path, layer, shape, axes):
    (tmp_path / "m.yaml").write_text(f"framework: pytorch\nlayers:\n- {layer}\n")
    net = pi.initialize(pi.open(tmp_path / "m.yaml"), seed=0)
    with pytest.raises(ShapeError, match=rf"expected {axes} axes, got shape"):
        net(np.ones(shape, np.float32))


def test_an_instance_norm_takes_one_example_without_its_batch(tmp_path):
    """The numbers are those of torch 2.13."""
    (tmp_path / "m.yaml").write_text("framework: pytorch\nlayers:\n- InstanceNorm2d(2)\n")
    y = pi.open(tmp_path / "m.yaml")(np.arange(12, dtype=np.float32).reshape(2, 2, 3))
    row = [[-1.4638476, -0.8783086, -0.2927696], [0.2927695, 0.8783085, 1.4638476]]
    np.testing.assert_allclose(y, [row, row], rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            "Conv2D(6, 5)",
            (2, 28, 28, 3),
            "expected (batch, height, width, 1), got shape [2, 28, 28, 3]",
        ),
        ("Conv2D(6, 5)", (2, 28, 28), "expected (batch, height, width, 1), got shape [2, 28, 28]"),
        ("MaxPooling2D(2)", (2, 28, 28), "expected 4 axes, got shape [2, 28, 28]"),
        ("GlobalMaxPooling2D()", (2, 28, 28), "expected 4 axes, got shape [2, 28, 28]"),
    ],
)
def test_a_layer_of_keras_tells_shapes_with_the_channels_last(tmp_path, layer, shape, message):
    (tmp_path / "m.yaml").write_text(f"framework: keras\ninput: [28, 28, 1]\nlayers:\n- {layer}\n")
    net = pi.initialize(pi.open(tmp_path / "m.yaml"), seed=0)
    with pytest.raises(ShapeError, match=re.escape(message)):
        net(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        ("Conv1d(2, 2, 3)", (4, 2, 2), "windows of [3] do not fit into [2], padding included"),
        (
            "Conv2d(1, 2, 3, dilation=2)",
            (1, 1, 6, 4),
            "windows of [5, 5] do not fit into [6, 4], padding included",
        ),
        ("MaxPool2d(2)", (1, 1, 1, 1), "windows of [2, 2] do not fit into [1, 1]"),
        ("RNNCell(4, 3)", (2, 4, 4), "expected (batch, 4) or (4), got shape [2, 4, 4]"),
        ("GRU(4, 3, batch_first=True)", (2, 4), "expected (batch, length, 4), got shape [2, 4]"),
        ("LSTM(4, 3)", (2, 4), "expected (length, batch, 4), got shape [2, 4]"),
    ],
)
def test_an_input_of_a_wrong_shape_is_told_as_the_layer_knows_it(tmp_path, layer, shape, message):
    (tmp_path / "m.yaml").write_text(f"framework: pytorch\nlayers:\n- {layer}\n")
    net = pi.initialize(pi.open(tmp_path / "m.yaml"), seed=0)
    with pytest.raises(ShapeError, match=re.escape(message)):
        net(np.ones(shape, np.float32))
