"""What is written is what was meant, whole or not at all, with everything else kept."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from trees import tree_of

from paraminspect.arrays import DTYPES, Unset
from paraminspect.arrays.lazy import Recipe
from paraminspect.errors import CheckpointError, DTypeError, TieError, UnsetError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.formats.files._folder import TEMPORARY_SUFFIX
from paraminspect.formats.files._replacing import replacing
from paraminspect.operations.edit import assign
from paraminspect.operations.tying import tie, untie
from paraminspect.tree import Parameter, ParameterTree, Source


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same(read, meant):
    assert set(read) == set(meant)
    for name, values in meant.items():
        np.testing.assert_array_equal(read[name], values, strict=True)


def test_values_that_span_many_blocks_arrive_in_their_places(tmp_path):
    values = {"a": np.arange(3_000_017, dtype=np.int32), "b": np.arange(2_000_003.0)}
    save_checkpoint(tree_of(values), tmp_path / "a.safetensors")
    assert_same(safetensors.numpy.load_file(tmp_path / "a.safetensors"), values)


def test_the_order_of_names_is_kept_and_everything_is_aligned(tmp_path):
    values = {
        "z": np.arange(3, dtype=np.uint8),
        "a": np.arange(2.0),
        "m": np.arange(5, dtype=np.int16),
    }
    save_checkpoint(tree_of(values), tmp_path / "a.safetensors")
    tree = open_checkpoint(tmp_path / "a.safetensors")
    assert list(tree) == ["z", "a", "m"]
    assert all(p.data.offset % (p.dtype.nbits // 8) == 0 for p in tree.parameters())


def test_a_file_that_is_saved_unchanged_has_the_same_bytes(tmp_path):
    values = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(4, dtype=np.float16)}
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    safetensors.numpy.save_file(values, old, metadata={"note": "ü"})
    save_checkpoint(open_checkpoint(old), new)
    assert new.read_bytes() == old.read_bytes()


def test_packed_values_are_copied_though_they_cannot_be_decoded(tmp_path):
    header = b'{"p":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}'
    header += b" " * (-len(header) % 8)
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    old.write_bytes(len(header).to_bytes(8, "little") + header + b"\x12\x34")
    save_checkpoint(open_checkpoint(old), new)
    assert new.read_bytes() == old.read_bytes()


def test_a_file_can_be_saved_over_itself_in_another_order(tmp_path):
    path = tmp_path / "a.safetensors"
    values = {"a": np.arange(1000.0), "b": np.arange(2000.0), "c": np.arange(500.0)}
    safetensors.numpy.save_file(values, path)
    tree = open_checkpoint(path)
    turned = ParameterTree(
        dict(reversed(tree.entries.items())), source=Source(files=tree.source.files)
    )
    save_checkpoint(turned, path, overwrite=True)
    assert_same(
        {n: open_checkpoint(path)[n].numpy() for n in "cba"}, dict(reversed(values.items()))
    )


def test_metadata_and_ties_are_recorded_as_save_model_does(tmp_path):
    tree = tree_of({"wte": [1.0, 2.0], "head": [1.0, 2.0]}, metadata={"format": "pt", "k": "v"})
    path = tmp_path / "a.safetensors"
    save_checkpoint(tie(tree, "head", "wte"), path)
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"format": "pt", "k": "v", "head": "wte"}
        assert list(file.keys()) == ["wte"]
    read = open_checkpoint(path)
    assert dict(read.ties) == {"head": "wte"}
    save_checkpoint(untie(read, "head"), path, overwrite=True)
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"format": "pt", "k": "v"}
        assert sorted(file.keys()) == ["head", "wte"]


def test_an_alias_whose_parameter_is_not_kept_does_not_come_back(tmp_path):
    tree = tie(tree_of({"a": [1.0], "b": [1.0]}), "b", "a")
    save_checkpoint(tree, tmp_path / "a.safetensors")
    kept = open_checkpoint(tmp_path / "a.safetensors").subset({"a"})
    save_checkpoint(kept, tmp_path / "b.safetensors")
    assert list(open_checkpoint(tmp_path / "b.safetensors")) == ["a"]


@pytest.mark.parametrize(
    ("tree", "error", "message"),
    [
        (
            tree_of({"__metadata__": [1.0]}),
            CheckpointError,
            "cannot hold a parameter named '__metadata__'",
        ),
        (tree_of({"a\ud800": [1.0]}), CheckpointError, "lone surrogate"),
        (
            tree_of({"a": np.array([1j])}),
            DTypeError,
            "a: a safetensors file cannot hold complex128",
        ),
        (
            tie(tree_of({"a": [1.0], "note": [1.0]}, metadata={"note": "x"}), "note", "a"),
            TieError,
            "'note': the metadata has that key",
        ),
        (
            ParameterTree({"a": Parameter("a", Unset((0,), DTYPES["float32"]))}),
            UnsetError,
            "no values yet",
        ),
    ],
    ids=["reserved name", "surrogate", "dtype", "key of metadata", "definition"],
)
def test_what_the_format_cannot_hold_is_refused_before_anything_is_written(
    tree, error, message, tmp_path
):
    with pytest.raises(error, match=message):
        save_checkpoint(tree, tmp_path / "a.safetensors")
    assert names_in(tmp_path) == []


def test_an_existing_file_is_overwritten_only_when_asked(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"mine")
    with pytest.raises(CheckpointError, match="exists already; use overwrite=True"):
        save_checkpoint(tree_of({"a": [1.0]}), path)
    assert path.read_bytes() == b"mine"


def test_a_file_that_appears_while_writing_is_not_overwritten(tmp_path):
    path = tmp_path / "a"
    with (
        pytest.raises(CheckpointError, match="exists already"),
        replacing(path, 1, overwrite=False),
    ):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert names_in(tmp_path) == ["a"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o444])
def test_the_mode_of_a_file_is_kept(mode, tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(tree_of({"a": [1.0]}), path)
    path.chmod(mode)
    save_checkpoint(tree_of({"a": [2.0]}), path, overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(("old", "is_written"), [(0o644, True), (0o600, True), (0o640, False)])
def test_a_file_system_without_modes_is_written_to_unless_others_could_read_more(
    old, is_written, tmp_path, monkeypatch
):
    path = tmp_path / "m.safetensors"
    save_checkpoint(tree_of({"w": np.ones(2)}), path)
    path.chmod(old)

    def refuse(descriptor, mode):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    def forget(path, flags, mode=0o777, **options):  # as such a file system: all have one mode
        descriptor = original(path, flags, mode, **options)
        if mode == 0o600 and not is_written:
            chmod(descriptor, 0o644)
        return descriptor

    original, chmod = os.open, os.fchmod
    monkeypatch.setattr(os, "open", forget)
    monkeypatch.setattr(os, "fchmod", refuse)
    if is_written:
        save_checkpoint(tree_of({"w": np.zeros(2)}), path, overwrite=True)
    else:
        with pytest.raises(CheckpointError, match="cannot write: operation not permitted"):
            save_checkpoint(tree_of({"w": np.zeros(2)}), path, overwrite=True)
    assert (open_checkpoint(path)["w"].numpy() == (0 if is_written else 1)).all()


def test_a_new_file_has_the_mode_that_the_umask_allows(tmp_path):
    old = os.umask(0o027)
    try:
        save_checkpoint(tree_of({"a": [1.0]}), tmp_path / "a.safetensors")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == 0o640


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "here").mkdir()
    blob, link = tmp_path / "blobs" / "0123", tmp_path / "here" / "model.safetensors"
    save_checkpoint(tree_of({"a": [1.0]}), blob)
    link.symlink_to("../blobs/0123")
    save_checkpoint(tree_of({"a": [2.0]}), link, overwrite=True)
    assert link.is_symlink()
    assert open_checkpoint(blob)["a"].numpy() == [2.0]
    assert names_in(tmp_path / "here") == ["model.safetensors"]
    assert names_in(tmp_path / "blobs") == ["0123"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.mkdir, "there is a folder"),
        (os.mkfifo, "there is a FIFO"),
        (lambda p: p.symlink_to(p.name), "a link that leads in a circle"),
    ],
    ids=["folder", "fifo", "circle"],
)
def test_what_is_no_file_is_not_replaced(make, message, tmp_path):
    make(tmp_path / "a")
    with pytest.raises(CheckpointError, match=message), replacing(tmp_path / "a", 1):
        pass


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=f"no such file or directory: {tmp_path}/nowhere"):
        save_checkpoint(tree_of({"a": [1.0]}), tmp_path / "nowhere" / "a.safetensors")


def test_an_input_that_changed_while_it_was_read_stops_the_writing(tmp_path):
    source, path = tmp_path / "source.safetensors", tmp_path / "a.safetensors"
    save_checkpoint(tree_of({"a": [1.0]}), source)
    tree = open_checkpoint(source)
    save_checkpoint(tree_of({"a": [2.0]}), source, overwrite=True)
    with pytest.raises(CheckpointError, match=r"source.safetensors: the file changed while"):
        save_checkpoint(tree, path)
    assert names_in(tmp_path) == ["source.safetensors"]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: os.truncate(path, 100),
        lambda path: path.write_bytes(path.read_bytes()[::-1]),
        lambda path: path.unlink(),
        lambda path: (
            path.with_name("other").write_bytes(b"x"),
            path.with_name("other").replace(path),
        ),
    ],
    ids=["cut short", "overwritten", "removed", "replaced"],
)
@pytest.mark.parametrize("text", ["", "x + 1"], ids=["copied", "edited"])
def test_a_source_that_changes_while_it_is_read_stops_the_writing(text, change, tmp_path):
    """The first array changes the file, as another program might; the second lies in it."""
    source, target = tmp_path / "source.safetensors", tmp_path / "target.safetensors"
    save_checkpoint(tree_of({"w": np.arange(1000.0)}), source)
    target.write_bytes(b"old")
    tree = open_checkpoint(source)
    if text:
        tree = assign(tree, "w", text)

    def make(start, stop):
        change(source)
        os.utime(source, ns=(0, 0)) if source.exists() else None
        return np.zeros(stop - start, np.float32)

    first = Parameter("first", Recipe((3,), DTYPES["float32"], make))
    tree = ParameterTree({"first": first, **tree.entries}, source=Source(files=tree.source.files))
    with pytest.raises(CheckpointError, match=r"source.safetensors: .*(changed|truncated)"):
        save_checkpoint(tree, target, overwrite=True)
    assert target.read_bytes() == b"old"
    assert not any("tmp" in name for name in names_in(tmp_path))


def test_a_folder_that_vanishes_while_writing_is_an_error(tmp_path):
    (folder := tmp_path / "folder").mkdir()

    def write():
        with replacing(folder / "a", 3) as new:
            new.write(b"new", 0)
            folder.rmdir()

    with pytest.raises(CheckpointError, match=r"folder/a: cannot write: no such file or directory"):
        write()


def test_an_error_while_writing_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with (
        pytest.raises(CheckpointError, match="invalid argument; nothing"),
        replacing(path, 9) as new,
    ):
        new.write(b"x", -1)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_leftovers_of_killed_runs_are_removed_and_nothing_else(tmp_path):
    (tmp_path / f".a.12345678{TEMPORARY_SUFFIX}").write_bytes(b"left")
    (tmp_path / f"mine{TEMPORARY_SUFFIX}").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"")
    save_checkpoint(tree_of({"a": [1.0]}), tmp_path / "a")
    assert names_in(tmp_path) == [".hidden", "a", f"mine{TEMPORARY_SUFFIX}"]


def test_the_temporary_file_of_a_running_writer_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE")
    with replacing(tmp_path / "a", 1) as first:
        first.write(b"1", 0)
        with replacing(tmp_path / "b", 1) as second:
            second.write(b"2", 0)
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "b").read_bytes() == b"2"
    assert names_in(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_where_files_must_have_names_writing_works_too(overwrite, tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE")
    monkeypatch.delattr(os, "copy_file_range")
    monkeypatch.delattr(os, "posix_fallocate")
    path = tmp_path / ("n" * 245 + ".safetensors")[-255:]
    if overwrite:
        save_checkpoint(tree_of({"a": [1.0]}), path)
        save_checkpoint(open_checkpoint(path), path, overwrite=True)
    save_checkpoint(tree_of({"a": [2.0]}), path, overwrite=overwrite)
    assert open_checkpoint(path)["a"].numpy() == [2.0]
    assert names_in(tmp_path) == [path.name]
