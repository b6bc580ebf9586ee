"""What the library calls an argument, and what the command line has for it."""

from __future__ import annotations

import shlex

OPTIONS = {
    "dequantize": "slice --dequantize or convert --dtype",
    "dtype": "--dtype DTYPE",
    "exclude": "--exclude PATTERN",
    "format": "--format FORMAT",
    "layout": "--layout out_in|in_out",
    "max_shard_nbytes": "--max-shard-size SIZE",
    "missing_from": "--missing-from DEFINITION",
    "optimizer": "--optimizer with list, slice or diff",
    "overwrite": "--force",
    "rng": "--rng NAME",
    "rules": "--rule PATTERN=SCHEME",
    "unsafe": "--cast unsafe",
    "void_dtype": "convert --void-dtype DTYPE",
}
"""Argument to option, with what stands for a value that the user has to choose."""


def spell_option(argument: str, value: object) -> str:
    """`--rng native` for `rng="native"`, `--force` for `overwrite=True`."""
    option = OPTIONS[argument]
    if value is ... or value is True:
        return option
    values = value if isinstance(value, list | tuple) else [value]
    return " ".join(f"{option.rpartition(' ')[0]} {shlex.quote(str(one))}" for one in values)
