"""The header of a .npy array, parsed by us: a small grammar, nothing is evaluated.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from paraminspect.arrays import DTYPES, DType, Shape, count_elements
from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats._json import shown
from paraminspect.formats.files._reading import NATIVE
from paraminspect.formats.npz._format import DTYPE_NAMES

MAGIC = b"\x93NUMPY"

FIRST_NBYTES = 128
"""Nearly every header ends here: NumPy pads to a multiple of 64."""

MAXIMUM_HEADER_NBYTES = 10_000
"""NumPy's own limit for files of unknown origin."""

ALIGNMENT = 64
"""Values begin at a multiple of this, counted from the beginning of the array's file."""

GROWTH_DIGITS = 21
"""Digits of the largest size, for which NumPy leaves room (`numpy.lib.format`)."""

MAXIMUM_AXES = 64
"""NumPy's own limit."""


class NoNumbersError(CheckpointError):
    """An array is none of numbers; `what` says of what, and its shape where that is known."""

    def __init__(self, message: str, what: str, *, is_pickle: bool = False) -> None:
        super().__init__(message)
        self.what = what
        self.is_pickle = is_pickle


@dataclass(frozen=True)
class NpyHeader:
    """What a header says; the values begin `nbytes` bytes from the beginning of the file.

    A dtype that is not in `DTYPES` is one whose values are not numbers of ours.
    """

    shape: Shape
    dtype: DType
    byteorder: Literal["<", ">"]
    fortran_order: bool
    nbytes: int


def header_nbytes(first: bytes) -> int:
    """Where the values begin, by the first 12 bytes; raises `CheckpointError`."""
    if not first.startswith(MAGIC) or len(first) < 10:
        raise CheckpointError("not a .npy array: it does not begin as one")
    version = first[6]
    if version not in (1, 2, 3):
        raise CheckpointError(f"version {version}.{first[7]} of the .npy format is not known")
    begin = 10 if version == 1 else 12
    nbytes = begin + int.from_bytes(first[8:begin], "little")
    if nbytes > MAXIMUM_HEADER_NBYTES:
        raise CheckpointError(
            f"a .npy header has at most {MAXIMUM_HEADER_NBYTES} bytes, this one {nbytes}"
        )
    return nbytes


@functools.lru_cache(maxsize=256)  # the arrays of a model have few shapes
def parse_npy_header(header: bytes) -> NpyHeader:
    """The whole header, as many bytes as `header_nbytes` tells; raises `CheckpointError`."""
    begin = 10 if header[6] == 1 else 12
    try:
        text = header[begin:].decode("utf-8" if header[6] == 3 else "latin-1").strip()
    except UnicodeDecodeError:
        raise CheckpointError("the .npy header is not UTF-8") from None
    fields = _fields(text)
    shape = _parse_shape(fields["shape"])
    dtype, byteorder = _parse_descr(fields["descr"], shape)
    fortran_order = fields["fortran_order"] == "True" and len(shape) > 1
    return NpyHeader(shape, dtype, byteorder, fortran_order, len(header))


_INTEGER = "(?:0|[1-9][0-9]*)L?"
"""`L`: Python 2 wrote its long integers so."""

_FIELD = re.compile(
    rf"""(?P<quote>['"])(?P<key>\w+)(?P=quote) \s* : \s*
    (?P<value> '[^'\\]*' | "[^"\\]*" | True | False | \((?:{_INTEGER}|[,\s])*\) )
    \s* (?:,\s*|$)""",
    re.VERBOSE,
)
_STRUCTURED = re.compile(r"""['"]descr['"]\s*:\s*[\[(]""")
_FORMS = {
    "descr": re.compile("""['"].*['"]"""),
    "fortran_order": re.compile("True|False"),
    "shape": re.compile(rf"\(\s*(?:(?:{_INTEGER}\s*,\s*)+(?:{_INTEGER}\s*)?)?\)"),
}
"""Every field and what its value looks like; one size needs the comma that makes a tuple."""


def _fields(text: str) -> dict[str, str]:
    if text[:1] != "{" or text[-1:] != "}":
        raise CheckpointError(f"the .npy header is not a dictionary: {shown(text)}")
    if _STRUCTURED.search(text):
        raise NoNumbersError(
            f"a structured array has no one dtype: {shown(text)}", "a structured array"
        )
    rest = text[1:-1].strip()
    fields: dict[str, str] = {}
    while rest:
        found = _FIELD.match(rest)
        if found is None or found["key"] in fields:
            raise CheckpointError(f"the .npy header cannot be read: {shown(text)}")
        fields[found["key"]] = found["value"]
        rest = rest[found.end() :]
    if set(fields) != set(_FORMS):
        raise CheckpointError(f"a .npy header has {', '.join(_FORMS)}, this one: {shown(text)}")
    for key, form in _FORMS.items():
        if not form.fullmatch(fields[key]):
            raise CheckpointError(f"the .npy header has {shown(fields[key])} for {key}")
    return fields


def _parse_shape(text: str) -> Shape:
    sizes = re.findall("[0-9]+", text)
    if len(sizes) > MAXIMUM_AXES or any(len(size) > 19 for size in sizes):
        raise CheckpointError(f"shape {shown(text)} is beyond what NumPy can hold")
    shape = tuple(map(int, sizes))
    _check_count(shape)
    return shape


def _check_count(shape: Shape) -> None:
    """Refuse what NumPy cannot hold; an axis of no elements does not make others smaller."""
    if count_elements(tuple(max(size, 1) for size in shape)) >= 1 << 63:
        raise CheckpointError(f"shape {list(shape)} has over 2**63 elements")


_TEXTS = {"S": ("bytes", 8), "U": ("str", 32), "V": ("void", 8)}
"""NumPy's names of what has a length, and the bits of one unit of it."""

_TEXT = re.compile("([SUV])([0-9]{1,9})")
_TIME = re.compile(r"([mM])8(\[(?:[1-9][0-9]{0,8})?(?:[YMWDhms]|[munpfa]s)\])?")

_LONG_DOUBLES = {"f12": "float96", "f16": "float128", "c24": "complex192", "c32": "complex256"}
"""Formats that differ from machine to machine, though they have one name."""


def _parse_descr(text: str, shape: Shape) -> tuple[DType, Literal["<", ">"]]:
    """The dtype and its byte order; a dtype that NumPy lacks may be spelled by its name."""
    descr = text[1:-1]
    if descr in DTYPES and DTYPES[descr].nbits >= 8:
        return DTYPES[descr], NATIVE
    byteorder: Literal["<", ">"] = ">" if descr[:1] == ">" else "<" if descr[:1] == "<" else NATIVE
    code = descr[1:] if descr[:1] in "<>=|" else descr
    if code in DTYPE_NAMES:
        return DTYPES[DTYPE_NAMES[code]], byteorder
    if code.startswith("O"):
        raise NoNumbersError(
            "an object array is a pickle, which runs code when it is read",
            f"Python objects (a pickle, not read), shape {list(shape)}",
            is_pickle=True,
        )
    return _parse_other(code), byteorder


_KINDS = {"bytes": "text", "str": "text", "datetime": "dates", "timedelta": "durations"}


def kind_of(dtype: DType) -> str:
    """What elements of such a dtype are, if they are no numbers; empty for numbers and bytes."""
    return next((kind for name, kind in _KINDS.items() if dtype.name.startswith(name)), "")


def format_npy_header(shape: Shape, dtype: DType) -> bytes:
    """The header of values in C order, little-endian; byte for byte what NumPy writes.

    Raises `DTypeError` for a dtype that the format cannot name, `CheckpointError` for a shape that
    NumPy cannot hold.
    """
    _check_count(shape)
    descr = f"{{'descr': {descr_of(dtype)!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    # NumPy leaves room for the first size to grow, to append to a file in place.
    room = GROWTH_DIGITS - len(repr(shape[0])) if shape else 0
    text = descr.encode() + b" " * room
    begin = 10 if len(text) + 64 < 1 << 16 else 12
    padding = -(begin + len(text) + 1) % ALIGNMENT
    length = len(text) + padding + 1
    start = MAGIC + bytes([1 if begin == 10 else 2, 0]) + length.to_bytes(begin - 8, "little")
    return start + text + b" " * padding + b"\n"


def descr_of(dtype: DType) -> str:
    """How a header names a dtype; raises `DTypeError` for what NumPy would not read back as it."""
    for code, name in DTYPE_NAMES.items():
        if name == dtype.name:
            return ("<" if dtype.nbits > 8 else "|") + code
    for code, name in _LONG_DOUBLES.items():
        if name == dtype.name:
            return "<" + code
    if found := re.fullmatch(r"(datetime|timedelta)64(\[.*\])?", dtype.name):
        return f"<{'M' if found[1] == 'datetime' else 'm'}8{found[2] or ''}"
    for kind, (name, unit_nbits) in _TEXTS.items():
        if re.fullmatch(f"{name}[0-9]*", dtype.name):
            return f"{'<' if kind == 'U' else '|'}{kind}{dtype.nbits // unit_nbits}"
    refusal = f"an npz file cannot hold {dtype}, NumPy would read bytes"
    if dtype.name not in DTYPES:
        raise DTypeError(refusal)
    raise DTypeError(f"{refusal}: write safetensors, or cast it").unless(dtype=...)


def _parse_other(code: str) -> DType:
    """The dtype of elements that are not numbers of ours, by NumPy's name for it."""
    if code in _LONG_DOUBLES:
        return DType(_LONG_DOUBLES[code], 8 * int(code[1:]))
    if found := _TEXT.fullmatch(code):
        name, unit_nbits = _TEXTS[found[1]]
        nbits = int(found[2]) * unit_nbits
        return DType(f"{name}{nbits or ''}", nbits)
    if found := _TIME.fullmatch(code):
        name = "datetime64" if found[1] == "M" else "timedelta64"
        return DType(name + (found[2] or ""), 64)
    raise CheckpointError(f"unknown dtype {shown(code)}")
