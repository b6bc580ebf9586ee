"""The bytes of a member of an archive; those of one that is stored as it is."""

from __future__ import annotations

import zlib

from paraminspect.errors import CheckpointError, counted
from paraminspect.formats.files._reading import RegularFile
from paraminspect.formats.zip._crc import joined_crc
from paraminspect.formats.zip._directory import Member, member_error
from paraminspect.runtime import Lock


class MemberBytes:
    """The bytes of a member at any offset, as those of a file; children know how to get them."""

    def __init__(self, file: RegularFile, member: Member) -> None:
        self.path = file.path
        self.member = member
        self._file = file
        self._lock = Lock()

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
            raise self.error(f"has {counted(self.size, 'byte')}, {offset + nbytes} are needed")

    def error(self, message: str) -> CheckpointError:
        """The error of this member; `message` goes on from its name."""
        return CheckpointError(f"{member_error(self.member.name, message)}").at(self.path)


READ_AHEAD = 64
"""Parts beyond what the CRC covers that are remembered: threads read blocks in any order."""

SMALL_NBYTES = 1 << 14
"""Joining CRCs costs as much as summing this: smaller parts count only in their order."""

PIECE_NBYTES = 1 << 20
"""Bytes of a member that are summed at a time when all of it is read once more."""


class StoredMember(MemberBytes):
    """A member that is not compressed; its CRC is checked by the time all of it has been read.

    Parts that follow one another, and large ones in any order, are summed as they are read. When
    as many bytes have been read as the member has, and those parts are not all of it, it is read
    once more: so reading costs twice its time at worst.
    """

    def __init__(self, file: RegularFile, member: Member) -> None:
        super().__init__(file, member)
        self._covered = self._crc = 0
        self._ahead: dict[int, tuple[int, int]] = {}
        self._read_otherwise = 0
        self._is_checked = False

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """As `MemberBytes` says."""
        self.check_bounds(offset, len(buffer))
        self._file.pread_into(buffer, self.member.offset + offset)
        if not self._is_checked:
            self._sum(memoryview(buffer), offset)

    def _sum(self, read: memoryview, offset: int) -> None:
        covered = self._covered
        if offset <= covered:
            read, offset = read[covered - offset :], covered
        is_summed = len(read) > SMALL_NBYTES or offset in (covered, self.size - len(read))
        crc = zlib.crc32(read) if is_summed else 0  # several threads may do this at once
        with self._lock:
            if is_summed and self._is_new(offset):
                self._ahead[offset] = (len(read), crc)
                self._join()
            elif offset + len(read) > self._covered:
                self._read_otherwise += len(read)
            ahead = sum(nbytes for nbytes, _ in self._ahead.values())
            if self._covered + ahead + self._read_otherwise >= self.size:
                self._check()

    def _is_new(self, offset: int) -> bool:
        return (
            offset >= self._covered
            and offset not in self._ahead
            and (offset == self._covered or len(self._ahead) < READ_AHEAD)
        )

    def _join(self) -> None:
        """Let the sum go on over the parts that follow it."""
        while self._covered in self._ahead:
            nbytes, crc = self._ahead.pop(self._covered)
            self._crc = joined_crc(self._crc, crc, nbytes)
            self._covered += nbytes

    def check(self) -> None:
        """Read all of it; raises `CheckpointError` if it is damaged."""
        if self._summed() != self.member.crc:
            raise self._damaged()

    def _check(self) -> None:
        """Compare with the sum, or with that of all bytes, read once more."""
        crc = self._crc if self._covered == self.size else self._summed()
        self._is_checked = crc == self.member.crc
        self._covered = self._crc = self._read_otherwise = 0  # a second reading fails as well
        self._ahead.clear()
        if not self._is_checked:
            raise self._damaged()

    def _damaged(self) -> CheckpointError:
        return self.error("is damaged: its CRC is another")

    def _summed(self) -> int:
        crc = 0
        piece = memoryview(bytearray(min(PIECE_NBYTES, self.size)))
        for start in range(0, self.size, PIECE_NBYTES):
            part = piece[: self.size - start]
            self._file.pread_into(part, self.member.offset + start)
            crc = zlib.crc32(part, crc)
        return crc
