"""Zip archives: the bytes that Python's zipfile reads, and no archive that readers disagree on."""

import io
import random
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from paraminspect.errors import CheckpointError
from paraminspect.formats.files._reading import open_regular
from paraminspect.formats.zip import Archive, NewArchive, _inflate, _writing
from paraminspect.formats.zip._crc import joined_crc

TEXT = bytes(random.Random(0).choices(b"abcdefgh", k=100_000))


def archive_of(tmp_path, data):
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    return Archive(open_regular(path))


def zipped(*members, method=zipfile.ZIP_STORED, **keywords):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, **keywords) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return bytearray(buffer.getvalue())


class Unseekable(io.BytesIO):
    """What makes zipfile write data descriptors."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise io.UnsupportedOperation

    tell = seek


def with_descriptors():
    buffer = Unseekable()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
        with archive.open("b", "w", force_zip64=True) as member:
            member.write(b"bb")
    return buffer.getvalue()


def with_zip64_and_comments():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        with archive.open("a", "w", force_zip64=True) as member:
            member.write(TEXT)
        archive.comment = b"about all"
        info = zipfile.ZipInfo("ä/b")
        info.comment = b"about b"
        info.extra = struct.pack("<2H4s", 0xCAFE, 4, b"more")
        archive.writestr(info, b"bb")
    return buffer.getvalue()


def with_zip64_end(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        patch.setattr(zipfile, "ZIP64_LIMIT", 10)
        return bytes(zipped(("a", TEXT), ("b", b"bb"), ("c", b"")))


ARCHIVES = {
    "stored": lambda _: zipped(("a", TEXT), ("b", b""), ("c/", b""), ("c/d", b"d")),
    "deflated": lambda _: zipped(("a", TEXT), ("b", b""), method=zipfile.ZIP_DEFLATED),
    "descriptors": lambda _: with_descriptors(),
    "zip64 sizes, comments, extra fields": lambda _: with_zip64_and_comments(),
    "zip64 directory": with_zip64_end,
    "empty": lambda _: zipped(),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_members_are_those_of_zipfile(kind, tmp_path, monkeypatch):
    data = ARCHIVES[kind](monkeypatch)
    archive = archive_of(tmp_path, data)
    with zipfile.ZipFile(io.BytesIO(data)) as expected:
        names = [name for name in expected.namelist() if not name.endswith("/")]
        assert list(archive.members) == names
        for name in names:
            source = archive.open(archive.members[name])
            assert source.read(0, source.size) == expected.read(name)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_any_bytes_are_read_in_any_order(method, tmp_path, monkeypatch):
    monkeypatch.setattr(_inflate, "CHECKPOINT_DISTANCE", 5000)
    monkeypatch.setattr(_inflate, "STORED_CHUNK_NBYTES", 512)
    archive = archive_of(tmp_path, zipped(("a", TEXT), method=method))
    source = archive.open(archive.members["a"])
    choose = random.Random(1)
    for _ in range(300):
        start = choose.randrange(len(TEXT))
        stop = choose.randrange(start, min(start + 3000, len(TEXT)) + 1)
        assert source.read(start, stop - start) == TEXT[start:stop]
    with pytest.raises(CheckpointError, match="member 'a' has 100,000 bytes, 100001 are needed"):
        source.read(99_999, 2)


def test_reading_backwards_inflates_each_stretch_about_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(_inflate, "CHECKPOINT_DISTANCE", 1 << 16)
    monkeypatch.setattr(_inflate, "STORED_CHUNK_NBYTES", 1 << 12)
    text = TEXT * 20
    archive = archive_of(tmp_path, zipped(("a", text), method=zipfile.ZIP_DEFLATED))
    source = archive.open(archive.members["a"])
    made = []
    inflate = source._inflate
    source._inflate = lambda *given: made.append(len(piece := inflate(*given))) or piece
    step = 1 << 14
    for start in reversed(range(0, len(text), step)):
        nbytes = min(step, len(text) - start)
        assert source.read(start, nbytes) == text[start : start + nbytes]
    # Half a stretch is inflated before each piece: four times the bytes, where restarting from
    # the beginning each time would be sixty times.
    assert sum(made) < 6 * len(text)


def test_members_that_are_being_inflated_take_bounded_memory(tmp_path):
    members = [(str(i), TEXT) for i in range(30)]
    archive = archive_of(tmp_path, zipped(*members, method=zipfile.ZIP_DEFLATED))
    sources = [archive.open(member) for member in archive.members.values()]
    tracemalloc.start()
    for _ in range(2):
        for source in sources:
            source.read(50_000, 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(source._position is not None for source in sources) <= 5
    assert peak < 3_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_that_is_read_to_its_end_is_checked_each_time(method, tmp_path):
    data = zipped(("a", TEXT), method=method)
    wrong = zlib.crc32(TEXT) ^ 1
    for at in (14, data.index(b"PK\x01\x02") + 16):
        data[at : at + 4] = wrong.to_bytes(4, "little")
    archive = archive_of(tmp_path, data)
    source = archive.open(archive.members["a"])
    assert source.read(0, 10) == TEXT[:10]
    for _ in range(2):
        for start in range(0, 90_000, 10_000):
            source.read(start, 10_000)
        with pytest.raises(CheckpointError, match=r"a\.zip: the member 'a' is damaged: its CRC"):
            source.read(90_000, 10_000)


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_stored_member_is_checked_in_whatever_order_it_is_read(wrong, tmp_path):
    data = zipped(("a", TEXT))
    data[5000] ^= wrong
    for order in range(20):
        source = (archive := archive_of(tmp_path, data)).open(archive.members["a"])
        starts = list(range(0, 100_000, 20_000))
        random.Random(order).shuffle(starts)
        for start in starts[:-1]:
            source.read(start, 20_000)
        if wrong:
            with pytest.raises(CheckpointError, match="CRC"):
                source.read(starts[-1], 20_000)
        else:
            source.read(starts[-1], 20_000)


def reversed_parts(rng):
    return [(start, 1000) for start in range(99_000, -1, -1000)]


def shuffled_parts(rng):
    parts = [(start, 500) for start in range(0, 100_000, 500)]
    rng.shuffle(parts)
    return parts


def overlapping_parts(rng):
    starts = list(range(0, 99_000, 700))
    rng.shuffle(starts)
    return [(start, min(rng.randrange(700, 40_000), 100_000 - start)) for start in starts]


def strided_parts(rng):
    return [(start, 10) for first in range(0, 100, 10) for start in range(first, 100_000, 100)]


@pytest.mark.parametrize("place", [0, 50_000, 99_999])
@pytest.mark.parametrize(
    "parts", [reversed_parts, shuffled_parts, overlapping_parts, strided_parts]
)
def test_a_stored_member_is_checked_in_parts_of_whatever_size(parts, place, tmp_path):
    data = zipped(("a", TEXT))
    for wrong in (0, 1):
        data[31 + place] ^= wrong
        source = (archive := archive_of(tmp_path, data)).open(archive.members["a"])
        for _ in range(2):
            told = []
            for start, nbytes in parts(random.Random(place)):
                try:
                    source.read(start, nbytes)
                except CheckpointError as error:
                    told.append(str(error))
            assert bool(told) == wrong
            assert all("is damaged: its CRC is another" in one for one in told)


@pytest.mark.parametrize(
    ("starts", "times"),
    [
        ([0, 20_000, 40_000, 60_000, 80_000, 99_000], 1),
        ([0, 99_000, 20_000, 40_000, 60_000, 80_000], 1),
        ([99_000, 80_000, 60_000, 40_000, 20_000, 0], 1),
        ([*range(99_000, -1000, -1000)], 2),
    ],
    ids=["in order", "the rest early", "backwards", "small and backwards"],
)
def test_a_stored_member_is_read_at_most_once_more_to_be_checked(starts, times, tmp_path):
    archive = archive_of(tmp_path, zipped(("a", TEXT)))
    source = archive.open(archive.members["a"])
    read = []
    pread_into = archive.file.pread_into
    archive.file.pread_into = lambda buffer, at: read.append(len(buffer)) or pread_into(buffer, at)
    ends = dict(zip(sorted(starts), [*sorted(starts)[1:], 100_000], strict=True))
    for start in starts * 2:
        source.read(start, ends[start] - start)
    assert sum(read) == (times + 1) * 100_000  # once of which it is checked already


@pytest.mark.parametrize("cut", [0, 1, 7, 4096, 65_537, 99_999, 100_000])
def test_the_crc_of_two_texts_is_told_by_those_of_each(cut):
    first, second = zlib.crc32(TEXT[:cut]), zlib.crc32(TEXT[cut:])
    assert joined_crc(first, second, len(TEXT) - cut) == zlib.crc32(TEXT)


def local(field, value):
    """Change a 16-bit field of the header beside the data of the first member."""

    def change(data):
        data[field : field + 2] = value.to_bytes(2, "little")

    return change


def listed(field, value, nbytes=2):
    """Change a field of the first entry of the directory."""

    def change(data):
        at = data.index(b"PK\x01\x02") + field
        data[at : at + nbytes] = value.to_bytes(nbytes, "little")

    return change


def both(*changes):
    def change(data):
        for one in changes:
            one(data)

    return change


def at_end(field, value, nbytes=2):
    def change(data):
        at = data.rindex(b"PK\x05\x06") + field
        data[at : at + nbytes] = value.to_bytes(nbytes, "little")

    return change


def insert(data):
    data[0:0] = b"#!/bin/sh\n"


def second_end(data):
    comment = bytes(data[data.rindex(b"PK\x05\x06") :])
    at_end(20, len(comment))(data)
    data += comment


def hidden_end(data):
    at_end(20, 104)(data)
    data += b"PK\x05\x06" + bytes(100)


def overlap(data):
    first, second = (at for at in range(len(data)) if data.startswith(b"PK\x01\x02", at))
    data[second + 42 : second + 46] = data[first + 42 : first + 46]


LINK = 0o120777 << 16
BAD = {
    "cut": (lambda d: d.__delitem__(slice(-9, None)), "truncated, or not a zip archive"),
    "data before it": (insert, r"should end at byte \d+"),
    "ends twice": (second_end, "can be read in two ways"),
    "ends in its comment": (hidden_end, "can be read in two ways"),
    "too few entries": (both(at_end(8, 1), at_end(10, 1)), "has 2 entries, not 1"),
    "too many entries": (both(at_end(8, 3), at_end(10, 3)), "has 2 entries, not 3"),
    "several disks": (at_end(4, 1), "several disks"),
    "huge directory": (at_end(12, 0xFFFFFFFF, 4), "should end at byte"),
    "encrypted": (both(local(6, 1), listed(8, 1)), "member 'a' is encrypted"),
    "encrypted beside the data": (local(6, 1), "'a' is described differently"),
    "method": (both(local(8, 12), listed(10, 12)), "compressed by method 12, only 0 .* and 8"),
    "method differs": (local(8, 8), "'a' is described differently"),
    "other name": (local(30, 0x6262), "'a' is described differently"),
    "link": (listed(38, LINK, 4), "'a' is a symbolic link"),
    "device": (listed(38, 0o060600 << 16, 4), "'a' is a special file"),
    "stored sizes differ": (both(listed(24, 7, 4), local(22, 7)), "stored in 10 bytes .* have 7"),
    "sizes differ": (listed(16, 1, 4), "'a' is described differently"),
    "past the end": (listed(42, 9999, 4), "truncated"),
    "not at a member": (listed(42, 3, 4), "'a' does not begin at byte 3"),
    "overlap": (overlap, "'b' is described differently|overlaps"),
    "NUL in a name": (listed(46, 0, 1), "cannot be named"),
    "extra field cut": (both(listed(30, 1)), "no zip directory entry|cut short|entries"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_refused(kind, tmp_path):
    change, message = BAD[kind]
    data = zipped(("a", b"0123456789"), ("b", b"bb"))
    change(data)
    with pytest.raises(CheckpointError, match=message) as caught:
        archive_of(tmp_path, data)
    assert str(caught.value).startswith(f"{tmp_path / 'a.zip'}: ")


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a", b"1"), ("a", b"2"))
    with pytest.raises(CheckpointError, match="duplicate member 'a'"):
        archive_of(tmp_path, data)


def test_members_that_share_bytes_are_refused(tmp_path):
    """The way of a bomb: the data of one member span the next one whole."""
    data = zipped(("a", b"0123456789"), ("b", b"bb"), method=zipfile.ZIP_STORED)
    inner = data.index(b"PK\x03\x04", 4)
    nbytes = data.index(b"PK\x01\x02") - 31
    for at in (18, 22, data.index(b"PK\x01\x02") + 20, data.index(b"PK\x01\x02") + 24):
        data[at : at + 4] = nbytes.to_bytes(4, "little")
    assert inner < 31 + nbytes
    with pytest.raises(CheckpointError, match="member 'b' overlaps the member 'a'"):
        archive_of(tmp_path, data)


def deflated(change):
    """An archive whose one member declares other sizes than it has, or is otherwise damaged."""
    data = zipped(("a", bytes(50_000)), method=zipfile.ZIP_DEFLATED)
    change(data)
    return data


def declare(nbytes):
    return lambda data: both(
        listed(24, nbytes, 4),
        lambda d: d.__setitem__(slice(22, 26), nbytes.to_bytes(4, "little")),
    )(data)


LIES = {
    "longer": (declare(49_999), "inflates to more than 49,999 bytes"),
    "shorter": (declare(50_001), "ends after 50000 of 50,001 bytes"),
    "garbage": (lambda d: d.__setitem__(slice(31, 40), b"\xff" * 9), "invalid"),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_member_that_inflates_to_something_else_is_damaged(kind, tmp_path):
    change, message = LIES[kind]
    archive = archive_of(tmp_path, deflated(change))
    source = archive.open(archive.members["a"])
    with pytest.raises(CheckpointError, match=f"member 'a' is damaged: .*{message}"):
        source.read(0, source.size)


def test_an_impossible_expansion_is_refused_before_reading(tmp_path):
    data = deflated(declare(4_000_000_000))
    with pytest.raises(CheckpointError, match=r"4000000000 bytes, deflated to .*: impossible"):
        archive_of(tmp_path, data)


def assembled(members):
    """The archive of `(name, bytes)` as our writer lays it out."""
    archive = NewArchive({name: len(data) for name, data in members})
    crcs = {name: zlib.crc32(data) for name, data in members}
    made = bytearray(archive.nbytes)
    for name, data in members:
        member = archive.members[name]
        made[member.header_offset : member.offset + len(data)] = member.header(crcs[name]) + data
    made[archive.directory_offset :] = archive.directory(crcs)
    assert len(made) == archive.nbytes
    return bytes(made)


@pytest.mark.parametrize("limits", [None, (5, 1), (1000, 100), (40, 2)])
@pytest.mark.parametrize(
    "members", [[], [("a", b"0123456789"), ("ä/b", b""), ("c", b"c" * 1000)], [("x" * 500, TEXT)]]
)
def test_a_new_archive_is_the_one_that_zipfile_writes(members, limits, monkeypatch, tmp_path):
    if limits:  # as if sizes, offsets and counts were large
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limits[0])
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", limits[1])
        monkeypatch.setattr(_writing, "ZIP64_LIMIT", limits[0])
        monkeypatch.setattr(_writing, "COUNT_LIMIT", limits[1])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    assert assembled(members) == buffer.getvalue()
    archive = archive_of(tmp_path, buffer.getvalue())
    read = [(n, archive.open(m).read(0, m.nbytes)) for n, m in archive.members.items()]
    assert read == members


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 65_536])
def test_a_name_that_no_archive_can_hold_is_refused(name):
    with pytest.raises(CheckpointError, match="cannot hold a member named"):
        NewArchive({name: 1})
