"""Files of Keras written: a copy of the file that a tree came from, with what has changed.

All else in it stays as it was: the layout, the optimizer's state, attributes, other members of an
archive. A definition tells the layout of a new weights file.

Values that lie contiguously are written in their places here; libhdf5, in a process of its own,
changes links and writes what it alone can encode, in the copy and never in the original.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

from paraminspect.arrays import Array, block_ranges
from paraminspect.errors import CheckpointError, DefinitionError
from paraminspect.formats._losses import left_out
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import RegularFile, is_same_file
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._transfer import Placed, transfer
from paraminspect.formats.hdf5._chunks import boxes
from paraminspect.formats.hdf5._contents import Contents, Dataset, HDF5Source
from paraminspect.formats.hdf5._origin import Edits, Origin
from paraminspect.formats.hdf5._tree import resolve_links
from paraminspect.formats.hdf5._writing import SECONDS, Target, read_back, save_hdf5
from paraminspect.formats.keras._format import CONFIG, WEIGHTS
from paraminspect.formats.keras._trees import weights_tree
from paraminspect.formats.zip import MemberBytes, NewArchive
from paraminspect.formats.zip._finishing import finish_archive
from paraminspect.libhdf5.process import GARBAGE, Extent, Library
from paraminspect.runtime import Progress, unwatched
from paraminspect.tree import ParameterTree
from paraminspect.tree.placement import Placement

PIECE_NBYTES = 1 << 20
KERAS_SUFFIX = ".weights.h5"
LAID_OUT_OTHERWISE = "not laid out as Keras does"
WAY_OUT = "write *.safetensors, or *.h5 as plain HDF5"


def save_h5(
    tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress = unwatched
) -> list[str]:
    """Write a copy of the tree's Keras file, or of the weights in its archive; else a new file."""
    origin = tree.source.origin
    if not isinstance(origin, Origin) or len(origin.parts) != 1:
        return _save_new(tree, path, "", overwrite=overwrite, progress=progress)
    reason, lost = origin.why_not(tree), []
    if reason and is_same_file(path, Path(tree.source.path)):
        raise CheckpointError(f"it would lose what else is in it: {reason}; write another file").at(
            path
        )
    if not reason and _names_stand_in_config(origin):
        elsewhere = f"the names of its layers stand in {CONFIG} alone"
        if path.name.endswith(KERAS_SUFFIX):
            lost = [f"{path} lists parameters as they are stored: {elsewhere}"]
        else:
            reason = elsewhere
    if reason:
        less = (
            "without what attributes tell" if tree.source.format == "hdf5" else LAID_OUT_OTHERWISE
        )
        why = f", {less}: {reason}"
        return _save_new(tree, path, why, overwrite=overwrite, progress=progress)
    contents = origin.parts[0]
    edits = origin.edits(tree)
    start, size = _whole(contents, origin)
    with replacing(
        path, size, inputs=tree.source.files, overwrite=overwrite, progress=progress
    ) as new:
        _copy_bytes(contents.file, start, size, new, 0)
        _edit(contents, edits, new, path, contents.library.extent.base - start)
    return lost


def _save_new(
    tree: ParameterTree, path: Path, why: str, *, overwrite: bool, progress: Progress
) -> list[str]:
    """Write a weights file if its name wants one and a definition tells how; else plain HDF5.

    `why` it is plain, as far as it is known.
    """
    placement, why_not = _placement(tree, path)
    lost = save_hdf5(tree, path, overwrite=overwrite, placement=placement, progress=progress)
    why = why or why_not
    told = [f"{path} is plain HDF5{why}"] if why and placement is None else []
    return [*told, *lost, *left_out(tree)]


def _placement(tree: ParameterTree, path: Path) -> tuple[Placement | None, str]:
    """Where a new weights file keeps the model, or why there is no such file."""
    if not path.name.endswith(KERAS_SUFFIX):
        return None, ""
    if tree.architecture.placement is None:
        return None, ": Keras loads weights only from its own layout"
    try:
        placement = tree.architecture.placement()
    except DefinitionError as error:
        return None, f", {LAID_OUT_OTHERWISE}: {error}"
    odd = sorted(placement.paths.keys() ^ tree.entries.keys())
    if odd:
        return None, f", {LAID_OUT_OTHERWISE}: the definition and the values differ in {odd[0]!r}"
    return placement, ""


def save_keras(
    tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress = unwatched
) -> list[str]:
    """Write a copy of the archive that the tree came from; its weights come last in it."""
    origin = tree.source.origin
    if not isinstance(origin, Origin) or origin.archive is None:
        loads = tree.architecture.placement is not None
        way_out = f"write *{KERAS_SUFFIX}, which the model loads" if loads else WAY_OUT
        raise CheckpointError(f"a .keras archive is only made from another: {way_out}").at(path)
    reason = origin.why_not(tree)
    if reason:
        raise CheckpointError(f"the archive cannot be changed so: {reason}; {WAY_OUT}").at(path)
    archive, contents = origin.archive, origin.parts[0]
    start, size = _whole(contents, origin)
    sizes = {name: m.nbytes for name, m in archive.members.items() if name != WEIGHTS}
    layout = NewArchive({**sizes, WEIGHTS: size})
    with replacing(
        path, layout.nbytes, inputs=tree.source.files, overwrite=overwrite, progress=progress
    ) as new:
        for name, nbytes in sizes.items():
            member = archive.open(archive.members[name])
            _copy_bytes(member, 0, nbytes, new, layout.members[name].offset)
        at = layout.members[WEIGHTS].offset
        _copy_bytes(contents.file, start, size, new, at)
        inside = contents.library.extent.base - start
        end = _edit(contents, origin.edits(tree), new, path, at + inside)
        layout = NewArchive({**sizes, WEIGHTS: end - at})
        new.reserve(layout.nbytes)
        finish_archive(new, layout)
    return []


def save_sharded_weights(
    tree: ParameterTree, path: Path, *, overwrite: bool, progress: Progress = unwatched
) -> list[str]:
    """Write the one shard that has changed; its index stays as it is."""
    origin = tree.source.origin
    if not isinstance(origin, Origin) or not is_same_file(path, Path(tree.source.path)):
        raise CheckpointError(f"sharded weights are only changed in place: {WAY_OUT}").at(path)
    reason = origin.why_not(tree)
    if reason:
        raise CheckpointError(f"the shards cannot be changed so: {reason}; {WAY_OUT}").at(path)
    edits = origin.edits(tree)
    if edits.links or edits.untied:
        raise CheckpointError(f"ties across shards are not written: {WAY_OUT}").at(path)
    changed = [part for part in origin.parts if part.datasets.keys() & edits.values.keys()]
    if len(changed) > 1:
        names = ", ".join(part.source.path.name for part in changed)
        raise CheckpointError(
            f"{names} would change, and two files cannot be replaced at once: {WAY_OUT}"
        ).at(path)
    for contents in changed:
        shard = contents.source.path
        with replacing(
            shard,
            contents.file.size,
            inputs=tree.source.files,
            overwrite=overwrite,
            progress=progress,
        ) as new:
            _copy_bytes(contents.file, 0, contents.file.size, new, 0)
            _edit(contents, edits, new, shard, contents.library.extent.base)
    return []


def _names_stand_in_config(origin: Origin) -> bool:
    """Whether the weights of an archive, on their own, would be listed under other names."""
    if origin.archive is None:
        return False
    try:
        alone = weights_tree(origin.parts).source.origin
    finally:
        origin.parts[0].library.stop()
    return not isinstance(alone, Origin) or alone.entries.keys() != origin.entries.keys()


def _whole(contents: Contents, origin: Origin) -> tuple[int, int]:
    """Where the HDF5 file lies in what holds it, with its user block: `(start, bytes)`."""
    if origin.archive is not None and contents.file is origin.archive.file:
        member = origin.archive.members[WEIGHTS]
        return member.offset, member.nbytes
    return 0, contents.file.size


def _copy_bytes(
    source: HDF5Source | MemberBytes, start: int, nbytes: int, new: NewFile, at: int
) -> None:
    if isinstance(source, RegularFile):
        new.copy(source, start, nbytes, at)
        return
    piece = bytearray(PIECE_NBYTES)
    for done in range(0, nbytes, PIECE_NBYTES):
        view = memoryview(piece)[: min(PIECE_NBYTES, nbytes - done)]
        source.pread_into(view, start + done)
        new.write(view, at + done)


def _edit(contents: Contents, edits: Edits, new: NewFile, path: Path, base: int) -> int:
    """Change the copy at byte `base` of a new file; the byte after its end."""
    expected = {name: (d.shape, d.dtype, d.itemsize) for name, d in contents.datasets.items()}
    target = Target(new, path)
    extent = Extent(base, contents.library.extent.size)
    expected |= {alias: expected[own] for alias, own in edits.added}
    if edits.untied or edits.links or edits.added:
        editor = Library(target, extent, "Editor")
        editor.ask("untie", SECONDS, paths=edits.untied)
        editor.ask("tie", SECONDS, links=edits.links)
        editor.ask("add", SECONDS, links=edits.added)
        extent = _close(editor)
        contents = _read_back(new, extent)
    elsewhere = _write_in_place(contents, edits, new, base)
    if elsewhere:
        editor = Library(target, extent, "Editor")
        for name, array in elsewhere.items():
            _write_through(editor, contents.datasets[name], array)
        extent = _close(editor)
    found = _read_back(new, extent)
    if {name: (d.shape, d.dtype, d.itemsize) for name, d in found.datasets.items()} != expected:
        raise new.misread()
    for alias, own in (*edits.links, *edits.added):
        if found.datasets[alias].address != found.datasets[own].address:
            raise CheckpointError(f"{alias!r} and {own!r} are not one dataset").at(path)
    return extent.base + extent.size


def _close(editor: Library) -> Extent:
    size, _ = editor.ask("close", SECONDS)
    editor.stop()
    if type(size) is not int or size < 0:
        raise editor.error(GARBAGE)
    return Extent(editor.extent.base, size)


def _read_back(new: NewFile, extent: Extent) -> Contents:
    contents = read_back(new, extent)
    contents.library.stop()
    resolve_links(contents)
    return contents


def _write_in_place(contents: Contents, edits: Edits, new: NewFile, base: int) -> dict[str, Array]:
    """Write the values whose places are known here; those that are left."""
    placed, left = [], {}
    for name, array in edits.values.items():
        dataset = contents.datasets[name]
        if dataset.chunk is not None or dataset.offset is None or dataset.byteorder == ">":
            left[name] = array
        else:
            placed.append(Placed(array, base + dataset.offset))
    transfer(placed, new)
    return left


def _write_through(editor: Library, dataset: Dataset, array: Array) -> None:
    """Let the library write values that are compressed, big-endian, or have no place yet."""
    for start, stop in block_ranges(array):
        values = array.read(start, stop)
        if dataset.byteorder == ">":
            values = values.astype(values.dtype.newbyteorder(">"))
        raw = values.tobytes()
        for at, begin, count in boxes(dataset.shape, start, stop):
            first = at * dataset.itemsize
            payload = raw[first : first + prod(count) * dataset.itemsize]
            editor.ask("write", SECONDS, payload, path=dataset.path, start=begin, count=count)
