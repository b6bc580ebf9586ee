"""Evaluation: a walk over checked nodes, with a bound on the size of every result."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paraminspect.errors import ExpressionError, nearest
from paraminspect.language._calls import Function, call
from paraminspect.language.sizes import check_item, check_operands, check_result

MAXIMUM_BITS = 128
"""Integers stay below 2**128: every size, and the product of any two of them, fits."""

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
"""Numbers that have a name wherever an expression gives values."""

BINARY: dict[type[ast.AST], Function] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_UNARY: dict[type[ast.unaryop], Function] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
COMPARE: dict[type[ast.AST], Function] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
Operators = Mapping[type[ast.AST], Function]
OPERATORS: Operators = {**BINARY, **COMPARE, ast.Subscript: operator.getitem}
"""What the operators of two operands, and an index, do to values: Python's own meaning."""

_OTHER_SPELLINGS = {
    **dict.fromkeys(("true", "yes", "on"), "True"),
    **dict.fromkeys(("false", "no", "off"), "False"),
    **dict.fromkeys(("none", "null"), "None"),
}
"""What other languages write for a constant."""


@dataclass(frozen=True)
class Evaluator:
    """The value of a checked node, with these names, functions and operators."""

    names: Mapping[str, Any]
    functions: Mapping[str, Function]
    operators: Operators

    def value(self, node: ast.expr) -> Any:
        """The value of a node; raises `ExpressionError` for what cannot be computed."""
        match node:
            case ast.Constant():
                return _bounded(node.value)
            case ast.Name():
                return self._name(node.id)
            case ast.Call():
                return self._call(node)
            case ast.Tuple():
                return _bounded(tuple(self.value(item) for item in node.elts))
            case ast.List():
                return _bounded([self.value(item) for item in node.elts])
            case ast.BinOp():
                return self._binary(node.op, self.value(node.left), self.value(node.right))
            case ast.UnaryOp():
                return _applied(_UNARY[type(node.op)], self.value(node.operand))
            case ast.Compare():
                return self._compare(node)
            case ast.BoolOp():
                return self._boolean(node)
            case ast.IfExp():
                is_true = _applied(bool, self.value(node.test))
                return self.value(node.body if is_true else node.orelse)
            case ast.Subscript():
                value, index = self.value(node.value), self._index(node.slice)
                check_item(value, index)
                return _bounded(_applied(self.operators[ast.Subscript], value, index))
        raise ExpressionError(f"{type(node).__name__} is not part of the language")

    def _name(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in self.functions:
            raise ExpressionError(f"{name} is a function: write {name}(...)")
        raise ExpressionError(f"unknown name {name!r}{self._hint(name)}")

    def _hint(self, name: str) -> str:
        if name.lower() in _OTHER_SPELLINGS:
            return f": write {_OTHER_SPELLINGS[name.lower()]}"
        known = ", ".join(list(self.names)[:8])
        ending = f"; known are {known}" if known else ""
        return nearest(name, [*self.names, *self.functions]) or ending

    def _call(self, node: ast.Call) -> Any:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        function = self.functions.get(name)
        if function is None:
            known = ", ".join(list(self.functions)[:8])
            ending = nearest(name, self.functions) or (f"; known are {known}, ..." if known else "")
            raise ExpressionError(f"unknown function {name!r}{ending}")
        arguments = [self.value(argument) for argument in node.args]
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            assert keyword.arg is not None  # checked when parsed
            keywords[keyword.arg] = self.value(keyword.value)
        return call(function, name, arguments, keywords)

    def _binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        check_operands(op, left, right)
        if isinstance(op, ast.Pow):
            _check_power(left, right)
        if isinstance(op, ast.Mult | ast.Mod) and any(
            isinstance(v, str | list | tuple) for v in (left, right)
        ):
            raise ExpressionError("only numbers can be multiplied")
        return _bounded(_applied(self.operators[type(op)], left, right))

    def _compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        result: Any = True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            check_operands(op, left, right)
            step = _applied(self.operators[type(op)], left, right)
            result = step if result is True else _applied(operator.and_, result, step)
            left = right
        return result

    def _boolean(self, node: ast.BoolOp) -> Any:
        stop_at = isinstance(node.op, ast.Or)
        value: Any = None
        for part in node.values:
            value = self.value(part)
            if _applied(bool, value) == stop_at:
                break
        return value

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            return slice(*(None if part is None else self.value(part) for part in parts))
        if isinstance(node, ast.Tuple):
            return tuple(self._index(item) for item in node.elts)
        return self.value(node)


def _check_power(base: Any, exponent: Any) -> None:
    """Refuse a power before it is computed: `9**9**9` would take all memory."""
    if not isinstance(base, int) or not isinstance(exponent, int) or exponent < 0:
        return
    if base.bit_length() * exponent > 2 * MAXIMUM_BITS:
        raise ExpressionError(f"{base}**{exponent} is too large: the limit is 2**{MAXIMUM_BITS}")


def _applied(function: Function, *values: Any) -> Any:
    try:
        return function(*values)
    except ZeroDivisionError:
        raise ExpressionError("division by zero") from None
    except (TypeError, ValueError, OverflowError, IndexError) as error:
        raise ExpressionError(str(error)) from None


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAXIMUM_BITS:
        raise ExpressionError(f"a number is too large: the limit is 2**{MAXIMUM_BITS}")
    check_result(value)
    return value
