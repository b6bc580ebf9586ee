"""What layers that other frameworks have too are called here."""

from __future__ import annotations

CONCEPTS: dict[str, tuple[str, ...]] = {
    "dense": ("Dense",),
    **{f"convolution {n}": (f"Conv{n}D",) for n in (1, 2, 3)},
    **{f"transposed convolution {n}": (f"Conv{n}DTranspose",) for n in (1, 2, 3)},
    **{f"depthwise convolution {n}": (f"Conv{n}D(..., groups=...)",) for n in (1, 2)},
    **{f"max pooling {n}": (f"MaxPool{n}D",) for n in (1, 2, 3)},
    **{f"average pooling {n}": (f"AvgPool{n}D",) for n in (1, 2, 3)},
    **{f"global max pooling {n}": (f"GlobalMaxPool{n}D",) for n in (1, 2, 3)},
    **{f"global average pooling {n}": (f"GlobalAvgPool{n}D",) for n in (1, 2, 3)},
    "padding by reflection 2": ("ReflectionPad2D",),
    "batch norm": ("BatchNorm",),
    "layer norm": ("LayerNorm",),
    "group norm": ("GroupNorm",),
    "instance norm": ("InstanceNorm",),
    "simple rnn": ("RNN",),
    "simple rnn cell": ("RNNCell",),
    "both directions": ("LSTM(..., bidirectional=True)",),
    "sequence": ("HybridSequential",),
    "parameter": ("Parameter",),
    **{
        name: (f"Activation({called!r})",)
        for name, called in {
            "relu": "relu",
            "sigmoid": "sigmoid",
            "tanh": "tanh",
            "softplus": "softrelu",
            "softsign": "softsign",
        }.items()
    },
    "gelu": ("GELU",),
    "silu": ("Swish",),
    "selu": ("SELU",),
    "activation": ("Activation",),
}
"""Concept to the names of its layers, or how else it is written."""
