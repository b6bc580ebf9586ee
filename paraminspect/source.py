"""Sources: any path that a user names becomes a tree: a definition, a checkpoint, a folder, `-`."""

from __future__ import annotations

import sys
from pathlib import Path

from paraminspect.errors import CheckpointError, DefinitionError
from paraminspect.tree import ParameterTree

DEFINITION_SUFFIXES = (".yaml", ".yml")
DEFINITION_NAME = "model.yaml"
MAXIMUM_NBYTES = (1 << 20) + 1
"""Read at most this much of a definition: one byte over the limit is enough to refuse it."""


def open_source(path: str | Path) -> ParameterTree:
    """The tree of a definition (YAML), a checkpoint (file or folder), or `-` (a definition).

        >>> import paraminspect as pi
        >>> pi.open("sample_models/mlp.yaml")["2.bias"]
        Parameter('2.bias', [1], float32)

    No values are read. Raises `DefinitionError` and `CheckpointError` for what is neither.
    """
    path = str(path)
    if path == "-":
        text = sys.stdin.buffer.read(MAXIMUM_NBYTES)
        if b"\0" in text:  # in the lengths of every checkpoint, and never in a definition
            raise DefinitionError("-: not a definition; a checkpoint is named, not piped")
        return _load(text, "-")
    where = Path(path)
    if where.suffix in DEFINITION_SUFFIXES:
        return _load(_read_text(where), path)
    from paraminspect.formats import files_in_folder, open_checkpoint

    if files_in_folder(where) == [] and (where / DEFINITION_NAME).is_file():
        return _load(_read_text(where / DEFINITION_NAME), str(where / DEFINITION_NAME))
    return open_checkpoint(where)


def _read_text(path: Path) -> bytes:
    from paraminspect.formats.files._reading import open_regular

    try:
        file = open_regular(path)
    except CheckpointError as error:
        raise DefinitionError(str(error)) from None
    return file.read(0, min(file.size, MAXIMUM_NBYTES))


def _load(text: bytes, source: str) -> ParameterTree:
    from paraminspect.definition import load_definition

    return load_definition(text, source)
