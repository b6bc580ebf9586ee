"""Expressions: the one small language of layer calls, sizes, schemes, `set` and `forward`.

Parsed with `ast`, checked against a white list, and evaluated by walking the nodes: no `eval`, no
attribute access, and a bound on the size of every result.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paraminspect.errors import ExpressionError, nearest
from paraminspect.syntax import UNREADABLE, read_expression

MAXIMUM_LENGTH = 4_000
MAXIMUM_NESTING = 50
MAXIMUM_DEPTH = 200
MAXIMUM_BITS = 128
"""Integers stay below 2**128: every size, and the product of any two of them, fits."""
MAXIMUM_ITEMS = 10_000
"""Length of the longest string, list or tuple that an operator may make."""

MAXIMUM_INNER_CALL = 100
"""Characters of a layer that is an argument of another: each layer is written a bounded length."""

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
"""Numbers that have a name wherever an expression gives values."""

Function = Callable[..., Any]
Promoted = Callable[[Any, Any], tuple[Any, Any]]
"""From the two operands of an operator to what it is applied to."""


def unpromoted(left: Any, right: Any) -> tuple[Any, Any]:
    """The operands as they are."""
    return left, right


_BINARY: dict[type[ast.operator], Function] = {
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
_COMPARE: dict[type[ast.cmpop], Function] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_OTHER_SPELLINGS = {
    **dict.fromkeys(("true", "yes", "on"), "True"),
    **dict.fromkeys(("false", "no", "off"), "False"),
    **dict.fromkeys(("none", "null"), "None"),
}
"""What other languages write for a constant."""

_REFUSED: dict[type[ast.AST], str] = {
    ast.Attribute: "attribute access",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a formatted string",
    ast.NamedExpr: "an assignment",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.Starred: "unpacking with '*'",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
}


@dataclass(frozen=True)
class Expression:
    """A parsed and checked expression. Equal texts are the same expression."""

    text: str
    node: ast.expr

    def __str__(self) -> str:
        return self.text

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Every name that the expression uses, functions included."""
        return frozenset(n.id for n in ast.walk(self.node) if isinstance(n, ast.Name))

    @functools.cached_property
    def calls(self) -> frozenset[str]:
        """The name of every function that it calls."""
        nodes = (n.func for n in ast.walk(self.node) if isinstance(n, ast.Call))
        return frozenset(n.id for n in nodes if isinstance(n, ast.Name))

    @property
    def called(self) -> str | None:
        """The name of the function when the whole expression is one call."""
        node = self.node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id
        return None

    @property
    def name(self) -> str | None:
        """The name when the whole expression is a bare name."""
        return self.node.id if isinstance(self.node, ast.Name) else None

    def repetition(self) -> tuple[Expression, Expression] | None:
        """`(count, of)` of `COUNT * CALL` or `COUNT * NAME`, the short form of a repetition."""
        node = self.node
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mult)
            and isinstance(node.right, ast.Call | ast.Name)
        ):
            return self._part(node.left), self._part(node.right)
        return None

    def bind(self, names: Mapping[str, Any]) -> Expression:
        """The expression with its values written in place of these names."""
        if not self.names & names.keys():
            return self
        node = _Binder(names).visit(read_expression(self.text))
        return parse_expression(ast.unparse(node))

    def items(self) -> list[Expression] | None:
        """The parts when the whole expression is a list."""
        if isinstance(self.node, ast.List):
            return [self._part(item) for item in self.node.elts]
        return None

    def _part(self, node: ast.expr) -> Expression:
        return Expression(ast.get_source_segment(self.text, node) or ast.unparse(node), node)

    def evaluate(
        self,
        names: Mapping[str, Any],
        functions: Mapping[str, Function],
        promoted: Promoted = unpromoted,
    ) -> Any:
        """The value, with `names` for the values and `functions` for what may be called."""
        return _Evaluator(names, functions, promoted).value(self.node)


class _Binder(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._names:
            return node
        return read_expression(repr(self._names[node.id]))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node


@functools.lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Parse and check `text`; raises `ExpressionError`."""
    text = text.strip()
    if len(text) > MAXIMUM_LENGTH:
        raise ExpressionError(
            f"an expression has at most {MAXIMUM_LENGTH} characters, this one is too long"
        )
    _check_nesting(text)
    try:
        node = read_expression(text)
    except SyntaxError as error:
        raise ExpressionError(_syntax_message(text, error)) from None
    except UNREADABLE:
        raise ExpressionError(
            f"cannot read {_short(text)}: nested too deep or a number with too many digits"
        ) from None
    _check_nodes(node, text)
    return Expression(text, node)


def _check_nodes(node: ast.expr, text: str) -> None:
    """Check every part, level by level: evaluation recurses, and `1+1+1+...` has as many levels."""
    level: list[ast.AST] = [node]
    for _ in range(MAXIMUM_DEPTH):
        for part in level:
            _check_node(part, text)
        level = [below for part in level for below in ast.iter_child_nodes(part)]
        if not level:
            return
    raise ExpressionError(f"{_short(text)} has more than {MAXIMUM_DEPTH} levels of operations")


def _check_nesting(text: str) -> None:
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > MAXIMUM_NESTING:
            raise ExpressionError(f"nested deeper than {MAXIMUM_NESTING} levels")


def _syntax_message(text: str, error: SyntaxError) -> str:
    reason = (error.msg or "invalid syntax").split(" (")[0]
    if "digits" in reason:  # Python's own limit on the digits of an integer
        reason = "a number with too many digits"
    return f"cannot read {_short(text)}: {reason}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


_ALLOWED = (
    ast.Constant, ast.Name, ast.Load, ast.Call, ast.keyword, ast.Tuple, ast.List, ast.BinOp,
    ast.UnaryOp, ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.IfExp, ast.Subscript, ast.Slice,
    ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def _check_node(node: ast.AST, text: str) -> None:
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "torch":
        raise ExpressionError(f"torch is not there: write {node.attr!r} for torch.{node.attr}")
    for kind, word in _REFUSED.items():
        if isinstance(node, kind):
            raise ExpressionError(f"{word} is not part of the language, in {_short(text)}")
    if not isinstance(node, _ALLOWED) or (
        isinstance(node, ast.Constant) and isinstance(node.value, bytes | complex)
    ):
        raise ExpressionError(
            f"{type(node).__name__} is not part of the language, in {_short(text)}"
        )
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
        ending = ""
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            ending = f": write {node.func.attr}(...)"  # not nn.Linear(...)
        raise ExpressionError(f"only a name can be called, in {_short(text)}{ending}")
    if isinstance(node, ast.cmpop) and type(node) not in _COMPARE:
        raise ExpressionError(f"only == != < <= > >= compare, in {_short(text)}")
    if isinstance(node, ast.keyword) and node.arg is None:
        raise ExpressionError(f"unpacking with '**' is not part of the language, in {_short(text)}")


@dataclass(frozen=True)
class _Evaluator:
    names: Mapping[str, Any]
    functions: Mapping[str, Function]
    promoted: Promoted

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return _bounded(node.value)
            case ast.Name():
                return self._name(node.id)
            case ast.Call():
                return self._call(node)
            case ast.Tuple():
                return tuple(self.value(item) for item in node.elts)
            case ast.List():
                return [self.value(item) for item in node.elts]
            case ast.BinOp():
                operands = self.promoted(self.value(node.left), self.value(node.right))
                return _binary(node.op, *operands)
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
                return _applied(operator.getitem, self.value(node.value), self._index(node.slice))
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

    def _compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        result: Any = True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            step = _applied(_COMPARE[type(op)], left, right)
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


def _binary(op: ast.operator, left: Any, right: Any) -> Any:
    function = _BINARY.get(type(op))
    if function is None:
        raise ExpressionError(f"the operator {type(op).__name__} is not part of the language")
    if isinstance(op, ast.Pow):
        _check_power(left, right)
    if isinstance(op, ast.Mult | ast.Mod) and any(
        isinstance(v, str | list | tuple) for v in (left, right)
    ):
        raise ExpressionError("only numbers can be multiplied")
    return _bounded(_applied(function, left, right))


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
    if isinstance(value, str | list | tuple) and len(value) > MAXIMUM_ITEMS:
        raise ExpressionError(f"a value is too large: the limit is {MAXIMUM_ITEMS} items")
    return value


@functools.lru_cache(maxsize=1024)
def signature(function: Function) -> inspect.Signature:
    """The signature of a function, cached: models call the same few layers thousands of times."""
    return inspect.signature(function)


def call(function: Function, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Call with arguments that a user wrote; what does not fit is an `ExpressionError`."""
    if not getattr(function, "binds_itself", False):
        bind_arguments(signature(function), name, arguments, keywords)
    return function(*arguments, **keywords)


def bind_arguments(
    signature: inspect.Signature, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> inspect.BoundArguments:
    """The arguments by name; what does not fit the signature of `name` is an `ExpressionError`."""
    parameters = signature.parameters
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for keyword in keywords:
        if keyword not in parameters and not any_keyword:
            known = ", ".join(parameters) or "none"
            raise ExpressionError(
                f"{name}() has no argument {keyword!r}{nearest(keyword, parameters)};"
                f" it takes {known}"
            )
    try:
        return signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise ExpressionError(
            f"{name}() is wrong: {error}; it takes {', '.join(parameters) or 'nothing'}"
        ) from None


def format_call(name: str, arguments: list[Any], keywords: Mapping[str, Any]) -> str:
    """`Linear(4, 8, bias=False)`: a call as one writes it."""
    return f"{name}({', '.join(_format_arguments(arguments, keywords))})"


def _format_arguments(arguments: list[Any], keywords: Mapping[str, Any]) -> Iterator[str]:
    yield from map(format_value, arguments)
    for key, value in keywords.items():
        yield f"{key}={format_value(value)}"


def format_value(value: Any) -> str:
    """A value as the language writes it; a layer inside another only while it is short."""
    if not hasattr(value, "call"):
        return repr(value)
    return str(value) if len(str(value)) <= MAXIMUM_INNER_CALL else f"{value.kind}(...)"
