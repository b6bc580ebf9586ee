"""NPZ files: zip archives of .npy arrays, as NumPy, MXNet and others write them; no pickle."""

from __future__ import annotations

from dataclasses import dataclass

from paraminspect.arrays import DTYPES, Array, Opaque, count_elements
from paraminspect.arrays.packed import BytesOf
from paraminspect.errors import CheckpointError
from paraminspect.formats._json import shown
from paraminspect.formats.files._reading import NATIVE, RegularFile, StoredArray
from paraminspect.formats.npz._format import NPZ, SUFFIX
from paraminspect.formats.npz._fortran import FortranArray
from paraminspect.formats.npz._npy import (
    FIRST_NBYTES,
    NoNumbersError,
    NpyHeader,
    header_nbytes,
    kind_of,
    parse_npy_header,
)
from paraminspect.formats.zip import STORED, Archive, Member, MemberBytes
from paraminspect.runtime import collector_paused
from paraminspect.tree import Architecture, Parameter, ParameterTree, Source

SLAB_NBYTES = 8 << 20
"""What is turned from Fortran into C order at a time, by each thread that reads."""
VOIDS = {"void8": "float8", "void16": "bfloat16"}
"""What mere bytes may be: dtypes that NumPy does not know, as it saves them."""

INFLATED_SLAB_NBYTES = 16 << 20
"""More, for the whole member is inflated for each slab."""


def open_npz(file: RegularFile) -> ParameterTree:
    """The tree of an archive: the headers of its arrays are read, values are not.

    Names stay as they are stored, MXNet's `arg:` and `aux:` before them too.
    """
    archive = Archive(file)
    with collector_paused():
        entries, others = {}, {}
        refused: CheckpointError | None = None
        for member in archive.members.values():
            name = member.name.removesuffix(SUFFIX)
            try:
                entries[name] = Parameter(name, _open_array(archive, member))
            except NoNumbersError as error:
                others[name] = error.what
                if error.is_pickle:
                    refused = error.at(file.path, f"array {shown(name)}")
            except CheckpointError as error:
                raise error.at(file.path, f"array {shown(name)}") from None
    if refused is not None and not entries:  # the whole model, perhaps
        raise refused
    separator = "/" if any("/" in name for name in entries) else "."
    return ParameterTree(
        entries,
        source=Source(
            str(file.path),
            NPZ.name,
            files=(file,),
            others=others,
            origin=NpzOrigin(archive, tuple(others)),
        ),
        architecture=Architecture(separator=separator),
    )


@dataclass(frozen=True)
class NpzOrigin:
    """The archive from which a tree was opened, and what it holds besides."""

    archive: Archive
    others: tuple[str, ...]

    def members(self) -> dict[str, StoredArray]:
        """The others as they are stored, headers included, by name."""
        found = {}
        for name in self.others:
            member = self.archive.members[name + SUFFIX]
            source = self.archive.open(member)
            found[name] = StoredArray(source, 0, (member.nbytes,), DTYPES["uint8"])
        return found


def _open_array(archive: Archive, member: Member) -> Array:
    if not member.name.endswith(SUFFIX):
        raise CheckpointError(f"the member {shown(member.name)} is not a {SUFFIX} array")
    slab_nbytes = SLAB_NBYTES if member.method == STORED else INFLATED_SLAB_NBYTES
    array = _array_of(archive.open(member), archive.file, slab_nbytes)
    if kind := kind_of(array.dtype):
        raise NoNumbersError(f"its elements are {kind}", f"{kind}, shape {list(array.shape)}")
    return array


def open_npy(file: RegularFile) -> Array:
    """The array of a .npy file: its header is read, values are not."""
    try:
        return _array_of(file, file, SLAB_NBYTES)
    except CheckpointError as error:
        raise error.at(file.path) from None


def _array_of(source: RegularFile | MemberBytes, file: RegularFile, slab_nbytes: int) -> Array:
    header = _read_header(source)
    dtype, shape = header.dtype, header.shape
    wanted = header.nbytes + dtype.nbytes(count_elements(shape))
    if wanted != source.size:
        raise CheckpointError(
            f"{dtype} {list(shape)} and its header take {wanted} bytes, but it has {source.size}"
        )
    stored_shape = shape[::-1] if header.fortran_order else shape
    stored = StoredArray(source, header.nbytes, stored_shape, dtype, header.byteorder)
    if dtype.name not in DTYPES:
        # Bytes of another order would not be those of an equal array elsewhere.
        packed_bytes: Array | None = stored.packed_bytes if header.byteorder == "<" else None
        if header.fortran_order:
            packed_bytes = _turned_bytes(stored, slab_nbytes)
        why = _why_opaque(file, header)
        return Opaque(shape, dtype, why, packed_bytes, dtype.name in VOIDS)
    return FortranArray(stored, slab_nbytes) if header.fortran_order else stored


def _turned_bytes(stored: StoredArray, slab_nbytes: int) -> Array | None:
    """The bytes in C order of elements in Fortran order, if these are as wide as numbers."""
    unsigned = DTYPES.get(f"uint{stored.dtype.nbits}")
    if unsigned is None or not stored.dtype.name.startswith("void"):
        return None
    numbers = StoredArray(stored.file, stored.offset, stored.shape, unsigned, NATIVE)
    return BytesOf(FortranArray(numbers, slab_nbytes))


def _read_header(source: RegularFile | MemberBytes) -> NpyHeader:
    first = source.read(0, min(source.size, FIRST_NBYTES))
    nbytes = header_nbytes(first)
    if nbytes > len(first):
        first += source.read(len(first), nbytes - len(first))
    return parse_npy_header(first[:nbytes])


def _why_opaque(file: RegularFile, header: NpyHeader) -> str:
    like = VOIDS.get(header.dtype.name)
    ending = f": {like} saved by NumPy looks so" if like else ""
    return f"are not read: {file.path} does not say what numbers they are{ending}"
