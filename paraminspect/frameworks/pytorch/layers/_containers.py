"""What a list and a mapping stand for, and which names of `torch.nn` are no layers here."""

from __future__ import annotations

from collections.abc import Mapping

from paraminspect.errors import DefinitionError
from paraminspect.frameworks._modules import module_build
from paraminspect.frameworks.pytorch._functions import RULES
from paraminspect.language.forward import Forward
from paraminspect.tree.layers import Build, Layer, chained

SEQUENCES = ("Sequential",)

ABSENT = {
    "Sequential": "write a list",
    "ModuleList": "write a list",
    "ParameterList": "write a list of Parameter(...)",
    "ModuleDict": "write a mapping",
    "ParameterDict": "write a mapping with Parameter(...)",
    "Module": "write a mapping of its parts",
    "Container": "write a mapping of its parts",
    "DataParallel": "write a mapping with the one part `module`",
    "RNNBase": "write RNN, LSTM or GRU",
    "RNNCellBase": "write RNNCell, LSTMCell or GRUCell",
    "LinearCrossEntropyLoss": "a loss is not a layer; for its weights write `linear: Linear(...)`",
    **dict.fromkeys(
        (
            *("BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss"),
            *("CrossEntropyLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss"),
            *("KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss", "MultiLabelMarginLoss"),
            *("MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "NLLLoss2d"),
            *("PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss"),
            "TripletMarginWithDistanceLoss",
        ),
        "a loss is not a layer: leave it out",
    ),
}
"""Names of `torch.nn` that a definition does not call, with what to do instead."""


def sequential(children: Mapping[str, Layer]) -> Layer:
    """`nn.Sequential`; a list of bare parameters is an `nn.ParameterList`."""
    _check_names(children)
    bare = [child for child in children.values() if is_bare(child)]
    if bare and len(bare) < len(children):
        raise DefinitionError("a list holds layers or parameters, not both: use a mapping")
    if bare:
        return Layer("ParameterList", _module_build(children, None))
    return Layer("Sequential", chained(children))


def module(children: Mapping[str, Layer], block: str, forward: Forward | None) -> Layer:
    """A module with named children, of a class if a block made it; bare parameters are its own."""
    _check_names(children)
    return Layer(block or "Module", _module_build(children, forward))


def is_bare(layer: Layer) -> bool:
    """Whether it is a parameter or a buffer without a layer."""
    return layer.kind in ("Parameter", "Buffer")


def _check_names(children: Mapping[str, Layer]) -> None:
    for name in children:
        if not name or "." in name:
            raise DefinitionError(f"a name has no dot in PyTorch, got {name!r}")


def _module_build(children: Mapping[str, Layer], forward: Forward | None) -> Build:
    # A state dict lists a module's own parameters, then its buffers, then its parts.
    bare = {
        name: child
        for kind in ("Parameter", "Buffer")
        for name, child in children.items()
        if child.kind == kind
    }
    below = {name: child for name, child in children.items() if name not in bare}
    return module_build(bare, below, forward, RULES)
