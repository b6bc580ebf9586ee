"""What a format is: one record, which its folder gives and the table of formats lists."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from paraminspect.runtime import Progress

if TYPE_CHECKING:
    from paraminspect.formats.files._reading import RegularFile
    from paraminspect.tree import ParameterTree

FIRST_NBYTES = 4096
"""So many bytes are enough to recognise a file, an HDF5 file behind a user block too."""

Fits = Callable[[bytes], bool]
"""Whether something holds for a file that begins with these bytes."""


def never(_first: bytes) -> bool:
    """Fits no file."""
    return False


def always(_first: bytes) -> bool:
    """Fits every file."""
    return True


class Save(Protocol):
    """Writes a tree to a file, by `replacing` it; returns what is lost on the way, a line each.

    It raises before anything is written for what the format cannot hold. What the record says
    that the format does not hold is reported by `save_checkpoint`, not here.
    """

    def __call__(
        self, tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress
    ) -> list[str]: ...


@dataclass(frozen=True)
class Holds:
    """What a file of a format can hold besides names, shapes and values."""

    dtypes: frozenset[str]
    """The names of the dtypes that are read back as they were written."""
    ties: bool = False
    metadata: bool = False
    others: bool = False
    """Whether a writer keeps, or reports itself, what else was in the file of a tree: texts, the
    state of an optimizer."""


@dataclass(frozen=True)
class Format:
    """A format of checkpoints; functions are named as `module:function` and imported when used.

    A package that adds one names it in its entry points, in the group `paraminspect.formats`:

        >>> GGUF = Format(
        ...     name="gguf",
        ...     description="llama.cpp's format: quantized models in one file",
        ...     suffixes=(".gguf",),
        ...     fits=lambda first: first.startswith(b"GGUF"),
        ...     opener="paraminspect_gguf:open_gguf",
        ...     holds=Holds(frozenset(["float16", "float32"]), metadata=True),
        ... )
    """

    name: str
    """What users type, and the `format` of the trees that it gives."""
    description: str
    """One line for people who have not heard of it."""
    suffixes: tuple[str, ...]
    """How its files' names end: for finding one in a folder, and choosing a format to write."""
    fits: Fits
    """Whether a file that begins so is of this format. The name of a file does not matter."""
    opener: str
    """From the open file (`RegularFile`) to its tree; values are not read. Raises
    `CheckpointError`."""
    holds: Holds
    saver: str = ""
    """A `Save`; empty if the format is only read."""
    set_opener: str = ""
    """From a folder and its files, numbered as a set that no index names, to one tree."""
    may_fit: Fits = never
    """Whether the opener is asked about a file that begins so if it fits no format: it opens the
    file all the same, or says what it is instead."""

    def open(self, file: RegularFile) -> ParameterTree:
        """The tree of a file of this format."""
        tree: ParameterTree = _function(self.opener)(file)
        return tree

    def open_set(self, folder: Path, files: Sequence[Path]) -> ParameterTree:
        """The one tree of several files in a folder."""
        tree: ParameterTree = _function(self.set_opener)(folder, files)
        return tree

    @property
    def save(self) -> Save:
        """The function that writes the format."""
        save: Save = _function(self.saver)
        return save


def _function(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
