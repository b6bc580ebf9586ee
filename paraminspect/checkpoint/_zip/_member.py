"""The bytes of a member of an archive; those of one that is stored as it is."""

from __future__ import annotations

import threading
import zlib

from paraminspect.checkpoint._files import RegularFile
from paraminspect.checkpoint._zip._directory import Member, member_error
from paraminspect.errors import CheckpointError


class MemberBytes:
    """The bytes of a member at any offset, as those of a file; children know how to get them."""

    def __init__(self, file: RegularFile, member: Member) -> None:
        self.path = file.path
        self.member = member
        self._file = file
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of the member, inflated."""
        return self.member.nbytes

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """Fill `buffer` with the bytes from `offset` on; `CheckpointError` if they are damaged."""
        raise NotImplementedError

    def read(self, offset: int, nbytes: int) -> bytes:
        """`nbytes` bytes from `offset` on; no memory is taken for what the member does not hold."""
        self.check_bounds(offset, nbytes)
        buffer = bytearray(nbytes)
        self.pread_into(buffer, offset)
        return bytes(buffer)

    def check_bounds(self, offset: int, nbytes: int) -> None:
        """Raise `CheckpointError` for bytes that the member does not have."""
        if not 0 <= offset <= offset + nbytes <= self.size:
            raise self.error(f"has {self.size} bytes, {offset + nbytes} are needed")

    def error(self, message: str) -> CheckpointError:
        """The error of this member; `message` goes on from its name."""
        return CheckpointError(f"{self.path}: {member_error(self.member.name, message)}")


class StoredMember(MemberBytes):
    """A member that is not compressed.

    Its CRC is checked when it has been read to its end in order, however many reads that takes.
    """

    def __init__(self, file: RegularFile, member: Member) -> None:
        super().__init__(file, member)
        self._reached = self._crc = 0

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """As `MemberBytes` says."""
        self.check_bounds(offset, len(buffer))
        self._file.pread_into(buffer, self.member.offset + offset)
        with self._lock:
            self._carry_crc_on(memoryview(buffer), offset)

    def _carry_crc_on(self, read: memoryview, offset: int) -> None:
        if offset <= self._reached < offset + len(read):
            self._crc = zlib.crc32(read[self._reached - offset :], self._crc)
            self._reached = offset + len(read)
            if self._reached == self.size and self._crc != self.member.crc:
                self._reached = self._crc = 0  # so that a second reading fails as well
                raise self.error("is damaged: its CRC is another")
