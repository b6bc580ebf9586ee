"""Files written whole or not at all: beside the target, made durable, then put in its place.

A crash, a kill or a power cut at any moment leaves the target as it was or wholly new. The new
file has no name while it is written (Linux), so that even a kill leaves no litter; elsewhere it
has a name that tells whose it is, and the next run removes it. The steps, in their order:

1. links are resolved once, and the folder is held open: later changes of paths do not matter;
2. the space is reserved, so that a full disk is known before any work;
3. the caller writes, and reads back what it wrote;
4. mode, owner, access list and attributes of the old file are kept, the new file is fsynced;
5. inputs must be as they were when opened;
6. the new file takes the name, and the folder is fsynced. Only now it is done.

A failed fsync is never retried: the system has dropped what it could not write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paraminspect.errors import CheckpointError
from paraminspect.formats.files._folder import exists_already, open_folder
from paraminspect.formats.files._new_file import NewFile, new_file
from paraminspect.formats.files._signals import ending_on_signals
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import SourceFile


@contextmanager
def replacing(
    path: Path,
    nbytes: int,
    *,
    inputs: Iterable[SourceFile] = (),
    overwrite: bool = True,
    progress: Progress = unwatched,
) -> Iterator[NewFile]:
    """A new file of `nbytes` bytes that is put at `path` when the block ends without an error.

    `inputs` are the files that it is made of: if one has changed by then, nothing is put there.
    `progress` is called with the number of bytes just written.
    Without `overwrite` a file that is there, or appears meanwhile, is left alone. Raises
    `CheckpointError` with the target untouched, `DurabilityError` with the new file in place.
    """
    resolved = Path(os.path.realpath(path))
    with ending_on_signals(), open_folder(resolved.parent, path) as folder:
        old = folder.regular_file(resolved.name)
        if old is not None and not overwrite:
            raise exists_already(path)
        with new_file(folder, resolved.name, nbytes, old, progress) as new:
            yield new
            new.seal(old)
            with folder.locked():
                check_unchanged(inputs)
                new.put(resolved.name, overwrite)
            folder.sync()


def check_unchanged(inputs: Iterable[SourceFile]) -> None:
    """Raise `CheckpointError` unless every file is still what it was when it was opened."""
    for file in inputs:
        if file.has_changed():
            raise CheckpointError("the file changed while it was read; nothing was written").at(
                file.path
            )
