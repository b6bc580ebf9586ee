"""What the frameworks compute for the sample models: `make.py SAMPLE` writes SAMPLE.npy beside it.

In float64, for an input and values that `drawn.py` makes. One process makes one sample, since the
frameworks count names. Made with torch 2.13.0, Keras 3.15.1 on TensorFlow 2.21, MXNet 1.9.1:

    for s in fancy_mlp lenet lstm_lm mlp nested_blocks shared_layer transformer_encoder; do
        torch/bin/python make.py $s; done
    for s in keras_cnn keras_lstm_text keras_mlp keras_mobilenet keras_nested_blocks \\
            keras_resnet50 keras_shared_layer; do keras/bin/python make.py $s; done
    for s in mxnet_mlp mxnet_nested_blocks mxnet_shared_layer; do mxnet/bin/python make.py $s; done
"""

import sys
from pathlib import Path

import numpy as np
from drawn import drawn, given

HERE = Path(__file__).parent

INPUTS = {
    "fancy_mlp": ((2, 20), 0),
    "lenet": ((2, 1, 28, 28), 0),
    "lstm_lm": ((5, 2), 50),
    "nested_blocks": ((3, 4), 0),
    "transformer_encoder": ((3, 1, 512), 0),
    "keras_cnn": ((2, 28, 28, 1), 0),
    "keras_lstm_text": ((2, 12), 50),
    "keras_mobilenet": ((1, 32, 32, 3), 0),
    "keras_resnet50": ((1, 32, 32, 3), 0),
}
"""Shape, and the number below which its integers are; by default three rows of four floats."""


def of_torch(sample, x):
    import torch
    from torch import nn

    sys.path.insert(0, str(HERE.parent))
    from make_cases import LSTMLM, FancyMLP, shared_mlp

    class Fancy(FancyMLP):
        """As the sample: without the last step of the chapter, and by the sum of magnitudes."""

        def forward(self, x):
            x = self.linear(x)
            x = torch.relu(torch.mm(x, self.rand_weight) + 1)
            x = self.linear(x)
            while x.abs().sum() > 1:
                x /= 2
            return x.sum()

    class LeNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Sequential(
                *(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2)),
                *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2)),
            )
            self.fc = nn.Sequential(
                *(nn.Linear(256, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()),
                nn.Linear(84, 10),
            )

        def forward(self, x):
            return self.fc(torch.flatten(self.conv(x), 1))

    def nested():
        net = nn.Sequential()
        for i in range(4):
            block = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())
            net.add_module(f"block {i}", block)
        return nn.Sequential(net, nn.Linear(4, 1))

    net = {
        "fancy_mlp": Fancy,
        "lenet": LeNet,
        "lstm_lm": lambda: LSTMLM(50, 16),
        "mlp": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)),
        "nested_blocks": nested,
        "shared_layer": shared_mlp,
        "transformer_encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(512, 8), 6),
    }[sample]()
    net = net.double().eval()
    own = {**dict(net.named_parameters()), **dict(net.named_buffers())}  # a tied one once
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(torch.from_numpy(drawn(name, tuple(value.shape))))
        return net(torch.from_numpy(x)).numpy()


def of_keras(sample, x):
    import keras
    from keras import layers as k

    keras.config.set_floatx("float64")

    def shared():
        layer = k.Dense(4, activation="relu")
        return keras.Sequential([k.Flatten(), layer, layer, k.Dense(1)])

    def nested():
        net, blocks = keras.Sequential(), keras.Sequential()
        for i in range(4):
            layers = [k.Flatten(), k.Dense(4, activation="relu")]
            blocks.add(keras.Sequential(layers, name=f"block-{i}"))
        net.add(blocks)
        net.add(k.Dense(1))
        return net

    def cnn():
        return keras.Sequential(
            [
                k.Conv2D(6, 5, activation="sigmoid", padding="same"),
                k.AvgPool2D(2, 2),
                k.Conv2D(16, 5, activation="sigmoid"),
                k.AvgPool2D(2, 2),
                k.Flatten(),
                k.Dense(120, activation="sigmoid"),
                k.Dense(84, activation="sigmoid"),
                k.Dense(10),
            ]
        )

    def text():
        lstms = [k.LSTM(6, return_sequences=True), k.LSTM(5)]
        return keras.Sequential([k.Embedding(50, 8), *lstms, k.Dense(1, activation="sigmoid")])

    sizes = {"weights": None, "input_shape": (32, 32, 3)}
    net = {
        "keras_cnn": cnn,
        "keras_lstm_text": text,
        "keras_mlp": lambda: keras.Sequential([k.Dense(8, activation="relu"), k.Dense(1)]),
        "keras_mobilenet": lambda: keras.applications.MobileNet(**sizes),
        "keras_nested_blocks": nested,
        "keras_resnet50": lambda: keras.applications.ResNet50(**sizes),
        "keras_shared_layer": shared,
    }[sample]()
    net(x)
    for w in net.weights:
        w.assign(drawn(w.path, tuple(w.shape)))
    return np.asarray(net(x, training=False))


def of_mxnet(sample, x):
    import mxnet as mx
    from mxnet.gluon import nn

    def mlp():
        net = nn.Sequential()
        net.add(nn.Dense(8, activation="relu"), nn.Dense(1))
        return net

    def shared():
        net, layer = nn.Sequential(), nn.Dense(8, activation="relu")
        first = nn.Dense(8, activation="relu")
        again = nn.Dense(8, activation="relu", params=layer.params)
        net.add(first, layer, again, nn.Dense(1))
        return net

    def nested():
        net = nn.Sequential()
        for _ in range(4):
            block = nn.Sequential()
            block.add(nn.Dense(8, activation="relu"), nn.Dense(4, activation="relu"))
            net.add(block)
        whole = nn.Sequential()
        whole.add(net, nn.Dense(1))
        return whole

    nets = {"mxnet_mlp": mlp, "mxnet_shared_layer": shared, "mxnet_nested_blocks": nested}
    net = nets[sample]()
    net.cast("float64")
    net.initialize()
    net(mx.nd.array(x, dtype="float64"))
    for name, p in net._collect_params_with_prefix().items():
        name = name if sample == "mxnet_nested_blocks" else p.name
        p.set_data(mx.nd.array(drawn(name, p.shape), dtype="float64"))
    return net(mx.nd.array(x, dtype="float64")).asnumpy()


def main(sample):
    x = given(*INPUTS.get(sample, ((3, 4), 0)))
    of = {"keras": of_keras, "mxnet": of_mxnet}.get(sample.partition("_")[0], of_torch)
    np.save(HERE / f"{sample}.npy", of(sample, x))


if __name__ == "__main__":
    main(sys.argv[1])
