"""Settings: `ADDRESS=EXPRESSION` as a user typed it, who may have another language in mind."""

from __future__ import annotations

import re

from paraminspect.errors import AddressError
from paraminspect.tree import ParameterTree
from paraminspect.tree.address import Address, parse_assignment

_OPERATOR = re.compile(r"(\*\*|//|<<|>>|[-+*/%@&|^!<>:])$")
"""What other languages write before `=`; `*` can also end a pattern, and any a name."""

_COMPUTES = frozenset(("**", "//", "-", "+", "*", "/", "%", "@"))


def parse_setting(tree: ParameterTree, text: str) -> tuple[Address, str]:
    """The address and the expression; `AddressError` for `w+=1`, `w*=2`, `w==1`, with a way out."""
    address, expression = parse_assignment(text, tree.entries)
    left = str(address)
    if expression.startswith("="):
        right = expression.lstrip("= ")
        raise AddressError(
            f"{text!r} compares; write {left}={right} to set, with x for the present value:"
            f" {left}=x+1"
        )
    match = _OPERATOR.search(left)
    if match is None or address.literal:
        return address, expression
    operator, target = match[0], left[: match.start()].rstrip()
    if target and _means_only(tree, left, target):
        right = expression if expression.isalnum() else f"({expression})"
        how = f"x{operator}{right}" if operator in _COMPUTES else expression
        raise AddressError(
            f"there is no {operator}=: write {target}={how}, where x is the present value"
        )
    return address, expression


def _means_only(tree: ParameterTree, left: str, target: str) -> bool:
    """Whether the operator is none of the address: it matches nothing, or nothing more."""
    named = _matching(tree, target)
    return bool(named) and _matching(tree, left) in ([], named)


def _matching(tree: ParameterTree, text: str) -> list[str]:
    try:
        return tree.matching(text)
    except AddressError:
        return []
