"""The records of safetensors: one file, and shards with an index."""

from __future__ import annotations

from paraminspect.formats._format import Format, Holds, always
from paraminspect.formats._signatures import is_json

MAXIMUM_HEADER_NBYTES = 100_000_000
"""The limit of the format: eight bytes of text never are a length below it."""

FRAMEWORK_KEY = "format"
"""The metadata key that writers set to the framework of the values: `pt`, `tf`, `mlx`, ..."""

DTYPE_NAMES = {
    "BOOL": "bool",
    "F4": "float4_e2m1fn",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "C64": "complex64",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}
"""Our names of the dtypes of the format by the code that the header writes. C64 has 64 bits an
element."""

SUFFIX = ".safetensors"
INDEX_SUFFIX = ".safetensors.index.json"

_HOLDS = Holds(frozenset(DTYPE_NAMES.values()), ties=True, metadata=True)


def _begins_with_header(first: bytes) -> bool:
    length = int.from_bytes(first[:8], "little")
    return first[8:9] == b"{" and 0 < length <= MAXIMUM_HEADER_NBYTES


def _is_index(first: bytes) -> bool:
    return is_json(first) and (b'"weight_map"' in first or b'.safetensors"' in first)


SAFETENSORS = Format(
    name="safetensors",
    description="Hugging Face's format: a JSON header, then the values",
    suffixes=(SUFFIX,),
    fits=_begins_with_header,
    opener="paraminspect.formats.safetensors._reading:open_safetensors",
    saver="paraminspect.formats.safetensors._writing:save_safetensors",
    set_opener="paraminspect.formats.safetensors._shards_reading:open_shards",
    holds=_HOLDS,
    may_fit=always,
)

SHARDED = Format(
    name="safetensors-sharded",
    description="safetensors in several files, with an index or without",
    suffixes=(INDEX_SUFFIX,),
    fits=_is_index,
    opener="paraminspect.formats.safetensors._shards_reading:open_sharded",
    saver="paraminspect.formats.safetensors._shards_writing:save_sharded",
    holds=_HOLDS,
    may_fit=is_json,
)

FORMATS = (SHARDED, SAFETENSORS)
