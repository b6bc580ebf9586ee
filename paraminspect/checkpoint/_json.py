"""JSON read strictly: one document, no duplicate keys, no NaN, no giant numbers."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from paraminspect.errors import CheckpointError

MAXIMUM_DIGITS = 20
"""Digits of the largest integer that is read: 2**64 has twenty."""


def read_json(text: bytes) -> Any:
    """The value; raises `CheckpointError` that says what is wrong, without naming the file."""
    try:
        # Decoded first: json.loads of bytes would accept UTF-16 and a byte order mark.
        return _decoder.decode(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CheckpointError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise CheckpointError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise CheckpointError("not JSON of this kind: nested too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise CheckpointError(f"duplicate key {key!r}")
            seen.add(key)
    return unique


def _integer(text: str) -> int:
    if len(text) > MAXIMUM_DIGITS:
        raise CheckpointError(f"a number has {len(text)} digits, at most {MAXIMUM_DIGITS} are read")
    if text == "-0":
        raise CheckpointError("-0 is not an integer")
    return int(text)


def _refuse(constant: str) -> NoReturn:
    raise CheckpointError(f"not JSON: {constant}")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_constant=_refuse)
