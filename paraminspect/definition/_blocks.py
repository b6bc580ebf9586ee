"""Blocks: the functions of `define:`, whose keys are written like their calls."""

from __future__ import annotations

import ast
import inspect

from paraminspect.definition._place import fail
from paraminspect.definition._scope import Scope
from paraminspect.definition._yaml import Scalar


def read_head(scope: Scope, head: Scalar) -> tuple[str, inspect.Signature]:
    """The name and the parameters of a block that is written `block(d, stride=1)`."""
    call = scope.expression(head).node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        fail(f"a block is named like a call, block(d), got {head.text!r}", head)
    name = call.func.id
    modelling = scope.modelling
    if name in scope.functions or name in modelling.sequences:
        is_block = name not in modelling.layers and name not in modelling.sequences
        what = "a block" if is_block else "a layer"
        fail(f"{name!r} is the name of {what} already", head)
    return name, _signature(scope, name, call, head)


def _signature(scope: Scope, name: str, call: ast.Call, head: Scalar) -> inspect.Signature:
    """Arguments without a value are required; a default is evaluated here, once."""
    names = [*call.args, *(ast.Name(keyword.arg or "") for keyword in call.keywords)]
    required = [inspect.Parameter.empty] * len(call.args)
    defaults = [scope.evaluated(head, ast.unparse(keyword.value)) for keyword in call.keywords]
    parameters = [
        inspect.Parameter(one.id, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for one, default in zip(names, [*required, *defaults], strict=True)
        if isinstance(one, ast.Name)
    ]
    if len(parameters) < len(names):
        fail(f"the parameters of {name} must be names, got {head.text!r}", head)
    try:
        return inspect.Signature(parameters)
    except ValueError as error:
        fail(str(error), head)
