"""The contract of `paraminspect slice`: arguments, exit status, what is printed and written."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from terminal import on_terminal

VALUES = {
    "0.weight": np.arange(12, dtype=np.float32).reshape(4, 3) / 8,
    "0.bias": np.arange(4, dtype=np.float32),
    "10.bias": np.array([1, 2, 300], np.int64),
    "2.bias": np.array([0.5, -1]).astype(ml_dtypes.bfloat16),
    "2.big": np.arange(2000, dtype=np.float64),
}


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file(VALUES, "model.safetensors")
    return "model.safetensors"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("0.weight[0]", "[0.    0.125 0.25 ]\n"),
        ("0.weight[-1, 1]", "1.25\n"),
        ("0.weight[::-2, :2]", "[[1.125 1.25 ]\n [0.375 0.5  ]]\n"),
        ("0.weight[..., 0]", "[0.    0.375 0.75  1.125]\n"),
        ("0.bias", "[0. 1. 2. 3.]\n"),
        ("[0].bias[1:3]", "[1. 2.]\n"),
        ("[10].bias[2]", "300\n"),
        ("2.bias", "[ 0.5 -1. ]\n"),
    ],
)
def test_a_single_slice_is_printed_bare(run, model, address, expected):
    done = run("slice", model, address)
    assert (done.status, done.out, done.err) == (0, expected, "")


def test_several_slices_are_named_and_in_natural_order(run, model):
    done = run("slice", model, "*.bias[:1]", "0.weight[0, 0]")
    assert done.out.split("\n\n") == [
        "0.bias[:1]  float32 [1]\n[0.]",
        "2.bias[:1]  bfloat16 [1]\n[0.5]",
        "10.bias[:1]  int64 [1]\n[1]",
        "0.weight[0, 0]  float32 []\n0.0\n",
    ]


def test_json_is_the_documented_object(run, model):
    report = json.loads(run("slice", model, "0.weight[1:3]", "2.bias", "--format", "json").out)
    assert (report["schema_version"], report["source"]) == (1, model)
    assert report["slices"] == [
        {
            "name": "0.weight",
            "index": "1:3",
            "shape": [2, 3],
            "dtype": "float32",
            "values": VALUES["0.weight"][1:3].tolist(),
        },
        {"name": "2.bias", "index": None, "shape": [2], "dtype": "bfloat16", "values": [0.5, -1.0]},
    ]


def test_separated_values(run, model):
    assert (
        run("slice", model, "0.weight[:2]", "--format", "csv").out
        == "0.0,0.125,0.25\n0.375,0.5,0.625\n"
    )
    assert run("slice", model, "0.weight[:1]", "--format", "tsv").out == "0.0\t0.125\t0.25\n"
    assert (
        run("slice", model, "0.weight[0, 1]", "--format", "csv", "--precision", "1").out
        == "1.2e-01\n"
    )


def test_precision_is_that_of_numpy(run, model):
    assert run("slice", model, "0.weight[0]", "--precision", "1").out == "[0.  0.1 0.2]\n"


@pytest.mark.parametrize("arguments", [("-o", "w.npy"), ("--format", "npy", "-o", "w")])
def test_npy_files_are_written_as_numpy_reads_them(run, model, arguments):
    done = run("slice", model, "0.weight[1:]", *arguments)
    assert (done.status, done.out, done.err) == (0, "", "")
    np.testing.assert_array_equal(np.load(arguments[-1]), VALUES["0.weight"][1:], strict=True)
    assert sorted(path.name for path in Path.cwd().iterdir()) == [
        "model.safetensors",
        arguments[-1],
    ]


@pytest.mark.parametrize(
    ("suffix", "first"),
    [(".csv", "0.0,0.125"), (".json", "{"), (".txt", "0.0 0.125"), (".tsv", "0.0\t0.125")],
)
def test_the_name_of_the_file_tells_the_format(run, model, suffix, first):
    run("slice", model, "0.weight[0:1, :2]", "-o", f"x{suffix}")
    assert Path(f"x{suffix}").read_text().startswith(first)


def test_bytes_go_to_a_pipe(model):
    command = [sys.executable, "-m", "paraminspect", "slice", model, "0.bias", "--format", "raw"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (VALUES["0.bias"].tobytes(), b"")


def test_what_npy_lacks_is_kept_as_bytes_with_a_note(run, model):
    done = run("slice", model, "2.bias", "-o", "b.npy")
    assert done.err == (
        "paraminspect: .npy has no bfloat16: numpy.load gives bytes,"
        " .view(ml_dtypes.bfloat16) the values\n"
    )
    assert np.load("b.npy").view(ml_dtypes.bfloat16).astype(float).tolist() == [0.5, -1]


def test_an_existing_file_is_overwritten_only_by_force_and_the_source_never(run, model):
    before = Path(model).read_bytes()
    Path("x.npy").write_text("mine")
    done = run("slice", model, "0.bias", "-o", "x.npy")
    assert (done.status, Path("x.npy").read_text()) == (2, "mine")
    assert "use --force" in done.err
    assert run("slice", model, "0.bias", "-o", "x.npy", "--force").status == 0
    done = run("slice", model, "0.bias", "-o", model, "--force")
    assert (done.status, Path(model).read_bytes()) == (2, before)
    assert "is the source itself" in done.err


def test_a_failing_write_leaves_nothing(run, model):
    done = run("slice", model, "0.bias", "-o", "absent/x.npy")
    assert done.status == 2
    assert "absent/x.npy: cannot write" in done.err
    done = run("slice", model, "0.bias", "*.nope", "-o", "x.txt")
    assert done.status == 2
    assert [path.name for path in Path.cwd().iterdir()] == ["model.safetensors"]


def test_statistics_and_histograms_stand_in_place_of_values(run, model):
    done = run("slice", model, "0.bias", "--stats")
    assert [line.split() for line in done.out.splitlines()] == [
        ["name", "shape", "dtype", "mean", "std", "min", "max", "zeros", "nan", "inf"],
        ["0.bias", "[4]", "float32", "1.5", "1.118", "0", "3", "1", "0", "0"],
    ]
    done = run("slice", model, "10.bias[:2]", "--hist")
    assert [line.split()[:2] for line in done.out.splitlines()[-2:]] == [["1", "1"], ["2", "1"]]
    report = json.loads(run("slice", model, "0.bias", "--hist", "--format", "json").out)
    [record] = report["slices"]
    assert record["stats"]["mean"] == 1.5
    assert sum(record["histogram"]["counts"]) == 4
    assert "values" not in record


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope",), "no parameter matches 'nope'"),
        (("0.bias", "nope*"), "no parameter matches 'nope*'"),
        (("0.bias[9]",), "0.bias: index 9 is out of bounds for axis 0 with size 4"),
        (("0.bias[0, 0]",), "0.bias: 2 indices for 1 axis"),
        (("0.weight[4:]",), "0.weight: the index [4:] selects nothing of axis 0"),
        (
            ("0.bias", "model.safetensors"),
            "model.safetensors is a file, and slice takes one SOURCE",
        ),
        ((".",), ". is a folder, and slice takes one SOURCE"),
        (("0.bias[::0]",), "a slice step cannot be zero"),
        (("0.bias[a]",), "integers, slices and '...'"),
        (("0.bias[",), "ends the address with ']'"),
        ((), "Missing argument 'ADDRESS...'"),
        (("0.bias", "--force"), "--force goes with -o FILE"),
        (("*", "--format", "npy"), "npy holds one array, and there are 5"),
        (("0.bias", "--format", "xml"), "Invalid value for '--format'"),
        (("0.bias", "--format", "json", "--precision", "3"), "--precision is for values as text"),
        (("0.bias", "--format", "npy", "--stats"), "make a table, which npy cannot hold"),
        (("0.bias", "--format", "markdown"), "--format markdown is for --stats and --hist"),
        (("0.bias", "--precision", "-1"), "Invalid value for '--precision'"),
    ],
)
def test_bad_use_is_trouble_and_says_why(run, model, arguments, message):
    done = run("slice", model, *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_definition_has_no_values_and_the_message_says_what_to_do(run, model):
    Path("model.yaml").write_text("framework: pytorch\nlayers:\n  - Linear(3, 2)\n")
    done = run("slice", "model.yaml", "0.weight[0]")
    assert (done.status, done.out) == (2, "")
    assert "model.yaml: '0.weight' has no values" in done.err
    assert "`init`" in done.err


def test_too_much_text_for_a_pipe_is_refused_and_other_formats_are_complete(run, model):
    save_file({"w": np.zeros(100_001, np.int8)}, "large")
    done = run("slice", "large", "w")
    assert (done.status, done.out) == (2, "")
    assert "an index selects fewer; use --format csv" in done.err
    assert run("slice", "large", "w", "--format", "csv").out.count("\n") == 100_001
    assert "..." not in run("slice", model, "2.big").out


def test_a_terminal_gets_a_summary_and_is_told_so(model):
    out, err = on_terminal("slice", model, "2.big")
    assert out == "[0.000e+00 1.000e+00 2.000e+00 ... 1.997e+03 1.998e+03 1.999e+03]\n"
    assert err == ("paraminspect: '2.big': a summary of 2,000 values; use --format csv for all\n")
    out, err = on_terminal("slice", model, "0.bias", "--format", "raw")
    assert (out, "raw is not for a terminal" in err) == ("", True)


def test_a_truncated_file_is_trouble(run, model):
    Path("cut").write_bytes(Path(model).read_bytes()[:-8])
    assert "cut: truncated" in run("slice", "cut", "0.bias").err


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux to count bytes read")
def test_a_row_of_ten_gigabytes_costs_a_row(run, tmp_path):
    rows, columns = 1_000_000, 2_500
    entry = {
        "w": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [0, 4 * rows * columns]}
    }
    header = json.dumps(entry).encode()
    path = tmp_path / "ten.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 4 * rows * columns)
        file.seek(8 + len(header) + 4 * columns * 777_777)
        file.write(np.arange(columns, dtype=np.float32).tobytes())
    run("slice", path, "w[0, 0]")  # what is imported is read now

    def bytes_read(*arguments):
        before = Path("/proc/self/io").read_text()
        done = run("slice", path, *arguments)
        after = Path("/proc/self/io").read_text()
        counts = [int(text.split()[1]) for text in (before, after)]
        return counts[1] - counts[0], done.out

    overhead, _ = bytes_read("w[0, 0]")
    read, out = bytes_read("w[777777]", "--format", "csv")
    assert out == "".join(f"{float(i)}\n" for i in range(columns))
    assert read - overhead < 1.1 * 4 * columns
    read, out = bytes_read("w[777777, -1]")
    assert out == "2499.0\n"
    assert read - overhead < 1000


def test_positions_count_as_in_every_other_command(run, model):
    (named,) = run("list", model, "[0][0]", "--format", "names").out.split()
    assert run("slice", model, "[0][0]").out == run("slice", model, named).out
    changed = run("set", model, "[0][0]=5", "-o", "new.safetensors")
    assert named in changed.out
    refused = run("slice", model, "[0][0][1]")
    assert refused.status == 2
    assert "'[0][0][1]' goes on below the parameter" in refused.err


NAMES = ["a", "a[0]", "['params']['d']['k']", ".l[0].w", ".l[1].w", "x=y", "w*", "w2", "[0]", '"q"']


def test_every_name_that_list_prints_is_one_that_every_command_takes(run, tmp_path):
    values = {name: np.arange(3, dtype=np.float32) + 10 * i for i, name in enumerate(NAMES)}
    model = tmp_path / "m.safetensors"
    save_file(values, model)
    assert sorted(run("list", model, "--format", "names").out.splitlines()) == sorted(NAMES)
    for name, array in values.items():
        assert run("list", model, name, "--format", "names").out == f"{name}\n"
        assert run("slice", model, name, "--format", "csv").out.split() == [*map(str, array)]
        assert run("slice", model, f"{name}[1]").out == f"{array[1]}\n"
        new = tmp_path / "new.safetensors"
        assert run("set", model, f"{name}=-1", "-o", new, "--force").status == 0
        assert run("diff", model, new, "--format", "names").out == f"{name}\n"
        assert run("diff", model, new, "--exclude", name).status == 0
        assert run("diff", model, new, name, "--format", "names").out == f"{name}\n"
        rule = ["--rule", f"{name}[2]=42", "--seed", "0", "-o", new, "--force"]
        assert run("init", model, *rule).status == 0
        assert run("slice", new, f"{name}[2]").out == "42.0\n"
        renamed = run("diff", model, model, "--map", f"{name}=new*", "--format", "names").out
        assert set(renamed.splitlines()) == {name, "new*"}


def test_patterns_reach_names_with_brackets_and_quotes_make_names(run, tmp_path):
    save_file({name: np.float32([1, 2]) for name in NAMES}, tmp_path / "m.safetensors")

    def names(*patterns):
        done = run("list", tmp_path / "m.safetensors", *patterns, "--format", "names")
        return set(done.out.splitlines())

    assert names(".l[*].w") == {".l[0].w", ".l[1].w"}
    assert names("['params']*['k']") == {"['params']['d']['k']"}
    assert names("'w*'") == {"w*"}
    assert names("w**") == {"w*", "w2"}
    assert run("slice", tmp_path / "m.safetensors", '"a"[0]').out == "1.0\n"
    refused = run("slice", tmp_path / "m.safetensors", "'*'")
    assert (refused.status, refused.out) == (2, "")


def test_an_index_in_the_middle_is_explained(run, tmp_path):
    save_file({"layer.weight": np.float32([[1, 2]])}, tmp_path / "m.safetensors")
    done = run("slice", tmp_path / "m.safetensors", "w[0][1]")
    assert done.err.endswith("an index stands last, in one pair of brackets: w[0, 1]\n")
