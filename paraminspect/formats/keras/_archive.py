"""`.keras` archives: the weights inside, and the names of layers from the config.

Two members are read as data and one as an HDF5 file: nothing is extracted, and nothing built.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from paraminspect.errors import CheckpointError
from paraminspect.formats._foreign import TORCH, TORCHSCRIPT, foreign_error
from paraminspect.formats._json import shown
from paraminspect.formats.files._reading import RegularFile
from paraminspect.formats.files._temporary import TemporaryFile
from paraminspect.formats.hdf5._contents import Contents, read_contents
from paraminspect.formats.hdf5._origin import Origin
from paraminspect.formats.hdf5._superblock import find_extent
from paraminspect.formats.keras._config import (
    FIRST_VERSION_WITH_NAMES,
    LayerConfig,
    parse_layers,
    parse_metadata,
    parse_version,
)
from paraminspect.formats.keras._format import ARCHIVE, CONFIG, METADATA, WEIGHTS
from paraminspect.formats.keras._trees import weights_tree
from paraminspect.formats.zip import STORED, Archive, Member, MemberBytes, StoredMember
from paraminspect.libhdf5.process import Extent, Library
from paraminspect.tree import ParameterTree

MAXIMUM_NBYTES = {CONFIG: 32 << 20, METADATA: 1 << 16}
"""A larger one is not read, and the names are those under which the weights are stored."""

BOMB_NBYTES = 256 << 20
BOMB_EXPANSION = 20
"""Weights that inflate to more than that, by more than this factor, are none: such do not."""


def open_keras(file: RegularFile) -> ParameterTree:
    """The tree of an archive; `CheckpointError` for one without weights in HDF5."""
    archive = Archive(file)
    if WEIGHTS not in archive.members:
        raise _error_instead(file.path, list(archive.members))
    version = parse_version(parse_metadata(_text(archive, METADATA)))
    configs: Mapping[str, LayerConfig] = {}
    if version is not None:
        configs = parse_layers(_text(archive, CONFIG))
    names = {}
    if version is not None and version < FIRST_VERSION_WITH_NAMES:
        names = {group: config.name for group, config in configs.items()}
    contents = _read_weights(archive)
    try:
        is_keras2 = version is not None and version < (3, 0)
        tree = weights_tree([contents], configs, names, is_keras2)
    finally:
        contents.library.stop()
    assert isinstance(tree.source.origin, Origin)
    origin = replace(tree.source.origin, archive=archive)
    if archive.members[WEIGHTS].method == STORED:
        file.watch = _Watch(archive.members[WEIGHTS], tree.totals.nbytes)
    more = partial(_metadata, archive)
    source = replace(tree.source, format=ARCHIVE.name, origin=origin, more_metadata=more)
    return replace(tree, source=source)


def _metadata(archive: Archive) -> dict[str, str]:
    """The texts of `metadata.json`, and the whole config."""
    told = parse_metadata(_text(archive, METADATA))
    config = _text(archive, CONFIG).decode("utf-8", "surrogateescape")
    return {**told, CONFIG: config} if config else told


def _error_instead(path: Path, members: list[str]) -> CheckpointError:
    if any(name.endswith("data.pkl") for name in members):
        is_program = any("/code/" in name for name in members)
        return foreign_error(TORCHSCRIPT if is_program else TORCH, path)
    some = ", ".join(shown(name) for name in members[:5]) or "nothing"
    return CheckpointError(f"a zip archive without {WEIGHTS}: no Keras model; it holds {some}").at(
        path
    )


def _text(archive: Archive, name: str) -> bytes:
    member = archive.members.get(name)
    if member is None or member.nbytes > MAXIMUM_NBYTES[name]:
        return b""
    return archive.open(member).read(0, member.nbytes)


def _read_weights(archive: Archive) -> Contents:
    member = archive.members[WEIGHTS]
    source = archive.open(member)
    try:
        extent = find_extent(source)
    except CheckpointError as error:
        raise source.error(f"is {error}") from None
    if member.method == STORED:
        inside = Extent(member.offset + extent.base, extent.size)
        return read_contents(archive.file, Library(archive.file, inside), archive.file)
    unpacked = UnpackedMember(archive.file, source, member)
    return read_contents(unpacked, Library(unpacked, extent), archive.file)


class _Watch:
    """Checks the CRC of stored weights once as much has been read as the parameters take.

    Their values are read where they lie, in any order and perhaps never all.
    """

    def __init__(self, member: Member, nbytes: int) -> None:
        self._member = member
        self._left = self._nbytes = nbytes
        self._is_checking = False
        self._lock = threading.RLock()

    def __call__(self, file: RegularFile, nbytes: int) -> None:
        with self._lock:
            self._left -= nbytes
            if self._left > 0 or self._is_checking:
                return
            self._is_checking = True  # reading all of it calls this as well
            try:
                StoredMember(file, self._member).check()
                file.watch = None
            finally:
                self._left, self._is_checking = self._nbytes, False


class UnpackedMember:
    """A deflated member, unpacked into a temporary file that has no name.

    HDF5 keeps what it says of its data all over the file: it cannot be read from the front.
    """

    def __init__(self, archive: RegularFile, source: MemberBytes, member: Member) -> None:
        if member.nbytes > max(BOMB_NBYTES, BOMB_EXPANSION * member.stored_nbytes):
            raise source.error(
                f"would inflate from {member.stored_nbytes} to {member.nbytes} bytes:"
                " a bomb, no weights"
            )
        self.path: Path = source.path
        self._archive = archive
        self._source = source
        self._member = member
        self.size = source.size
        self._file = TemporaryFile(source.size, source.pread_into)

    def __reduce__(self) -> tuple[type[UnpackedMember], tuple[object, ...]]:
        return UnpackedMember, (self._archive, self._source, self._member)  # unpacked once more

    @property
    def descriptor(self) -> AbstractContextManager[int]:
        """The descriptor of the temporary file, which is open in any case."""
        return nullcontext(self._file.number)

    def pread_into(self, buffer: bytearray | memoryview, offset: int) -> None:
        """Fill `buffer` with the bytes from `offset` on."""
        if not self._file.pread_into(buffer, offset):
            raise CheckpointError("truncated", f"byte {offset} of {WEIGHTS}").at(self.path)
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise `CheckpointError` if the archive is no longer what was opened."""
        self._archive.check_unchanged()

    def release(self) -> None:
        """Close the archive until the next read; what was unpacked could not be had again."""
        self._archive.release()
