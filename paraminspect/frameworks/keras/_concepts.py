"""What layers that other frameworks have too are called here."""

from __future__ import annotations

from paraminspect.frameworks.keras.layers._arguments import ACTIVATIONS

CONCEPTS: dict[str, tuple[str, ...]] = {
    "dense": ("Dense",),
    **{f"convolution {n}": (f"Conv{n}D",) for n in (1, 2, 3)},
    **{f"transposed convolution {n}": (f"Conv{n}DTranspose",) for n in (1, 2, 3)},
    **{f"depthwise convolution {n}": (f"DepthwiseConv{n}D",) for n in (1, 2)},
    **{f"max pooling {n}": (f"MaxPooling{n}D",) for n in (1, 2, 3)},
    **{f"average pooling {n}": (f"AveragePooling{n}D",) for n in (1, 2, 3)},
    **{f"adaptive max pooling {n}": (f"AdaptiveMaxPooling{n}D",) for n in (1, 2, 3)},
    **{f"adaptive average pooling {n}": (f"AdaptiveAveragePooling{n}D",) for n in (1, 2, 3)},
    **{f"global max pooling {n}": (f"GlobalMaxPooling{n}D",) for n in (1, 2, 3)},
    **{f"global average pooling {n}": (f"GlobalAveragePooling{n}D",) for n in (1, 2, 3)},
    **{f"dropout of channels {n}": (f"SpatialDropout{n}D",) for n in (1, 2, 3)},
    **{f"padding by zeros {n}": (f"ZeroPadding{n}D",) for n in (1, 2, 3)},
    **{f"upsampling {n}": (f"UpSampling{n}D",) for n in (1, 2, 3)},
    "batch norm": ("BatchNormalization",),
    "layer norm": ("LayerNormalization",),
    "group norm": ("GroupNormalization",),
    "instance norm": ("GroupNormalization(groups=-1)",),
    "rms norm": ("RMSNormalization",),
    "simple rnn": ("SimpleRNN",),
    "simple rnn cell": ("SimpleRNNCell",),
    "attention": ("MultiHeadAttention",),
    "both directions": ("Bidirectional",),
    "reshape": ("Reshape",),
    "identity": ("Identity",),
    "sequence": ("Sequential",),
    "relu": ("ReLU",),
    **{name: (f"Activation({name!r})",) for name in ACTIVATIONS if name != "relu"},
    "activation": ("Activation",),
}
"""Concept to the names of its layers, or how else it is written."""
