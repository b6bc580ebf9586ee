"""The bytes of a member of an archive; those of one that is stored as it is."""

from __future__ import annotations

import threading
import zlib

from paraminspect.checkpoint._files import RegularFile
from paraminspect.checkpoint._zip._crc import joined_crc
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

    def release(self) -> None:
        """Close the archive until the next read."""
        self._file.release()

    def check_bounds(self, offset: int, nbytes: int) -> None:
        """Raise `CheckpointError` for bytes that the member does not have."""
        if not 0 <= offset <= offset + nbytes <= self.size:
            raise self.error(f"has {self.size} bytes, {offset + nbytes} are needed")

    def error(self, message: str) -> CheckpointError:
        """The error of this member; `message` goes on from its name."""
        return CheckpointError(f"{self.path}: {member_error(self.member.name, message)}")


READ_AHEAD = 64
"""Parts beyond what the CRC covers that are remembered: threads read blocks in any order."""

SMALL_NBYTES = 1 << 14
"""Joining CRCs costs as much as summing this: smaller parts count only in their order."""


class StoredMember(MemberBytes):
    """A member that is not compressed; its CRC is checked once all of it has been read."""

    def __init__(self, file: RegularFile, member: Member) -> None:
        super().__init__(file, member)
        self._covered = self._crc = 0
        self._ahead: dict[int, tuple[int, int]] = {}

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """As `MemberBytes` says."""
        self.check_bounds(offset, len(buffer))
        self._file.pread_into(buffer, self.member.offset + offset)
        covered = self._covered
        if offset <= covered < offset + len(buffer):
            self._sum(memoryview(buffer)[covered - offset :], covered)
        elif offset > covered and len(buffer) > SMALL_NBYTES:
            self._sum(memoryview(buffer), offset)

    def _sum(self, read: memoryview, offset: int) -> None:
        crc = zlib.crc32(read)  # several threads may do this at once
        with self._lock:
            if offset < self._covered or len(self._ahead) >= READ_AHEAD:
                return
            self._ahead[offset] = (len(read), crc)
            while self._covered in self._ahead:
                nbytes, crc = self._ahead.pop(self._covered)
                self._crc = joined_crc(self._crc, crc, nbytes)
                self._covered += nbytes
            if self._covered == self.size and self._crc != self.member.crc:
                self._covered = self._crc = 0  # so that a second reading fails as well
                raise self.error("is damaged: its CRC is another")
