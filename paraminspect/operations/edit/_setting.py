"""Settings: `ADDRESS=EXPRESSION` as a user typed it, who may have another language in mind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from paraminspect.errors import AddressError, ArgumentError, brief
from paraminspect.operations.edit._assigning import assign
from paraminspect.tree import ParameterTree, check_tree
from paraminspect.tree.address import Address, parse_assignment

_OPERATOR = re.compile(r"(\*\*|//|<<|>>|[-+*/%@&|^!<>:])$")
"""What other languages write before `=`; `*` can also end a pattern, and any a name."""

_COMPUTES = frozenset(("**", "//", "-", "+", "*", "/", "%", "@"))


def set_values(
    tree: ParameterTree, *settings: str | Mapping[str, Any], unsafe: bool = False
) -> ParameterTree:
    """The tree with values set, one setting after the other; see `assign` for what a value may be.

        >>> import numpy as np
        >>> import paraminspect as pi
        >>> tree = pi.ParameterTree({"w": np.zeros((2, 3))})
        >>> pi.set(tree, "w[0]=x + 1", {"w[1, :2]": [7, 8]})["w"].data
        array([[1., 1., 1.],
               [7., 8., 0.]])

    A text is `ADDRESS=EXPRESSION`, as the command takes it; a dict has values by address. Raises
    `AddressError`, `ExpressionError` and `ShapeError`; what would lose more than rounding raises
    `CastError` when it is read, unless it is `unsafe`.
    """
    check_tree(tree)
    for setting in settings:
        if isinstance(setting, str):
            tree = assign(tree, *parse_setting(tree, setting), unsafe=unsafe)
        elif isinstance(setting, Mapping):
            for address, value in setting.items():
                tree = assign(tree, address, value, unsafe=unsafe)
        else:
            raise ArgumentError(
                f"expected a text like '0.weight=x + 1', or values by address, got {brief(setting)}"
            )
    return tree


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
