"""Checkpoints: any file or folder with values, its format told by its content."""

from paraminspect.formats._opening import (
    FORMATS,
    check_values,
    files_in_folder,
    open_array,
    open_checkpoint,
    write_file,
)
from paraminspect.formats._saving import (
    SHARDED,
    WRITTEN_NAMES,
    check_target,
    choose_format,
    named_format,
    save_checkpoint,
)

__all__ = [
    "FORMATS",
    "SHARDED",
    "WRITTEN_NAMES",
    "check_target",
    "check_values",
    "choose_format",
    "files_in_folder",
    "named_format",
    "open_array",
    "open_checkpoint",
    "save_checkpoint",
    "write_file",
]
