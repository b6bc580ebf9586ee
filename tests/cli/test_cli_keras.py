"""The contract of the commands for HDF5 and Keras files: what their options show."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

MLP = str(Path(__file__).parents[1] / "data" / "keras" / "keras3_mlp.keras")


def test_list_shows_the_model_and_says_what_else_there_is(run):
    done = run("list", MLP)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "name                      shape   dtype    parameters  bytes\n"
        "sequential/hidden/kernel  [4, 3]  float32          12   48 B\n"
        "sequential/hidden/bias    [3]     float32           3   12 B\n"
        "sequential/dense/kernel   [3, 1]  float32           3   12 B\n"
        "sequential/dense/bias     [1]     float32           1    4 B\n"
        "\n"
        "4 names, 19 parameters, 76 B\n"
        "10 more of the optimizer; use --optimizer\n"
    )


def test_list_shows_on_request_where_the_file_keeps_each(run):
    lines = run("list", "--stored", MLP, "*kernel").out.splitlines()
    assert lines[0].endswith("stored as")
    assert lines[1].endswith("  layers/dense/vars/0")
    record = json.loads(run("list", "--format", "json", MLP).out)["parameters"][0]
    assert (record["name"], record["stored_path"]) == (
        "sequential/hidden/kernel",
        "layers/dense/vars/0",
    )


def test_list_shows_on_request_what_only_training_needs(run):
    done = run("list", "--optimizer", MLP, "--format", "names")
    names = done.out.splitlines()
    assert names.index("optimizer/vars/0") == 4
    assert len(done.out.splitlines()) == 14


@pytest.mark.parametrize("command", ["list", "slice"])
def test_an_address_in_the_optimizer_is_told_from_a_wrong_one(command, run):
    done = run(command, MLP, "optimizer/vars/1")
    assert done.status == 2
    assert "'optimizer/vars/1' is of the optimizer, not of the model" in done.err
    assert "list, slice and diff show it; use --optimizer" in done.err
    assert run(command, "--optimizer", MLP, "optimizer/vars/1").status == 0


def test_list_reads_metadata_on_request_alone(run):
    assert json.loads(run("list", MLP, "--format", "json").out)["metadata"] == {}
    done = run("list", MLP, "--format", "json", "--metadata")
    metadata = json.loads(done.out)["metadata"]
    assert metadata["keras_version"] == "3.15.1"
    assert json.loads(metadata["config.json"])["class_name"] == "Sequential"
    table = run("list", "--metadata", MLP).out.splitlines()
    assert table[-3] == "keras_version: 3.15.1"
    assert table[-1].endswith(" characters)")


@pytest.mark.parametrize("option", ["--metadata", "--stored"])
def test_options_that_a_style_cannot_show_are_refused(option, run):
    done = run("list", option, MLP, "--format", "names")
    assert (done.status, done.out) == (2, "")
    assert f"{option} does not go with --format names" in done.err


def test_list_tells_what_is_no_parameter(run, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["w"] = np.ones(2, "f4")
        for number in range(7):
            file[f"text {number}\x1b"] = "x"
    out = run("list", str(tmp_path / "m.h5")).out
    assert out.splitlines()[-1] == (
        r"not parameters: text 0\x1b (text, shape []), text 1\x1b (text, shape []),"
        r" text 2\x1b (text, shape []), text 3\x1b (text, shape []),"
        r" text 4\x1b (text, shape []), and 2 more"
    )
    report = json.loads(run("list", str(tmp_path / "m.h5"), "--format", "json").out)
    assert len(report["others"]) == 7


def test_slice_takes_the_stored_path_as_an_address(run):
    assert run("slice", MLP, "layers/dense/vars/0").out == (
        run("slice", MLP, "sequential/hidden/kernel").out
    )


def test_diff_leaves_the_optimizer_out_unless_asked(run):
    other = MLP.replace(".keras", ".weights.h5")
    assert run("diff", MLP, other).out == "the same: 4 arrays\n"
    assert run("diff", "--optimizer", MLP, other).out == "the same: 14 arrays\n"
