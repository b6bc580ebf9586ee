"""Layer functions from declarations: the framework's signature as text, and one build function.

Hundreds of layers share a handful of shapes; their signatures are data.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import SimpleNamespace

from paraminspect.layers import Build, Layer, layer

Maker = Callable[[SimpleNamespace], Build]


def declare(signature: str, make: Maker) -> tuple[str, Callable[..., Layer]]:
    """`("Linear", function)` from `"Linear(in_features: Size, ...)"`.

    `make` gets the bound arguments as attributes. An annotation is a check, as for `layer`.
    """
    node = ast.parse(f"def {signature}: pass").body[0]
    assert isinstance(node, ast.FunctionDef)

    def construct(*arguments: object, **keywords: object) -> Build:
        bound = parsed.bind(*arguments, **keywords)
        bound.apply_defaults()
        return make(SimpleNamespace(**bound.arguments))

    parsed = inspect.Signature(_parameters(node.args))
    construct.__name__ = construct.__qualname__ = node.name
    construct.__signature__ = parsed  # type: ignore[attr-defined]
    return node.name, layer(construct)


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
