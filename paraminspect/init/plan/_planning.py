"""Plans: which scheme draws which parameter, and the tree with the values drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Unpack

from paraminspect.arrays import DType, Shape, Unset
from paraminspect.arrays.indexing import Axis, Index, selected_shape
from paraminspect.errors import SchemeError
from paraminspect.frameworks import find_random_numbers, framework_of
from paraminspect.init.generators import Draw, RandomNumbers
from paraminspect.init.plan._resolver import Resolver, spec_of
from paraminspect.init.plan._wishes import Plain, Rule, Wishes
from paraminspect.operations.edit import assign
from paraminspect.tree import Parameter, ParameterTree, check_tree
from paraminspect.tree.address import Address
from paraminspect.tree.layers import Drawn, Fans


@dataclass(frozen=True)
class Drawing:
    """How the parameter of an own name, or the part of it at `index`, gets its values."""

    name: str
    index: Index | None
    scheme: str
    fans: Fans | None
    draw: Draw

    @property
    def key(self) -> str:
        """The name under which a generator gives its array."""
        return self.draw.names[0]


def initialize(tree: ParameterTree, *, seed: int, **wishes: Unpack[Wishes]) -> ParameterTree:
    """The tree with values drawn for every parameter that has none, or that a rule matches.

        >>> import paraminspect as pi
        >>> net = pi.ParameterTree({"0.weight": [[1.0, 2.0]], "0.bias": [3.0]})
        >>> net = pi.initialize(net, seed=0, rules={"*.weight": "normal(0, 0.02)", "*.bias": 0})
        >>> net["0.bias"].data
        array([0.])
        >>> net = pi.initialize(net, seed=0, scheme=lambda rng, shape: rng.uniform(5, 6, shape))
        >>> bool((net["0.weight"] >= 5).all())
        True

    Values are made when they are read. Raises `SchemeError` and `AddressError`.
    """
    return plan_initialization(tree, **wishes).drawn(seed)


def plan_initialization(tree: ParameterTree, **wishes: Unpack[Wishes]) -> Initialization:
    """What `initialize` would draw; raises the same errors."""
    check_tree(tree)
    plain = Plain(wishes, tree.entries)
    numbers = find_random_numbers(plain.rng)
    framework = framework_of(tree.architecture.framework, tree.metadata)
    whose = numbers.framework or framework
    own = Resolver(framework, plain.layout, plain.functions)
    resolver = own
    if whose != framework:
        resolver = Resolver(whose, plain.layout, plain.functions)
    dtype = plain.dtype
    chosen: dict[str, str] = {}
    if plain.scheme is not None:
        chosen = dict.fromkeys(weights(tree, own), plain.scheme)
    parts: list[_Part] = []
    for rule in plain.rules:
        if rule.address.index is None:
            names = set(map(tree.own_name, tree.matching(rule.address)))
            chosen.update(dict.fromkeys(names, rule.scheme))
            parts = [part for part in parts if part.name not in names]
        else:
            places = {tree.own_name(n): axes for n, axes in tree.places(rule.address).items()}
            parts += [_Part(name, axes, rule) for name, axes in places.items()]
    drawings = [
        _whole(parameter, chosen[parameter.name], resolver, dtype)
        if parameter.name in chosen
        else _whole(parameter, parameter.scheme, own, dtype)
        for parameter in tree.parameters()
        if parameter.name in chosen or isinstance(parameter.data, Unset)
    ]
    dtypes = {drawing.name: drawing.draw.dtype for drawing in drawings}
    for part in parts:
        parameter = tree.entries[part.name]
        own_dtype = dtypes.get(part.name, parameter.dtype)
        drawings.append(_drawn_part(parameter, part, resolver, own_dtype))
    return Initialization(tree, tuple(drawings), chosen, own, dtype, numbers)


@dataclass(frozen=True)
class Initialization:
    """A tree with what is to be drawn of it: whole parameters in the tree's order, then parts."""

    tree: ParameterTree
    drawings: tuple[Drawing, ...]
    rules: Mapping[str, str]
    """The schemes of whole parameters, by own name, that are not the tree's own."""
    resolver: Resolver
    """Has the words of the tree's framework, in which the construction of a model is repeated."""
    dtype: DType | None
    numbers: RandomNumbers

    def drawn(self, seed: int) -> ParameterTree:
        """The tree with values, which are made when they are read; raises `SchemeError`."""
        generator = self.numbers.generator(seed)
        draws = [drawing.draw for drawing in self.drawings]
        if generator.repeats_construction and self.tree.architecture.construction is not None:
            if self.numbers.framework != self.tree.architecture.framework:
                raise SchemeError(
                    f"{self.numbers.name} repeats how {self.numbers.framework} constructs a model:"
                    f" it cannot draw one of {self.tree.architecture.framework}"
                )
            constructed = self._construction(self.tree.architecture.construction)
            known = {name for draw in constructed for name in draw.names}
            draws = [*constructed, *(draw for draw in draws if draw.names[0] not in known)]
        arrays = generator.arrays(draws)
        tree = self.tree.replace(
            replace(self.tree.entries[d.name], data=arrays[d.key], scheme=d.scheme)
            for d in self.drawings
            if d.index is None
        )
        for part in self.drawings:
            if part.index is not None:
                tree = assign(tree, Address(part.name, part.index), arrays[part.key])
        return tree

    def _construction(self, construct: Callable[..., Sequence[Drawn]]) -> list[Draw]:
        """All that the framework draws to construct the model, in its order."""
        return [
            Draw(
                drawn.names,
                drawn.spec.shape,
                _cast(drawn.spec.dtype, self.dtype),
                self.resolver.distribution(", ".join(drawn.names), drawn.spec),
                seed=drawn.seed,
            )
            for drawn in construct(self.rules)
        ]


def _whole(
    parameter: Parameter, scheme: str | None, resolver: Resolver, dtype: DType | None
) -> Drawing:
    if scheme is None:
        raise SchemeError("there is no default scheme").at(parameter.name).unless(rules=...)
    name = parameter.name
    found = resolver.distribution(name, spec_of(parameter, parameter.shape, scheme))
    draw = Draw((name,), parameter.shape, _cast(parameter.dtype, dtype), found)
    return Drawing(name, None, scheme, resolver.fans(parameter), draw)


class _Part(NamedTuple):
    """A part of the parameter of an own name, and the scheme that a rule has for it."""

    name: str
    axes: tuple[Axis, ...]
    rule: Rule


def _drawn_part(parameter: Parameter, part: _Part, resolver: Resolver, dtype: DType) -> Drawing:
    """A part is drawn as an array of its own, under a name of its own, with the whole's fans."""
    axes, scheme = part.axes, part.rule.scheme
    shape, fans = selected_shape(axes), resolver.fans(parameter)
    found = resolver.distribution(parameter.name, spec_of(parameter, shape, scheme, fans))
    name = f"{parameter.name}[{', '.join(f'{a.start}:{a.step}:{a.length}' for a in axes)}]"
    draw = Draw((name,), shape, dtype, found, _is_dense(axes, parameter.shape))
    return Drawing(parameter.name, part.rule.address.index, scheme, fans, draw)


def _is_dense(axes: Sequence[Axis], shape: Shape) -> bool:
    """Whether the selection lies in C order without gaps (torch's `is_contiguous`)."""
    stride, wanted = 1, 1
    for axis, length in zip(reversed(axes), reversed(shape), strict=True):
        if axis.length > 1 and axis.step * stride != wanted:
            return False
        wanted *= axis.length
        stride *= length
    return True


def _cast(dtype: DType, wanted: DType | None) -> DType:
    """The dtype in which a parameter is drawn: the one asked for is only for floats."""
    is_float = dtype.name.startswith(("float", "bfloat"))
    return wanted if wanted is not None and is_float else dtype


def weights(tree: ParameterTree, resolver: Resolver) -> list[str]:
    """Own names of what `scheme` is for: 2 or more axes, trained, not a bias, drawn at random.

    So a bias or a scale of several axes does not count. In a bare checkpoint, the axes and the name
    decide. Where some parameters have no values yet, only these count. A layer's own initializer
    wins over that of the whole model, as in MXNet (`Parameter.initialize`).
    """
    every = tree.parameters()
    found = [
        parameter.name
        for parameter in [p for p in every if isinstance(p.data, Unset)] or every
        if len(parameter.shape) > 1
        and not parameter.own_scheme
        and parameter.trainable is not False
        and "bias" not in parameter.name.rpartition(tree.architecture.separator)[2]
        and resolver.is_drawn(parameter)
    ]
    if not found:
        is_kept = any(parameter.own_scheme for parameter in every)
        kept = ", other than those whose layer has an initializer" if is_kept else ""
        raise SchemeError(
            f"there are no weights: parameters of 2 or more axes, drawn at random{kept}"
        ).unless(rules=...)
    return found
