"""Folders: which file in a folder is the checkpoint that a user means by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paraminspect.checkpoint._files import reason
from paraminspect.errors import CheckpointError

MODEL = "model"
"""The name that hubs and libraries give to the file of a model: of several files it is meant."""

SHOWN = 5
"""So many names are listed where one has to be chosen."""


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; where nobody may look is none, as opening it will tell."""
    try:
        return path.is_dir()
    except OSError:
        return False


def files_ending_in(folder: Path, suffixes: Sequence[str]) -> list[str]:
    """The names of files in a folder that end in one of the suffixes, sorted."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot open: {reason(error)}") from None
    return sorted(name for name in names if name.endswith(tuple(suffixes)))


def choose_file(folder: Path, suffixes: Sequence[str]) -> Path:
    """The one checkpoint in a folder; none or several are a `CheckpointError`.

    An index (`*.json`) stands for the shards beside it.
    """
    found = files_ending_in(folder, suffixes)
    standard = [name for name in found if name in {MODEL + suffix for suffix in suffixes}]
    indices = [name for name in found if name.endswith(".json")]
    meant = standard or indices or found
    if len(meant) == 1:
        return folder / meant[0]
    if not meant:
        known = ", ".join(f"*{suffix}" for suffix in suffixes)
        raise CheckpointError(f"{folder}: the folder holds no checkpoint ({known})")
    names = ", ".join(meant[:SHOWN]) + (", ..." if len(meant) > SHOWN else "")
    raise CheckpointError(
        f"{folder}: the folder holds {len(meant)} checkpoints: name one of {names}"
    )
