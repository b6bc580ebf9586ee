"""A forward and a backward pass against PyTorch's on one thread."""

import os
import sys
from pathlib import Path

import pytest
from measuring import race

pytestmark = pytest.mark.bench

ROUNDS_TIMED = 20
DENSE, CONVOLUTIONS = 10, 30
"""How many times as long as PyTorch we may take."""

OURS = """
import os, sys, time
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
import numpy as np
from paraminspect.compute import gradients, load_values
from paraminspect.definition import load_definition
from paraminspect.init.plan import initialize
text, shape, classes, integers, rounds = eval(sys.argv[1])
net = initialize(load_definition(text.encode(), "definition"), seed=0)
values = load_values(net)
rng = np.random.default_rng(0)
x = rng.integers(0, classes, shape) if integers else rng.standard_normal(shape, np.float32)
target = x if integers else rng.integers(0, classes, shape[0])
for _ in range(rounds):
    gradients(net, [x], "cross_entropy", target, values)
"""
THEIRS = """
import sys, torch
from torch import nn
torch.set_num_threads(1)
model, shape, classes, integers, rounds = eval(sys.argv[1])
model = eval(model)
x = torch.randint(0, classes, shape) if integers else torch.randn(shape)
target = x if integers else torch.randint(0, classes, (shape[0],))
for _ in range(rounds):
    model.zero_grad()
    y = model(x)
    nn.functional.cross_entropy(y.reshape(-1, y.shape[-1]), target.reshape(-1)).backward()
"""
LENET = (
    "nn.Sequential(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2), nn.Conv2d(6, 16, 5),"
    " nn.Sigmoid(), nn.MaxPool2d(2, 2), nn.Flatten(), nn.Linear(256, 120), nn.Sigmoid(),"
    " nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))"
)
LAYER = "TransformerEncoderLayer(64, 4, 256, 0.0, 'gelu', batch_first=True, norm_first=True)"
TRANSFORMER = (
    f"nn.Sequential(nn.Embedding(512, 64), nn.TransformerEncoder(nn.{LAYER}, 4,"
    " enable_nested_tensor=False), nn.Linear(64, 512))"
)
SAMPLES = Path(__file__).parents[2] / "sample_models"
CASES = {
    "LeNet, a batch of 64": (
        (SAMPLES / "lenet.yaml").read_text(), LENET, (64, 1, 28, 28), 10, False, CONVOLUTIONS
    ),
    "a transformer of 4 layers, 16 x 64 tokens": (
        "framework: pytorch\nlayers:\n  - Embedding(512, 64)\n"
        f"  - TransformerEncoder({LAYER}, 4)\n  - Linear(64, 512)\n",
        TRANSFORMER, (16, 64), 512, True, DENSE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_pass_takes_at_most_so_many_times_as_long_as_in_pytorch(name, framework_python):
    python = framework_python("torch")
    text, model, shape, classes, integers, limit = CASES[name]

    def rounds(count, program, what, interpreter):
        return [interpreter, "-c", program, repr((what, shape, classes, integers, count))]

    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    os.environ.update(environment)
    few = race(f"{name}: start", *_both(1, rounds, text, model, python), rounds=3)
    many = race(f"{name}: passes", *_both(1 + ROUNDS_TIMED, rounds, text, model, python), rounds=3)
    ours, theirs = ((m.cpu - f.cpu) / ROUNDS_TIMED for m, f in zip(many, few, strict=True))
    print(
        f"  a pass: {ours * 1000:.1f} ms against {theirs * 1000:.1f} ms: {ours / theirs:.1f} times"
    )
    assert ours <= limit * theirs


def _both(count, rounds, text, model, python):
    return rounds(count, OURS, text, sys.executable), rounds(count, THEIRS, model, python)
