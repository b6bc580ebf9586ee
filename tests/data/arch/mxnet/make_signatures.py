"""Signatures of Gluon's layers and initializers, from the real MXNet: run it by a Python that has it.

`make_signatures.py > signatures.json`: for each name its arguments as [name, default], where a
missing default is the string "required"; `**kwargs` stands alone, as it does in MXNet.
"""

import builtins
import inspect
import json
import warnings

import numpy as np

warnings.filterwarnings("ignore")
for name in ("bool", "int", "float", "object"):  # which MXNet still looks for in NumPy
    if not hasattr(np, name):
        setattr(np, name, getattr(builtins, name))

from mxnet import initializer  # noqa: E402
from mxnet.gluon import nn, rnn  # noqa: E402

LAYERS = {
    nn: """Activation AvgPool1D AvgPool2D AvgPool3D BatchNorm BatchNormReLU Block Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Dense Dropout ELU Embedding
    Flatten GELU GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D
    GlobalMaxPool3D GroupNorm HybridBlock HybridSequential InstanceNorm LayerNorm LeakyReLU
    MaxPool1D MaxPool2D MaxPool3D PReLU ReflectionPad2D SELU Sequential Swish""",
    rnn: "GRU GRUCell LSTM LSTMCell RNN RNNCell",
    initializer: "Bilinear Constant LSTMBias MSRAPrelu Normal One Orthogonal Uniform Xavier Zero",
}


def arguments(cls):
    signature = inspect.signature(cls.__init__)
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            yield [f"**{parameter.name}"]
            continue
        default = parameter.default
        if default is parameter.empty:
            default = "required"
        elif isinstance(default, initializer.Initializer):
            default = default.dumps()
        yield [parameter.name, default]


found = {
    name: list(arguments(getattr(module, name)))
    for module, names in LAYERS.items()
    for name in names.split()
}
for name in "Bilinear Zero One".split():  # they have no __init__ of their own
    found[name] = []
print("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()) + "\n}")
