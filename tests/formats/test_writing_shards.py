"""A sharded checkpoint is split as transformers splits it, and edited shard by shard, as one."""

import json
import os
import shutil

import numpy as np
import pytest
import safetensors.numpy
from trees import tree_of

from paraminspect.arrays import InMemory
from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.formats.files._replacing_set import final_name
from paraminspect.formats.safetensors._shards_planning import split
from paraminspect.operations.tying import tie, untie
from paraminspect.tree import Parameter

INDEX = "model.safetensors.index.json"
VALUES = {
    "z": np.arange(10, dtype=np.float32),
    "a": np.arange(20, dtype=np.float32).reshape(4, 5),
    "m": np.arange(7, dtype=np.int64),
    "b": np.arange(3, dtype=np.float16),
}


def with_values(tree, **values):
    return tree.replace([Parameter(n, InMemory(np.asarray(v))) for n, v in values.items()])


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    """Every tensor of the shards that the index names, as the safetensors library reads them."""
    index = json.loads((folder / INDEX).read_text())
    found = {}
    for shard in set(index["weight_map"].values()):
        found |= safetensors.numpy.load_file(folder / shard)
    assert set(found) == set(index["weight_map"])
    return found


def assert_same(read, meant):
    assert set(read) == set(meant)
    for name, values in meant.items():
        np.testing.assert_array_equal(read[name], values, strict=True)


@pytest.fixture
def folder(tmp_path):
    """A set of three shards: a (too large for any other), z, m with b."""
    place = tmp_path / "set"
    save_checkpoint(tree_of(VALUES, metadata={"format": "pt"}), place, max_shard_nbytes=65)
    return place


def test_a_new_set_has_the_names_of_transformers_and_the_order_of_the_tree(folder):
    assert names_in(folder) == [*(f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)), INDEX]
    assert_same(contents(folder), VALUES)
    assert list(open_checkpoint(folder)) == list(VALUES)
    index = json.loads((folder / INDEX).read_text())
    assert index["metadata"] == {"format": "pt", "total_size": 40 + 80 + 56 + 6}
    with safetensors.safe_open(folder / "model-00001-of-00003.safetensors", "np") as shard:
        assert shard.metadata() == {"format": "pt"}


def test_a_set_can_be_given_by_its_index_and_another_stem(tmp_path):
    save_checkpoint(tree_of(VALUES), tmp_path / f"unet.{INDEX[6:]}", max_shard_nbytes=130)
    assert names_in(tmp_path) == [
        "unet-00001-of-00002.safetensors",
        "unet-00002-of-00002.safetensors",
        "unet.safetensors.index.json",
    ]


@pytest.mark.parametrize(
    ("sizes", "limit", "parts"),
    [
        ([6, 6, 2, 6, 2, 2], 10, [[6], [6, 2], [6, 2, 2]]),
        ([20, 3, 30, 3], 10, [[20], [30], [3, 3]]),
        ([3, 20, 3], 10, [[20], [3, 3]]),
        ([5, 5, 5], 10, [[5, 5], [5]]),
        ([1], 0, [[1]]),
    ],
)
def test_parameters_are_split_as_transformers_splits_them(sizes, limit, parts):
    tree = tree_of({str(i): np.zeros(size, np.int8) for i, size in enumerate(sizes)})
    assert [[p.nbytes for p in part] for part in split(tree.parameters(), limit)] == parts


def inodes(folder):
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def changed(before, folder):
    return {name for name, inode in inodes(folder).items() if before.get(name) != inode}


def test_only_the_shard_that_changes_is_written(folder):
    before = inodes(folder)
    tree = with_values(open_checkpoint(folder), m=np.zeros(7, np.int64))
    save_checkpoint(tree, folder / INDEX, overwrite=True)
    assert changed(before, folder) == {"model-00003-of-00003.safetensors"}
    assert_same(contents(folder), {**VALUES, "m": np.zeros(7, np.int64)})


def test_shards_that_change_together_keep_their_names_and_modes(folder):
    before = inodes(folder)
    (folder / "model-00002-of-00003.safetensors").chmod(0o600)
    (folder / INDEX).chmod(0o640)
    tree = with_values(open_checkpoint(folder), m=np.zeros(7, np.int64), z=np.ones(10, np.float32))
    save_checkpoint(tree, folder / INDEX, overwrite=True)
    assert set(inodes(folder)) == set(before)
    assert changed(before, folder) == set(before) - {"model-00001-of-00003.safetensors"}
    assert (folder / "model-00002-of-00003.safetensors").stat().st_mode & 0o777 == 0o600
    assert (folder / INDEX).stat().st_mode & 0o777 == 0o640
    assert_same(
        contents(folder), {**VALUES, "m": np.zeros(7, np.int64), "z": np.ones(10, np.float32)}
    )


def test_a_set_saved_as_it_is_is_not_written(folder):
    def stamps():  # reading moves the time of access
        return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir()}

    before = stamps()
    save_checkpoint(open_checkpoint(folder), folder / INDEX, overwrite=True)
    assert stamps() == before


@pytest.mark.parametrize("edited", ["", "m", "mz"])
def test_the_progress_of_a_set_is_all_of_its_bytes_however_little_is_written(edited, folder):
    told = []
    tree = with_values(open_checkpoint(folder), **{name: VALUES[name] + 1 for name in edited})
    save_checkpoint(tree, folder, overwrite=True, progress=told.append)
    assert sum(told) == sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def test_the_shards_of_a_new_set_say_their_framework_and_the_index_says_all(tmp_path):
    metadata = {"format": "pt", "licence": "mine"}
    save_checkpoint(tree_of(VALUES, metadata=metadata), tmp_path / "new", max_shard_nbytes=65)
    for shard in (tmp_path / "new").glob("*.safetensors"):
        with safetensors.safe_open(shard, "np") as file:
            assert file.metadata() == {"format": "pt"}
    index = json.loads((tmp_path / "new" / INDEX).read_text())
    assert metadata.items() <= index["metadata"].items()


def test_a_shard_that_only_loses_a_tensor_is_written_anew(folder):
    tree = open_checkpoint(folder)
    tree = tree.subset(tree.keys() - {"b"})
    save_checkpoint(tree, folder, overwrite=True)
    found = safetensors.numpy.load_file(folder / "model-00003-of-00003.safetensors")
    assert_same(found, {"m": VALUES["m"]})
    assert set(json.loads((folder / INDEX).read_text())["weight_map"]) == set("zam")


def test_a_shard_of_which_only_the_recorded_tie_is_undone_is_written_anew(folder):
    shard = folder / "model-00001-of-00003.safetensors"
    safetensors.numpy.save_file({"a": VALUES["a"]}, shard, {"alias": "a", "only": "here"})
    tree = open_checkpoint(folder)
    assert tree.ties == {"alias": "a"}
    save_checkpoint(untie(tree, "alias"), folder, overwrite=True)
    with safetensors.safe_open(shard, "np") as file:
        assert file.metadata() == {"only": "here"}
    assert_same(contents(folder), {**VALUES, "alias": VALUES["a"]})


@pytest.mark.parametrize("max_shard_nbytes", [1000, 32], ids=["within a shard", "across shards"])
def test_values_that_trade_places_are_written(max_shard_nbytes, folder):
    tree = tree_of({"a": np.arange(4.0), "b": np.arange(4.0) * 2})
    path = folder.parent / "two"
    save_checkpoint(tree, path, max_shard_nbytes=max_shard_nbytes)
    old = open_checkpoint(path)
    entries = {"a": Parameter("a", old["b"].data), "b": Parameter("b", old["a"].data)}
    save_checkpoint(old.replace(entries.values()), path, overwrite=True)
    assert_same(contents(path), {"a": np.arange(4.0) * 2, "b": np.arange(4.0)})


def test_a_shard_that_changes_meanwhile_stops_the_writing_of_another(folder):
    tree = with_values(open_checkpoint(folder), m=np.zeros(7, np.int64))
    other = folder / "model-00001-of-00003.safetensors"
    before = inodes(folder)
    with pytest.raises(CheckpointError, match=r"00001-of-00003.*changed while it was read; noth"):
        save_checkpoint(tree, folder, overwrite=True, progress=lambda _: os.utime(other, ns=(0, 0)))
    assert changed(before, folder) == set()
    assert_same(contents(folder), VALUES)


def test_what_others_wrote_into_index_and_shards_is_kept(folder):
    index = json.loads((folder / INDEX).read_text())
    index |= {"by": ["me"], "metadata": {"total_size": 1, "total_parameters": 40, "k": "v"}}
    (folder / INDEX).write_text(json.dumps(index))
    shard = folder / "model-00001-of-00003.safetensors"
    safetensors.numpy.save_file({"a": VALUES["a"]}, shard, {"only": "here"})
    tree = open_checkpoint(folder)
    save_checkpoint(with_values(tree, a=VALUES["a"] + 1, m=VALUES["m"] + 1), folder, overwrite=True)
    assert json.loads((folder / INDEX).read_text()) == index
    with safetensors.safe_open(shard, "np") as file:
        assert file.metadata() == {"only": "here"}


def test_a_tie_within_a_set_is_recorded_in_the_index_and_can_be_undone(tmp_path):
    values = {"wte": np.arange(8.0), "x": np.arange(3.0), "head": np.arange(8.0)}
    save_checkpoint(tree_of(values), tmp_path, max_shard_nbytes=64)
    tree = open_checkpoint(tmp_path)
    save_checkpoint(tie(tree, "head", "wte"), tmp_path, overwrite=True)
    index = json.loads((tmp_path / INDEX).read_text())
    assert index["metadata"] == {"head": "wte", "total_size": 64 + 24}
    assert set(contents(tmp_path)) == {"wte", "x"}
    assert len(names_in(tmp_path)) == 3
    tied = open_checkpoint(tmp_path)
    assert tied.ties == {"head": "wte"}
    save_checkpoint(untie(tied, "head"), tmp_path, overwrite=True)
    assert_same(contents(tmp_path), values)
    assert json.loads((tmp_path / INDEX).read_text())["metadata"] == {"total_size": 64 + 24 + 64}


def test_a_set_is_copied_to_another_folder_with_the_same_shards(folder, tmp_path):
    save_checkpoint(open_checkpoint(folder), tmp_path / "copy")
    assert names_in(tmp_path / "copy") == names_in(folder)
    for name in names_in(folder):
        if name != INDEX:
            assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()
    assert json.loads((tmp_path / "copy" / INDEX).read_text()) == json.loads(
        (folder / INDEX).read_text()
    )


def test_a_set_becomes_one_file_and_another_split(folder, tmp_path):
    save_checkpoint(open_checkpoint(folder), tmp_path / "one.safetensors")
    assert_same(safetensors.numpy.load_file(tmp_path / "one.safetensors"), VALUES)
    save_checkpoint(open_checkpoint(folder), folder, max_shard_nbytes=1000, overwrite=True)
    assert names_in(folder) == ["model-00001-of-00001.safetensors", INDEX]
    assert_same(contents(folder), VALUES)


def test_a_set_under_temporary_names_gets_its_final_ones(folder):
    """As a kill between the two replacements of the index leaves it."""
    index = json.loads((folder / INDEX).read_text())
    names = {}
    for name in ("model-00001-of-00003", "model-00002-of-00003"):
        names[f"{name}.safetensors"] = temporary = f"{name}.paraminspect-tmp-0123abcd.safetensors"
        shutil.move(folder / f"{name}.safetensors", folder / temporary)
    index["weight_map"] = {n: names.get(s, s) for n, s in index["weight_map"].items()}
    (folder / INDEX).write_text(json.dumps(index))
    assert all(final_name(temporary) == final for final, temporary in names.items())
    unused = folder / "model-00003-of-00003.paraminspect-tmp-00000000.safetensors"
    unused.write_bytes(b"left")
    tree = with_values(open_checkpoint(folder), a=VALUES["a"] + 1)
    save_checkpoint(tree, folder, overwrite=True)
    assert names_in(folder) == [*(f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)), INDEX]
    assert_same(contents(folder), {**VALUES, "a": VALUES["a"] + 1})


@pytest.mark.parametrize(
    ("prepare", "path", "options", "message"),
    [
        (lambda f: None, ".", {}, f"{INDEX}: exists already; use overwrite=True"),
        (
            lambda f: (f / "model.safetensors").touch(),
            ".",
            {"overwrite": True},
            "readers prefer this",
        ),
        (lambda f: None, "x.safetensors", {"max_shard_nbytes": 9}, "shards need a folder"),
        (lambda f: None, "no/where", {"max_shard_nbytes": 9}, "no such file or directory"),
    ],
    ids=["exists", "single beside", "file name", "no folder"],
)
def test_a_target_that_cannot_be_is_refused(prepare, path, options, message, folder):
    before = contents(folder)
    prepare(folder)
    names = names_in(folder)
    tree = with_values(open_checkpoint(folder / INDEX), z=np.zeros(10, np.float32))
    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(tree, folder / path, **options)
    assert names_in(folder) == names
    assert_same(contents(folder), before)


def test_several_shards_behind_links_are_not_replaced_and_one_is(folder, tmp_path):
    cache = tmp_path / "snapshot"
    cache.mkdir()
    for name in names_in(folder):
        (cache / name).symlink_to(folder / name)
    tree = open_checkpoint(cache)
    with pytest.raises(CheckpointError, match="is a link, as in a hub's cache"):
        save_checkpoint(
            with_values(tree, a=VALUES["a"] + 1, m=VALUES["m"] + 1), cache, overwrite=True
        )
    assert_same(contents(folder), VALUES)
    save_checkpoint(with_values(tree, a=VALUES["a"] + 1), cache, overwrite=True)
    assert all(path.is_symlink() for path in cache.iterdir())
    assert_same(contents(folder), {**VALUES, "a": VALUES["a"] + 1})
