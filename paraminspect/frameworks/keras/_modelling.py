"""Keras 3.15: the layers of `keras.layers`, with its argument names, order and defaults.

Sizes are inferred from the input. Names are those of `weight.path` in a fresh process.
"""

from __future__ import annotations

from paraminspect.frameworks._modelling import Modelling
from paraminspect.frameworks.keras._concepts import CONCEPTS
from paraminspect.frameworks.keras._construction import construct
from paraminspect.frameworks.keras._initializers import INITIALIZERS
from paraminspect.frameworks.keras._layout import lay_out
from paraminspect.frameworks.keras._naming import name_parameters
from paraminspect.frameworks.keras.layers._absent import ABSENT
from paraminspect.frameworks.keras.layers._arguments import PENALTIES
from paraminspect.frameworks.keras.layers._attention import ATTENTION
from paraminspect.frameworks.keras.layers._containers import (
    CONTAINERS,
    SEQUENCES,
    around,
    model,
    sequential,
)
from paraminspect.frameworks.keras.layers._convolution import CONVOLUTIONS
from paraminspect.frameworks.keras.layers._dense import DENSE
from paraminspect.frameworks.keras.layers._merging import MERGING
from paraminspect.frameworks.keras.layers._normalization import NORMALIZATIONS
from paraminspect.frameworks.keras.layers._plain import PLAIN
from paraminspect.frameworks.keras.layers._pooling import POOLING
from paraminspect.frameworks.keras.layers._recurrent import RECURRENT
from paraminspect.frameworks.keras.layers._reshaping import RESHAPING

_LAYERS = {
    **DENSE,
    **CONVOLUTIONS,
    **NORMALIZATIONS,
    **RECURRENT,
    **ATTENTION,
    **MERGING,
    **POOLING,
    **RESHAPING,
    **PLAIN,
    **CONTAINERS,
}
_ALIASES = {
    "Input": "InputLayer",
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}DTranspose": f"Conv{n}DTranspose" for n in (1, 2, 3)},
    **{f"SeparableConvolution{n}D": f"SeparableConv{n}D" for n in (1, 2)},
}

MODELLING = Modelling(
    layers=_LAYERS | {alias: _LAYERS[name] for alias, name in _ALIASES.items()},
    sequential=sequential,
    module=model,
    name_parameters=name_parameters,
    around=around,
    values={name: f for name, f in (INITIALIZERS | PENALTIES).items() if name not in _LAYERS},
    separator="/",
    absent=ABSENT,
    concepts=CONCEPTS,
    construct=construct,
    lay_out=lay_out,
    sequences=SEQUENCES,
)
