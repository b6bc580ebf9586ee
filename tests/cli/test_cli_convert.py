"""The contract of `paraminspect convert`: arguments, exit status, what is printed and written."""

import json

import ml_dtypes
import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file, save_file

VALUES = {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3) / 3,
    "b": np.arange(4, dtype=np.float64),
    "steps": np.array(7, np.int64),
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(VALUES, path, {"format": "pt", "alias": "b"})
    return path


def assert_same(read, meant):
    assert set(read) == set(meant)
    for name, values in meant.items():
        np.testing.assert_array_equal(read[name], values, strict=True)


def test_shards_and_one_file_are_converted_into_each_other(run, model, tmp_path):
    shards, one = tmp_path / "shards", tmp_path / "one.safetensors"
    done = run("convert", model, shards, "--max-shard-size", "40")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"write {shards}: 3 arrays, 64 bytes\n"
    assert run("convert", shards, one).status == 0
    assert_same(load_file(one), VALUES)
    with safetensors.safe_open(one, "np") as file:
        assert file.metadata() == {"format": "pt", "alias": "b"}
    listed = [json.loads(run("list", path, "--format", "json").out) for path in (model, one)]
    assert listed[0]["parameters"] == listed[1]["parameters"]


def test_npz_becomes_safetensors(run, tmp_path):
    np.savez(tmp_path / "m.npz", a=np.asfortranarray(VALUES["w"]), b=VALUES["b"].astype(">f8"))
    out = tmp_path / "m.safetensors"
    assert run("convert", tmp_path / "m.npz", out).status == 0
    assert_same(load_file(out), {"a": VALUES["w"], "b": VALUES["b"]})


def test_a_dtype_is_cast_and_integers_are_left_alone(run, model, tmp_path):
    out = tmp_path / "small.safetensors"
    done = run("convert", "--dtype", "bf16", model, out)
    assert done.out == f"cast 2 of 3 arrays to bfloat16\nwrite {out}: 3 arrays, 28 bytes\n"
    expected = {name: VALUES[name].astype(ml_dtypes.bfloat16) for name in "wb"}
    assert_same(load_file(out), {**expected, "steps": VALUES["steps"]})


def test_a_cast_that_overflows_needs_to_be_asked_for(run, tmp_path):
    model, out = tmp_path / "m.safetensors", tmp_path / "out.safetensors"
    save_file({"a": np.float32([[1, 2], [3, 70_000]])}, model)
    done = run("convert", model, out, "--dtype", "float16")
    assert (done.status, done.out) == (2, "")
    assert done.err == ("paraminspect: a[1, 1]: 70000.0 does not fit float16; use --cast unsafe\n")
    assert not out.exists()
    done = run("convert", model, out, "--dtype", "float16", "--cast", "unsafe")
    assert (done.status, done.out.splitlines()[0]) == (
        0,
        "cast 1 of 1 array to float16; 1 value lost",
    )
    assert_same(load_file(out), {"a": np.float16([[1, 2], [3, np.inf]])})


def test_a_file_can_be_converted_onto_itself(run, model):
    assert run("convert", model, model, "--dtype", "fp16").status == 2
    assert run("convert", model, model, "--dtype", "fp16", "--force").status == 0
    assert load_file(model)["w"].dtype == np.float16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["model.safetensors", "out.pt"],
            "out.pt: the name does not tell a format that is written",
        ),
        (["model.safetensors", "out", "--to", "nope"], "format 'nope' is not written"),
        (["model.safetensors", "out.safetensors", "--dtype", "bf61"], "did you mean 'bf16'?"),
        (["model.safetensors", "out.safetensors", "--dtype", "int8"], "int8 is none"),
        (
            ["model.safetensors", "out.safetensors", "--dtype", "float4_e2m1fn"],
            "the packed type float4_e2m1fn cannot be made",
        ),
        (
            ["model.safetensors", "out.safetensors", "--dtype", "fp8"],
            "unknown dtype 'fp8': say which, float8_e3m4, float8_e4m3, ",
        ),
        (["model.safetensors", "out.safetensors", "--dtype", "f4"], "say which, float4_e2m1fn"),
        (["model.safetensors", "x.safetensors", "--max-shard-size", "1GB"], "shards need a folder"),
        (["model.safetensors", "model.safetensors"], "exists already; use --force"),
        (["model.yaml", "out.safetensors"], "no values yet"),
        (["model.safetensors"], "where to write? Give OUT"),
        (["model.safetensors", "out.npz", "--cast", "unsafe"], "--cast goes with --dtype"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_use_is_one_line_and_status_2(arguments, message, run, model, monkeypatch):
    monkeypatch.chdir(model.parent)
    (model.parent / "model.yaml").write_text("framework: pytorch\nlayers:\n  - Linear(2, 2)\n")
    done = run("convert", *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert sorted(path.name for path in model.parent.iterdir()) == [
        "model.safetensors",
        "model.yaml",
    ]
