"""Checkpoints: any file or folder with values, whose format its first bytes tell."""

from paraminspect.formats._format import Fits, Format, Holds, Save
from paraminspect.formats._opening import files_in_folder, open_array, open_checkpoint
from paraminspect.formats._saving import (
    check_target,
    check_values,
    choose_format,
    named_format,
    save_checkpoint,
    write_file,
    written_names,
)
from paraminspect.formats._table import FORMATS

__all__ = [
    "FORMATS",
    "Fits",
    "Format",
    "Holds",
    "Save",
    "check_target",
    "check_values",
    "choose_format",
    "files_in_folder",
    "named_format",
    "open_array",
    "open_checkpoint",
    "save_checkpoint",
    "write_file",
    "written_names",
]
