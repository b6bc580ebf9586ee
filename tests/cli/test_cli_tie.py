"""The contract of `paraminspect tie`: arguments, exit status, what is printed, what is written."""

import json

import h5py
import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file, save_file

from paraminspect.formats import open_checkpoint

VALUES = {
    "head.weight": np.arange(6.0),
    "wte.weight": np.arange(6.0),
    "other": np.arange(6.0) * 2,
    "small": np.arange(3.0),
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(VALUES, path, {"format": "pt"})
    return path


def stored(path):
    with safetensors.safe_open(path, "np") as file:
        return set(file.keys()), file.metadata()


def test_a_tie_is_recorded_and_undone(run, model):
    before = model.read_bytes()
    done = run("tie", "-i", model, "head.weight", "wte.weight")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        f"tie head.weight to wte.weight: 48 B saved\nwrite {model}: 3 arrays, 120 bytes\n"
    )
    assert stored(model) == (
        {"wte.weight", "other", "small"},
        {"format": "pt", "head.weight": "wte.weight"},
    )
    done = run("tie", "-i", "--undo", model, "head.weight")
    assert done.out.startswith("untie head.weight from wte.weight: 48 B added\n")
    assert stored(model) == (set(VALUES), {"format": "pt"})
    assert len(model.read_bytes()) == len(before)


def test_values_that_are_lost_are_told(run, model, tmp_path):
    done = run("tie", model, "other", "wte.weight", "-o", tmp_path / "out.safetensors")
    assert done.out.startswith(
        "tie other to wte.weight: 48 B saved; other had other values, now gone\n"
    )


def test_chains_resolve_to_one_array(run, model):
    assert run("tie", "-i", model, "head.weight", "wte.weight", "-q").out == ""
    assert run("tie", "-i", model, "other", "head.weight").status == 0
    names, metadata = stored(model)
    assert names == {"wte.weight", "small"}
    assert metadata == {"format": "pt", "head.weight": "wte.weight", "other": "wte.weight"}
    done = run("tie", "-i", model, "wte.weight", "other")
    assert (done.status, "are one array already" in done.err) == (2, True)
    done = run("tie", "-i", "--undo", model, "wte.weight")
    assert "it owns the array; its aliases are 'head.weight', 'other'" in done.err


def test_equal_arrays_are_listed_with_what_they_would_save(run, model):
    done = run("tie", "--find", model)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        f"head.weight = wte.weight  float64 [6], 48 B to save\n\n{model}: 48 B to save\n"
    )
    assert json.loads(run("tie", "--find", model, "--format", "json").out) == {
        "schema_version": 1,
        "source": str(model),
        "duplicates": [
            {
                "names": ["head.weight", "wte.weight"],
                "shape": [6],
                "dtype": "float64",
                "nbytes": 48,
                "saved_nbytes": 48,
            }
        ],
        "totals": {"groups": 1, "saved_nbytes": 48},
    }
    assert run("tie", "-i", model, "head.weight", "wte.weight").status == 0
    assert run("tie", "--find", model).out == f"{model}: no equal arrays\n"


def test_a_name_can_be_added(run, model):
    before = load_file(model)
    done = run("tie", "-i", model, "new.weight", "small")
    assert done.out.startswith("add new.weight, another name of small\n")
    assert open_checkpoint(model).ties == {"new.weight": "small"}
    after = load_file(model)
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_a_name_is_added_to_an_hdf5_file_as_a_hard_link(run, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["a/w"] = np.arange(6.0).reshape(2, 3)
        file.attrs["kept"] = "yes"
    run("tie", "-i", tmp_path / "m.h5", "b/c/w", "a/w")
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["b/c/w"] == file["a/w"]
        assert file.attrs["kept"] == "yes"
        np.testing.assert_array_equal(file["b/c/w"], np.arange(6.0).reshape(2, 3), strict=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.safetensors", "small", "other", "-i"], "float64[3] is not float64[6]"),
        (["model.safetensors", "small", "othe", "-i"], "the nearest is 'other'"),
        (["model.safetensors", "small.x", "other", "-i"], "cannot stand beside 'small'"),
        (["model.safetensors", "small", "nope", "-i"], "no parameter matches 'nope'"),
        (["model.safetensors", "small", "small", "-i"], "are one array already"),
        (["model.safetensors", "small", "-i"], "expected SOURCE ALIAS TARGET"),
        (["model.safetensors", "-i"], "expected SOURCE ALIAS TARGET"),
        (["model.safetensors", "small", "other"], "where to write?"),
        (["model.safetensors", "--undo", "-i"], "--undo takes SOURCE ALIAS"),
        (["model.safetensors", "small", "--undo", "-i"], "'small' is not an alias"),
        (["model.safetensors", "small", "--find"], "--find takes SOURCE alone"),
        (["model.safetensors", "--find", "--undo"], "exclude each other"),
        (["model.safetensors", "small", "other", "-i", "--format", "json"], "goes with --find"),
        (["model.safetensors", "--find", "-i"], "-i does not go with --find"),
        (["model.safetensors", "--find", "-o", "x"], "-o does not go with --find"),
        (["model.safetensors", "--find", "--dry-run"], "--dry-run does not go with --find"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_use_is_one_line_and_status_2(arguments, message, run, model, monkeypatch):
    monkeypatch.chdir(model.parent)
    before = model.read_bytes()
    done = run("tie", *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert model.read_bytes() == before


def test_a_format_without_ties_is_refused(run, tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, a=np.ones(2), b=np.ones(2))
    before = path.read_bytes()
    done = run("tie", "-i", path, "b", "a")
    assert done.status == 2
    assert "npz cannot store ties: write a safetensors or HDF5 file" in done.err
    assert path.read_bytes() == before
    assert run("tie", path, "b", "a", "-o", tmp_path / "model.safetensors").status == 0
