"""Containers: lists and mappings of a definition, and calls that stand around layers.

A list is a `Sequential`, a mapping a `Block` of one's own, whose class is the block that it is the
body of. `HybridSequential(prefix='net_'):` and the like say it otherwise, `name_scope():` is
`with net.name_scope():`, and `name_scope(HybridSequential()):` both at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

from paraminspect.arrays import DTYPES
from paraminspect.errors import DefinitionError, ExpressionError
from paraminspect.frameworks._declare import declare
from paraminspect.frameworks._modules import module_build
from paraminspect.frameworks.mxnet._functions import RULES
from paraminspect.frameworks.mxnet._initializers import CONSTANT, scheme_of
from paraminspect.frameworks.mxnet.layers._declare import DTYPE, known_fans, layer
from paraminspect.language import parse_expression
from paraminspect.language.forward import Forward
from paraminspect.tree.layers import MAXIMUM_SIZE, Build, Built, Layer, Spec, chained

SEQUENTIALS = ("Sequential", "HybridSequential")
BLOCKS = ("Block", "HybridBlock")
NAME_SCOPE = "name_scope"
BARE = ("Parameter", CONSTANT)

ABSENT = {
    "Lambda": "leave it out, it has no parameters",
    "HybridLambda": "leave it out, it has no parameters",
    "SymbolBlock": "write the layers of which it was made",
    "Mixed": "write its patterns under `init:`",
    "Load": "give the values by a rule of init, 'NAME=@FILE.npy', or complete a checkpoint",
    "FusedRNN": "give the layer i2h_weight_initializer, h2h_weight_initializer and the like",
}
"""Names of `gluon.nn` and `mx.init` that a definition does not call, with what to do instead."""


def sequential(children: Mapping[str, Layer]) -> Layer:
    """What a list stands for."""
    for name, child in children.items():
        if child.kind in BARE:
            raise DefinitionError(f"{child} needs a name: write a mapping, got it as number {name}")
    return Layer("Sequential", chained(children))


def module(children: Mapping[str, Layer], block: str, forward: Forward | None) -> Layer:
    """What a mapping stands for; the body of a block is a class of that name."""
    for name in children:
        if not name or "." in name:
            raise DefinitionError(f"a name has no dot in MXNet, got {name!r}")
    bare = {name: _named(child, name) for name, child in children.items() if child.kind in BARE}
    below = {name: child for name, child in children.items() if name not in bare}
    return Layer(block or "Block", module_build(bare, below, forward, RULES))


def _named(bare: Layer, name: str) -> Layer:
    """The layer of a bare parameter that knows its name, on which its initializer may depend."""
    if bare.kind == CONSTANT or bare.arguments["init"] is not None:
        return bare
    spec = bare.build(None).parameters[""]
    scheme = scheme_of("init", None, name)
    return replace(bare, make=lambda _: Built({"": replace(spec, scheme=scheme)}))


def around(layer: Layer, plain: Layer, children: Mapping[str, Layer]) -> Layer:
    """What a call with layers below it stands for; `plain` is what they are without it."""
    if layer.kind == NAME_SCOPE:
        block = layer.arguments["block"]
        inner = plain if block is None else around(block, plain, children)
        return replace(inner, arguments={**inner.arguments, NAME_SCOPE: True})
    if layer.kind.startswith("Hybrid"):
        _check_hybrid(layer, children)
    if layer.kind in SEQUENTIALS and plain.kind == "Sequential":
        return replace(layer, make=plain.make)
    if layer.kind in BLOCKS and plain.kind != "Sequential":
        kind = layer.kind if plain.kind == "Block" else plain.kind
        return replace(layer, kind=kind, make=plain.make, forward=plain.forward)
    if layer.kind in (*SEQUENTIALS, *BLOCKS):
        wanted = "a list" if layer.kind in SEQUENTIALS else "a mapping"
        raise DefinitionError(f"{layer.kind} needs {wanted} of layers below it")
    known = ", ".join((*SEQUENTIALS, *BLOCKS, NAME_SCOPE))
    raise DefinitionError(f"{layer} takes no layers below it; those that do are {known}")


def _check_hybrid(layer: Layer, children: Mapping[str, Layer]) -> None:
    for name, child in children.items():
        if child.kind in (SEQUENTIALS[0], BLOCKS[0]):
            raise DefinitionError(
                f"{layer.kind} takes only what is hybrid: write Hybrid{child.kind}(): around"
                f" what is below {name}"
            )


def _empty(a: SimpleNamespace) -> Build:
    return chained({})


def _scoped(a: SimpleNamespace) -> Build:
    if a.block is not None and a.block.kind not in (*SEQUENTIALS, *BLOCKS):
        known = ", ".join((*SEQUENTIALS, *BLOCKS))
        raise ExpressionError(f"block must be one of {known}, got {a.block}")
    return chained({})


def _constant(a: SimpleNamespace) -> Build:
    """Called in an argument it is the initializer of that name, and never built."""

    def build(_: object) -> Built:
        for size in a.value:
            if type(size) is not int or not 0 <= size <= MAXIMUM_SIZE:
                raise ExpressionError(f"Constant: sizes must be integers from 0 on, got {size!r}")
        if a.init is None:
            raise ExpressionError(
                "Constant: init must say what its values are, like init='uniform(0, 1)'"
            )
        scheme, dtype = parse_expression(a.init).text, DTYPES[a.dtype]
        return Built({"": Spec(tuple(a.value), scheme, dtype=dtype, trainable=False)})

    return build


def _parameter(a: SimpleNamespace) -> Build:
    shape, dtype = tuple(a.shape), DTYPES[a.dtype]
    scheme = "zeros" if a.init is None else scheme_of("init", a.init, "")
    layout = "out_in" if len(shape) > 1 else None
    spec = Spec(shape, scheme, known_fans(shape), layout, dtype, own_scheme=a.init is not None)
    return lambda _: Built({"": spec})


CONTAINERS = dict(
    [
        *(
            layer(f"{kind}(prefix: Text | None = None, params: Layer | None = None)", _empty)
            for kind in (*SEQUENTIALS, *BLOCKS)
        ),
        declare(f"{NAME_SCOPE}(block: Layer | None = None)", _scoped),
        declare(
            f"{CONSTANT}(*value: Number, init: Text | None = None, dtype: {DTYPE} = 'float32')",
            _constant,
        ),
        declare(f"Parameter(*shape: Size, init=None, dtype: {DTYPE} = 'float32')", _parameter),
    ]
)
"""Layer functions by name."""
