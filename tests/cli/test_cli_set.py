"""The contract of `paraminspect set`: arguments, exit status, what is printed, what is written."""

import io
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

VALUES = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "0.bias": np.arange(2, dtype=np.float32),
    "steps": np.array(7, np.int64),
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(VALUES, path, {"format": "pt", "licence": "MIT"})
    return path


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_values(path, **changed):
    read = load_file(path)
    for name, values in {**VALUES, **changed}.items():
        np.testing.assert_array_equal(read[name], values, strict=True)


def test_in_place_changes_the_source_and_says_what(run, model):
    done = run("set", "-i", model, "0.bias[1]=42", "steps=x + 1")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "set 0.bias[1]: 1 of 2 elements\n"
        "set steps: 1 of 1 element\n"
        f"write {model}: 3 arrays, 40 bytes\n"
    )
    assert_values(model, **{"0.bias": np.float32([0, 42]), "steps": np.array(8)})
    assert names_in(model.parent) == ["model.safetensors"]


def test_output_leaves_the_source_alone_and_carries_metadata(run, model, tmp_path):
    out = tmp_path / "out.safetensors"
    assert run("set", model, "0.*=0", "-o", out, "--quiet").out == ""
    assert_values(model)
    assert_values(
        out, **{"0.weight": np.zeros((2, 3), np.float32), "0.bias": np.zeros(2, np.float32)}
    )
    listed = run("list", "--format", "json", out).out
    assert '"licence": "MIT"' in listed


def test_a_dry_run_says_what_it_would_do_and_computes_it(run, model):
    before = model.read_bytes()
    done = run("set", "-i", model, "0.bias=x + 1", "--dry-run")
    assert done.out.startswith("would set 0.bias: 2 of 2 elements\nwould write ")
    assert run("set", "-i", model, "steps=x / 2", "--dry-run").status == 2
    assert model.read_bytes() == before


def test_a_tie_is_told_and_set_under_both_names(run, tmp_path):
    path = tmp_path / "tied.safetensors"
    save_file({"wte": np.arange(4.0)}, path, {"head": "wte"})
    done = run("set", "-i", path, "head[0]=5")
    assert done.out.startswith("set wte[0]: 1 of 4 elements, also of head\n")
    np.testing.assert_array_equal(load_file(path)["wte"], [5.0, 1, 2, 3], strict=True)


def test_values_come_from_a_npy_file(run, model, tmp_path):
    np.save(tmp_path / "row.npy", np.array([7, 8, 9], ">i2"))
    np.save(tmp_path / "all.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3) * 2))
    assert run("set", "-i", model, "0.weight[1]", "--from", tmp_path / "row.npy").status == 0
    assert_values(model, **{"0.weight": np.float32([[0, 1, 2], [7, 8, 9]])})
    assert run("set", "-i", model, "0.weight", "--from", tmp_path / "all.npy").status == 0
    assert_values(model, **{"0.weight": np.float32([[0, 2, 4], [6, 8, 10]])})


def test_a_lossy_cast_needs_to_be_asked_for(run, model):
    before = model.read_bytes()
    done = run("set", "-i", model, "steps=0.5")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "paraminspect: steps: 0.5 has a fraction, which int64 does not hold; use --cast unsafe\n"
    )
    assert model.read_bytes() == before
    done = run("set", "-i", model, "steps=0.5", "--cast", "unsafe")
    assert (done.status, done.out.splitlines()[0]) == (
        0,
        "set steps: 1 of 1 element; 1 value lost",
    )
    assert_values(model, steps=np.array(0))


def test_values_that_become_nan_need_to_be_asked_for_and_are_counted(run, model):
    before = model.read_bytes()
    done = run("set", "-i", model, "0.bias=log(-1)")
    assert (done.status, done.out) == (2, "")
    assert "0.bias[0]: the result is NaN or infinite, and what it is computed" in done.err
    assert "(2 of 2 values are lost); use --cast unsafe" in done.err
    assert model.read_bytes() == before
    done = run("set", "-i", model, "0.bias=log(-1)", "--cast", "unsafe")
    assert done.out.startswith("set 0.bias: 2 of 2 elements; 2 values lost\n")
    done = run("set", "-i", model, "0.bias=nan", "0.weight=x * inf", "--cast", "unsafe")
    assert "lost" not in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.safetensors", "0.bias=1"], "where to write? Give -o FILE, or -i"),
        (["model.safetensors", "0.bias=1", "-i", "-o", "x"], "-o and -i exclude each other"),
        (["model.safetensors", "0.bias=1", "-o", "model.safetensors"], "itself; -i changes it in"),
        (["model.safetensors", "0.bias+=1", "-i"], "write 0.bias=x+1, where x is the present"),
        (["model.safetensors", "0.bias[0] **= .5", "-i"], "write 0.bias[0]=x**(.5), where x"),
        (["model.safetensors", "0.bias*=2", "-i"], "there is no *=: write 0.bias=x*2, where x"),
        (["model.safetensors", "*.bias*=2", "-i"], "there is no *=: write *.bias=x*2, where x"),
        (["model.safetensors", "0.bias:=2", "-i"], "there is no :=: write 0.bias=2, where x"),
        (["model.safetensors", "0.bias==1", "-i"], "write 0.bias=1 to set, with x for the"),
        (["model.safetensors", "0.bias==1", "-i"], "present value: 0.bias=x+1"),
        (["model.safetensors", "0.bias[2:]=1", "-i"], "0.bias: the index [2:] selects nothing"),
        (["model.safetensors", "0.bias=1", "-o", "other"], "exists already; use --force"),
        (["model.safetensors", "0.bias=1", "-o", "no/where"], "no such file or directory"),
        (["model.safetensors", "0.bias", "-i"], "expected ADDRESS=EXPRESSION, got '0.bias'"),
        (["model.safetensors", "0.bais=1", "-i"], "the nearest is '0.bias'"),
        (["model.safetensors", "nothing*=1", "-i"], "no parameter matches 'nothing*'"),
        (["model.safetensors", "0.bias[9]=1", "-i"], "0.bias: index 9 is out of bounds"),
        (["model.safetensors", "0.bias=y", "-i"], "0.bias: unknown name 'y'"),
        (["model.safetensors", "0.bias=", "-i"], "cannot read ''"),
        (
            ["model.safetensors", "0.weight='steps'[3]", "-i"],
            "too many indices for array",
        ),
        (["model.safetensors", "0.bias", "steps", "--from", "x.npy", "-i"], "one ADDRESS"),
        (["model.safetensors", "0.bias", "--from", "other", "-i"], "other: not a .npy array"),
        (["model.safetensors", "0.bias", "--from", "no.npy", "-i"], "no.npy: cannot open"),
        (["model.safetensors", "0.bias=1", "--from", "x.npy", "-i"], "an ADDRESS alone, got '0.b"),
        (["model.yaml", "0.bias=1", "-i"], "model.yaml: a definition holds no values"),
        (["model.yaml", "0.bias=1", "-o", "out"], "no values yet"),
        (
            ["model.safetensors", "0.bias=1", "-o", "d", "--max-shard-size", "big"],
            "'big' is not a size",
        ),
        (["nosuch.safetensors", "a=1", "-i"], "nosuch.safetensors: cannot open"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_use_is_one_line_and_status_2(arguments, message, run, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").write_bytes(b"mine")
    (tmp_path / "model.yaml").write_text("framework: pytorch\nlayers:\n  - Linear(2, 2)\n")
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = run("set", *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert message in done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_standard_input_cannot_be_changed_in_place(run, monkeypatch, tmp_path):
    class Stdin:
        buffer = io.BytesIO(b"framework: pytorch\nlayers:\n  - Linear(2, 2)\n")

    monkeypatch.setattr(sys, "stdin", Stdin)
    done = run("set", "-", "0.bias=1", "-i")
    assert (done.status, "standard input cannot be changed" in done.err) == (2, True)


def test_a_sharded_source_is_changed_in_place_or_split_anew(run, model, tmp_path):
    folder = tmp_path / "shards"
    assert run("set", model, "0.bias=1", "-o", folder, "--max-shard-size", "30B").status == 0
    assert names_in(folder) == [
        *(f"model-0000{i}-of-00002.safetensors" for i in (1, 2)),
        "model.safetensors.index.json",
    ]
    done = run("set", "-i", folder, "0.bias=x * 2")
    assert done.out.endswith("model.safetensors.index.json: 3 arrays, 40 bytes\n")
    one = tmp_path / "one.safetensors"
    assert run("set", folder, "0.weight=x", "-o", one).status == 0
    assert_values(one, **{"0.bias": np.float32([2, 2])})
