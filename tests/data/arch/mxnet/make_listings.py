"""What real MXNet gives models: `make_listings.py LISTINGS FOLDER`, by a Python that has MXNet 1.9.

LISTINGS gets the parameters of each model under both kinds of names (name, shape, dtype, whether
it is trained), and which structural names are one parameter. FOLDER gets the values of the small
ones as npz, `NAME.prefixed.npz` and `NAME.structural.npz`.
"""

import builtins
import json
import sys
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
for name in ("bool", "int", "float", "object"):  # which MXNet still looks for in NumPy
    if not hasattr(np, name):
        setattr(np, name, getattr(builtins, name))

import mxnet as mx  # noqa: E402
from mxnet import nd  # noqa: E402
from mxnet.gluon import model_zoo, nn, rnn  # noqa: E402

LARGE = ("lenet", "resnet18_v1", "vgg11")


def stacked(*layers, kind=nn.Sequential):
    net = kind()
    net.add(*layers)
    return net


def mlp():
    return stacked(nn.Dense(8, activation="relu"), nn.Dense(1))


def nested_rgnet():
    def block1():
        return stacked(nn.Dense(8, activation="relu"), nn.Dense(4, activation="relu"))

    def block2():
        net = nn.Sequential()
        for _ in range(4):
            net.add(block1())
        return net

    net = nn.Sequential()
    net.add(block2())
    net.add(nn.Dense(1))
    return net


def shared_params():
    net = nn.Sequential()
    shared = nn.Dense(8, activation="relu")
    net.add(
        nn.Dense(8, activation="relu"),
        shared,
        nn.Dense(8, activation="relu", params=shared.params),
        nn.Dense(1),
    )
    return net


class F(nn.Block):
    """The chapter's FancyMLP."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        value = nd.random.uniform(shape=(20, 20))
        self.rand_weight = self.params.get_constant("rand_weight", value)
        self.dense = nn.Dense(20, activation="relu")

    def forward(self, x):
        return self.dense(nd.relu(nd.dot(self.dense(x), self.rand_weight.data()) + 1))


class LM(nn.Block):
    """A language model with its parts in its name scope."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.encoder = nn.Embedding(50, 8)
            self.rnn = rnn.LSTM(8, 2, input_size=8)
            self.decoder = nn.Dense(50, in_units=8, flatten=False)

    def forward(self, x):
        return self.decoder(self.rnn(self.encoder(x)))


def lenet():
    return stacked(
        nn.Conv2D(6, 5, padding=2, activation="sigmoid"),
        nn.AvgPool2D(2, 2),
        nn.Conv2D(16, 5, activation="sigmoid"),
        nn.AvgPool2D(2, 2),
        nn.Dense(120, activation="sigmoid"),
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )


def conv_zoo():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(4, 3, use_bias=False),
        nn.BatchNorm(),
        nn.Conv2D(8, 3, groups=4),
        nn.Conv2DTranspose(3, 3, strides=2),
        nn.PReLU(),
        nn.LayerNorm(axis=1),
        nn.GroupNorm(3),
        nn.InstanceNorm(),
        nn.GlobalAvgPool2D(),
        nn.Flatten(),
        nn.Dense(2),
    )
    return net


def hybrid_symbol_export():
    net = nn.HybridSequential()
    net.add(nn.Dense(8, activation="relu"), nn.BatchNorm(), nn.Dense(1))
    return net


MODELS = {
    "conv_zoo": (conv_zoo, (1, 3, 16, 16)),
    "fancy_mlp": (F, (2, 20)),
    "hybrid_symbol_export": (hybrid_symbol_export, (2, 4)),
    "lenet": (lenet, (1, 1, 28, 28)),
    "lstm_lm": (LM, (5, 2)),
    "mlp": (mlp, (2, 4)),
    "nested_rgnet": (nested_rgnet, (2, 4)),
    "resnet18_v1": (model_zoo.vision.resnet18_v1, (1, 3, 64, 64)),
    "shared_params": (shared_params, (2, 4)),
    "vgg11": (model_zoo.vision.vgg11, (1, 3, 224, 224)),
}


def row(name, parameter):
    dtype = np.dtype(parameter.dtype).name
    return [name, list(parameter.shape), dtype, parameter.grad_req != "null"]


def main(listings_path, folder):
    listings = {}
    mx.random.seed(0)
    for name, (make, shape) in MODELS.items():
        # As in a fresh process: the counters start at 0.
        mx.name.NameManager._current.value = mx.name.NameManager()
        net = make()
        net.initialize(mx.init.Normal(0.1))
        net(nd.ones(shape))
        prefixed, structural = net.collect_params(), net._collect_params_with_prefix()
        groups = {}
        for full, parameter in structural.items():
            groups.setdefault(id(parameter), []).append(full)
        listings[name] = {
            "prefixed": [row(*item) for item in prefixed.items()],
            "structural": [row(*item) for item in structural.items()],
            "tied": [names for names in groups.values() if len(names) > 1],
            "count": int(sum(np.prod(p.shape) for p in prefixed.values())),
        }
        for kind, parameters in (("prefixed", prefixed), ("structural", structural)):
            if name not in LARGE:
                values = {full: p.data().asnumpy() for full, p in parameters.items()}
                np.savez(folder / f"{name}.{kind}.npz", **values)
    lines = (f"{json.dumps(name)}: {json.dumps(model)}" for name, model in listings.items())
    listings_path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
