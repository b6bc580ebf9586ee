"""What the library calls an argument, and what the command line has for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from paraminspect.cli.new_files import warn
from paraminspect.tree import Parameter

OPTIONS = {
    "dequantize": "slice --dequantize or convert --dtype",
    "dtype": "--dtype DTYPE",
    "exclude": "--exclude PATTERN",
    "format": "--format FORMAT",
    "layout": "--layout out_in|in_out",
    "max_shard_nbytes": "--max-shard-size SIZE",
    "missing_from": "--missing-from DEFINITION",
    "optimizer": "--optimizer",
    "overwrite": "--force",
    "rng": "--rng NAME",
    "rules": "--rule PATTERN=SCHEME",
    "unsafe": "--cast unsafe",
    "void_dtype": "convert --void-dtype DTYPE",
}
"""Argument to option, with what stands for a value that the user has to choose."""


def tell_codes(parameters: Iterable[Parameter], source: str = "") -> None:
    """Say of those parameters that are quantized that their values are codes, not weights."""
    from paraminspect.operations.quantization import notes

    before = source and f"{source}: "
    warn(before + note for note in notes(parameters, spell_option))


def spell_option(argument: str, value: object) -> str:
    """`--rng native` for `rng="native"`, `--force` for `overwrite=True`."""
    option = OPTIONS[argument]
    if value is ... or value is True:
        return option
    values = value if isinstance(value, list | tuple) else [value]
    return " ".join(f"{option.rpartition(' ')[0]} {shlex.quote(str(one))}" for one in values)
