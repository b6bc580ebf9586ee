"""Renaming: `PATTERN=NAME` rules that give the parameters of a tree other names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from paraminspect.errors import AddressError
from paraminspect.tree import ParameterTree
from paraminspect.tree.address import compile_pattern, parse_assignment

_WILDCARD = re.compile(r"([*?])")


@dataclass(frozen=True)
class Renaming:
    """Names that match `old` become `new`, whose wildcards take what those of `old` matched."""

    old: str
    new: str
    literal: bool = False
    """Whether `old` is a name and `new` another, whatever characters they have."""

    def __str__(self) -> str:
        return f"{self.old}={self.new}"

    def apply(self, name: str) -> str | None:
        """The new name; None if `name` does not match."""
        if self.literal:
            return self.new if name == self.old else None
        match = compile_pattern(self.old).fullmatch(name)
        if match is None:
            return None
        found = iter(match.groups())
        return _WILDCARD.sub(lambda _: next(found), self.new)


def parse_renaming(text: str, names: Collection[str] = ()) -> Renaming:
    """`OLD=NEW` as a `Renaming`: `model.*=*`, `h.?.*=blocks.?.*`, `lm_head.weight=head.weight`.

    An OLD that is among `names`, or stands in quotes, is that name alone, whatever characters
    it has.
    """
    with suppress(AddressError):  # of what is no address: a pattern may hold any brackets here
        address, new = parse_assignment(text, names)
        if address.literal and address.index is None and new:
            return Renaming(address.pattern, new, literal=True)
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise AddressError(f"expected OLD=NEW, as in 'model.*=*', got {text!r}")
    if _WILDCARD.findall(old) != _WILDCARD.findall(new):
        raise AddressError(f"both sides of {text!r} need the same wildcards in the same order")
    return Renaming(old, new)


def rename(tree: ParameterTree, renamings: Sequence[Renaming]) -> ParameterTree:
    """The tree under other names: of each name the first rule that matches holds.

    Raises `AddressError` for a rule that matches nothing, and for two names that would be one.
    """
    old_names: dict[str, str] = {}
    used = set()
    for name in tree.entries:
        new = name
        for rule in renamings:
            renamed = rule.apply(name)
            if renamed is not None:
                used.add(rule)
                new = renamed
                break
        if new in old_names:
            raise AddressError(f"{old_names[new]!r} and {name!r} would both be named {new!r}")
        old_names[new] = name
    for rule in renamings:
        if rule not in used:
            if any(rule.apply(name) is not None for name in tree.entries):
                raise AddressError(f"'{rule}' renames nothing: earlier rules take all it matches")
            raise tree.no_match(rule.old)
    new_names = {old: new for new, old in old_names.items()}
    return tree.with_names(
        {new: replace(tree.entries[old], name=new) for new, old in old_names.items()},
        {new_names[alias]: new_names[own] for alias, own in tree.ties.items()},
    )


def likely_renaming(left: ParameterTree, right: ParameterTree) -> str:
    """`model.*=*` where a prefix is all that parts the names of two trees, else an empty string.

    Of several prefixes the one under which most arrays find one of their shape.
    """
    scores: Counter[str] = Counter()
    pairs = (left.entries, right.entries, "{0}*=*"), (right.entries, left.entries, "*={0}*")
    for these, those, rule in pairs:
        for name, parameter in these.items():
            for i in (i for i, c in enumerate(name) if c in "./:"):
                prefix, rest = name[: i + 1], name[i + 1 :]
                if rest in those:
                    fits = those[rest].shape == parameter.shape
                    scores[rule.format(prefix)] += 1 if fits else -1
    return next((rule for rule, score in scores.most_common(1) if score > 0), "")
