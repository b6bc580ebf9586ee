"""The `forward` of a module, from nodes to statements that know their lines."""

from __future__ import annotations

import ast
from collections.abc import Mapping as Names
from typing import Any

from paraminspect.definition._place import fail
from paraminspect.definition._yaml import Mapping, Node, Scalar, Sequence
from paraminspect.errors import ExpressionError, ParamInspectError
from paraminspect.language import parse_expression
from paraminspect.language.forward import Assign, Forward, Statement, While, parse_statement

KEYWORD = "forward"
LOOP = "while "


def is_forward(key: Scalar) -> bool:
    """Whether a key of a module is not a child but its `forward` or `forward(a, b)`."""
    return key.text == KEYWORD or key.text.startswith(f"{KEYWORD}(")


def build_forward(key: Scalar, node: Node, names: Names[str, Any]) -> Forward:
    """The forward that a key and its statements describe; `names` are the sizes known there."""
    statements = _statements(node)
    last = statements[-1]
    if isinstance(last, While) or last.targets:
        fail("a forward ends in the result: a bare expression", node)
    return Forward(_inputs(key), statements, dict(names))


def _inputs(key: Scalar) -> tuple[str, ...]:
    if key.text == KEYWORD:
        return ("x",)
    try:
        call = parse_expression(key.text).node
    except ParamInspectError as error:
        fail(str(error), key)
    arguments = call.args if isinstance(call, ast.Call) and not call.keywords else []
    names = [argument.id for argument in arguments if isinstance(argument, ast.Name)]
    if not names or len(names) != len(arguments) or len(set(names)) != len(names):
        fail(f"the inputs of a forward are names, forward(x, y), got {key.text!r}", key)
    return tuple(names)


def _statements(node: Node) -> tuple[Statement, ...]:
    if isinstance(node, Sequence):
        if not node.items:
            fail("a forward has at least one statement", node)
        return tuple(map(_statement, node.items))
    return (_statement(node),)


def _statement(node: Node) -> Statement:
    try:
        if isinstance(node, Scalar):
            return parse_statement(node.text, str(node.place))
        if isinstance(node, Mapping) and len(node.entries) == 1:
            key, body = node.entries[0]
            if key.text.startswith(LOOP):
                condition = parse_expression(key.text.removeprefix(LOOP))
                return While(condition, _loop_body(body), str(node.place))
        raise ExpressionError(
            "expected `name = EXPRESSION`, an expression, or `while CONDITION: ...`"
        )
    except ParamInspectError as error:
        if error.place:
            raise
        fail(str(error), node)


def _loop_body(node: Node) -> tuple[Statement, ...]:
    body = _statements(node)
    if any(isinstance(one, Assign) and not one.targets for one in body):
        fail("a statement in a loop must name its value: x = ...", node)
    return body
