"""Write mxnet.json beside this file: what MXNet draws. Needs MXNet 1.9.1, CPU.

    python tests/data/init/mxnet/make.py
"""

import hashlib
import json
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet.gluon import nn, rnn

HERE = Path(__file__).parent
SHAPES = [(1,), (17,), (63,), (64,), (65,), (128,), (4, 8), (130, 5), (1000,)]
RANDOM = [
    ("uniform", (-0.07, 0.07)),
    ("uniform", (-1.25, 0.5)),
    ("uniform", (-1e-05, 0.12345678901234567)),
    ("normal", (0.0, 0.01)),
    ("normal", (0.5, 2.0)),
]
LARGE = [("uniform", (-0.5, 0.5), (1 << 20,)), ("normal", (0.0, 1.0), (3000001,))]
NETS = [
    ("Dense(8, activation='relu')|Dense(1)", [4], None),
    ("Dense(8)|Dense(3, in_units=8)", [4], None),
    ("Dense(8, in_units=4)|Dense(1, in_units=8)", None, ("Xavier()", "xavier")),
    ("Dense(8, in_units=4)", None, ("Xavier('gaussian', 'in', 2)", "xavier('gaussian', 'in', 2)")),
    ("Conv2D(6, 3, in_channels=3)|BatchNorm()|Conv2DTranspose(4, 2)", [3, 8, 8], ("MSRAPrelu()", "msraprelu")),
    ("Embedding(10, 4)", None, ("Normal(0.02)", "Normal(0.02)")),
    ("LSTM(5, 2, input_size=3)", None, None),
    ("GRU(4, bidirectional=True)", [6, 3], None),
    ("Dense(300, weight_initializer='xavier')|PReLU()|LayerNorm()|Dense(70)", [200], None),
]
ORTHOGONAL = [(5, 7), (7, 5), (4, 4)]


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def random_case(function, arguments, shape, seed):
    mx.random.seed(seed)
    drawn = [getattr(mx.nd.random, function)(*arguments, shape).asnumpy() for _ in range(2)]
    return [function, arguments, shape, seed, *map(digest, drawn)]


def net_case(text, shape, scheme, seed):
    net = nn.Sequential()
    space = {**vars(nn), **{name: getattr(rnn, name) for name in ("LSTM", "GRU")}}
    for call in text.split("|"):
        net.add(eval(call, space))
    mx.random.seed(seed)
    net.initialize(*([eval(scheme[0], vars(mx.init))] if scheme else []))
    if shape:
        batch = (shape[0], 2, *shape[1:]) if len(shape) == 2 else (2, *shape)
        net(mx.nd.zeros(batch))
    values = [p.data().asnumpy() for p in net.collect_params().values()]
    return [text.split("|"), shape, scheme and scheme[1], seed, [digest(v) for v in values]]


def orthogonal_case(shape, rand_type):
    mx.random.seed(3)
    array = mx.nd.zeros(shape)
    mx.init.Orthogonal(rand_type=rand_type)(mx.init.InitDesc("x_weight"), array)
    return [shape, rand_type, array.asnumpy().tolist()]


if __name__ == "__main__":
    mx.nd.zeros(1).wait_to_read()
    random_cases = [random_case(*one, shape, seed) for one in RANDOM for shape in SHAPES for seed in (0, 42)]
    random_cases += [random_case(*one, 5) for one in LARGE]
    random_cases += [random_case("normal", (0.0, 1.0), (70,), seed) for seed in (-1, 1 << 31, (1 << 32) - 1)]
    frozen = {
        "random": random_cases,
        "nets": [net_case(*one, seed) for one in NETS for seed in (0, 7)],
        "orthogonal": [orthogonal_case(shape, t) for shape in ORTHOGONAL for t in ("uniform", "normal")],
    }
    (HERE / "mxnet.json").write_text(json.dumps(frozen, separators=(",", ":")))
