"""Addresses: the strings users type to point into a parameter tree, `PATTERN[INDEX]`."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Collection
from dataclasses import dataclass

from paraminspect.arrays import Shape
from paraminspect.arrays.indexing import Axis, Index, IndexItem, normalize
from paraminspect.errors import AddressError, EmptyPlaceError
from paraminspect.language.syntax import UNREADABLE, read_expression

MAXIMUM_INDEX_LENGTH = 500


@dataclass(frozen=True)
class Address:
    """Where to look: nested positions or a name pattern, and perhaps an index into the values.

    `[0][1].bias[0:3]` has the positions (0, 1), the pattern `bias` and the index (0:3).
    """

    pattern: str
    index: Index | None = None
    positions: tuple[int, ...] = ()
    text: str = ""
    literal: bool = False
    """Whether the pattern is a name, whatever characters it has."""

    def __str__(self) -> str:
        return self.text or self.pattern


_QUOTED = re.compile(r"""\s*(["'])(?P<name>.+?)\1(?:\[(?P<index>[^]]*)\])?\s*""", re.DOTALL)


def parse_address(text: str, names: Collection[str] = ()) -> Address:
    """The address that a user typed; raises `AddressError` saying what is wrong with it.

    A name that is among `names` wins over all syntax, alone and before an index: JAX writes names
    such as `.layers[0].weight`. A name in quotes, `"w[0]"[1]`, is never a pattern nor an index.
    """
    if (cut := _end_of_name(text, names)) is not None:
        return _literal(text[:cut], text[cut + 1 : -1] if cut < len(text) else None, text)
    if quoted := _QUOTED.fullmatch(text):
        return _literal(quoted["name"], quoted["index"], text)
    rest, positions = text, []
    while match := re.match(r"\[\s*(-?\d+)\s*\]", rest):
        positions.append(int(match[1]))
        rest = rest[match.end() :]
    if positions and rest:
        if rest[0] not in "./":
            raise AddressError(f"expected '.NAME' after the positions in {text!r}, got {rest!r}")
        rest = rest[1:]
    pattern, index = _cut_index(rest, text)
    if not pattern and not positions:
        raise AddressError(f"an address begins with a name or a position, got {text!r}")
    if positions and not rest:
        pattern = "*"
    return Address(pattern, index, tuple(positions), text)


def _end_of_name(text: str, names: Collection[str]) -> int | None:
    """Where the longest of the names ends that the text is, or has before an index."""
    if text in names:
        return len(text)
    if not text.endswith("]"):
        return None
    cuts = (at for at in range(len(text) - 1, 0, -1) if text[at] == "[")
    return next((at for at in cuts if text[:at] in names), None)


def _literal(name: str, index: str | None, text: str) -> Address:
    return Address(name, None if index is None else parse_index(index), (), text, literal=True)


def _cut_index(rest: str, text: str) -> tuple[str, Index | None]:
    """A pattern and the index behind it; brackets before the last are of names."""
    if rest.count("[") > rest.count("]"):
        raise AddressError(f"an index ends the address with ']', got {text!r}")
    if rest.count("]") > rest.count("["):
        raise AddressError(f"']' without '[' in address {text!r}")
    if not rest.endswith("]"):
        return rest, None
    depth, at = 1, len(rest) - 1
    while depth and at:
        at -= 1
        depth += (rest[at] == "]") - (rest[at] == "[")
    return rest[:at], parse_index(rest[at + 1 : -1])


def parse_assignment(text: str, names: Collection[str] = ()) -> tuple[Address, str]:
    """`ADDRESS=EXPRESSION` as its two parts; a name among `names` may have a `=` in it."""
    cuts = [i for i, character in enumerate(text) if character == "="]
    known = [i for i in cuts if _end_of_name(text[:i].strip(), names) is not None]
    quoted = _QUOTED.match(text)
    for i in (*known[-1:], *cuts):
        left = text[:i]
        whole = left.count("[") <= left.count("]") and not (quoted and i < quoted.end())
        if whole or i in known:
            return parse_address(left.strip(), names), text[i + 1 :].strip()
    raise AddressError(f"expected ADDRESS=EXPRESSION, got {text!r}")


def parse_index(text: str) -> Index:
    """What stands between the brackets: integers, slices and `...`, separated by commas."""
    if len(text) > MAXIMUM_INDEX_LENGTH:
        raise AddressError(f"an index has at most {MAXIMUM_INDEX_LENGTH} characters")
    try:
        node = read_expression(f"_[{text}]")
    except UNREADABLE:
        raise AddressError(f"cannot read the index [{text}]") from None
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        raise AddressError(f"cannot read the index [{text}]")
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return tuple(_index_item(item, text) for item in items)


def place(index: Index | None, shape: Shape) -> tuple[Axis, ...]:
    """What an index selects of a shape, all of it if there is none.

    Raises `EmptyPlaceError` if that is nothing: who writes an index means something.
    """
    axes = normalize((...,) if index is None else index, shape)
    empty = [number for number, axis in enumerate(axes) if not axis.length]
    if index is None or not empty:
        return axes
    length = shape[empty[0]]
    there = f"which has the positions 0 to {length - 1}" if length else "which has length 0"
    raise EmptyPlaceError(
        f"the index [{format_index(index)}] selects nothing of axis {empty[0]}, {there}"
    )


def format_index(index: Index) -> str:
    """An index as it is typed between brackets: `0, :8, ::-1`."""
    return ", ".join(map(_format_item, index))


def _format_item(item: IndexItem) -> str:
    if item is Ellipsis:
        return "..."
    if not isinstance(item, slice):
        return str(item)
    bounds = f"{_bound(item.start)}:{_bound(item.stop)}"
    return bounds if item.step is None else f"{bounds}:{item.step}"


def _bound(bound: int | None) -> str:
    return "" if bound is None else str(bound)


def _index_item(node: ast.expr, text: str) -> IndexItem:
    if isinstance(node, ast.Slice):
        parts = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else _integer(part, text) for part in parts))
    if isinstance(node, ast.Constant) and node.value is Ellipsis:
        return Ellipsis
    return _integer(node, text)


def _integer(node: ast.expr, text: str) -> int:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return sign * node.value
    raise AddressError(f"an index is made of integers, slices and '...', got [{text}]")


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: `*` is any run of characters, dots too, `?` any one.

    Each wildcard is a group.
    """
    parts = {"*": "(.*)", "?": "(.)"}
    return re.compile("".join(parts.get(c) or re.escape(c) for c in pattern), re.DOTALL)


@functools.lru_cache(maxsize=256)
def compile_matcher(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression that takes linear time on any name.

    A pattern of many stars may come from a file. What follows a star is searched once, from the
    left, and never again (an atomic group); only what follows the last star is at the end.
    """
    parts = (
        "".join("." if c == "?" else re.escape(c) for c in part) for part in pattern.split("*")
    )
    first, *rest = parts
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return re.compile(first + middle + (f".*{rest[-1]}" if rest else ""), re.DOTALL)


def is_pattern(text: str) -> bool:
    """Whether the text can match more than the one name that it spells."""
    return "*" in text or "?" in text


def matches(pattern: str, name: str) -> bool:
    """Whether the whole `name` matches `pattern`."""
    return compile_matcher(pattern).fullmatch(name) is not None
