"""Duplicates: arrays that hold the same, and could be tied; found in one pass, in little memory.

Arrays of one shape and dtype are told apart by the digest of their beginnings, and only those
that agree there are read on. A digest of 256 bits stands for the bytes: that two arrays have the
same one and differ is no more likely than that the memory fails meanwhile.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from paraminspect.arrays import Array, DType, Shape, block_ranges, count_elements
from paraminspect.arrays.packed import unpacked
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import Parameter, ParameterTree

FIRST_NBYTES = 1 << 16
"""Arrays that differ mostly differ from the beginning."""


@dataclass(frozen=True)
class Duplicates:
    """Parameters that hold the same, bit by bit, in the order of the tree."""

    names: tuple[str, ...]
    shape: Shape
    dtype: DType
    nbytes: int

    @property
    def saved_nbytes(self) -> int:
        """What tying them would save."""
        return self.nbytes * (len(self.names) - 1)


def find_duplicates(tree: ParameterTree, progress: Progress = unwatched) -> list[Duplicates]:
    """Arrays with equal content that are not tied yet, those that would save most first.

    Empty arrays are left out: there is nothing to be saved. `progress` is told of bytes, up to
    `tree.totals.nbytes`, as they are done.
    """
    groups = _grouped([p for p in tree.parameters() if p.nbytes], lambda p: (p.shape, p.dtype))
    groups = _with_equal_digests(groups, FIRST_NBYTES, unwatched)
    progress(tree.totals.nbytes - sum(p.nbytes for group in groups for p in group))
    groups = _with_equal_digests(groups, None, progress)
    found = [
        Duplicates(tuple(p.name for p in group), group[0].shape, group[0].dtype, group[0].nbytes)
        for group in groups
    ]
    return sorted(found, key=lambda duplicates: -duplicates.saved_nbytes)


def same_values(left: Array, right: Array) -> bool:
    """Whether two arrays of one shape and dtype hold the same, bit by bit."""
    left, right = unpacked(left), unpacked(right)
    return all(
        left.read(*ends).tobytes() == right.read(*ends).tobytes() for ends in block_ranges(left)
    )


def _grouped(
    parameters: Iterable[Parameter], key: Callable[[Parameter], object]
) -> list[list[Parameter]]:
    """Those that share a key with another, group by group."""
    groups: dict[object, list[Parameter]] = {}
    for parameter in parameters:
        groups.setdefault(key(parameter), []).append(parameter)
    return [group for group in groups.values() if len(group) > 1]


def _with_equal_digests(
    groups: list[list[Parameter]], limit: int | None, progress: Progress
) -> list[list[Parameter]]:
    """The groups divided by the digests of the first `limit` bytes, or of all."""
    digests = _digests([parameter for group in groups for parameter in group], limit, progress)
    return [part for group in groups for part in _grouped(group, lambda p: digests[p.name])]


def _digests(
    parameters: list[Parameter], limit: int | None, progress: Progress
) -> dict[str, bytes]:
    from concurrent.futures import ThreadPoolExecutor  # listing a definition starts without

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = [parameter.name for parameter in parameters]
        found = pool.map(lambda p: _digest(p.data, limit, progress), parameters)
        return dict(zip(names, found, strict=True))


def _digest(array: Array, limit: int | None, progress: Progress) -> bytes:
    array = unpacked(array)
    digest = hashlib.blake2b(digest_size=32)
    count = count_elements(array.shape)
    stop = count if limit is None else min(count, max(1, limit * 8 // array.dtype.nbits))
    for ends in block_ranges(array, stop=stop):
        digest.update(array.read(*ends).tobytes())
        progress(array.dtype.nbytes(ends[1] - ends[0]))
    return digest.digest()
