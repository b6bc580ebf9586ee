"""Several files and the index that names them, replaced so that all become new at once.

Renaming one file is atomic, renaming several is not; but readers go by the index, and that is one
file. So no file that the present index names is touched before another index has taken over:

1. new files are written without a name, made durable, and given temporary names beside the rest;
2. the index is replaced by one that names these: from here on the set is the new one;
3. the new files take their final names too, as hard links, where nothing points to any more;
4. the index is replaced by the final one;
5. temporary names, and files that the set no longer has, are removed.

A kill or a power cut between any two steps leaves an index all of whose files are there, of one
and the same version. If it falls between 2 and 4, the new set stands under its temporary names;
the next run that edits the set gives it the final ones.

Many files get their temporary names as soon as they are written, and are closed: a system may allow
few open ones. The first of them stays open and locked, which tells that the run is alive.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from paraminspect.errors import CheckpointError, DurabilityError
from paraminspect.formats.files._descriptors import reason
from paraminspect.formats.files._folder import TEMPORARY_SUFFIX, Folder, exists_already, open_folder
from paraminspect.formats.files._new_file import NewFile, new_file
from paraminspect.formats.files._replacing import check_unchanged
from paraminspect.formats.files._signals import ending_on_signals, uninterrupted
from paraminspect.runtime import Progress
from paraminspect.tree import SourceFile

MOST_OPEN = 8
"""So many new files stay open, without a name, until all of them are written."""

_TEMPORARY = re.compile(re.escape(TEMPORARY_SUFFIX) + r"-[0-9a-f]{8}(?=\.[^.]+$)")
"""The mark of a temporary name; all of one run have the same."""


def final_name(name: str) -> str:
    """The name of a file of a set without what makes it a temporary one."""
    return _TEMPORARY.sub("", name)


@dataclass(frozen=True)
class NewSet:
    """What is to become of the files of a folder."""

    index_name: str
    index_suffix: str
    """Ends the names of all indices, of other sets in the folder too."""
    index: Callable[[Mapping[str, str]], bytes]
    """The index, given the present names of those files that do not have their final ones yet."""
    sizes: Mapping[str, int]
    """Final name to number of bytes of each file that has to be written."""
    fill: Callable[[str, NewFile], None]
    """Writes the file of a name."""
    misnamed: Mapping[str, str] = field(default_factory=dict)
    """Final to present name of files that a killed run has left under temporary names."""
    dropped: frozenset[str] = frozenset()
    """Names of files that the set has no more."""


def replace_set(
    new: NewSet,
    path: Path,
    inputs: Iterable[SourceFile],
    *,
    overwrite: bool,
    progress: Progress,
) -> None:
    """Make a set of files new at once; `path` is the index, as errors name it.

    `progress` is called with the number of bytes just written.

    Raises `CheckpointError` with the set untouched, `DurabilityError` with the new one in place.
    """
    with ending_on_signals(), open_folder(path.parent, path) as folder, ExitStack() as stack:
        _check_names(folder, new, overwrite)
        _remove_leftovers(folder, new.index_suffix)
        temporary: dict[str, str] = {}
        with _removed_on_failure(folder, temporary, new.index_suffix):
            mark = f"{TEMPORARY_SUFFIX}-{os.urandom(4).hex()}"
            files = _write(folder, new, mark, temporary, stack, progress)
            stack.enter_context(folder.locked())
            stack.enter_context(uninterrupted())
            check_unchanged(inputs)
            _check_presence(folder, temporary.values())
            for name in files.keys() - temporary.keys():
                _name_temporarily(files[name], name, mark, temporary)
            folder.sync()
            _put_index(folder, new, {**new.misnamed, **temporary}, overwrite)
        _finish(folder, new, files, {**new.misnamed, **temporary})


def _check_names(folder: Folder, new: NewSet, overwrite: bool) -> None:
    for name in (new.index_name, *new.sizes, *new.misnamed):
        if (folder.path / name).is_symlink():
            raise CheckpointError(
                f"{name} is a link, as in a hub's cache: files that change together"
                " cannot be replaced through links; write to another folder"
            ).at(folder.shown)
        if folder.regular_file(name) is not None and not overwrite:
            raise exists_already(folder.path / name)


def _write(
    folder: Folder,
    new: NewSet,
    mark: str,
    temporary: dict[str, str],
    stack: ExitStack,
    progress: Progress,
) -> dict[str, NewFile]:
    """Write the new files; those that stay open. `temporary` learns the names of all others."""
    files: dict[str, NewFile] = {}
    are_many = len(new.sizes) > MOST_OPEN
    for name, nbytes in new.sizes.items():
        with ExitStack() as until_named:
            old = folder.regular_file(name)
            file = until_named.enter_context(new_file(folder, name, nbytes, old, progress))
            new.fill(name, file)
            file.seal(old)
            if are_many:
                _name_temporarily(file, name, mark, temporary)
            if not are_many or not files:
                files[name] = file
                stack.push(until_named.pop_all())
    return files


def _name_temporarily(file: NewFile, name: str, mark: str, temporary: dict[str, str]) -> None:
    path = Path(name)
    temporary[name] = path.stem + mark + path.suffix
    file.link(temporary[name])


@contextmanager
def _removed_on_failure(
    folder: Folder, temporary: Mapping[str, str], index_suffix: str
) -> Iterator[None]:
    """Remove temporary files if the block fails, unless an index names them already."""
    try:
        yield
    except BaseException:
        _remove(folder, _unnamed(folder, temporary.values(), index_suffix))
        raise


def _check_presence(folder: Folder, temporary: Iterable[str]) -> None:
    """An index may not name what another program has removed meanwhile."""
    for name in temporary:
        if folder.regular_file(name) is None:
            raise CheckpointError(f"{name} was removed meanwhile").at(folder.shown)


def _put_index(folder: Folder, new: NewSet, names: Mapping[str, str], overwrite: bool) -> None:
    text = new.index(names)
    old = folder.regular_file(new.index_name)
    with new_file(folder, new.index_name, len(text), old) as file:
        file.write(text, 0)
        file.seal(old)
        file.put(new.index_name, overwrite)


def _finish(
    folder: Folder, new: NewSet, files: Mapping[str, NewFile], temporary: Mapping[str, str]
) -> None:
    """Steps 3 to 5; the set is new already, whatever happens here."""
    try:
        folder.sync()
        for name, present in temporary.items():
            if name in files:
                files[name].put(name, overwrite=True)
            else:
                folder.replace_by_link(present, name)
        if temporary:
            folder.sync()
            _put_index(folder, new, {}, overwrite=True)
            folder.sync()
        _remove(folder, [*temporary.values(), *new.dropped])
        folder.sync()
    except DurabilityError:
        raise
    except (CheckpointError, OSError) as error:
        text = reason(error) if isinstance(error, OSError) else str(error)
        raise DurabilityError(
            f"the new values are in place, but not all files have their names"
            f" yet; the next edit in place gives them these: {text}"
        ).at(folder.shown) from None


def _remove(folder: Folder, names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):
            folder.remove(name)


def _remove_leftovers(folder: Folder, index_suffix: str) -> None:
    """Remove temporary files of killed runs; a living run holds a lock on one of its own."""
    left = [path.name for path in folder.path.iterdir() if _TEMPORARY.search(path.name)]
    for name in _unnamed(folder, left, index_suffix):
        mark = _mark_of(name)
        if not any(folder.is_locked(other) for other in left if _mark_of(other) == mark):
            folder.remove_unless_locked(name)


def _mark_of(name: str) -> str:
    found = _TEMPORARY.search(name)
    return found[0] if found else ""


def _unnamed(folder: Folder, temporary: Iterable[str], index_suffix: str) -> list[str]:
    """Those temporary files that no index in the folder names."""
    marks = {name: _mark_of(name) for name in temporary}
    if not marks:
        return []
    indices = [path for path in folder.path.iterdir() if path.name.endswith(index_suffix)]
    text = b"".join(path.read_bytes() for path in indices)
    return [name for name, mark in marks.items() if mark and mark.encode() not in text]
