"""What a `forward` makes is bounded before memory is taken for it."""

import tracemalloc

import numpy as np
import pytest

from paraminspect.compute import run
from paraminspect.definition import load_definition
from paraminspect.errors import ParamInspectError

MEMORY = 100_000_000
"""Bytes that a refused forward may take beside its input, which is 4 MB."""

HUGE = {
    "broadcasting": "x[:, None] + x[None, :]",
    "a comparison": "x[:, None] < x[None, :]",
    "an outer product": "x[:, None] @ x[None, :]",
    "a matrix product": "matmul(x[:, None], x[None, :])",
    "an einsum": "einsum('i,j->ij', x, x)",
    "an einsum with dots": "einsum('i...,j...->ij...', x, x)",
    "a function of two": "maximum(x[:, None], x[None, :])",
    "a condition": "where(x[:, None] > 0, x[None, :], x)",
    "a mask": "masked_fill(x, x[:, None] > 0, 0.0)",
    "an index of arrays": "reshape(x, (1, -1))[arange(1000000) * 0]",
    "a range": "arange(10**12)",
    "a causal mask": "causal_mask(10**6)",
    "attention": "attend(x[None, :, None], x[None, :, None], x[None, :, None], 1)",
    "a repetition": "tile(x, (1000,))",
    "a broadcast array": "broadcast_to(x, (1000, -1))",
    "a matrix of ones": "eye(10**5)",
    "a list of arrays": "cat([" + ", ".join(["x"] * 300) + "], 0)",
    "a stack": "stack([" + ", ".join(["x"] * 300) + "], 0)",
    "pieces": "split(x, 1, 0)[0]",
    "padding": "pad(reshape(x, (1, -1)))",
    "a layer that repeats": "up(reshape(x, (1, 1, -1)))",
    "a transposed convolution": "transposed(reshape(x, (1, 1, -1)))",
}
TEXT = """
framework: pytorch
layers:
  pad: ConstantPad1d(10**9, 0.0)
  up: AdaptiveAvgPool1d(10**9)
  transposed: ConvTranspose1d(1, 1, 1, stride=10**6)
  forward: {}
"""


@pytest.mark.parametrize("case", HUGE)
def test_what_would_be_huge_is_refused_before_it_is_made(case):
    net = load_definition(TEXT.format(repr(HUGE[case])).encode(), "m.yaml")
    values = {p.name: np.ones(p.shape, np.float32) for p in net.parameters()}
    x = np.ones(1 << 20, np.float32)
    tracemalloc.start()
    try:
        with pytest.raises(ParamInspectError, match=r"over \d+ elements|the limit is \d+"):
            run(net, [x], values)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "loop",
    [
        "while 1 < 2: 'x = cat([x, x], 0)'",
        "while 1 < 2: x = [x, x]",
        "while 1 < 2: 'x = [x, 1]'",
        "while 1 < 2: y = x + 1",
    ],
)
def test_a_loop_cannot_take_all_memory(loop, monkeypatch):
    monkeypatch.setattr("paraminspect.language.sizes.MAXIMUM_ELEMENTS", 1 << 16)
    monkeypatch.setattr("paraminspect.language.forward.MAXIMUM_TOGETHER", 1 << 18)
    text = f"framework: pytorch\nlayers:\n  p: ReLU()\n  forward:\n    - {loop}\n    - x\n"
    net = load_definition(text.encode(), "m.yaml")
    with pytest.raises(ParamInspectError, match=r"over \d+ elements|the limit is \d+ items"):
        run(net, [np.ones(1000, np.float32)], {})


def test_products_and_repetitions_that_stay_small_are_made():
    text = "framework: pytorch\nlayers:\n  p: ReLU()\n  forward: {}\n"
    long = np.ones((1, 1 << 15), np.float32)
    calls = (
        "x @ reshape(x, (-1, 1))",
        "matmul(x, reshape(x, (-1, 1)))",
        "einsum('ij,ij->i', x, x)",
    )
    for call in calls:
        net = load_definition(text.format(repr(call)).encode(), "m.yaml")
        assert run(net, [long], {}).ravel().tolist() == [1 << 15]
