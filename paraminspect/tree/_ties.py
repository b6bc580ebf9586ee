"""Ties: two names of one array."""

from __future__ import annotations

from collections.abc import Mapping

from paraminspect.errors import TieError
from paraminspect.tree._parameter import Parameter


def check_tie(alias: Parameter, target: Parameter) -> None:
    """Raise `TieError` if the two cannot be one array."""
    if (alias.shape, alias.dtype) != (target.shape, target.dtype):
        raise TieError(
            f"cannot tie {alias.name!r} to {target.name!r}: {alias.dtype}{list(alias.shape)}"
            f" is not {target.dtype}{list(target.shape)}"
        )


def retied(entries: Mapping[str, Parameter], ties: Mapping[str, str]) -> dict[str, str]:
    """The ties of these entries alone: an alias whose own name is gone becomes the owner."""
    owners: dict[str, str] = {}
    kept: dict[str, str] = {}
    for name in entries:
        own = ties.get(name, name)
        if own in entries:
            owners.setdefault(own, own)
        owner = owners.setdefault(own, name)
        if owner != name:
            kept[name] = owner
    return kept
