"""What every format of checkpoints must do, as checks that its own tests run.

    from paraminspect.testing import check_format

    def test_it_is_a_format(tmp_path):
        check_format(GGUF, tmp_path, write=write_gguf)

`write` makes a file with a library that is not ours, so that we do not only read what we wrote.
The checks need no test framework; with pytest each can be a case of its own:

    @pytest.mark.parametrize("check", FORMAT_CHECKS)
    def test_it_does_what_every_format_does(check, tmp_path):
        check(Specimen(GGUF, write_gguf), tmp_path)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from paraminspect.arrays import DTYPES, InMemory, block_ranges
from paraminspect.errors import CheckpointError
from paraminspect.formats import Format, Holds, open_checkpoint, save_checkpoint
from paraminspect.tree import Parameter, ParameterTree

Arrays = Mapping[str, np.ndarray[Any, Any]]

ARRAYS: Arrays = {
    "h.0.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "h.0.bias": np.arange(12, 16, dtype=np.float32),
    "h.10.weight": np.arange(16, 46, dtype=np.float64).reshape(2, 3, 5),
    "h.2.weight": np.arange(46, 50, dtype=np.int64),
}
TIES = {"lm_head.weight": "h.0.weight", "again": "h.0.weight"}
METADATA = {"licence": "MIT", "note": "naïve"}
SHAPES = ((3, 5), (), (0, 4), (1,))

INDICES: Mapping[tuple[int, ...], Sequence[Any]] = {
    (): [np.s_[()], np.s_[...]],
    (0,): [np.s_[:3]],
    (6, 2): [np.s_[-2:], np.s_[0:99], np.s_[::-1], np.s_[-99:2, ::-2], np.s_[5:1], np.s_[-1, -1]],
    (4, 0, 3): [np.s_[1:, ::-1]],
    (2, 3, 5): [np.s_[::-1, 1, 4:0:-2], np.s_[..., 0], np.s_[1]],
}
"""Shapes, and what readers of formats get wrong or refuse."""


@dataclass(frozen=True)
class Written:
    """A checkpoint that somebody wrote."""

    path: Path
    """What is opened."""
    files: Sequence[Path]
    """The files that hold values; the last of them is cut and changed."""


Write = Callable[[Path, Arrays, Mapping[str, str], Mapping[str, str]], Written]
"""Writes arrays, ties (alias to own name) and metadata into a folder."""


@dataclass(frozen=True)
class Specimen:
    """A format, who writes its files for the checks, and what this writer can write."""

    format: Format
    write: Write
    holds: Holds | None = None
    """Less than the format holds, if the writer cannot write all of it."""
    whole_at: frozenset[int] = field(default_factory=frozenset)
    """Sizes to which a file can be cut and still is whole."""

    @property
    def held(self) -> Holds:
        """What is checked."""
        return self.holds or self.format.holds

    def arrays(self) -> Arrays:
        """Those of `ARRAYS` whose dtype can be written."""
        return {n: a for n, a in ARRAYS.items() if a.dtype.name in self.held.dtypes}


def check_format(format_: Format, folder: Path, write: Write | None = None) -> None:
    """Run every check; `AssertionError` or the reader's own error for what fails.

    Without `write` the format's own saver makes the files.
    """
    specimen = Specimen(format_, write or saver_of(format_))
    for number, check in enumerate(FORMAT_CHECKS):
        (place := folder / f"{number}-{check.__name__}").mkdir()
        check(specimen, place)


def saver_of(format_: Format) -> Write:
    """A writer that is the format's own saver."""

    def write(
        folder: Path, arrays: Arrays, ties: Mapping[str, str], metadata: Mapping[str, str]
    ) -> Written:
        entries = {name: Parameter(name, InMemory(array)) for name, array in arrays.items()}
        entries |= {alias: Parameter(alias, entries[own].data) for alias, own in ties.items()}
        path = folder / f"model{format_.suffixes[0]}"
        save_checkpoint(ParameterTree(entries, ties, metadata), path, format_=format_.name)
        return Written(path, [path])

    return write


def arrays_are_read_as_they_were_written(specimen: Specimen, folder: Path) -> None:
    """Names, shapes, dtypes and values are those of the file."""
    arrays = specimen.arrays()
    tree = open_checkpoint(specimen.write(folder, arrays, {}, {}).path)
    assert tree.source.format == specimen.format.name
    assert set(tree) == set(arrays)
    for name, expected in arrays.items():
        assert tree[name].shape == expected.shape
        assert tree[name].dtype == DTYPES[expected.dtype.name]
        np.testing.assert_array_equal(tree[name].numpy(), expected, strict=True)


def dtypes_keep_their_bits(specimen: Specimen, folder: Path) -> None:
    """Each dtype that the format holds keeps its bits, the special values too, in any shape."""
    arrays = {
        f"{dtype}.a{i}": special_values(dtype.to_numpy(), shape)
        for dtype in (DTYPES[name] for name in sorted(specimen.held.dtypes))
        if not dtype.is_packed  # NumPy holds these in another way than files do
        for i, shape in enumerate(SHAPES)
    }
    tree = open_checkpoint(specimen.write(folder, arrays, {}, {}).path)
    for name, expected in arrays.items():
        assert str(tree[name].dtype) == name.partition(".")[0]
        assert tree[name].nbytes == expected.nbytes
        assert _bits(tree[name].numpy()) == _bits(expected), name


def special_values(dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Different values in every element, NaN and infinity among them where there are such."""
    size = int(np.prod(shape))
    numbers = np.arange(size) % 2 if dtype.kind == "b" else np.arange(size) - size // 2
    with np.errstate(all="ignore"):
        values = (numbers + (1j * numbers if dtype.kind == "c" else 0)).astype(dtype)
        if dtype.kind not in "biu" and size > 3:
            values[1], values[2] = np.nan, np.inf
    return values.reshape(shape)


def _bits(array: np.ndarray[Any, Any]) -> tuple[object, ...]:
    """The bytes of an array with its shape and dtype: NaN differs from itself, bits do not."""
    return array.shape, array.dtype, array.tobytes()


def slices_are_those_of_numpy(specimen: Specimen, folder: Path) -> None:
    """Any basic index gives what NumPy gives: negative, out of range, backwards, empty."""
    dtype = np.dtype("float32" if "float32" in specimen.held.dtypes else min(specimen.held.dtypes))
    arrays = {f"a{i}": special_values(dtype, shape) for i, shape in enumerate(INDICES)}
    tree = open_checkpoint(specimen.write(folder, arrays, {}, {}).path)
    for name, expected in arrays.items():
        for index in INDICES[expected.shape]:
            found = tree[name].data[index]
            np.testing.assert_array_equal(found, np.asarray(expected[index]), strict=True)


def blocks_make_up_the_array(specimen: Specimen, folder: Path) -> None:
    """Blocks of any size, read in any order, are the array; nothing read before changes."""
    arrays = specimen.arrays()
    tree = open_checkpoint(specimen.write(folder, arrays, {}, {}).path)
    kept = {name: tree[name].data.read(0, 4) for name in arrays}
    for nbytes in (8, 40, 1 << 20):
        for name, expected in arrays.items():
            ranges = list(block_ranges(tree[name].data, nbytes))
            blocks = {r: tree[name].data.read(*r).copy() for r in reversed(ranges)}
            joined = np.concatenate([blocks[r] for r in ranges])
            np.testing.assert_array_equal(joined, expected.reshape(-1), strict=True)
    for name, values in kept.items():
        np.testing.assert_array_equal(values, arrays[name].reshape(-1)[:4], strict=True)


def ties_are_seen_and_counted_once(specimen: Specimen, folder: Path) -> None:
    """Names of one array are tied, and it counts once."""
    if not specimen.held.ties:
        return
    arrays = specimen.arrays()
    tree = open_checkpoint(specimen.write(folder, arrays, TIES, {}).path)
    assert set(tree) == {*arrays, *TIES}
    groups = {frozenset({own, *tree.aliases(own)}) for own in tree.ties.values()}
    assert groups == {frozenset({"h.0.weight", *TIES})}
    for alias, own in TIES.items():
        np.testing.assert_array_equal(tree[alias].numpy(), arrays[own], strict=True)
    totals = tree.totals
    assert (totals.names, totals.arrays) == (len(arrays) + len(TIES), len(arrays))
    assert totals.count == sum(array.size for array in arrays.values())
    assert totals.nbytes == sum(array.nbytes for array in arrays.values())


def metadata_is_carried_through(specimen: Specimen, folder: Path) -> None:
    """Texts that others put beside the values are there, and are not taken for ties."""
    if not specimen.held.metadata:
        return
    tree = open_checkpoint(specimen.write(folder, specimen.arrays(), {}, METADATA).path)
    assert tree.with_metadata().metadata.items() >= METADATA.items()
    assert not tree.ties


def truncated_files_are_refused(specimen: Specimen, folder: Path) -> None:
    """A file that is cut anywhere is refused by its name."""
    written = specimen.write(folder, specimen.arrays(), {}, {})
    last = written.files[-1]
    whole = last.read_bytes()
    for size in sorted(
        {len(whole) - 1, *range(0, len(whole), max(61, len(whole) // 48))} - specimen.whole_at
    ):
        last.write_bytes(whole[:size])
        _refuses(lambda: open_checkpoint(written.path), last.name, f"cut to {size} bytes")


def files_may_be_released(specimen: Specimen, folder: Path) -> None:
    """A file that was closed to save descriptors is opened again by the next read."""
    arrays = specimen.arrays()
    tree = open_checkpoint(specimen.write(folder, arrays, {}, {}).path)
    _release(tree)
    for name, expected in arrays.items():
        np.testing.assert_array_equal(tree[name].numpy(), expected, strict=True)


def changed_files_are_not_read(specimen: Specimen, folder: Path) -> None:
    """Values of two versions of a file are never mixed, whether it is still open or not."""
    for released in (False, True):
        (place := folder / str(released)).mkdir()
        written = specimen.write(place, specimen.arrays(), {}, {})
        tree = open_checkpoint(written.path)
        if released:
            _release(tree)
        for file in written.files:
            content = bytearray(file.read_bytes())
            content[-1] ^= 1
            file.write_bytes(content)
            os.utime(file, ns=(0, 0))  # a clock may be too coarse to tell the moments apart
        for parameter in tree.values():
            _refuses(parameter.numpy, "has changed since it was opened", parameter.name)


def files_cut_short_are_errors_and_no_crash(specimen: Specimen, folder: Path) -> None:
    """A file that is cut after it was opened gives an error, as no memory map would."""
    written = specimen.write(folder, specimen.arrays(), {}, {})
    tree = open_checkpoint(written.path)
    for file in written.files:
        os.truncate(file, 10)
    for parameter in tree.values():
        _refuses(parameter.numpy, ": the file has changed", parameter.name)


def vanished_files_are_still_read(specimen: Specimen, folder: Path) -> None:
    """A file that is open stays readable when somebody removes it."""
    written = specimen.write(folder, specimen.arrays(), {}, {})
    tree = open_checkpoint(written.path)
    kept = {name: parameter.numpy() for name, parameter in tree.items()}
    for file in written.files:
        file.unlink()
    for name, expected in kept.items():
        np.testing.assert_array_equal(tree[name].numpy(), expected, strict=True)


def the_format_is_told_by_content(specimen: Specimen, folder: Path) -> None:
    """The name of a file does not matter."""
    written = specimen.write(folder, specimen.arrays(), {}, {})
    renamed = written.path.rename(folder / "weights.bin")
    assert set(open_checkpoint(renamed)) == set(specimen.arrays())


def a_folder_stands_for_the_checkpoint_in_it(specimen: Specimen, folder: Path) -> None:
    """A folder with one checkpoint is that checkpoint, under any name that ends as it should."""
    written = specimen.write(folder, specimen.arrays(), {}, {})
    assert set(open_checkpoint(folder)) == set(specimen.arrays())
    other = written.path.rename(folder / written.path.name.replace("model", "unet"))
    assert open_checkpoint(folder).source.path == str(other)


def links_are_followed(specimen: Specimen, folder: Path) -> None:
    """Files may be links, as in the caches of hubs."""
    (blobs := folder / "blobs").mkdir()
    (snapshot := folder / "snapshots").mkdir()
    written = specimen.write(snapshot, specimen.arrays(), {}, {})
    for number, file in enumerate({written.path, *written.files}):
        file.rename(blobs / str(number))
        file.symlink_to(f"../blobs/{number}")
    assert set(open_checkpoint(written.path)) == set(specimen.arrays())


FORMAT_CHECKS: tuple[Callable[[Specimen, Path], None], ...] = (
    arrays_are_read_as_they_were_written,
    dtypes_keep_their_bits,
    slices_are_those_of_numpy,
    blocks_make_up_the_array,
    ties_are_seen_and_counted_once,
    metadata_is_carried_through,
    truncated_files_are_refused,
    files_may_be_released,
    changed_files_are_not_read,
    files_cut_short_are_errors_and_no_crash,
    vanished_files_are_still_read,
    the_format_is_told_by_content,
    a_folder_stands_for_the_checkpoint_in_it,
    links_are_followed,
)
"""What every format must do, in words that are true of it."""


def _release(tree: ParameterTree) -> None:
    for parameter in tree.values():
        if (file := getattr(parameter.data, "file", None)) is not None:
            file.release()


def _refuses(call: Callable[[], object], what: str, when: str) -> None:
    """Assert that a call raises `CheckpointError` that says this."""
    try:
        call()
    except CheckpointError as error:
        refusal = str(error)
    else:
        refusal = "no error"
    assert what in refusal, f"{when}: expected an error with {what!r}, got {refusal}"
