"""PyTorch 2.13: the layers of `torch.nn`, with its argument names, order and defaults.

Names are those of `state_dict()`: a module's own parameters, its own buffers, then its children.
"""

from __future__ import annotations

from paraminspect.frameworks._modelling import Modelling
from paraminspect.frameworks._naming import name_by_path
from paraminspect.frameworks.pytorch._concepts import CONCEPTS
from paraminspect.frameworks.pytorch._construction import construct
from paraminspect.frameworks.pytorch.layers._attention import ATTENTION
from paraminspect.frameworks.pytorch.layers._bare import BARE
from paraminspect.frameworks.pytorch.layers._containers import ABSENT, SEQUENCES, module, sequential
from paraminspect.frameworks.pytorch.layers._convolution import CONVOLUTIONS
from paraminspect.frameworks.pytorch.layers._elementwise import ELEMENTWISE
from paraminspect.frameworks.pytorch.layers._embedding import EMBEDDINGS
from paraminspect.frameworks.pytorch.layers._linear import LINEAR
from paraminspect.frameworks.pytorch.layers._normalization import NORMALIZATIONS
from paraminspect.frameworks.pytorch.layers._pooling import POOLING
from paraminspect.frameworks.pytorch.layers._recurrent import RECURRENT
from paraminspect.frameworks.pytorch.layers._reshaping import RESHAPING

MODELLING = Modelling(
    layers={
        **LINEAR,
        **EMBEDDINGS,
        **CONVOLUTIONS,
        **NORMALIZATIONS,
        **RECURRENT,
        **ATTENTION,
        **ELEMENTWISE,
        **POOLING,
        **RESHAPING,
        **BARE,
    },
    sequential=sequential,
    module=module,
    name_parameters=name_by_path,
    construct=construct,
    absent=ABSENT,
    concepts=CONCEPTS,
    sequences=SEQUENCES,
)
