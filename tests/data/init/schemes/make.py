"""Write torch.json, keras.json and mxnet.json: from which distribution each scheme draws.

    python tests/data/init/schemes/make.py torch      (in an environment that has it; 2.13)
    python tests/data/init/schemes/make.py keras      (3.15, on TensorFlow)
    python tests/data/init/schemes/make.py mxnet      (1.9.1)

The frameworks' own random functions are replaced by ones that note their arguments. Schemes that
draw nothing are noted by their values.
"""

import json
import os
import sys
from itertools import product
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WEIGHTS = [(4, 8), (8, 4), (1, 9), (6, 4, 3), (8, 3, 3, 5), (2, 3, 2, 2, 2)]


def torch_cases():
    import torch
    from torch.nn import init

    noted = []
    init._no_grad_uniform_ = lambda t, a, b, generator=None: noted.append(["uniform", a, b])
    init._no_grad_normal_ = lambda t, m, s, generator=None: noted.append(["normal", m, s])
    torch.Tensor.uniform_ = lambda t, a=0.0, b=1.0, generator=None: noted.append(["uniform", a, b])
    torch.Tensor.normal_ = lambda t, m=0.0, s=1.0, generator=None: noted.append(["normal", m, s])
    scaled = [
        ("xavier_uniform", {}),
        ("xavier_uniform", {"gain": 1.7}),
        ("xavier_normal", {"gain": 0.3}),
        *(
            (name, {"a": a, "mode": mode, "nonlinearity": nonlinearity})
            for name in ("kaiming_uniform", "kaiming_normal")
            for a, mode, nonlinearity in [
                (0, "fan_in", "leaky_relu"),
                (5**0.5, "fan_in", "leaky_relu"),
                (0.2, "fan_out", "leaky_relu"),
                (0, "fan_in", "relu"),
                (0, "fan_out", "tanh"),
                (0, "fan_in", "selu"),
                (0, "fan_in", "sigmoid"),
                (0, "fan_out", "conv2d"),
            ]
        ),
    ]
    for (name, arguments), shape in product(scaled, WEIGHTS):
        noted.clear()
        getattr(init, f"{name}_")(torch.empty(shape), **arguments)
        yield name, arguments, shape, noted[-1]
    fixed = [
        ("eye", {}, (3, 5)),
        ("eye", {}, (5, 2)),
        ("dirac", {}, (3, 3, 3)),
        ("dirac", {}, (2, 5, 2, 2, 2)),
        ("dirac", {"groups": 2}, (6, 3, 3, 4)),
    ]
    for name, arguments, shape in fixed:
        made = getattr(init, f"{name}_")(torch.empty(shape), **arguments)
        yield name, arguments, shape, values(made)


def values(array):
    return ["values", np.asarray(array).ravel().tolist()]


def keras_cases():
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    from keras.src.initializers import random_initializers

    noted = []

    class Random:
        SeedGenerator = keras.random.SeedGenerator

        def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
            noted.append(["uniform", minval, maxval])

        def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
            noted.append(["normal", mean, stddev])

        def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
            noted.append(["truncated_normal", mean, stddev])

    random_initializers.random = Random
    kinds = [
        ("GlorotUniform", {}),
        ("GlorotNormal", {}),
        ("HeUniform", {}),
        ("HeNormal", {}),
        ("LecunUniform", {}),
        ("LecunNormal", {}),
        ("RandomUniform", {}),
        ("RandomNormal", {"mean": 1.0, "stddev": 0.3}),
        ("TruncatedNormal", {"stddev": 0.02}),
        *(
            ("VarianceScaling", {"scale": 1.7, "mode": mode, "distribution": distribution})
            for mode in ("fan_in", "fan_out", "fan_avg")
            for distribution in ("truncated_normal", "untruncated_normal", "uniform")
        ),
    ]
    for (name, arguments), shape in product(kinds, [*WEIGHTS, (7,), ()]):
        noted.clear()
        getattr(keras.initializers, name)(**arguments, seed=1)(shape)
        yield name, arguments, shape, noted[-1]
    for gain, shape in ((1.0, (3, 5)), (2.5, (4, 2))):
        made = keras.initializers.Identity(gain)(shape)
        yield "Identity", {"gain": gain}, shape, values(made)


def mxnet_cases():
    import mxnet as mx

    noted = []

    class Random:
        def uniform(low, high, shape=None, out=None):
            noted.append(["uniform", float(low), float(high)])

        def normal(mean, std, shape=None, out=None):
            noted.append(["normal", float(mean), float(std)])

    mx.init.random = Random
    kinds = [
        ("Uniform", {}),
        ("Uniform", {"scale": 0.3}),
        ("Normal", {"sigma": 0.3}),
        *(
            ("Xavier", {"rnd_type": kind, "factor_type": factor, "magnitude": magnitude})
            for kind in ("uniform", "gaussian")
            for factor in ("avg", "in", "out")
            for magnitude in (3, 2.24)
        ),
        ("MSRAPrelu", {}),
        ("MSRAPrelu", {"factor_type": "in", "slope": 0.1}),
    ]
    for (name, arguments), shape in product(kinds, WEIGHTS):
        noted.clear()
        getattr(mx.init, name)(**arguments)._init_weight("weight", mx.nd.empty(shape))
        yield name, arguments, shape, noted[-1]
    for shape in ((1, 1, 4, 4), (2, 2, 3, 5)):
        array = mx.nd.zeros(shape)
        mx.init.Bilinear()._init_weight("weight", array)
        yield "Bilinear", {}, shape, values(array.asnumpy())
    for arguments, shape in (({}, (8,)), ({"forget_bias": 0.5}, (12,))):
        array = mx.nd.zeros(shape)
        mx.init.LSTMBias(**arguments)._init_weight("bias", array)
        yield "LSTMBias", arguments, shape, values(array.asnumpy())


if __name__ == "__main__":
    framework = sys.argv[1]
    cases = [list(case) for case in globals()[f"{framework}_cases"]()]
    (HERE / f"{framework}.json").write_text(json.dumps(cases, separators=(",", ":")))
    print(len(cases))
