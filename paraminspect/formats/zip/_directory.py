"""The directory of a zip archive, read strictly: its members, each with its place in the file.

Zip readers disagree on archives that contradict themselves (a name twice, sizes of the directory
against those beside the data, members that overlap); such archives are refused.
See APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (section 4).
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from paraminspect.errors import CheckpointError, counted
from paraminspect.formats._json import shown
from paraminspect.formats.files._reading import RegularFile

STORED, DEFLATED = 0, 8
"""The two methods that are read."""

MAXIMUM_DIRECTORY_NBYTES = 16 << 20
"""A hundred thousand members with long names; Python's objects take ten times the bytes."""

MAXIMUM_VERSION = 63
"""The version of the format up to which it is known, ten times; APPNOTE.TXT is at 6.3."""

MAXIMUM_EXPANSION = 1032
"""Deflate cannot do better: 258 bytes for two bits [zlib's technical details]."""

END = struct.Struct("<4s4H2LH")
END64_LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")

END_SIGNATURE = b"PK\x05\x06"
END64_LOCATOR_SIGNATURE = b"PK\x06\x07"
END64_SIGNATURE = b"PK\x06\x06"
ENTRY_SIGNATURE = b"PK\x01\x02"
LOCAL_SIGNATURE = b"PK\x03\x04"

_MAXIMUM_COMMENT = 0xFFFF
SENTINEL16, SENTINEL32 = 0xFFFF, 0xFFFFFFFF
"""Stands in a field whose value is in the zip64 record."""

ZIP64_EXTRA, _UNICODE_PATH_EXTRA = 0x0001, 0x7075
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_DESCRIPTOR, _PATCH, UTF8 = 1 << 3, 1 << 5, 1 << 11
_MEANINGFUL = _ENCRYPTED | _PATCH | UTF8
"""Flags that change what a member is; the others tell how it was written."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive: `nbytes` bytes, stored as `stored_nbytes` from `offset` on."""

    name: str
    method: int
    offset: int
    stored_nbytes: int
    nbytes: int
    crc: int


def read_directory(file: RegularFile) -> dict[str, Member]:
    """The members by name, in the order of the directory, folders left out.

    Raises `CheckpointError` for anything but an archive, or one that readers would disagree on.
    """
    try:
        return _members(file)
    except CheckpointError as error:
        raise error.at(file.path) from None


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where the central directory lies and how many entries it has."""

    offset: int
    nbytes: int
    count: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the central directory."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    stored_nbytes: int
    nbytes: int
    local_offset: int
    mode: int


def _members(file: RegularFile) -> dict[str, Member]:
    directory = _find_directory(file)
    entries: dict[str, _Entry] = {}
    for entry in _entries(file, directory):
        if entry.name in entries:
            raise CheckpointError(f"duplicate member {shown(entry.name)}: zip readers disagree")
        _check_entry(entry)
        entries[entry.name] = entry
    members = {name: _locate(file, entry) for name, entry in entries.items()}
    _check_extents(entries, members, directory.offset)
    return {name: member for name, member in members.items() if not name.endswith("/")}


def _find_directory(file: RegularFile) -> _Directory:
    start = max(0, file.size - END.size - _MAXIMUM_COMMENT)
    tail = file.read(start, file.size - start)
    # Some readers take the last such record, others one whose comment ends where the file does.
    last = tail.rfind(END_SIGNATURE)
    fitting = [at for at in _occurrences(tail, END_SIGNATURE) if _fits_to_end(tail, at)]
    if not fitting:
        raise CheckpointError("truncated, or not a zip archive: no directory at its end")
    if fitting != [last]:
        raise CheckpointError("the end of the zip archive can be read in two ways")
    fields = END.unpack_from(tail, last)
    _, disk, start_disk, here, count, nbytes, offset, _ = fields
    end = start + last
    at = last - END64_LOCATOR.size
    if at >= 0 and tail.startswith(END64_LOCATOR_SIGNATURE, at):
        end, wide = _read_end64(file, tail[at : at + END64_LOCATOR.size], end)
        sentinels = (*(SENTINEL16,) * 4, *(SENTINEL32,) * 2)
        for value, exact, sentinel in zip(fields[1:7], wide, sentinels, strict=True):
            if value not in (exact, sentinel):
                raise CheckpointError("the zip64 record contradicts the end of the archive")
        disk, start_disk, here, count, nbytes, offset = wide
    if disk or start_disk or here != count:
        raise CheckpointError("a zip archive of several disks is not read")
    if offset + nbytes != end:
        raise CheckpointError(
            f"the zip directory should end at byte {end}, where its end record begins,"
            f" but has {counted(nbytes, 'byte')} from byte {offset} on"
        )
    if nbytes > MAXIMUM_DIRECTORY_NBYTES:
        raise CheckpointError(
            f"the zip directory has {nbytes} bytes, the limit is {MAXIMUM_DIRECTORY_NBYTES}"
        )
    return _Directory(offset, nbytes, count)


def _occurrences(text: bytes, part: bytes) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _fits_to_end(tail: bytes, at: int) -> bool:
    if at + END.size > len(tail):
        return False
    return at + END.size + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail)


def _read_end64(file: RegularFile, locator: bytes, end: int) -> tuple[int, tuple[int, ...]]:
    """Where the zip64 end record begins, and its fields in the order of the short one."""
    _, disk, offset, disks = END64_LOCATOR.unpack(locator)
    room = end - END64_LOCATOR.size - offset
    if disk or disks > 1 or room < END64.size:
        raise CheckpointError("the zip64 locator points to no zip64 end record")
    record = file.read(offset, END64.size)
    signature, nbytes, _, _, *fields = END64.unpack(record)
    if signature != END64_SIGNATURE or nbytes + 12 != room:
        raise CheckpointError("the zip64 locator points to no zip64 end record")
    return offset, tuple(fields)


def _entries(file: RegularFile, directory: _Directory) -> Iterator[_Entry]:
    text = file.read(directory.offset, directory.nbytes)
    at = count = 0
    while at < len(text):
        if not text.startswith(ENTRY_SIGNATURE, at) or at + ENTRY.size > len(text):
            raise CheckpointError("no zip directory entry", f"byte {directory.offset + at}")
        fields = ENTRY.unpack_from(text, at)
        name_end = at + ENTRY.size + fields[10]
        extra_end = name_end + fields[11]
        raw_name, extra = text[at + ENTRY.size : name_end], text[name_end:extra_end]
        at = extra_end + fields[12]
        if at > len(text):
            raise CheckpointError("the last entry of the zip directory is cut short")
        count += 1
        yield _entry(fields, raw_name, extra)
    if count != directory.count:
        raise CheckpointError(
            f"the zip directory has {counted(count, 'entry', 'entries')}, not {directory.count}"
        )


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> _Entry:
    (
        _,
        _,
        version,
        flags,
        method,
        _,
        _,
        crc,
        stored,
        nbytes,
        _,
        _,
        _,
        disk,
        _,
        attributes,
        offset,
    ) = fields
    name = _decode_name(raw_name, flags)
    extras = _extra_fields(extra, name)
    nbytes, stored, offset = _widened(extras.get(ZIP64_EXTRA), (nbytes, stored, offset), name)
    unicode_path = extras.get(_UNICODE_PATH_EXTRA)
    if unicode_path is not None and unicode_path[5:] != name.encode():
        raise member_error(name, "has a second name, which zip readers may take instead")
    if version & 0xFF > MAXIMUM_VERSION:
        raise member_error(name, f"needs version {(version & 0xFF) / 10} of the zip format")
    if disk not in (0, SENTINEL16):
        raise member_error(name, "lies on another disk")
    return _Entry(name, raw_name, flags, method, crc, stored, nbytes, offset, mode=attributes >> 16)


def _decode_name(raw: bytes, flags: int) -> str:
    try:
        # Without the flag a name is of code page 437: as Python and Info-ZIP read it.
        name = raw.decode("utf-8" if flags & UTF8 else "cp437")
    except UnicodeDecodeError:
        raise CheckpointError(f"the name of a member is not UTF-8: {shown(raw)}") from None
    if not name or "\0" in name:
        raise CheckpointError(f"a member cannot be named {shown(name)}")
    return name


def _extra_fields(extra: bytes, name: str) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    # Up to three bytes of padding are common (zipalign).
    while len(extra) - at >= 4:
        kind, nbytes = struct.unpack_from("<2H", extra, at)
        if at + 4 + nbytes > len(extra):
            raise member_error(name, "has an extra field that is cut short")
        fields.setdefault(kind, extra[at + 4 : at + 4 + nbytes])
        at += 4 + nbytes
    return fields


def _widened(zip64: bytes | None, values: tuple[int, ...], name: str) -> tuple[int, ...]:
    """`values`, those that are all ones replaced by the next of the zip64 extra field."""
    wide = []
    at = 0
    for value in values:
        if value == SENTINEL32 and zip64 is not None:
            if at + 8 > len(zip64):
                raise member_error(name, "lacks a size in its zip64 field")
            value = int.from_bytes(zip64[at : at + 8], "little")
            at += 8
        wide.append(value)
    return tuple(wide)


def _check_entry(entry: _Entry) -> None:
    """Refuse what cannot be read as a plain member; what it holds is not looked at."""
    name = entry.name
    if entry.flags & _ENCRYPTED:
        raise member_error(name, "is encrypted")
    if entry.flags & _PATCH:
        raise member_error(name, "is a patch of another file")
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        raise member_error(name, f"is {what}, not a plain file")
    if entry.method not in (STORED, DEFLATED):
        raise member_error(
            name,
            f"is compressed by method {entry.method}, only 0 (stored) and 8 (deflate) are read",
        )
    if entry.method == STORED and entry.stored_nbytes != entry.nbytes:
        raise member_error(
            name,
            f"is stored in {counted(entry.stored_nbytes, 'byte')} but would have {entry.nbytes}",
        )
    if entry.nbytes > entry.stored_nbytes * MAXIMUM_EXPANSION:
        raise member_error(
            name, f"would have {entry.nbytes} bytes, deflated to {entry.stored_nbytes}: impossible"
        )


def _locate(file: RegularFile, entry: _Entry) -> Member:
    """The member of an entry, once the header beside its data says the same."""
    fixed = file.read(entry.local_offset, LOCAL.size + len(entry.raw_name))
    signature, _, flags, method, _, _, crc, stored, nbytes, name_nbytes, extra_nbytes = (
        LOCAL.unpack_from(fixed)
    )
    if signature != LOCAL_SIGNATURE:
        raise member_error(entry.name, f"does not begin at byte {entry.local_offset}")
    offset = entry.local_offset + LOCAL.size + name_nbytes + extra_nbytes
    if SENTINEL32 in (stored, nbytes):
        extra = file.read(offset - extra_nbytes, extra_nbytes)
        zip64 = _extra_fields(extra, entry.name).get(ZIP64_EXTRA)
        nbytes, stored = _widened(zip64, (nbytes, stored), entry.name)
    told = (crc, stored, nbytes)
    known = (entry.crc, entry.stored_nbytes, entry.nbytes)
    # With a data descriptor the header was written before the sizes were known.
    later = bool(flags & _DESCRIPTOR) and not any(told)
    same_name = name_nbytes == len(entry.raw_name) and fixed[LOCAL.size :] == entry.raw_name
    same_kind = method == entry.method and not (flags ^ entry.flags) & _MEANINGFUL
    if not (same_name and same_kind and (told == known or later)):
        raise member_error(entry.name, "is described differently in the directory")
    return Member(entry.name, method, offset, entry.stored_nbytes, entry.nbytes, entry.crc)


def _check_extents(
    entries: dict[str, _Entry], members: dict[str, Member], directory_offset: int
) -> None:
    """Members must not share bytes: archives that inflate without end are made that way."""
    reached, last = 0, ""
    for entry in sorted(entries.values(), key=lambda entry: entry.local_offset):
        member = members[entry.name]
        if entry.local_offset < reached:
            raise member_error(entry.name, f"overlaps the member {shown(last)}")
        reached, last = member.offset + member.stored_nbytes, entry.name
    if reached > directory_offset:
        raise member_error(last, "overlaps the zip directory")


def member_error(name: str, message: str) -> CheckpointError:
    """The error of a member; `message` goes on from its name."""
    return CheckpointError(f"the member {shown(name)} {message}")
