"""The contract of `paraminspect list`: arguments, exit status, what is printed where."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file
from terminal import on_terminal

MLP = """\
framework: pytorch
layers:
  - Linear(4, 8)
  - ReLU()
  - Linear(8, 1)
"""

ARRAYS = {
    **{f"h.{i}.ln.weight": np.full(6, i, np.float32) for i in range(11)},
    "emb.weight": np.arange(12, dtype=np.float32).reshape(6, 2),
    "scale": np.array([np.nan, 1.0, np.inf], np.float32),
}


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """A definition and a checkpoint in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlp.yaml").write_text(MLP)
    save_file(ARRAYS, "model.safetensors", {"head.weight": "emb.weight"})


def test_a_definition_is_listed_with_schemes_and_totals(run):
    done = run("list", "mlp.yaml")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "name      shape   dtype    parameters  bytes  scheme\n"
        "0.weight  [8, 4]  float32          32  128 B  kaiming_uniform(a=5**0.5)\n"
        "0.bias    [8]     float32           8   32 B  uniform(-1/sqrt(4), 1/sqrt(4))\n"
        "2.weight  [1, 8]  float32           8   32 B  kaiming_uniform(a=5**0.5)\n"
        "2.bias    [1]     float32           1    4 B  uniform(-1/sqrt(8), 1/sqrt(8))\n"
        "\n"
        "4 names, 49 parameters (all trainable), 196 B\n"
    )


def test_a_checkpoint_is_listed_in_the_natural_order_of_its_names(run):
    done = run("list", "model.safetensors", "--format", "names")
    assert done.out.splitlines() == [
        "emb.weight",
        *(f"h.{i}.ln.weight" for i in range(11)),
        *("head.weight", "scale"),
    ]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["*.bias"], ["0.bias", "2.bias"]),
        (["2.weight", "0.?ias"], ["0.bias", "2.weight"]),
        (["--exclude", "0.*"], ["2.weight", "2.bias"]),
        (["*.weight", "--exclude", "2.*"], ["0.weight"]),
        (["[0].*"], ["0.weight", "0.bias"]),
        (["--limit", "1"], ["0.weight"]),
        (["--limit", "0"], ["0.weight", "0.bias", "2.weight", "2.bias"]),
        (["--sort", "name"], ["0.bias", "0.weight", "2.bias", "2.weight"]),
        (["--sort", "size"], ["0.weight", "0.bias", "2.weight", "2.bias"]),
    ],
    ids=" ".join,
)
def test_parameters_are_chosen_and_ordered(run, arguments, names):
    done = run("list", "mlp.yaml", *arguments, "--format", "names")
    assert (done.status, done.out.split()) == (0, names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.yaml"], "nope.yaml: cannot open: no such file or directory"),
        (["mlp.yaml", "3.*"], "mlp.yaml: no parameter matches '3.*'"),
        (["mlp.yaml", "mlp.yaml"], "mlp.yaml is a file, and list takes one SOURCE so far"),
        (["mlp.yaml", "."], ". is a folder, and list takes one SOURCE so far: run it for each"),
        (["mlp.yaml", "hf://a/b"], "hf://a/b is a URL, and list takes one SOURCE so far"),
        (["mlp.yaml", "0.wieght"], "the nearest is '0.weight'"),
        (["mlp.yaml", "0"], "did you mean '0.*'?"),
        (["mlp.yaml", "--exclude", "3.*"], "mlp.yaml: no parameter matches '3.*'"),
        (["mlp.yaml", "--exclude", "*"], "mlp.yaml: --exclude leaves out every parameter"),
        (["mlp.yaml", "0.bias[1]"], "'0.bias[1]' has an index: `slice` shows the values there"),
        (["mlp.yaml", "--stats"], "mlp.yaml: a definition has no values yet"),
        (["mlp.yaml", "--tree", "--format", "csv"], "--tree does not go with --format csv"),
        (["mlp.yaml", "--tree", "--stats"], "--stats does not go with --format tree"),
        (["mlp.yaml", "--tree", "--sort", "size"], "--sort does not go with --format tree"),
        (["mlp.yaml", "--depth", "1", "--stats"], "--stats does not go with --depth"),
        (["mlp.yaml", "--format", "names", "--stats"], "--stats does not go with --format names"),
        (["mlp.yaml", "--format", "yaml"], "'yaml' is not one of 'table', 'tree', 'json'"),
        (["mlp.yaml", "--limit", "-1"], "'-1' is not a number from 0 on"),
        (["mlp.yaml", "--depth", "two"], "'two' is not a number from 0 on"),
        (["mlp.yaml", "--sort", "bytes"], "'bytes' is not one of 'name', 'size', 'definition'"),
        ([], "Missing argument 'SOURCE'; `paraminspect list --help` tells more"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_use_is_one_line_and_status_2(run, arguments, message):
    done = run("list", *arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("paraminspect: ")
    assert message in done.err


def test_the_tree_and_its_depth_go_together(run):
    done = run("list", "mlp.yaml", "--tree", "--depth", "1")
    assert done.out.splitlines() == [
        "mlp.yaml  Sequential  49 (196 B)",
        "├── 0  Linear(4, 8)  40 (160 B)",
        "├── 1  ReLU()" if "ReLU" in done.out else "└── 2  Linear(8, 1)  9 (36 B)",
        *(["└── 2  Linear(8, 1)  9 (36 B)"] if "ReLU" in done.out else []),
        "",
        "4 names, 49 parameters (all trainable), 196 B",
    ]
    assert run("list", "mlp.yaml", "--format", "tree", "--depth", "1").out == done.out


def test_a_depth_alone_gives_totals_per_module(run):
    rows = [
        line.split() for line in run("list", "model.safetensors", "--depth", "1").out.splitlines()
    ]
    assert rows[0] == ["module", "arrays", "parameters", "bytes", "share"]
    assert [row[:3] for row in rows[1:5]] == [
        *([".", "13", "81"], ["emb", "1", "12"], ["h", "11", "66"], ["head", "1", "12"]),
    ]


def test_a_folder_and_standard_input_are_sources_too(run, tmp_path, monkeypatch):
    assert run("list", ".", "--format", "names").out == (
        run("list", "model.safetensors", "--format", "names").out
    )
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(MLP.encode())))
    assert run("list", "-").out == run("list", "mlp.yaml").out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"layers: [", "paraminspect: -: not YAML"),
        (b"\x40\0\0\0\0\0\0\0{}", "paraminspect: -: not a definition; a checkpoint is named"),
        (b"", "paraminspect: -: the definition is empty"),
    ],
)
def test_bad_standard_input_is_named_by_its_dash(run, monkeypatch, content, message):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    done = run("list", "-")
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_json_holds_the_statistics_of_what_is_listed(run):
    report = json.loads(run("list", "model.safetensors", "--stats", "--format", "json").out)
    stats = {row["name"]: row["stats"] for row in report["parameters"]}
    assert stats["scale"] == {
        "mean": 1.0,
        "std": 0.0,
        "min": 1.0,
        "max": 1.0,
        "zeros": 0,
        "nan": 1,
        "inf": 1,
    }
    assert stats["head.weight"] == stats["emb.weight"]
    assert stats["emb.weight"]["max"] == 11.0


def test_statistics_are_had_of_the_rows_that_are_shown_alone_and_say_so(run):
    path = "cut.safetensors"
    spoiled = np.array([np.nan, np.inf, 1.0], np.float32)
    save_file({"a.w": np.ones(4, np.float32), "b.w": np.ones(4, np.float32), "c.w": spoiled}, path)
    done = run("list", path, "--stats", "--limit", "2")
    assert done.status == 0
    assert done.out.splitlines()[1].startswith("a.w")
    assert "1 more of 3" in done.out
    assert done.out.endswith("; of the 2 shown: 0 NaN, 0 Inf\n")
    assert run("list", path, "--stats").out.endswith(", 1 NaN, 1 Inf\n")
    assert run("list", path, "--stats", "c.w", "--limit", "1").out.endswith(", 1 NaN, 1 Inf\n")
    markdown = run("list", path, "--stats", "--limit", "2", "--format", "markdown").out
    assert markdown.endswith("; of the 2 shown: 0 NaN, 0 Inf\n")
    assert on_terminal("list", path, "--stats", "--limit", "2", NO_COLOR="1")[0].endswith(
        "; of the 2 shown: 0 NaN, 0 Inf\n"
    )


def test_a_terminal_folds_and_colours_and_a_pipe_does_neither(run):
    out, err = on_terminal("list", "model.safetensors")
    assert "11 x h.{0..10}.ln.weight" in out
    assert out.startswith("\x1b[1mname")
    assert err == ""
    assert "\x1b" not in on_terminal("list", "model.safetensors", NO_COLOR="1")[0]
    assert "\x1b" not in on_terminal("list", "model.safetensors", TERM="dumb")[0]
    piped = run("list", "model.safetensors").out
    assert "\x1b" not in piped
    assert "{" not in piped


def test_machine_formats_are_the_same_on_a_terminal(run):
    for style in ("json", "jsonl", "csv", "tsv", "markdown", "names"):
        out, _ = on_terminal("list", "model.safetensors", "--format", style, width=30)
        assert out == run("list", "model.safetensors", "--format", style).out


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    save_file({f"h.{i}.weight": np.ones(1, np.float32) for i in range(30_000)}, "many.safetensors")
    command = (
        f"{sys.executable} -m paraminspect list many.safetensors | head -1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    first, status = done.stdout.splitlines()
    assert first.startswith("name")
    assert (status, done.stderr) == ("0", "")


@pytest.mark.parametrize(
    ("definition", "notes"),
    [
        (
            "framework: keras\ninput: [4]\nlayers:\n  - Dense(8, trainable=False)\n"
            "  - BatchNormalization(trainable=False)\n  - BatchNormalization()\n",
            ["frozen"] * 4 + ["buffer"] * 2 + ["buffer"] * 2,
        ),
        (
            "framework: pytorch\nlayers:\n  - Embedding(5, 2, _freeze=True)\n  - BatchNorm1d(2)\n",
            ["frozen", "buffer", "buffer", "buffer"],
        ),
        (
            "framework: mxnet\nlayers:\n  - BatchNorm(scale=False, in_channels=2)\n",
            ["frozen", "buffer", "buffer"],
        ),
    ],
    ids=["keras", "pytorch", "mxnet"],
)
def test_weights_that_their_layer_freezes_are_frozen_and_others_buffers(
    run, tmp_path, definition, notes
):
    (tmp_path / "frozen.yaml").write_text(definition)
    done = run("list", "frozen.yaml")
    assert (done.status, done.err) == (0, "")
    words = [word for line in done.out.splitlines() for word in line.split()]
    assert [word for word in words if word in ("frozen", "buffer")] == notes
