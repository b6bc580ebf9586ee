"""`slice -o` and `run -o`: a file is what its name says, as the library of its format reads it."""

import json
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file, save_file

VALUES = {
    "encoder.a": np.arange(12, dtype=np.float32).reshape(4, 3) / 7,
    "encoder.b": np.array([1, -2, 300], np.int64),
    "encoder.half": np.array([0.1, 3], np.float16),
    "head.w": np.arange(24, dtype=np.float64).reshape(2, 3, 4) / 3,
}


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file(VALUES, "model.safetensors")
    return "model.safetensors"


def of_npz(path):
    with np.load(path) as file:
        return dict(file)


def of_hdf5(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: isinstance(item, h5py.Dataset) and found.update({name: item[()]})
        )
    return found


def of_shards(path):
    index = json.loads(Path(path).read_text())["weight_map"]
    return {name: load_file(shard)[name] for name, shard in index.items()}


READERS = {"x.safetensors": load_file, "x.npz": of_npz, "x.h5": of_hdf5, "x.hdf5": of_hdf5}


@pytest.mark.parametrize("name", READERS)
def test_slices_of_any_number_become_a_checkpoint_of_the_format_that_the_name_tells(
    name, run, model
):
    done = run("slice", model, "encoder.*", "head.w[1, ::2, -1]", "-o", name)
    assert (done.status, done.out, done.err) == (0, "", "")
    expected = {n: v for n, v in VALUES.items() if n.startswith("encoder.")}
    expected["head.w"] = VALUES["head.w"][1, ::2, -1]
    found = READERS[name](name)
    assert set(found) == set(expected)
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values, strict=True)


def test_the_metadata_of_the_source_and_types_that_numpy_lacks_are_kept(run, model):
    values = {"w": np.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16)}
    save_file(values, "b.safetensors", metadata={"licence": "mine"})
    assert run("slice", "b.safetensors", "w[1:]", "-o", "x.safetensors").status == 0
    found = load_file("x.safetensors")["w"]
    assert found.view(np.uint16).tolist() == values["w"][1:].view(np.uint16).tolist()
    with safetensors.safe_open("x.safetensors", "np") as file:
        assert file.metadata() == {"licence": "mine"}


def test_shards_are_written_into_a_folder_or_beside_an_index(run, model):
    assert run("slice", model, "encoder.*", "-o", "new/", "--max-shard-size", "30").status == 0
    assert len(list(Path("new").glob("*.safetensors"))) == 2
    index = "few.safetensors.index.json"
    done = run("slice", "new", "encoder.b[1:]", "encoder.a", "-o", index)
    assert (done.status, done.err) == (0, "")
    found = of_shards(index)
    np.testing.assert_array_equal(found["encoder.b"], VALUES["encoder.b"][1:], strict=True)
    np.testing.assert_array_equal(found["encoder.a"], VALUES["encoder.a"], strict=True)


def test_names_that_are_tied_stay_tied_if_they_are_sliced_alike(run, model):
    save_file({"a": np.arange(6.0)}, "t.safetensors", metadata={"b": "a"})
    for addresses, ties in [(["?[:2]"], {"b": "a"}), (["a[:2]", "b"], {}), (["b[:2]"], {})]:
        done = run("slice", "t.safetensors", *addresses, "-o", "x.safetensors", "--force")
        assert (done.status, done.err) == (0, "")
        with safetensors.safe_open("x.safetensors", "np") as file:
            assert (file.metadata() or {}) == ties
            for name in file.keys():  # noqa: SIM118 (it is no mapping)
                length = 6 if addresses[-1] == name == "b" else 2
                np.testing.assert_array_equal(file.get_tensor(name), np.arange(6.0)[:length])


@pytest.mark.parametrize(("name", "delimiter"), [("x.csv", ","), ("x.txt", None), ("x.tsv", "\t")])
@pytest.mark.parametrize("address", ["encoder.a", "head.w[1]", "head.w[:, 0, 0]", "encoder.b[1]"])
def test_a_table_is_one_array_a_row_a_line_exactly(name, delimiter, address, run, model):
    assert run("slice", model, address, "-o", name).status == 0
    assert run("slice", model, address, "-o", "x.npy", "--force").status == 0
    found = np.loadtxt(name, delimiter=delimiter, ndmin=np.load("x.npy").ndim)
    np.testing.assert_array_equal(found, np.load("x.npy").astype(np.float64), strict=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encoder.*", "-o", "x.npy"), "x.npy: npy holds one array, and there are 3: encoder.a, "),
        (("encoder.*", "-o", "x.csv"), "x.csv: csv holds one array, and there are 3"),
        (("head.w", "-o", "x.csv"), "x.csv: csv holds at most two axes, a row a line, and 'head.w"),
        (("head.w", "-o", "x.txt"), "has shape [2, 3, 4]: give an index, or write *.npy"),
        (("head.w", "-o", "x.parquet"), "does not tell a format that is written: *.npy, *.csv"),
        (("head.w", "-o", "x.png"), "x.png: the name does not tell a format"),
        (("head.w", "-o", "x.csv.gz"), "x.csv.gz: the name does not tell a format"),
        (("head.w", "-o", "x.keras"), "a .keras archive is only made from another"),
        (("head.w", "-o", "x.npz", "--format", "npy"), "the name says npz, and --format npy"),
        (("head.w", "-o", "x.npy", "--format", "csv"), "the name says npy, and --format csv"),
        (("head.w", "-o", "x.npz", "--precision", "3"), "--precision is for values as text"),
        (("head.w", "-o", "x.npz", "--stats"), "make a table, which npz cannot hold"),
        (("encoder.b", "encoder.b[0]", "-o", "x.npz"), "would have one name, 'encoder.b'"),
        (("encoder.b", "-o", "x.safetensors.index.json"), "folders and indices are for shards"),
        (("encoder.b", "--max-shard-size", "1MB"), "--max-shard-size goes with -o FOLDER"),
        (("encoder.b", "-o", "model.safetensors", "--force"), "is the source itself"),
    ],
)
def test_what_a_file_of_that_name_cannot_be_is_refused_and_nothing_is_written(
    arguments, message, run, model
):
    done = run("slice", model, *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert [path.name for path in Path().iterdir()] == [model]


def test_measures_and_text_that_is_asked_for_may_have_the_name_of_a_text(run, model):
    assert run("slice", model, "encoder.*", "--stats", "-o", "s.txt").status == 0
    assert run("slice", model, "encoder.*", "--format", "text", "-o", "v.txt").status == 0
    assert Path("s.txt").read_text().startswith("name ")
    assert Path("v.txt").read_text() == run("slice", model, "encoder.*").out


LINEAR = "framework: pytorch\ninput: [3]\nlayers:\n  - Linear(3, 2)\n"
TWO = "framework: pytorch\nlayers:\n  p: ReLU()\n  forward(x): (x, (x * 2, x[0]))\n"


@pytest.fixture
def definitions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("linear.yaml").write_text(LINEAR)
    Path("two.yaml").write_text(TWO)
    np.save("x.npy", np.arange(6, dtype=np.float32).reshape(2, 3) / 7)
    return ("--seed", "0", "--input", "x.npy", "-o")


def test_an_output_is_what_the_name_says_and_npy_without_an_ending(run, definitions):
    assert run("run", "linear.yaml", *definitions, "y").status == 0
    expected = np.load("y")
    assert (expected.shape, expected.dtype) == ((2, 2), np.float32)
    for name, reader in READERS.items():
        assert run("run", "linear.yaml", *definitions, name).status == 0
        np.testing.assert_array_equal(reader(name)["output"], expected, strict=True)
    for name, delimiter in [("y.csv", ","), ("y.txt", None)]:
        assert run("run", "linear.yaml", *definitions, name).status == 0
        np.testing.assert_array_equal(np.loadtxt(name, delimiter=delimiter), expected)


def test_several_outputs_have_names_by_their_places(run, definitions):
    assert run("run", "two.yaml", *definitions, "y.npz").status == 0
    x = np.load("x.npy")
    found = of_npz("y.npz")
    assert list(found) == ["output.0", "output.1.0", "output.1.1"]
    for name, values in zip(found, (x, x * 2, x[0]), strict=True):
        np.testing.assert_array_equal(found[name], values, strict=True)


@pytest.mark.parametrize(
    ("definition", "name", "message"),
    [
        ("two.yaml", "y.npy", "npy holds one array, and there are 3: output.0, output.1.0, output"),
        ("two.yaml", "y", "npy holds one array"),
        ("linear.yaml", "y.png", "does not tell a format that is written"),
    ],
)
def test_an_output_that_does_not_fit_is_refused(definition, name, message, run, definitions):
    done = run("run", definition, *definitions, name)
    assert done.status == 2
    assert message in done.err
    assert not Path(name).exists()


@pytest.mark.parametrize(
    ("name", "format_"),
    [("b.npz", "safetensors"), ("b.safetensors", "npz"), ("b.h5", "keras"), ("b.keras", "hdf5")],
)
def test_convert_refuses_a_format_that_the_name_contradicts(name, format_, run, model):
    done = run("convert", model, name, "--to", format_)
    assert done.status == 2
    assert "the name says" in done.err
    assert f"the format that is asked for is {format_}" in done.err
    assert not Path(name).exists()
    assert run("convert", model, "b", "--to", "npz").status == 0
    assert set(of_npz("b")) == set(VALUES)
