"""Layer functions from declarations: the framework's signature as text, and one build function.

Hundreds of layers share a handful of shapes; their signatures are data.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import SimpleNamespace

from paraminspect.frameworks._arguments import canonical_call, check_argument, checks_of
from paraminspect.layers import Build, Layer

Maker = Callable[[SimpleNamespace], Build]


def declare(signature: str, make: Maker) -> tuple[str, Callable[..., Layer]]:
    """`("Linear", function)` from `"Linear(in_features: Size, ...)"`.

    `make` gets the bound arguments as attributes. What an annotation means stands in `CHECKS`.
    """
    node = ast.parse(f"def {signature}: pass").body[0]
    assert isinstance(node, ast.FunctionDef)
    kind = node.name
    parsed = inspect.Signature(_parameters(node.args))
    checks = checks_of(parsed)
    variadic = node.args.vararg.arg if node.args.vararg else None

    def construct(*arguments: object, **keywords: object) -> Layer:
        bound = parsed.bind(*arguments, **keywords)
        bound.apply_defaults()
        for name, allowed in checks.items():
            value = bound.arguments[name]
            for one in value if name == variadic else (value,):
                check_argument(kind, name, one, allowed)
        build = make(SimpleNamespace(**bound.arguments))
        return Layer(kind, build, bound.arguments, canonical_call(kind, parsed, bound.arguments))

    construct.__name__ = construct.__qualname__ = kind
    construct.__signature__ = parsed  # type: ignore[attr-defined]
    return kind, construct


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
