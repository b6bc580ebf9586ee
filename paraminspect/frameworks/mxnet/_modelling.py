"""MXNet 1.9.1: the layers of `gluon.nn` and `gluon.rnn`, with their arguments and defaults.

Names are those of `collect_params()` in a fresh process, or with `names: structural` those of
`save_parameters`. The recurrent layers are called without their package: `LSTM(...)`.
"""

from __future__ import annotations

from paraminspect.frameworks._modelling import Modelling
from paraminspect.frameworks.mxnet._concepts import CONCEPTS
from paraminspect.frameworks.mxnet._construction import construct
from paraminspect.frameworks.mxnet._initializers import INITIALIZERS
from paraminspect.frameworks.mxnet._naming import name_by_prefix, name_structurally
from paraminspect.frameworks.mxnet.layers._containers import (
    ABSENT,
    CONTAINERS,
    SEQUENTIALS,
    around,
    module,
    sequential,
)
from paraminspect.frameworks.mxnet.layers._convolution import CONVOLUTIONS
from paraminspect.frameworks.mxnet.layers._dense import DENSE
from paraminspect.frameworks.mxnet.layers._normalization import NORMALIZATIONS
from paraminspect.frameworks.mxnet.layers._plain import PLAIN
from paraminspect.frameworks.mxnet.layers._recurrent import RECURRENT

MODELLING = Modelling(
    layers={
        **DENSE,
        **CONVOLUTIONS,
        **NORMALIZATIONS,
        **RECURRENT,
        **PLAIN,
        **CONTAINERS,
    },
    sequential=sequential,
    module=module,
    around=around,
    values=INITIALIZERS,
    name_parameters=name_by_prefix,
    other_names={"structural": name_structurally},
    construct=construct,
    absent=ABSENT,
    concepts=CONCEPTS,
    sequences=SEQUENTIALS,
)
