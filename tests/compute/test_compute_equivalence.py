"""The same weights in the layouts of PyTorch, Keras and MXNet give the outputs that these gave.

The files were written by the frameworks themselves (`data/equiv/generators`).
"""

from pathlib import Path

import numpy as np
import pytest

import paraminspect as pi
from paraminspect.compute import run
from paraminspect.definition import load_definition

DATA = Path(__file__).parents[1] / "data/equiv"
FILES = {
    "pytorch": "torch.safetensors",
    "keras": "keras3.weights.h5",
    "mxnet": "mxnet_structural.npz",
}
OUTPUTS = {"pytorch": "io_torch.npz", "keras": "io_keras3.npz", "mxnet": "io_mxnet.npz"}

# case -> framework -> what stands behind `layers:`
MODELS = {
    "mlp": {
        "pytorch": ["Linear(4, 8)", "ReLU()", "Linear(8, 3)"],
        "keras": ["Dense(8, activation='relu')", "Dense(3)"],
        "mxnet": ["Dense(8, activation='relu')", "Dense(3)"],
    },
    "cnn_flatten": {
        "pytorch": [
            *("Conv2d(2, 4, 3)", "BatchNorm2d(4)", "ReLU()", "MaxPool2d(2)"),
            *("Conv2d(4, 6, 3, stride=2)", "ReLU()", "Flatten()", "Linear(6*2*3, 5)"),
        ],
        "keras": [
            *("Conv2D(4, 3)", "BatchNormalization(epsilon=1e-5)", "ReLU()", "MaxPool2D(2)"),
            *("Conv2D(6, 3, strides=2, activation='relu')", "Flatten()", "Dense(5)"),
        ],
        "mxnet": [
            *("Conv2D(4, 3)", "BatchNorm()", "Activation('relu')", "MaxPool2D(2)"),
            *("Conv2D(6, 3, strides=2)", "Activation('relu')", "Flatten()", "Dense(5)"),
        ],
    },
    "conv1d_stack": {
        "pytorch": [
            *("Conv1d(3, 4, 3, padding=1)", "Tanh()", "Conv1d(4, 5, 3, dilation=2)"),
            *("Flatten()", "Linear(5*6, 2)"),
        ],
        "keras": [
            "Conv1D(4, 3, padding='same', activation='tanh')",
            *("Conv1D(5, 3, dilation_rate=2)", "Flatten()", "Dense(2)"),
        ],
        "mxnet": [
            *("Conv1D(4, 3, padding=1)", "Activation('tanh')", "Conv1D(5, 3, dilation=2)"),
            *("Flatten()", "Dense(2)"),
        ],
    },
    "convT2d": {
        "pytorch": ["ConvTranspose2d(3, 4, 3, stride=2)", "ReLU()", "Conv2d(4, 2, 1)"],
        "keras": ["Conv2DTranspose(4, 3, strides=2, activation='relu')", "Conv2D(2, 1)"],
        "mxnet": ["Conv2DTranspose(4, 3, strides=2)", "Activation('relu')", "Conv2D(2, 1)"],
    },
    "depthwise2d": {
        "pytorch": ["Conv2d(3, 6, 3, groups=3)", "ReLU()", "Conv2d(6, 4, 1)"],
        "keras": ["DepthwiseConv2D(3, depth_multiplier=2, activation='relu')", "Conv2D(4, 1)"],
        "mxnet": [
            *("Conv2D(6, 3, groups=3, in_channels=3)", "Activation('relu')", "Conv2D(4, 1)"),
        ],
    },
    "gru_seq": {
        "pytorch": {
            "rnn": "GRU(3, 4, batch_first=True)",
            "forward": "['y, state = rnn(x)', y]",
        },
        "keras": ["GRU(4, return_sequences=True, reset_after=True)"],
        "mxnet": {"rnn": "GRU(4, layout='NTC')", "forward": "rnn(x)"},
    },
    "lstm_text": {
        "pytorch": {
            "embedding": "Embedding(20, 6)",
            "rnn": "LSTM(6, 5, batch_first=True)",
            "fc": "Linear(5, 2)",
            "forward": "['y, state = rnn(embedding(x))', 'fc(y[:, -1])']",
        },
        "keras": ["Embedding(20, 6)", "LSTM(5)", "Dense(2)"],
        "mxnet": {
            "embedding": "Embedding(20, 6)",
            "rnn": "LSTM(5, layout='NTC', input_size=6)",
            "fc": "Dense(2, in_units=5)",
            "forward": "'fc(rnn(embedding(x))[:, -1])'",
        },
    },
    "mha": {
        "pytorch": {
            "ln": "LayerNorm(8)",
            "attn": "MultiheadAttention(8, 2, batch_first=True)",
            "fc": "Linear(8, 3)",
            "forward": "['y = ln(x)', 'y, weights = attn(y, y, y)', 'fc(x + y)']",
        },
        "keras": {
            "Functional()": """
    - Add():
        - Identity()
        - Functional():
          - LayerNormalization(epsilon=1e-5)
          - MultiHeadAttention(2, 4)
    - Dense(3)"""
        },
    },
}
CASES = [(case, framework) for case, models in MODELS.items() for framework in models]


def definition(framework, layers, shape):
    lines = [f"framework: {framework}", f"input: {list(shape)}", "layers:"]
    if framework == "mxnet":
        lines.insert(1, "names: structural")
    if isinstance(layers, list):
        lines += [f"  - {layer}" for layer in layers]
    else:
        lines += [f"  {name}: {layer}" for name, layer in layers.items()]
    return "\n".join(lines)


@pytest.mark.parametrize(("case", "framework"), CASES, ids=["-".join(case) for case in CASES])
def test_the_same_weights_give_the_same_output_in_every_layout(case, framework):
    with np.load(DATA / case / OUTPUTS[framework]) as file:
        x, y = file["x"], file["y"]
        exact = file["y_float64"] if "y_float64" in file.files else None
    text = definition(framework, MODELS[case][framework], x.shape[1:])
    net = load_definition(text.encode(), "definition")
    net = net.load(pi.open(str(DATA / case / FILES[framework])))
    ours = run(net, [x])
    assert ours.shape == y.shape
    assert np.abs(ours - y).max() <= 1e-5 * np.abs(y).max()
    if exact is not None:
        values = {p.name: p.numpy().astype(np.float64) for p in net.parameters()}
        ours = run(net, [x.astype(np.float64) if x.dtype.kind == "f" else x], values)
        assert np.abs(ours - exact).max() <= 1e-10 * np.abs(exact).max()
