"""Shorter names for a narrow screen: without what all begin with, then without their middles.

What tells two names apart stays.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from paraminspect.report._screen import ELLIPSIS, fitting, width_of

_ENDS = re.compile(r".*[./:]", re.DOTALL)
"""Names are cut behind these: a file of any format puts one of them between parts."""

_SEPARATORS = re.compile(r"\{\d+\.\.\d+\}|([./:])")
_WORDS = re.compile("_")
"""What parts a name that none of those is in, as MXNet's."""

_WHOLE = re.compile(r"\{\d+\.\.\d+\}|\d+")
"""A number, or the numbers of siblings: half of one would be another."""


def shared_beginning(names: Sequence[str]) -> str:
    """`model.layers.`: the whole parts that all names begin with, and end with none of them."""
    distinct = set(names)
    if len(distinct) < 2:
        return ""
    low, high = min(distinct), max(distinct)  # what these begin with, all between them do
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False))
    found = _ENDS.match("".join(c for c, _ in same).partition("{")[0])
    return "" if found is None or found[0] in distinct else found[0]


def shortened(
    names: Sequence[str], widths: Sequence[int], *, whole_parts: bool = True
) -> list[str] | None:
    """Each name in at most so many columns, its middle left out; None if two would look alike.

    Names that would are cut elsewhere, all at one place that keeps them apart. Where they look
    alike with whole parts, they may be cut anywhere unless only `whole_parts` will do.
    """
    wanted = list(zip(names, widths, strict=True))
    groups: dict[str, list[_Wanted]] = {}
    for name, width in dict.fromkeys(wanted):
        groups.setdefault(_default(name, width), []).append((name, width))
    used = {text for text, group in groups.items() if len(group) == 1}
    found = {group[0]: text for text, group in groups.items() if len(group) == 1}
    for group in groups.values():
        if len(group) > 1:
            apart = _apart(group, _by_parts, _parts_before(group[0][0]), used)
            if apart is None and not whole_parts:
                apart = _apart(group, shorten, _columns_before(group), used)
            if apart is None:
                return None
            used.update(apart)
            found.update(zip(group, apart, strict=True))
    return [found[key] for key in wanted]


_Wanted = tuple[str, int]


def _default(name: str, width: int) -> str:
    """As many whole parts as fit from the end on; a cut in the middle where that is little."""
    text = _by_parts(name, width, 0)
    return text if 2 * width_of(text) > width or text == name else shorten(name, width)


def _apart(
    group: Sequence[_Wanted],
    cut: Callable[[str, int, int], str],
    places: Iterable[int],
    used: Collection[str],
) -> list[str] | None:
    """The names of a group, all cut at the first place that tells them apart; None if none does."""
    for place in places:
        texts: dict[str, None] = {}
        for name, width in group:
            text = cut(name, width, place)
            if not text or text in texts or text in used:
                break
            texts[text] = None
        else:
            return list(texts)
    return None


def _columns_before(group: Sequence[_Wanted]) -> list[int]:
    """Columns before a cut, those that put it in the middle first."""
    room = max(max(width for _, width in group) - len(ELLIPSIS), 0)
    return sorted(range(room + 1), key=lambda head: abs(head - room // 2))


def _parts_before(name: str) -> range:
    """Numbers of parts before a cut."""
    return range(len(_ends_of_parts(name)) + 1)


def _ends_of_parts(name: str) -> list[int]:
    """Where parts end, behind what separates them; the last part aside."""
    ends = [m.end() for m in _SEPARATORS.finditer(name) if m[1]]
    ends = ends or [m.end() for m in _WORDS.finditer(name)]
    return [end for end in ends if end < len(name)]


def _by_parts(name: str, width: int, parts: int) -> str:
    """So many whole parts of a name, `...`, and as many of its last ones as fit; "" if none do."""
    if width_of(name) <= width:
        return name
    ends = _ends_of_parts(name)
    head = name[: ends[parts - 1] - 1] if 0 < parts <= len(ends) else ""
    room = width - width_of(head) - len(ELLIPSIS)
    tails = (name[end:] for end in ends[parts:])
    tail = next((tail for tail in tails if width_of(tail) <= room), "")
    return tail and head + ELLIPSIS + tail


def shorten(text: str, width: int, head: int | None = None) -> str:
    """Text in at most `width` columns, what stands behind `head` of them cut out.

    Both ends stay, which tell most of a name, and no number is cut in two.
    """
    if width_of(text) <= width:
        return text
    room = max(width - len(ELLIPSIS), 0)
    head = room // 2 if head is None else min(head, room)
    start = len(fitting(text, head))
    end = len(text) - len(fitting(text[::-1], room - head))
    low, high = start, end
    for number in _WHOLE.finditer(text):
        if number.start() < start < number.end():
            low = number.start()
        if number.start() < end < number.end():
            high = number.end()
    if low or high < len(text):  # else it is a number and nothing more, which has to be cut
        start, end = low, high
    return (text[:start] + ELLIPSIS + text[end:])[: max(width, 0)]
