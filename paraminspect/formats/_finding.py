"""Folders: which file in a folder is the checkpoint that a user means by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from paraminspect.errors import CheckpointError
from paraminspect.formats._foreign import foreign_file, foreign_folder
from paraminspect.formats._format import FIRST_NBYTES, Format
from paraminspect.formats._table import FORMATS
from paraminspect.formats.files._descriptors import reason
from paraminspect.formats.files._reading import open_regular

MODEL = "model"
"""The name that hubs and libraries give to the file of a model: of several files it is meant."""

SHOWN = 5
"""So many names are listed where one has to be chosen."""

_SHARD = re.compile(r"(?P<stem>.*?)(?P<number>\d{1,6})-of-(?P<count>\d{1,6})(?P<ending>\D.*)?")
"""`model-00001-of-00003.safetensors`, as transformers, diffusers and others name shards."""


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; where nobody may look is none, as opening it will tell."""
    try:
        return path.is_dir()
    except OSError:
        return False


def names_of_checkpoints(folder: Path) -> list[str]:
    """The names of files in a folder that end as those of a format do, sorted."""
    names = _names(folder)
    for formats in (FORMATS.ours, FORMATS):
        if found := _ending_in(names, _suffixes(formats.values())):
            return found
    return []


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise CheckpointError(f"cannot open: {reason(error)}").at(folder) from None


def _suffixes(formats: Iterable[Format]) -> tuple[str, ...]:
    return tuple(suffix for format_ in formats for suffix in format_.suffixes)


def _ending_in(names: Iterable[str], suffixes: tuple[str, ...]) -> list[str]:
    return [name for name in names if name.endswith(suffixes)]


def choose_files(folder: Path) -> list[Path]:
    """The one checkpoint in a folder; none or several are a `CheckpointError`.

    An index (`*.json`) stands for the shards beside it. Without one, files that are numbered as
    one set are all given, in their order, if their format has sets.
    """
    found = names_of_checkpoints(folder)
    standard = [name for name in found if _is_standard(name)]
    indices = [name for name in found if name.endswith(".json")]
    meant = standard or indices or found
    if shards := _one_set(folder, meant):
        return [folder / name for name in shards]
    if len(meant) == 1:
        return [folder / meant[0]]
    if not meant:
        if foreign := _foreign(folder):
            raise foreign
        known = ", ".join(f"*{suffix}" for suffix in _suffixes(FORMATS.values()))
        raise CheckpointError(f"the folder holds no checkpoint ({known})").at(folder)
    names = ", ".join(meant[:SHOWN]) + (", ..." if len(meant) > SHOWN else "")
    raise CheckpointError(f"the folder holds {len(meant)} checkpoints: name one of {names}").at(
        folder
    )


def _foreign(folder: Path) -> CheckpointError | None:
    """The error for a folder that is, or holds, a checkpoint of a format that is not read."""
    names = _names(folder)
    if error := foreign_folder(folder, names):
        return error
    for name in names:
        with suppress(CheckpointError):
            file = open_regular(folder / name)
            if error := foreign_file(file.path, file.read(0, min(file.size, FIRST_NBYTES))):
                return error
    return None


def _is_standard(name: str) -> bool:
    """Whether a file has the name that hubs and libraries give to the file of a model."""
    format_ = FORMATS.named(name)
    return format_ is not None and name in [MODEL + suffix for suffix in format_.suffixes]


def _is_of_sets(name: str) -> bool:
    """Whether files of such a name may be parts of a model that no index names."""
    format_ = FORMATS.named(name)
    return format_ is not None and format_.set_opener != ""


def _one_set(folder: Path, names: Sequence[str]) -> list[str]:
    """The names in the order of their numbers if all are of one set; [] if they are not.

    A set that is not whole is a `CheckpointError`: what it holds would be taken for the model.
    """
    if not all(map(_is_of_sets, names)):
        return []
    found = [_SHARD.fullmatch(name) for name in names]
    shards = {int(match["number"]): match for match in found if match}
    kinds = {(match["stem"], match["count"], match["ending"]) for match in found if match}
    if len(kinds) != 1 or len(shards) != len(names):
        return []
    ((stem, total, ending),) = kinds
    first = 0 if 0 in shards else 1
    width = len(next(iter(shards.values()))["number"])
    wanted = {n: f"{stem}{n:0{width}}-of-{total}{ending}" for n in range(first, first + int(total))}
    if not shards.keys() <= wanted.keys():
        return []
    missing = [name for number, name in wanted.items() if number not in shards]
    if missing:
        some = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        raise CheckpointError(f"{len(missing)} of {int(total)} shards missing: {some}").at(folder)
    return [shards[number].string for number in sorted(shards)]
