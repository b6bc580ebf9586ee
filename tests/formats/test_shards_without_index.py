"""Shards without their index: one model if the set is whole, an error that names what is missing."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint

NAMES = [
    "model-{0:05}-of-00003.safetensors",
    "diffusion_pytorch_model-{0:05}-of-00003.safetensors",
    "model.fp16-{0:05}-of-00003.safetensors",
    "model-{0:05}-of-00003.fp16.safetensors",
    "my model_{0}-of-3.safetensors",
    "{0}-of-3.safetensors",
]


def save(folder, name, numbers=(1, 2, 3)):
    for number in numbers:
        values = {f"h.{number}.{part}": np.float32([number, i]) for i, part in enumerate("wb")}
        save_file(values, folder / name.format(number), {"format": "pt", f"k{number}": "v"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("numbers", [(1, 2, 3), (0, 1, 2)])
def test_a_whole_set_reads_as_the_library_reads_its_files(name, numbers, tmp_path):
    save(tmp_path, name, numbers)
    tree = open_checkpoint(tmp_path)
    expected = {}
    for number in numbers:
        expected |= load_file(tmp_path / name.format(number))
    assert set(tree) == set(expected)
    for parameter, values in expected.items():
        np.testing.assert_array_equal(tree[parameter].numpy(), values, strict=True)
    assert tree.metadata == {"format": "pt", **{f"k{number}": "v" for number in numbers}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("missing", [(2,), (1, 3)])
def test_missing_shards_are_named(name, missing, tmp_path):
    save(tmp_path, name)
    for number in missing:
        (tmp_path / name.format(number)).unlink()
    named = ", ".join(name.format(number) for number in missing)
    with pytest.raises(CheckpointError) as error:
        open_checkpoint(tmp_path)
    assert str(error.value) == f"{tmp_path}: {len(missing)} of 3 shards missing: {named}"


def test_a_name_in_two_shards_is_an_error_that_names_both(tmp_path):
    save(tmp_path, NAMES[0])
    save_file({"h.1.w": np.zeros(2)}, tmp_path / NAMES[0].format(3))
    with pytest.raises(CheckpointError, match=r"1-of-00003.* and .*3-of-00003.* hold 'h.1.w'"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("other", ["adapter.safetensors", "model-00001-of-00002.safetensors"])
def test_a_set_beside_another_checkpoint_is_not_chosen(other, tmp_path):
    save(tmp_path, NAMES[0])
    save_file({"w": np.zeros(2)}, tmp_path / other)
    with pytest.raises(CheckpointError, match="holds 4 checkpoints: name one of"):
        open_checkpoint(tmp_path)


def test_a_shard_beyond_the_number_of_shards_is_of_no_set(tmp_path):
    save(tmp_path, NAMES[0], (1, 2, 3, 4))
    with pytest.raises(CheckpointError, match="holds 4 checkpoints"):
        open_checkpoint(tmp_path)


def test_a_set_is_written_elsewhere_and_never_changed_in_place(run, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    save(folder, NAMES[0])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for more in ([], ["--max-shard-size", "1KB"]):
        refused = run("set", "-i", folder, "*=0", *more)
        assert (refused.status, "cannot change as one" in refused.err) == (2, True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert run("convert", folder, tmp_path / "one.safetensors").status == 0
    assert run("convert", folder, tmp_path / "new", "--max-shard-size", "16B").status == 0
    assert run("diff", folder, tmp_path / "one.safetensors").status == 0
    assert run("diff", folder, tmp_path / "new").status == 0
    assert len(load_file(tmp_path / "one.safetensors")) == 6
