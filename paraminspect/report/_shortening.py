"""Shorter names for a narrow screen: without what all begin with, then without their middles.

What tells two names apart stays.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

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

    Names that would are cut elsewhere, all at one place that keeps them apart, and so is one that
    could be read as another that stands whole. Where they look alike with whole parts, they may
    be cut anywhere unless only `whole_parts` will do.
    """
    wanted = list(zip(names, widths, strict=True))
    whole = _Whole(name for name, width in wanted if width_of(name) <= width)
    groups: dict[str, list[_Wanted]] = {}
    for name, width in dict.fromkeys(wanted):
        groups.setdefault(_default(name, width), []).append((name, width))
    clear = {
        text: group[0]
        for text, group in groups.items()
        if len(group) == 1 and not whole.could_be(text)
    }
    used = set(clear)
    found = {key: text for text, key in clear.items()}
    for group in (group for text, group in groups.items() if text not in clear):
        taken = _Taken(used, whole)
        apart = _apart(group, _by_parts, _parts_before(group[0][0]), taken)
        if apart is None and not whole_parts:
            apart = _apart(group, shorten, _columns_before(group), taken)
        if apart is None:
            return None
        used.update(apart)
        found.update(zip(group, apart, strict=True))
    return [found[key] for key in wanted]


class _Whole:
    """Names that stand whole: a shortened one must not read like one of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)

    @functools.cached_property
    def _backwards(self) -> list[str]:
        return sorted(name[::-1] for name in self._names)

    def could_be(self, text: str) -> bool:
        """Whether a shortened text could stand for one of the names: both ends agree."""
        head, ellipsis, tail = text.partition(ELLIPSIS)
        if not ellipsis or text in self._names:
            return False
        start, end = head[::-1], tail[::-1]
        first = bisect.bisect_left(self._backwards, end)
        names = itertools.islice(self._backwards, first, None)
        alike = itertools.takewhile(lambda name: name.startswith(end), names)
        return any(name.endswith(start) and len(name) >= len(head + tail) for name in alike)


class _Taken(NamedTuple):
    """What another row says already, or could be read as saying."""

    texts: Collection[str]
    whole: _Whole

    def __contains__(self, text: object) -> bool:
        return text in self.texts or self.whole.could_be(str(text))


_Wanted = tuple[str, int]


def _default(name: str, width: int) -> str:
    """As many whole parts as fit from the end on; a cut in the middle where that is little."""
    text = _by_parts(name, width, 0)
    return text if 2 * width_of(text) > width or text == name else shorten(name, width)


def _apart(
    group: Sequence[_Wanted],
    cut: Callable[[str, int, int], str],
    places: Iterable[int],
    taken: _Taken,
) -> list[str] | None:
    """The names of a group, all cut at the first place that tells them apart; None if none does."""
    for place in places:
        texts: dict[str, None] = {}
        for name, width in group:
            text = cut(name, width, place)
            if not text or text in texts or text in taken:
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
