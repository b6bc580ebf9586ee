"""The end of writing an archive: headers and directory, for which the members are read back."""

from __future__ import annotations

import zlib
from functools import partial

from paraminspect.arrays import BLOCK_NBYTES
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import RegularFile, open_regular
from paraminspect.formats.zip._writing import NewArchive, NewMember
from paraminspect.runtime import for_each


def finish_archive(new: NewFile, archive: NewArchive) -> None:
    """Write what stands around the members, which are in their places.

    Read back, not taken from the data on their way: what was copied passes nobody's hands, and
    what is on the disk is what matters.
    """
    written = open_regular(new.path)
    crcs: dict[str, int] = {}
    for_each(partial(_add_crc, crcs, written), archive.members.items())
    for name, member in archive.members.items():
        new.write(member.header(crcs[name]), member.header_offset)
    new.write(archive.directory(crcs), archive.directory_offset)


def _add_crc(crcs: dict[str, int], file: RegularFile, item: tuple[str, NewMember]) -> None:
    name, member = item
    buffer = memoryview(bytearray(min(member.nbytes, BLOCK_NBYTES)))
    crc, end = 0, member.offset + member.nbytes
    for start in range(member.offset, end, BLOCK_NBYTES):
        block = buffer[: min(BLOCK_NBYTES, end - start)]
        file.pread_into(block, start)
        crc = zlib.crc32(block, crc)
    crcs[name] = crc
