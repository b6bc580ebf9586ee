"""Layer functions from declarations: the framework's signature as text, and one build function.

Hundreds of layers share a handful of shapes; their signatures are data.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from paraminspect.frameworks._arguments import Check, canonical_call, check_argument, checks_of
from paraminspect.language import bind_arguments
from paraminspect.tree.layers import Build, Layer

Made = TypeVar("Made")
Maker = Callable[[SimpleNamespace], Build]


def declare(signature: str, make: Maker) -> tuple[str, Callable[..., Layer]]:
    """`("Linear", function)` from `"Linear(in_features: Size, ...)"`.

    `make` gets the bound arguments as attributes. What an annotation means stands in `CHECKS`.
    """

    def made(declared: Declared, arguments: Mapping[str, Any]) -> Layer:
        build = make(SimpleNamespace(**arguments))
        return Layer(declared.name, build, arguments, declared.call(arguments))

    return declare_call(signature, made)


def declare_call(
    signature: str, make: Callable[[Declared, Mapping[str, Any]], Made]
) -> tuple[str, Callable[..., Made]]:
    """`declare` for other values than layers: `make` gets the declaration and its arguments."""
    declared = Declared(signature)
    return declared.name, _Declaration(declared, make)


class _Declaration(Generic[Made]):
    """A function of a framework's table."""

    binds_itself = True

    def __init__(
        self, declared: Declared, make: Callable[[Declared, Mapping[str, Any]], Made]
    ) -> None:
        self.__name__ = self.__qualname__ = declared.name
        self._declared = declared
        self._make = make

    @property
    def __signature__(self) -> inspect.Signature:
        return self._declared.signature

    def __call__(self, *arguments: object, **keywords: object) -> Made:
        return self._make(self._declared, self._declared.bound(arguments, keywords))


class Declared:
    """A signature that stands in text: it binds and checks arguments, and writes calls.

    The text is read when it is first needed: a model uses few of a framework's hundreds of layers.
    """

    def __init__(self, signature: str) -> None:
        self.name = signature.partition("(")[0]
        self._text = signature

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """The signature with its annotations as text."""
        node = ast.parse(f"def {self._text}: pass").body[0]
        assert isinstance(node, ast.FunctionDef)
        return inspect.Signature(_parameters(node.args))

    @functools.cached_property
    def _checks(self) -> dict[str, list[Check]]:
        return checks_of(self.signature)

    @functools.cached_property
    def _variadic(self) -> str | None:
        kinds = ((name, p.kind) for name, p in self.signature.parameters.items())
        return next((name for name, kind in kinds if kind is kind.VAR_POSITIONAL), None)

    @functools.cached_property
    def _positional(self) -> list[str]:
        parameters = self.signature.parameters.items()
        return [name for name, p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

    @functools.cached_property
    def _defaults(self) -> dict[str, Any]:
        return {name: p.default for name, p in self.signature.parameters.items()}

    @functools.cached_property
    def _has_any(self) -> bool:
        kinds = {p.kind for p in self.signature.parameters.values()}
        return bool(kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})

    def bound(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Mapping[str, Any]:
        """Every argument by name, each what its annotation allows."""
        values = self._bound(arguments, keywords)
        for name, allowed in self._checks.items():
            value = values[name]
            for one in value if name == self._variadic else (value,):
                check_argument(self.name, name, one, allowed)
        return values

    def _bound(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        # What `Signature.bind` does ten times slower, where all is as it should be.
        if not self._has_any and len(arguments) <= len(self._positional):
            given = dict(zip(self._positional, arguments, strict=False))
            values = {**self._defaults, **given, **keywords}
            as_many = len(values) == len(self._defaults) and not given.keys() & keywords.keys()
            if as_many and inspect.Parameter.empty not in values.values():
                return values
        bound = bind_arguments(self.signature, self.name, arguments, keywords)
        bound.apply_defaults()
        return bound.arguments

    def call(self, arguments: Mapping[str, Any]) -> str:
        """The shortest call with these arguments."""
        return canonical_call(self.name, self.signature, arguments)


def _parameters(arguments: ast.arguments) -> list[inspect.Parameter]:
    kinds = inspect.Parameter
    required = len(arguments.args) - len(arguments.defaults)
    parameters = []
    for i, argument in enumerate(arguments.args):
        default = (
            kinds.empty if i < required else ast.literal_eval(arguments.defaults[i - required])
        )
        parameters.append(_parameter(argument, kinds.POSITIONAL_OR_KEYWORD, default))
    if arguments.vararg:
        parameters.append(_parameter(arguments.vararg, kinds.VAR_POSITIONAL))
    for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        default = kinds.empty if node is None else ast.literal_eval(node)
        parameters.append(_parameter(argument, kinds.KEYWORD_ONLY, default))
    if arguments.kwarg:
        parameters.append(_parameter(arguments.kwarg, kinds.VAR_KEYWORD))
    return parameters


def _parameter(
    argument: ast.arg, kind: inspect._ParameterKind, default: object = inspect.Parameter.empty
) -> inspect.Parameter:
    annotation = (
        ast.unparse(argument.annotation) if argument.annotation else inspect.Parameter.empty
    )
    return inspect.Parameter(argument.arg, kind, default=default, annotation=annotation)
