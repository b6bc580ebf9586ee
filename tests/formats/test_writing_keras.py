"""Files of Keras written: a copy with what has changed, and all else as it was."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from keras_models import HOLDERS, REFERENCE, text_of

from paraminspect.arrays import InMemory
from paraminspect.definition import load_definition
from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.init.plan import initialize
from paraminspect.operations.tying import tie, untie

DATA = Path(__file__).parents[1] / "data" / "keras"
LAYOUTS = json.loads((DATA / "layouts.json").read_text())
FILES = ["keras3_mlp.keras", "keras3_mlp.weights.h5", "keras3_mlp.h5", "keras2_mlp.h5"]

every_file = pytest.mark.parametrize("file", FILES)


@pytest.fixture
def copy(tmp_path):
    """`copy(name)`: a file of tests/data/keras that may be changed."""

    def copy(file):
        return Path(shutil.copy(DATA / file, tmp_path / file))

    return copy


def weights_in(path):
    """The HDF5 file in a file."""
    if path.suffix != ".keras":
        return h5py.File(path)
    return h5py.File(zipfile.ZipFile(path).open("model.weights.h5"))


def contents_of(path):
    """Path to values, and to attributes, of everything in a file."""
    found = {}
    with weights_in(path) as file:

        def visit(name, item):
            attributes = {key: np.asarray(value).tolist() for key, value in item.attrs.items()}
            values = item[()].tolist() if isinstance(item, h5py.Dataset) else None
            found[name] = (values, attributes)

        visit("", file)
        file.visititems(visit)
    return found


def changed(tree, **values):
    """The tree in which parameters (by the end of their names) have other values."""
    new = []
    for end, array in values.items():
        (parameter,) = (p for n, p in tree.items() if n.endswith(end.replace("_", "/")))
        new.append(replace(parameter, data=InMemory(array.astype(parameter.dtype.name))))
    return tree.replace(new)


@every_file
@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "to another file"])
def test_only_the_values_that_changed_are_other_ones(file, in_place, copy, tmp_path):
    path = copy(file)
    before, tree = contents_of(path), open_checkpoint(path)
    kernel = np.arange(12.0).reshape(4, 3)
    target = path if in_place else tmp_path / f"new{path.suffix}"
    edited = changed(tree, hidden_kernel=kernel)
    assert save_checkpoint(edited, target, overwrite=in_place) == []
    after = contents_of(target)
    differing = [name for name in before if before[name] != after[name]]
    assert before.keys() == after.keys()
    assert differing == [tree[next(n for n in tree if n.endswith("hidden/kernel"))].stored_path]
    assert after[differing[0]][0] == kernel.tolist()
    new = open_checkpoint(target)
    assert list(new) == list(tree)
    assert list(new.source.optimizer) == list(tree.source.optimizer)


def test_the_other_members_of_an_archive_are_kept(copy):
    path = copy("keras3_mlp.keras")
    before = zipfile.ZipFile(path)
    kept = {n: before.read(n) for n in before.namelist() if n != "model.weights.h5"}
    save_checkpoint(changed(open_checkpoint(path), dense_bias=np.ones(1)), path, overwrite=True)
    after = zipfile.ZipFile(path)
    assert after.testzip() is None
    assert {n: after.read(n) for n in after.namelist() if n != "model.weights.h5"} == kept
    assert after.namelist()[-1] == "model.weights.h5"


def test_a_deflated_archive_is_written_with_its_members_stored(tmp_path):
    source = zipfile.ZipFile(DATA / "keras3_mlp.keras")
    with zipfile.ZipFile(path := tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in reversed(source.namelist()):
            packed.writestr(name, source.read(name))
    tree = open_checkpoint(path)
    save_checkpoint(changed(tree, dense_bias=np.ones(1)), path, overwrite=True)
    assert open_checkpoint(path)["sequential/dense/bias"].numpy() == [1]
    assert zipfile.ZipFile(path).read("config.json") == source.read("config.json")


@pytest.mark.parametrize(
    "file", ["keras3_nested.weights.h5", "keras3_nested.keras", "keras3_nested.h5"]
)
def test_ties_become_hard_links_and_copies_again(file, copy):
    path = copy(file)
    tree = open_checkpoint(path)
    one, two = (n for n, p in tree.items() if p.shape == (2, 3))
    values = {name: p.numpy() for name, p in tree.items()}
    save_checkpoint(tie(tree, two, one), path, overwrite=True)
    tied = open_checkpoint(path)
    assert {*tied.ties, *tied.ties.values()} == {one, two}
    with weights_in(path) as stored:
        paths = [tree[name].stored_path for name in (one, two)]
        assert stored[paths[0]] == stored[paths[1]]
    for name in tree:
        expected = values[one if name == two else name]
        np.testing.assert_array_equal(tied[name].numpy(), expected, strict=True)
    untied = untie(tied, next(iter(tied.ties)))
    edited = untied.replace([replace(untied[two], data=InMemory(np.full((2, 3), 8, "f4")))])
    save_checkpoint(edited, path, overwrite=True)
    again = open_checkpoint(path)
    assert not again.ties
    np.testing.assert_array_equal(again[one].numpy(), values[one], strict=True)
    np.testing.assert_array_equal(again[two].numpy(), np.full((2, 3), 8, "f4"), strict=True)


def test_values_that_are_packed_or_have_no_place_yet_are_written_by_the_library(tmp_path):
    rng = np.random.default_rng(0)
    with h5py.File(path := tmp_path / "m.weights.h5", "w", userblock_size=512) as file:
        group = file.create_group("layers/dense/vars")
        group.attrs["name"] = "d"
        group.create_dataset("0", data=rng.random((40, 30)), chunks=(7, 9), compression="gzip")
        group.create_dataset("1", (30,), "f8")
        file.create_dataset("layers/dense_1/vars/0", data=rng.random((3, 2)).astype(">f4"))
        file.create_dataset(
            "layers/dense_1/vars/1", data=rng.random(2), chunks=(1,), fletcher32=True
        )
    tree = open_checkpoint(path)
    new = {n: rng.random(p.shape).astype(p.dtype.name) for n, p in tree.items()}
    edited = tree.replace([replace(p, data=InMemory(new[n])) for n, p in tree.items()])
    save_checkpoint(edited, path, overwrite=True)
    with h5py.File(path) as file:
        assert file["layers/dense/vars/0"].compression == "gzip"
        assert file["layers/dense_1/vars/0"].dtype == ">f4"
        assert file.userblock_size == 512
        for name, parameter in open_checkpoint(path).items():
            np.testing.assert_array_equal(parameter.numpy(), new[name], strict=True)
            stored = file[parameter.stored_path or name][()]
            np.testing.assert_array_equal(stored, new[name])


def test_the_weights_of_an_archive_become_a_weights_file(copy, tmp_path):
    tree = open_checkpoint(copy("keras3_mlp.keras"))
    assert save_checkpoint(tree, tmp_path / "m.weights.h5") == []
    whole = zipfile.ZipFile(DATA / "keras3_mlp.keras").read("model.weights.h5")
    assert (tmp_path / "m.weights.h5").read_bytes() == whole


def test_names_that_only_the_config_of_an_archive_tells_are_kept_or_said_to_be_lost(copy, tmp_path):
    tree = open_checkpoint(copy("keras2_mlp.keras"))
    plain, weights = tmp_path / "m.h5", tmp_path / "m.weights.h5"
    assert save_checkpoint(tree, plain) == [
        f"{plain} is plain HDF5, not laid out as Keras does:"
        " the names of its layers stand in config.json alone",
        "left out: the state of the optimizer, 11 arrays",
    ]
    assert list(open_checkpoint(plain)) == list(tree)
    assert save_checkpoint(tree, weights) == [
        f"{weights} lists parameters as they are stored:"
        " the names of its layers stand in config.json alone"
    ]
    whole = zipfile.ZipFile(DATA / "keras2_mlp.keras").read("model.weights.h5")
    assert weights.read_bytes() == whole


def test_a_tree_that_is_not_the_file_any_more_becomes_plain_hdf5_and_no_archive(copy, tmp_path):
    tree = open_checkpoint(copy("keras3_mlp.keras"))
    part = tree.select("*kernel")
    lost = save_checkpoint(part, tmp_path / "m.h5")
    assert lost == [
        f"{tmp_path / 'm.h5'} is plain HDF5, not laid out as Keras does:"
        " 'sequential/hidden/bias' is missing",
        "left out: the state of the optimizer, 10 arrays",
    ]
    assert set(open_checkpoint(tmp_path / "m.h5")) == set(part)
    with pytest.raises(CheckpointError, match=r"n.keras: .*'sequential/hidden/bias' is missing"):
        save_checkpoint(part, tmp_path / "n.keras")
    plain = open_checkpoint(tmp_path / "m.h5")
    with pytest.raises(CheckpointError, match=r"n.keras: a .keras archive is only made from anot"):
        save_checkpoint(plain, tmp_path / "n.keras")


@every_file
def test_a_file_of_keras_is_not_replaced_by_less(file, copy):
    path = copy(file)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=r"(would lose|cannot be changed so).*is missing"):
        save_checkpoint(open_checkpoint(path).select("*kernel"), path, overwrite=True)
    assert path.read_bytes() == before


def test_the_state_of_the_optimizer_can_be_changed_too(copy):
    path = copy("keras3_mlp.keras")
    tree = open_checkpoint(path).with_optimizer()
    rate = replace(tree["optimizer/vars/1"], data=InMemory(np.array(0.25, "f4")))
    save_checkpoint(tree.replace([rate]), path, overwrite=True)
    assert open_checkpoint(path).with_optimizer()["optimizer/vars/1"].numpy() == 0.25


@pytest.fixture
def shards(copy):
    for shard in ("keras3_nested_00000.weights.h5", "keras3_nested_00001.weights.h5"):
        copy(shard)
    return copy("keras3_nested.weights.json")


def test_a_shard_is_replaced_and_never_two(shards, tmp_path):
    tree = open_checkpoint(shards)
    first = (tmp_path / "keras3_nested_00000.weights.h5").read_bytes()
    bias = next(n for n in tree if n.endswith("dense_4/bias"))
    edited = tree.replace([replace(tree[bias], data=InMemory(np.full(1, 7, "f4")))])
    save_checkpoint(edited, shards, overwrite=True)
    assert open_checkpoint(shards)[bias].numpy() == [7]
    assert (tmp_path / "keras3_nested_00000.weights.h5").read_bytes() == first
    tree = open_checkpoint(shards)
    all_zero = [replace(p, data=InMemory(np.zeros(p.shape, "f4"))) for p in tree.values()]
    with pytest.raises(CheckpointError, match="two files cannot be replaced at once"):
        save_checkpoint(tree.replace(all_zero), shards, overwrite=True)
    with pytest.raises(CheckpointError, match="only changed in place"):
        save_checkpoint(edited, tmp_path / "other", format_="keras-sharded")


DEFINITION = "framework: keras\ninput: [4]\nlayers:\n- Dense(4, name='hidden')\n- Dense(4)\n"
TIED = DEFINITION + "ties:\n  sequential/dense/kernel: sequential/hidden/kernel\n"


def drawn(definition):
    return initialize(load_definition(text_of(definition).encode(), "model.yaml"), seed=0)


@pytest.mark.parametrize(
    ("definition", "expected"), LAYOUTS[: len(HOLDERS | REFERENCE)], ids=[*HOLDERS, *REFERENCE]
)
def test_a_definition_is_written_as_keras_writes_its_model(definition, expected, tmp_path):
    tree = drawn(definition)
    assert save_checkpoint(tree, tmp_path / "m.weights.h5") == []
    written = contents_of(tmp_path / "m.weights.h5")
    datasets = dict(expected["datasets"].values())
    found = {path: values for path, (values, _) in written.items() if values is not None}
    assert found.keys() == datasets.keys()
    for path, (values, attributes) in written.items():
        if values is not None:
            assert attributes == datasets[path]
        else:
            assert attributes.keys() == expected["groups"].get(path, {}).keys()
    stored = {p.stored_path or n: p for n, p in open_checkpoint(tmp_path / "m.weights.h5").items()}
    for name, (path, _) in expected["datasets"].items():
        np.testing.assert_array_equal(stored[path].numpy(), tree[name].numpy(), strict=True)


@pytest.mark.parametrize("definition", ["nested_rgnet", "mha_block", "keras_lstm_text", TIED])
def test_what_was_written_from_a_definition_lists_its_names(definition, tmp_path):
    tree = drawn(definition)
    save_checkpoint(tree, tmp_path / "m.weights.h5")
    written = open_checkpoint(tmp_path / "m.weights.h5")
    assert written.keys() == tree.keys()
    assert {*written.ties, *written.ties.values()} == {*tree.ties, *tree.ties.values()}


def test_values_of_another_format_become_a_weights_file_by_a_definition(tmp_path):
    model = drawn(DEFINITION)
    save_checkpoint(model, tmp_path / "m.safetensors")
    tree = load_definition(DEFINITION.encode(), "m").load(
        open_checkpoint(tmp_path / "m.safetensors")
    )
    assert save_checkpoint(tree, tmp_path / "m.weights.h5") == []
    with h5py.File(tmp_path / "m.weights.h5") as file:
        stored = file["layers/dense_1/vars/0"][()]
    np.testing.assert_array_equal(stored, model["sequential/dense/kernel"].numpy(), strict=True)


def test_what_a_definition_adds_to_a_file_of_keras_is_laid_out_by_it(run, tmp_path):
    (tmp_path / "m.yaml").write_text(DEFINITION)
    run("init", tmp_path / "m.yaml", "-o", tmp_path / "m.weights.h5")
    (tmp_path / "n.yaml").write_text(DEFINITION + "- Dense(3)\n")
    new = tmp_path / "n.weights.h5"
    models = ("--missing-from", tmp_path / "n.yaml")
    done = run("init", tmp_path / "m.weights.h5", *models, "--seed", 0, "-o", new)
    assert (done.status, done.err) == (0, "")
    assert "sequential/dense_1/kernel" in open_checkpoint(new)
    with h5py.File(new) as file:
        assert file["layers/dense_2/vars/1"].shape == (3,)


ODD = "framework: keras\ninput: [4]\nlayers:\n- Add(): [Dense(4), Dense(4)]\n"


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (ODD, "not laid out as Keras does: the branches below Add() are no layers of a S"),
        ("framework: pytorch\nlayers:\n- Linear(2, 2)\n", "only from its own layout"),
    ],
)
def test_a_keras_name_for_plain_hdf5_is_said_to_be_no_file_of_keras(
    definition, message, run, tmp_path
):
    (tmp_path / "m.yaml").write_text(definition)
    done = run("init", tmp_path / "m.yaml", "--seed", 0, "-o", tmp_path / "m.weights.h5")
    assert done.status == 0
    assert f"{tmp_path / 'm.weights.h5'} is plain HDF5" in done.err
    assert message in done.err
    assert open_checkpoint(tmp_path / "m.weights.h5").source.format == "hdf5"


def test_an_archive_is_not_made_from_a_definition_and_the_way_out_is_told(run, tmp_path):
    (tmp_path / "m.yaml").write_text(DEFINITION)
    done = run("init", tmp_path / "m.yaml", "-o", tmp_path / "m.keras")
    assert (done.status, done.err.count("\n")) == (2, 2)
    assert "only made from another: write *.weights.h5, which the model loads" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["m.yaml"]


def test_only_what_has_all_parameters_of_the_definition_is_laid_out_by_it(tmp_path):
    part = drawn(DEFINITION).select("*kernel")
    (told,) = save_checkpoint(part, tmp_path / "m.weights.h5")
    assert told.endswith("the definition and the values differ in 'sequential/dense/bias'")
