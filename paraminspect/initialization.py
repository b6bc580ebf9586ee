"""Initialization: which scheme draws which parameter, and the tree with the values drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from paraminspect.address import Address, parse_assignment
from paraminspect.arrays import DType, Unset
from paraminspect.distributions import Distribution, is_random
from paraminspect.errors import ParamInspectError, SchemeError
from paraminspect.generators import Draw, open_generator
from paraminspect.initializers import Scheme, Target, parse_scheme
from paraminspect.layers import Fans, Spec
from paraminspect.tree import Parameter, ParameterTree

SchemeFunction = Callable[..., Scheme]


@dataclass(frozen=True)
class Rule:
    """A scheme for all parameters that an address matches, or for the part that it points at."""

    address: Address
    scheme: str


def parse_rule(text: str) -> Rule:
    """`PATTERN=SCHEME`; raises `AddressError`."""
    return Rule(*parse_assignment(text))


@dataclass(frozen=True)
class Drawing:
    """How the parameter of an own name gets its values."""

    name: str
    scheme: str
    fans: Fans | None
    distribution: Distribution


@dataclass(frozen=True)
class Initialization:
    """A tree with what is to be drawn of it, in the order of the tree."""

    tree: ParameterTree
    drawings: tuple[Drawing, ...]
    construction: Callable[[], Sequence[Draw]]
    """All that its framework draws to construct the model, for generators that repeat that."""
    draws: tuple[Draw, ...]
    """What is drawn otherwise: each parameter that is wanted, once."""

    def drawn(self, seed: int, rng: str = "native") -> ParameterTree:
        """The tree with values, which are made when they are read; raises `SchemeError`."""
        generator = open_generator(rng, seed)
        is_replayed = generator.replays is not None and self.tree.construction is not None
        if is_replayed and generator.replays != self.tree.framework:
            raise SchemeError(
                f"{rng} repeats how {generator.replays} constructs a model:"
                f" it cannot draw one of {self.tree.framework}"
            )
        arrays = generator.arrays(self.construction() if is_replayed else self.draws)
        return self.tree.replace(
            replace(self.tree.entries[d.name], data=arrays[d.name], scheme=d.scheme)
            for d in self.drawings
        )


def initialize(
    tree: ParameterTree,
    *,
    seed: int,
    rng: str = "native",
    scheme: str | None = None,
    rules: Iterable[Rule | str] = (),
    dtype: DType | None = None,
    layout: str | None = None,
    functions: Mapping[str, SchemeFunction] | None = None,
) -> ParameterTree:
    """The tree with values drawn for every parameter that has none, or that a rule matches.

    `scheme` is for all weights, `rules` (`"*.bias=zeros"`) win over it, the last over those before.
    `layout` tells the fans of a bare checkpoint, `functions` are schemes of your own by name.
    """
    plan = plan_initialization(
        tree, scheme=scheme, rules=rules, dtype=dtype, layout=layout, functions=functions
    )
    return plan.drawn(seed, rng)


def plan_initialization(
    tree: ParameterTree,
    *,
    scheme: str | None = None,
    rules: Iterable[Rule | str] = (),
    dtype: DType | None = None,
    layout: str | None = None,
    functions: Mapping[str, SchemeFunction] | None = None,
) -> Initialization:
    """What `initialize` would draw; raises `SchemeError` and `AddressError`."""
    resolver = _Resolver(tree.framework, layout, functions or {})
    chosen: dict[str, str] = {}
    if scheme is not None:
        chosen = dict.fromkeys(resolver.weights(tree), scheme)
    for rule in rules:
        rule = parse_rule(rule) if isinstance(rule, str) else rule
        matched = map(tree.own_name, tree.matching(rule.address))
        chosen.update(dict.fromkeys(matched, rule.scheme))
    wanted = [p for p in tree.parameters() if p.name in chosen or isinstance(p.data, Unset)]
    drawings, draws = [], []
    for parameter in wanted:
        text = chosen.get(parameter.name, parameter.scheme)
        if text is None:
            raise SchemeError(f"{parameter.name}: there is no default scheme: give one by --rule")
        found = resolver.distribution(parameter.name, _spec(parameter, text))
        drawings.append(Drawing(parameter.name, text, parameter.fans, found))
        drawn_as = _cast(parameter.dtype, dtype)
        draws.append(Draw((parameter.name,), parameter.shape, drawn_as, found))

    def construction() -> list[Draw]:
        assert tree.construction is not None
        return [
            Draw(
                drawn.names,
                drawn.spec.shape,
                _cast(drawn.spec.dtype, dtype),
                resolver.distribution(", ".join(drawn.names), drawn.spec),
            )
            for drawn in tree.construction(chosen)
        ]

    return Initialization(tree, tuple(drawings), construction, tuple(draws))


def _spec(parameter: Parameter, scheme: str) -> Spec:
    return Spec(parameter.shape, scheme, parameter.fans, parameter.layout, parameter.dtype)


def _cast(dtype: DType, wanted: DType | None) -> DType:
    """The dtype in which a parameter is drawn: what is asked for is for floats alone."""
    is_float = dtype.name.startswith(("float", "bfloat"))
    return wanted if wanted is not None and is_float else dtype


class _Resolver:
    """From the texts of schemes to distributions, each text parsed once."""

    def __init__(
        self, framework: str | None, layout: str | None, functions: Mapping[str, SchemeFunction]
    ) -> None:
        self._framework = framework
        self._layout = layout
        self._functions = functions
        self._parsed: dict[str, Scheme] = {}

    def distribution(self, name: str, spec: Spec) -> Distribution:
        """What a parameter is drawn from; errors begin with its name."""
        target = Target(spec.shape, spec.fans, spec.layout or self._layout, self._framework)
        try:
            return self._scheme(spec.scheme)(target)
        except ParamInspectError as error:
            raise SchemeError(f"{name}: {error}") from None

    def _scheme(self, text: str) -> Scheme:
        if text not in self._parsed:
            self._parsed[text] = parse_scheme(text, self._framework, self._functions)
        return self._parsed[text]

    def weights(self, tree: ParameterTree) -> list[str]:
        """Own names of the weights: 2 or more axes, trained, not a bias, drawn at random if known.

        So a bias or scale of several axes is none; of a bare checkpoint only the axes and the name
        tell.
        """
        found = []
        for parameter in tree.parameters():
            local = parameter.name.rpartition(tree.separator)[2]
            if (
                len(parameter.shape) > 1
                and parameter.trainable is not False
                and "bias" not in local
                and self._is_drawn(parameter)
            ):
                found.append(parameter.name)
        if not found:
            raise SchemeError("there are no weights, of 2 or more axes, for --scheme: use --rule")
        return found

    def _is_drawn(self, parameter: Parameter) -> bool:
        if parameter.scheme is None:
            return True
        default = self.distribution(parameter.name, _spec(parameter, parameter.scheme))
        return is_random(default)
