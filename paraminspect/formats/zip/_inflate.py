"""Deflated members: read forwards with bounded memory, and again from the nearest checkpoint.

Deflate can only be read from the beginning. While a member is read, copies of the decoder are
kept at even distances, so that reading backwards costs a stretch and not the whole way again.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paraminspect.errors import CheckpointError, counted
from paraminspect.formats.files._reading import RegularFile
from paraminspect.formats.zip._directory import Member
from paraminspect.formats.zip._member import MemberBytes

STORED_CHUNK_NBYTES = 1 << 16
PIECE_NBYTES = 1 << 18
"""Compressed bytes that are read, and bytes that are made of them, at a time."""

CHECKPOINTS = 128
"""A checkpoint takes about 48 KiB, most of it the window of deflate."""
CHECKPOINT_DISTANCE = 4 << 20
"""The least distance: inflating so much takes about ten milliseconds."""


@dataclass(slots=True)
class _Position:
    """A decoder that has used `used` compressed bytes and made `made` bytes, of CRC `crc`."""

    decoder: Any  # zlib's class has no public name
    used: int
    made: int
    crc: int
    pending: bytes = b""
    """Compressed bytes that have been read and are not used yet."""

    def copy(self) -> _Position:
        return _Position(self.decoder.copy(), self.used, self.made, self.crc, self.pending)


class InflatedMember(MemberBytes):
    """A deflated member; its CRC is checked whenever its end is reached.

    `begin` is called when it takes memory to read on, which `forget` gives back.
    """

    def __init__(
        self, file: RegularFile, member: Member, begin: Callable[[InflatedMember], None]
    ) -> None:
        super().__init__(file, member)
        self._begin = begin
        self._position: _Position | None = None
        self._checkpoints: list[_Position] = []
        self._distance = max(CHECKPOINT_DISTANCE, member.nbytes // CHECKPOINTS)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_position": None, "_checkpoints": []}

    def forget(self) -> None:
        """Give up the decoder and its checkpoints, unless another thread is reading."""
        if self._lock.try_acquire():
            try:
                self._position = None
                self._checkpoints = []
            finally:
                self._lock.release()

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """As `MemberBytes` says."""
        view = memoryview(buffer)
        self.check_bounds(offset, len(view))
        if not view:
            return
        with self._lock:
            position = self._position_before(offset)
            self._position = None  # not kept if the data turn out to be damaged
            while position.made < offset:
                self._inflate(position, offset - position.made)
            while view:
                piece = self._inflate(position, len(view))
                view[: len(piece)] = piece
                view = view[len(piece) :]
            if position.made == self.size:
                self._check_end(position)
            self._file.check_unchanged()  # what was inflated may have been read long before
            self._position = position

    def _position_before(self, offset: int) -> _Position:
        """The furthest position that is known from which `offset` is still ahead."""
        current = self._position
        if current is None:
            self._begin(self)
        before = bisect_right(self._checkpoints, offset, key=lambda position: position.made)
        checkpoint = self._checkpoints[before - 1] if before else None
        if (
            current
            and current.made <= offset
            and (not checkpoint or checkpoint.made <= current.made)
        ):
            return current
        if checkpoint:
            return checkpoint.copy()
        return _Position(zlib.decompressobj(-zlib.MAX_WBITS), 0, 0, 0)

    def _inflate(self, position: _Position, most: int) -> bytes:
        """From 1 to `most` bytes more."""
        while True:
            if not position.pending:
                self._keep(position)
                self._feed(position)
            piece = self._decompress(position, min(most, PIECE_NBYTES))
            if piece:
                position.made += len(piece)
                position.crc = zlib.crc32(piece, position.crc)
                return piece
            if position.decoder.eof or not (position.pending or self._is_left(position)):
                raise self._damaged(f"ends after {position.made} of {counted(self.size, 'byte')}")

    def _decompress(self, position: _Position, most: int) -> bytes:
        try:
            piece: bytes = position.decoder.decompress(position.pending, most)
        except zlib.error as error:
            reason = str(error).rpartition(": ")[2]
            raise self._damaged(f"{reason} after {counted(position.made, 'byte')}") from None
        position.pending = position.decoder.unconsumed_tail
        return piece

    def _feed(self, position: _Position) -> None:
        nbytes = min(STORED_CHUNK_NBYTES, self.member.stored_nbytes - position.used)
        position.pending = self._file.read(self.member.offset + position.used, nbytes)
        position.used += nbytes

    def _is_left(self, position: _Position) -> bool:
        return position.used < self.member.stored_nbytes

    def _keep(self, position: _Position) -> None:
        """Make a checkpoint here if the last one is far behind."""
        last = self._checkpoints[-1].made if self._checkpoints else 0
        if position.made >= last + self._distance:
            self._checkpoints.append(position.copy())

    def _check_end(self, position: _Position) -> None:
        """The data must end here, and be what was written."""
        while not position.decoder.eof:
            if self._decompress(position, 1):
                raise self._damaged(f"inflates to more than {counted(self.size, 'byte')}")
            if position.decoder.eof:
                break
            if not self._is_left(position):
                raise self._damaged(f"does not end after {counted(self.size, 'byte')}")
            self._feed(position)
        if position.decoder.unused_data or self._is_left(position):
            raise self._damaged("is followed by bytes of no use")
        if position.crc != self.member.crc:
            raise self._damaged("its CRC is another")

    def _damaged(self, reason: str) -> CheckpointError:
        return self.error(f"is damaged: {reason}")
