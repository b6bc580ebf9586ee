"""HDF5 datatypes as dtypes of parameters, and in words where no parameter has them."""

from __future__ import annotations

from typing import Any

from .rights import text_of

_FLOATS = {
    (2, 15, 10, 5, 0, 10, 15): "float16",
    (2, 15, 7, 8, 0, 7, 127): "bfloat16",
    (4, 31, 23, 8, 0, 23, 127): "float32",
    (8, 63, 52, 11, 0, 52, 1023): "float64",
    (1, 7, 2, 5, 0, 2, 15): "float8_e5m2",
    (1, 7, 3, 4, 0, 3, 7): "float8_e4m3fn",  # H5T_FLOAT_F8E4M3 is the one without infinities
}
"""By bytes, place of the sign, place and bits of the exponent and of the mantissa, and bias."""

_COMPLEX = {"float32": "complex64", "float64": "complex128"}


def dtype_of(h5t: Any, kind: Any) -> tuple[str, str, str]:
    """`(dtype, byte order, the type in words)`; the dtype is empty if no parameter has the type."""
    code, size = kind.get_class(), kind.get_size()
    if code == h5t.COMPOUND and _names(kind) == [b"r", b"i"]:
        return _complex(h5t, kind) or ("", "", "compounds of r, i")
    if code == h5t.ENUM and _is_bool(kind):
        return "bool", "<", "bool"
    if code not in (h5t.INTEGER, h5t.FLOAT):
        return "", "", _in_words(h5t, kind)
    order = {h5t.ORDER_LE: "<", h5t.ORDER_BE: ">"}.get(kind.get_order(), "")
    dense = (kind.get_offset(), kind.get_precision()) == (0, 8 * size)
    dtype = ""
    if code == h5t.INTEGER and size in (1, 2, 4, 8):
        dtype = f"{'int' if kind.get_sign() == h5t.SGN_2 else 'uint'}{8 * size}"
    elif code == h5t.FLOAT and kind.get_norm() == h5t.NORM_IMPLIED:
        dtype = _FLOATS.get((size, *kind.get_fields(), kind.get_ebias()), "")
    if dtype and order and dense:
        return dtype, order, dtype
    number = "integers" if code == h5t.INTEGER else "floats"
    return "", "", f"{number} of {kind.get_precision()} bits in {size} bytes"


def _is_bool(kind: Any) -> bool:
    """Whether it is the enumeration as which h5py writes truth values."""
    if kind.get_size() != 1 or _names(kind) != [b"FALSE", b"TRUE"]:
        return False
    return [kind.get_member_value(0), kind.get_member_value(1)] == [0, 1]


def _complex(h5t: Any, kind: Any) -> tuple[str, str, str] | None:
    """A compound of two equal floats side by side, as h5py writes complex numbers."""
    part, size = kind.get_member_type(0), kind.get_size()
    places = [kind.get_member_offset(0), kind.get_member_offset(1), size]
    if not part.equal(kind.get_member_type(1)) or places != [0, size // 2, 2 * part.get_size()]:
        return None
    dtype, order, _ = dtype_of(h5t, part)
    return (_COMPLEX[dtype], order, "complex numbers") if dtype in _COMPLEX else None


def _in_words(h5t: Any, kind: Any) -> str:
    code = kind.get_class()
    if code == h5t.OPAQUE:
        return "opaque"
    if code == h5t.COMPOUND:
        return f"compounds of {', '.join(map(text_of, _names(kind)[:10]))}"
    names = {
        h5t.STRING: "text",
        h5t.REFERENCE: "references",
        h5t.VLEN: "lists of various lengths",
        h5t.ENUM: "enumerated values",
        h5t.ARRAY: "small arrays",
        h5t.BITFIELD: "bit fields",
        h5t.TIME: "times",
    }
    return names.get(code, f"values of class {code}")


def _names(kind: Any) -> list[bytes]:
    """The names of the members of a compound or enumerated type."""
    return [kind.get_member_name(i) for i in range(min(kind.get_nmembers(), 100))]
