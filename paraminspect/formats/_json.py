"""JSON read strictly: UTF-8, one document, no key twice, no NaN. As headers and indices need it."""

from __future__ import annotations

import json
import reprlib
from typing import Any, NoReturn

from paraminspect.errors import CheckpointError
from paraminspect.runtime import collector_paused


def read_json(text: bytes) -> Any:
    """The value; raises `CheckpointError` that says what is wrong, without naming the file."""
    try:
        # Decoded first: json.loads of bytes would accept UTF-16 and a byte order mark.
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"not UTF-8 at byte {error.start} of the JSON text") from None
    with collector_paused():
        value = _decode(json.JSONDecoder(parse_constant=_refuse), decoded)
        if not _has_all_keys(value, decoded):
            _refuse_duplicates(decoded)
    return value


def _decode(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        raise CheckpointError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise CheckpointError("not JSON of this kind: nested too deep") from None
    except ValueError:  # an integer over the interpreter's limit
        raise CheckpointError("a number has thousands of digits") from None


def _has_all_keys(value: Any, text: str) -> bool:
    """Whether no key can have been lost to another of the same name; False: it has to be seen.

    Every key is followed by a colon, so there are as many colons as keys, or more: in strings, or
    after keys that were lost or stand deeper than here is looked.
    """
    if type(value) is not dict:
        return False
    keys = len(value) + sum(len(below) for below in value.values() if type(below) is dict)
    return text.count(":") == keys


def _refuse_duplicates(text: str) -> None:
    """Raise `CheckpointError` for an object with a key twice; takes half as long again."""
    duplicates: list[tuple[dict[str, Any], str]] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            duplicates.append((made, _first_repeated(pairs)))
        return made

    value = _decode(json.JSONDecoder(object_pairs_hook=unique), text)
    if duplicates:
        holder, key = duplicates[0]
        place = "".join(f" in {shown(step)}" for step in reversed(_path_to(holder, value)))
        raise CheckpointError(f"duplicate key {shown(key)}{place}")


def shown(value: Any) -> str:
    """A value of a file for a message: its repr, of bounded length."""
    return _SHORT.repr(value)


def check_text(text: str, what: str) -> None:
    """Refuse half of a surrogate pair: no other program could print, write or even find it."""
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise CheckpointError(f"{what} holds a lone surrogate: {shown(text)}") from None


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlist = _SHORT.maxdict = 8
_SHORT.maxlevel = 2


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            break
        seen.add(key)
    return key


def _path_to(target: dict[str, Any], value: Any) -> list[str | int]:
    """The keys from `value` down to the very object `target`; empty if it was overwritten."""
    stack: list[tuple[Any, list[str | int]]] = [(value, [])]
    while stack:
        node, path = stack.pop()
        if node is target:
            return path
        if isinstance(node, dict):
            stack += [(below, [*path, key]) for key, below in node.items()]
        elif isinstance(node, list):
            stack += [(below, [*path, i]) for i, below in enumerate(node)]
    return []


def _refuse(constant: str) -> NoReturn:
    raise CheckpointError(f"not JSON: {constant}")
