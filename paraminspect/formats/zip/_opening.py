"""Zip archives: the members by name, and the bytes of each at any offset.

Nothing is ever extracted, and no name of a member becomes a path.
"""

from __future__ import annotations

from collections import deque

from paraminspect.formats.files._reading import RegularFile
from paraminspect.formats.zip._directory import STORED, Member, read_directory
from paraminspect.formats.zip._inflate import InflatedMember
from paraminspect.formats.zip._member import MemberBytes, StoredMember

INFLATING_AT_ONCE = 4
"""Members of an archive that keep what it takes to read on: as many as one loop reads by turns."""


class Archive:
    """An open zip archive. `members` are in the order of the directory, without the folders.

    Raises `CheckpointError` for anything but an archive, or one that zip readers would disagree on.
    """

    def __init__(self, file: RegularFile) -> None:
        self.file = file
        self.members = read_directory(file)
        self._inflating: deque[InflatedMember] = deque()

    def open(self, member: Member) -> MemberBytes:
        """The bytes of a member; they are read when asked for, with bounded memory."""
        if member.method == STORED:
            return StoredMember(self.file, member)
        return InflatedMember(self.file, member, self._begin)

    def _begin(self, inflating: InflatedMember) -> None:
        """Remember that a member began to inflate; of many, the first gives up its state."""
        self._inflating.append(inflating)
        if len(self._inflating) > INFLATING_AT_ONCE:
            self._inflating.popleft().forget()
