"""Names of MXNet: those of `collect_params()` in a fresh process, and structural ones.

Every block has a prefix, `dense0_`, numbered in the order of construction: over the process, or
within the `name_scope()` in which it is constructed. A parameter is called by the prefix of its
block, or of the block that `params=` shares (`mxnet.gluon.block._BlockScope`, `ParameterDict`).
Structural names, those of `save_parameters`, are paths of attributes and positions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from paraminspect.errors import DefinitionError
from paraminspect.frameworks._naming import Named, parameter_of
from paraminspect.frameworks.mxnet.layers._containers import NAME_SCOPE
from paraminspect.frameworks.mxnet.layers._recurrent import RECURRENT_LAYERS, structural_name
from paraminspect.tree import Module, Parameter
from paraminspect.tree.layers import Built, Layer, Spec, UnknownInputError


@dataclass(frozen=True, eq=False)
class _Variable:
    """One parameter object of MXNet: where it is shared, it is the same."""

    name: str
    parameter: Parameter


@dataclass
class _Block:
    """A block as it is constructed: its layer, its place, and what MXNet keeps for it."""

    layer: Layer
    built: Built | None
    """None for a layer that only lends its parameters to others, which determine their shapes."""
    scope: _Block | None
    prefix: str = ""
    variable_prefix: str = ""
    variables: dict[str, _Variable] = field(default_factory=dict)
    shared: dict[str, _Variable] | None = None
    counter: Counter[str] = field(default_factory=Counter)


def name_by_prefix(root: Built) -> Named:
    """As `collect_params()`: a parameter has one name, wherever it is used."""
    blocks = _construct(root)
    named = Named()
    owners: dict[str, _Variable] = {}

    def visit(built: Built) -> Module:
        own = {}
        for local, (variable, spec) in _variables(blocks, built).items():
            if owners.setdefault(variable.name, variable) is not variable:
                raise DefinitionError(
                    f"two parameters would be named {variable.name!r}:"
                    " give their blocks prefixes, or share them by params="
                )
            _check_shape(variable, spec, variable.name)
            named.parameters.setdefault(variable.name, variable.parameter)
            own[local] = variable.name
        children = {name: visit(child) for name, child in built.children.items()}
        return Module(own, children, built.layer)

    named.root = visit(root)
    return named


def name_structurally(root: Built) -> Named:
    """As `save_parameters()`: the path of a parameter; one that is used again has aliases."""
    blocks = _construct(root)
    named = Named()
    owners: dict[_Variable, str] = {}

    def visit(built: Built, path: str) -> Module:
        own = {}
        for local, (variable, spec) in _variables(blocks, built).items():
            full = path + _structural_local(built.layer, local)
            first = owners.setdefault(variable, full)
            _check_shape(variable, spec, full)
            named.parameters[full] = replace(variable.parameter, name=full)
            if first != full:
                named.ties[full] = first
            own[local] = full
        children = {name: visit(child, f"{path}{name}.") for name, child in built.children.items()}
        return Module(own, children, built.layer)

    named.root = visit(root, "")
    return named


def _structural_local(layer: Layer, local: str) -> str:
    if layer.kind not in RECURRENT_LAYERS:
        return local
    if layer.arguments["num_layers"] > 10:
        raise DefinitionError(f"{layer}: MXNet has no structural names for more than 10 layers")
    return structural_name(local, layer.arguments["bidirectional"])


def _check_shape(variable: _Variable, spec: Spec, name: str) -> None:
    if variable.parameter.shape != spec.shape:
        raise DefinitionError(
            f"{name!r} is shared and would have shape {list(variable.parameter.shape)}"
            f" in one place and {list(spec.shape)} in another"
        )


def _variables(blocks: Mapping[int, _Block], built: Built) -> dict[str, tuple[_Variable, Spec]]:
    block = blocks[built.layer.serial]
    return {
        local: (block.variables[block.variable_prefix + local], spec)
        for local, spec in built.parameters.items()
    }


def _construct(root: Built) -> dict[int, _Block]:
    """Every block by the serial of its layer, named and with its variables."""
    blocks = {block.layer.serial: block for block in _placed(root, ())}
    waiting = list(blocks.values())
    while waiting:
        lender = waiting.pop().layer.arguments.get("params")
        if lender is not None and lender.serial not in blocks:
            found = _placed_alone(lender)
            blocks |= {block.layer.serial: block for block in found}
            waiting += found
    _check_bare(blocks)
    counter: Counter[str] = Counter()
    for serial in sorted(blocks):
        _give_prefix(blocks[serial], blocks, counter)
        _give_variables(blocks[serial], blocks)
    return blocks


def _placed(built: Built, scopes: tuple[_Block, ...]) -> Iterator[_Block]:
    """Every block once, with the scope in which it is constructed: the innermost that is older."""
    serial = built.layer.serial
    older = [scope for scope in scopes if scope.layer.serial < serial]
    block = _Block(built.layer, built, older[-1] if older else None)
    yield block
    # A block with an empty prefix opens no scope: what is in it belongs to the scope around it.
    if built.layer.arguments.get(NAME_SCOPE) and built.layer.arguments.get("prefix") != "":
        scopes = (*scopes, block)
    for child in built.children.values():
        yield from _placed(child, scopes)


def _placed_alone(lender: Layer) -> list[_Block]:
    """The blocks of a layer without a place in the model; one alone if its shapes need an input."""
    try:
        return list(_placed(lender.build(None), ()))
    except UnknownInputError:
        return [_Block(lender, None, None)]


def _check_bare(blocks: Mapping[int, _Block]) -> None:
    """A bare parameter belongs to the block that makes it: its name begins with the prefix."""
    seen = set()
    for block in blocks.values():
        for name, layer in block.built.bare.items() if block.built else ():
            if layer.serial in seen:
                raise DefinitionError(
                    f"the bare parameter {name!r} is in two blocks: share it by params="
                )
            seen.add(layer.serial)


def _give_prefix(block: _Block, blocks: Mapping[int, _Block], counter: Counter[str]) -> None:
    """The prefix, and where parameters are looked for before they are made."""
    prefix = block.layer.arguments.get("prefix")
    lender = block.layer.arguments.get("params")
    scope = block.scope
    if prefix is None:
        numbers = scope.counter if scope else counter
        hint = _hint(block.layer)
        prefix = f"{hint}{numbers[hint]}_"
        numbers[hint] += 1
    block.prefix = (scope.prefix if scope else "") + prefix
    block.variable_prefix = (scope.variable_prefix if scope else "") + prefix
    block.shared = scope.shared if scope else None
    if lender is not None:
        block.variable_prefix = blocks[lender.serial].variable_prefix
        block.shared = _collected(blocks[lender.serial], blocks)


def _collected(block: _Block, blocks: Mapping[int, _Block]) -> dict[str, _Variable]:
    """What `collect_params()` of a block gives; the very dictionary of one that only lends."""
    if block.built is None:
        return block.variables
    collected = dict(block.variables)
    for child in block.built.children.values():
        collected |= _collected(blocks[child.layer.serial], blocks)
    return collected


def _give_variables(block: _Block, blocks: Mapping[int, _Block]) -> None:
    if block.built is None:
        return
    shared = {} if block.shared is None else block.shared
    for local, spec in block.built.parameters.items():
        name = block.variable_prefix + local
        owner = block.built.owner(local)[0]
        variable = shared.get(name) or _Variable(name, parameter_of(name, spec, owner))
        block.variables[name] = variable
        lender = block.layer.arguments.get("params")
        if lender is not None and blocks[lender.serial].built is None:
            blocks[lender.serial].variables[name] = variable


_HINTS = {
    **{f"Conv{n}D{kind}": "conv" for n in (1, 2, 3) for kind in ("", "Transpose")},
    **{
        f"{kind}Pool{n}D": "pool"
        for n in (1, 2, 3)
        for kind in ("Max", "Avg", "GlobalMax", "GlobalAvg")
    },
    "RNNCell": "rnn",
    "LSTMCell": "lstm",
    "GRUCell": "gru",
}


def _hint(layer: Layer) -> str:
    """What a block is called before its number (`Block._alias`)."""
    if layer.kind == "Activation":
        hint: str = layer.arguments["activation"]
        return hint
    return _HINTS.get(layer.kind, layer.kind.lower())
