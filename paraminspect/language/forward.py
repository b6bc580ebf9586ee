"""Forward: what a module does with its input, written in the one expression language.

A forward is a list of statements: `y = bn1(conv1(x))` names a value, a last bare expression is
the result, and `while CONDITION: ...` repeats. Children are called by name, bare parameters and
buffers are values; the same statements compute values, gradients, and shapes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paraminspect.errors import ExpressionError, ParamInspectError, counted
from paraminspect.language import OPERATORS, Expression, Operators, parse_expression
from paraminspect.language.sizes import MAXIMUM_ELEMENTS, elements
from paraminspect.language.syntax import UNREADABLE, read_statements

MAXIMUM_ITERATIONS = 10_000
"""Rounds that a `while` may take: a loop that never ends is an error, not a hang."""

MAXIMUM_TOGETHER = 4 * MAXIMUM_ELEMENTS
"""Elements that the statements of a forward may make, round after round."""


@dataclass(frozen=True)
class Assign:
    """`a, b = VALUE`; without targets it is the result."""

    targets: tuple[str, ...]
    value: Expression
    where: str


@dataclass(frozen=True)
class While:
    """Repeat `body` as long as `condition` holds."""

    condition: Expression
    body: tuple[Statement, ...]
    where: str


Statement = Assign | While


@dataclass(frozen=True)
class Forward:
    """The statements of a module, its inputs' names, and the sizes known where it was written."""

    inputs: tuple[str, ...]
    statements: tuple[Statement, ...]
    names: Mapping[str, Any] = field(default_factory=dict)

    def run(
        self,
        arguments: Sequence[Any],
        values: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
        operators: Operators = OPERATORS,
    ) -> Any:
        """The result for these inputs; `functions` are the children and the tensor functions.

        `operators` are what the operators mean to these values.
        """
        given = in_order(self.inputs, arguments, {})
        scope = {**self.names, **values, **dict(zip(self.inputs, given, strict=True))}
        return _execute(
            self.statements,
            scope,
            lambda value: value.evaluate(scope, functions, operators),
            Made(),
        )


def in_order(names: Sequence[str], arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    """The inputs in the order of their names; `ExpressionError` unless they are just these."""
    missing = names[len(arguments) :]
    if len(arguments) > len(names) or set(missing) != named.keys():
        got = " and ".join([str(len(arguments)), *(f"{name}=" for name in named)])
        wanted = counted(len(names), "input")
        raise ExpressionError(f"expected {wanted} ({', '.join(names)}), got {got}")
    return [*arguments, *(named[name] for name in missing)]


@dataclass
class Made:
    """How many elements the statements of one pass made together: a loop may keep them all."""

    count: int = 0

    def add(self, result: Any, where: str) -> None:
        """Count a result; refuse it once all are too many."""
        self.count += elements(result)
        if self.count > MAXIMUM_TOGETHER:
            raise ExpressionError(
                f"the statements made over {MAXIMUM_TOGETHER} elements together", where
            )


def _execute(
    statements: Sequence[Statement],
    scope: dict[str, Any],
    evaluate: Callable[[Expression], Any],
    made: Made,
) -> Any:
    """Run in turn, in one scope: a loop's names stay, as in Python; the last result is given."""
    result = None
    for statement in statements:
        if isinstance(statement, While):
            rounds = 0
            while _value(statement.condition, statement.where, evaluate):
                rounds += 1
                if rounds > MAXIMUM_ITERATIONS:
                    raise ExpressionError(
                        f"`while {statement.condition}` still holds after {MAXIMUM_ITERATIONS}"
                        " rounds",
                        statement.where,
                    )
                _execute(statement.body, scope, evaluate, made)
            continue
        result = _value(statement.value, statement.where, evaluate)
        made.add(result, statement.where)
        if len(statement.targets) == 1:
            scope[statement.targets[0]] = result
        elif statement.targets:
            scope.update(_unpacked(statement, result))
    return result


def _unpacked(statement: Assign, result: Any) -> dict[str, Any]:
    wanted = len(statement.targets)
    if hasattr(result, "unpacked"):  # a stand-in without values does not know its length
        result = result.unpacked(wanted)
    if not isinstance(result, tuple | list) or len(result) != wanted:
        got = len(result) if isinstance(result, tuple | list) else "one value"
        raise ExpressionError(
            f"`{statement.value}` should give {counted(wanted, 'value')}, got {got}",
            statement.where,
        )
    return dict(zip(statement.targets, result, strict=True))


def _value(expression: Expression, where: str, evaluate: Callable[[Expression], Any]) -> Any:
    try:
        return evaluate(expression)
    except ParamInspectError as error:
        if error.place:
            raise
        raise ExpressionError(f"{error} in `{expression}`", where) from None


def parse_statement(text: str, where: str) -> Assign:
    """`name = EXPRESSION`, `a, b = EXPRESSION`, `x /= 2`, or a bare expression."""
    try:
        body = read_statements(text.strip())
    except UNREADABLE:
        body = []
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.AugAssign | ast.Expr):
        raise ExpressionError(f"expected `name = EXPRESSION` or an expression, got {text!r}")
    node = body[0]
    value = parse_expression(ast.get_source_segment(text.strip(), node.value) or "")
    if isinstance(node, ast.Expr):
        return Assign((), value, where)
    if isinstance(node, ast.AugAssign):
        (target,) = _targets([node.target], text)
        operator = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("b")))[2:-2]
        return Assign((target,), parse_expression(f"{target} {operator} ({value})"), where)
    return Assign(_targets(node.targets, text), value, where)


def _targets(nodes: Sequence[ast.expr], text: str) -> tuple[str, ...]:
    first = nodes[0]
    names = first.elts if isinstance(first, ast.Tuple) else [first]
    if len(nodes) != 1 or not all(isinstance(name, ast.Name) for name in names):
        raise ExpressionError(f"only names can be assigned to, in {text!r}")
    return tuple(name.id for name in names if isinstance(name, ast.Name))
