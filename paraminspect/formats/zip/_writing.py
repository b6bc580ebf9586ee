"""Archives to be written: where each member goes, and the headers, byte for byte as Python's.

Members are stored as they are. Their CRCs are known only once the data are written, so headers
and directory are made then; how long they are does not depend on it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from paraminspect.errors import CheckpointError
from paraminspect.formats._json import shown
from paraminspect.formats.zip._directory import (
    END,
    END64,
    END64_LOCATOR,
    END64_LOCATOR_SIGNATURE,
    END64_SIGNATURE,
    END_SIGNATURE,
    ENTRY,
    ENTRY_SIGNATURE,
    LOCAL,
    LOCAL_SIGNATURE,
    SENTINEL16,
    SENTINEL32,
    STORED,
    UTF8,
    ZIP64_EXTRA,
)

ZIP64_LIMIT = (1 << 31) - 1
COUNT_LIMIT = (1 << 16) - 1
"""Above these sizes, offsets and counts Python's zipfile writes the fields of zip64."""

_VERSION = 45
"""The version of the format that has zip64; Python writes it wherever there may be zip64."""
_UNIX = 3
_DATE = 1 << 5 | 1
"""The first day of 1980, at midnight: equal arrays give equal files, as with NumPy."""
_MODE = 0o600 << 16

_LOCAL_EXTRA = struct.Struct("<2H2Q")


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member of `nbytes` bytes that goes to byte `offset`, behind a header at `header_offset`."""

    raw_name: bytes
    nbytes: int
    header_offset: int

    @property
    def offset(self) -> int:
        """Where the data begin."""
        return self.header_offset + LOCAL.size + len(self.raw_name) + _LOCAL_EXTRA.size

    @property
    def flags(self) -> int:
        """A name that is not ASCII is marked as UTF-8."""
        return 0 if self.raw_name.isascii() else UTF8

    def header(self, crc: int) -> bytes:
        """What stands before the data. The sizes are always in the zip64 field, as with NumPy."""
        fields = LOCAL.pack(
            LOCAL_SIGNATURE, _VERSION, self.flags, STORED, 0, _DATE, crc,
            SENTINEL32, SENTINEL32, len(self.raw_name), _LOCAL_EXTRA.size,
        )  # fmt: skip
        extra = _LOCAL_EXTRA.pack(ZIP64_EXTRA, _LOCAL_EXTRA.size - 4, self.nbytes, self.nbytes)
        return fields + self.raw_name + extra

    def entry(self, crc: int) -> bytes:
        """What the directory says of the member."""
        wide: list[int] = []
        size, offset = self.nbytes, self.header_offset
        if size > ZIP64_LIMIT:
            wide += [size, size]
            size = SENTINEL32
        if offset > ZIP64_LIMIT:
            wide.append(offset)
            offset = SENTINEL32
        extra = struct.pack(f"<2H{len(wide)}Q", ZIP64_EXTRA, 8 * len(wide), *wide) if wide else b""
        fields = ENTRY.pack(
            ENTRY_SIGNATURE, _VERSION | _UNIX << 8, _VERSION, self.flags, STORED, 0, _DATE, crc,
            size, size, len(self.raw_name), len(extra), 0, 0, 0, _MODE, offset,
        )  # fmt: skip
        return fields + self.raw_name + extra


class NewArchive:
    """Where the members of an archive go; raises `CheckpointError` for an impossible name."""

    def __init__(self, nbytes_by_name: Mapping[str, int]) -> None:
        self.members: dict[str, NewMember] = {}
        end = 0
        for name, nbytes in nbytes_by_name.items():
            member = NewMember(_encode(name), nbytes, end)
            self.members[name] = member
            end = member.offset + nbytes
        self.directory_offset = end
        self.nbytes = end + len(self.directory(dict.fromkeys(self.members, 0)))

    def directory(self, crcs: Mapping[str, int]) -> bytes:
        """The directory and what ends the archive, for the CRCs by name."""
        entries = b"".join(member.entry(crcs[name]) for name, member in self.members.items())
        return entries + self._end(len(entries))

    def _end(self, nbytes: int) -> bytes:
        count, offset = len(self.members), self.directory_offset
        records = b""
        if count > COUNT_LIMIT or offset > ZIP64_LIMIT or nbytes > ZIP64_LIMIT:
            records = END64.pack(
                END64_SIGNATURE, END64.size - 12, _VERSION, _VERSION, 0, 0,
                count, count, nbytes, offset,
            ) + END64_LOCATOR.pack(END64_LOCATOR_SIGNATURE, 0, offset + nbytes, 1)  # fmt: skip
            count = min(count, SENTINEL16)
            nbytes, offset = min(nbytes, SENTINEL32), min(offset, SENTINEL32)
        return records + END.pack(END_SIGNATURE, 0, 0, count, count, nbytes, offset, 0)


def _encode(name: str) -> bytes:
    try:
        raw = name.encode("utf-8")
    except UnicodeEncodeError:
        raw = b""
    if not raw or b"\0" in raw or len(raw) > SENTINEL16:
        raise CheckpointError(f"a zip archive cannot hold a member named {shown(name)}")
    return raw
