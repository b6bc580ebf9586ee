"""Right where other tools are silently wrong.

Each test is a wrong answer of a tool of this field that was found by running it; the docstring
says which. The numbers are those of the table in the README.
"""

import json
import pickle
import re
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file


def arrays():
    rng = np.random.default_rng(0)
    shapes = {"wte.weight": (9, 4), "ln_f.bias": (4,)}
    for i in range(2):
        shapes |= {f"h.{i}.c_attn.weight": (4, 12), f"h.{i}.c_attn.bias": (12,)}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def save(tmp_path, monkeypatch):
    """`save(name, change)`: the small model, changed in place by a function, in this folder."""
    monkeypatch.chdir(tmp_path)

    def save(name, change=None, metadata=None):
        model = arrays()
        if change:
            change(model)
        save_file(model, name, metadata)
        return name

    return save


def save_hdf5(model, name):
    with h5py.File(name, "w") as file:
        for parameter, array in model.items():
            file[parameter] = array


def save_npz(model, name):
    np.savez(name, **model)


def differing(done):
    """What a JSON report of `diff` says of values: elements that differ by name."""
    records = json.loads(done.out, parse_constant=pytest.fail)["differences"]
    return {r["name"]: r["differing"] for r in records if r["kind"] == "value"}


def test_01_changed_values_are_found_without_an_option(run, save):
    """sft diff: "Unchanged: 28 tensors", status 0, for a changed weight and a NaN."""

    def change(model):
        model["h.1.c_attn.weight"][2, 3] += 1
        model["ln_f.bias"][1] = np.nan

    done = run("diff", save("a"), save("b", change), "--format", "json")
    assert done.status == 1
    assert differing(done) == {"h.1.c_attn.weight": 1, "ln_f.bias": 1}


@pytest.mark.parametrize("command", ["list", "diff", "slice"])
def test_02_half_a_file_is_trouble(run, save, command):
    """sft diff, modelinfo and ckptkit diff pass a file that lacks half of its bytes."""
    whole = Path(save("a")).read_bytes()
    Path("cut").write_bytes(whole[: len(whole) // 2])
    more = {"list": [], "diff": ["a"], "slice": ["ln_f.bias"]}[command]
    done = run(command, "cut", *more)
    assert (done.status, done.out) == (2, "")
    assert "cut: truncated" in done.err


def test_03_a_cast_is_told_and_compared_by_value(run, save):
    """sft diff --delta prints nothing, status 0, when the dtype has changed."""

    def cast(model):
        model.update({name: a.astype(ml_dtypes.bfloat16) for name, a in model.items()})

    done = run("diff", save("a"), save("b", cast), "--format", "json")
    report = json.loads(done.out)
    assert done.status == 1
    assert report["totals"]["dtype"] == report["totals"]["value"] == 6


def test_04_integers_near_2_to_the_53_are_told_apart(run, save):
    """sft diff --delta: 2^53 and 2^53 + 1 are "equal"."""
    for name, value in (("a", 2**53), ("b", 2**53 + 1)):
        save_file({"step": np.array([7, value])}, name)
    done = run("diff", "a", "b", "--format", "jsonl")
    record = json.loads(done.out)
    assert (done.status, record["differing"], record["max_abs"]) == (1, 1, 1)
    save_file({"step": np.array([7, 2.0**53])}, "float")
    assert run("diff", "a", "float", "--ignore", "dtype").status == 0
    assert run("diff", "b", "float", "--ignore", "dtype").status == 1


def test_05_a_file_with_nan_equals_itself(run, save):
    """sft diff --delta and brainsurgery diff: a file with a NaN differs from itself."""
    save("nan", lambda model: model["ln_f.bias"].fill(np.nan))
    done = run("diff", "nan", "nan")
    assert (done.status, done.out, done.err) == (0, "the same: 6 arrays\n", "")


def test_06_names_that_would_collide_are_refused(run, save):
    """sft rename onto names that exist: 28 tensors in, 16 out, status 0."""
    done = run("diff", save("a"), save("b"), "--map", "h.0.*=h.1.*")
    assert done.status == 2
    assert "would both be named 'h.1.c_attn.bias'" in done.err


@pytest.mark.parametrize("command", ["list", "slice", "diff"])
def test_07_what_help_shows_works(run, save, command):
    """sft rename: the command that its help and its README show ends with status 2."""
    more = {
        "h.0.attn.c_attn.weight": (2, 9),
        "wpe.weight": (12, 2),
        "h.1.scale": (1,),
        "0.1.0.bias": (4,),
        "encoder.0.weight": (2, 3),
    }

    def add(model):
        model.update({name: np.ones(shape) for name, shape in more.items()})

    def prefix(model):
        for name in list(model):
            model[f"model.{name}"] = model.pop(name)

    help_ = run(command, "--help").out
    shown = re.findall(rf"^ +paraminspect ({command} .*?)(?: [|&]+ .*)?$", help_, re.MULTILINE)
    assert len(shown) >= 4
    for name in set(re.findall(r"(?<!-o )\b\w+\.safetensors\b", help_)):
        save(name, prefix if name == "trainer.safetensors" else add)
    Path("model.yaml").write_text("framework: pytorch\nlayers:\n  h: 2 * Linear(3, 3)\n")
    Path("model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict.fromkeys([*arrays(), *more], "model.safetensors")})
    )
    for line in shown:
        done = run(*shlex.split(line))
        said = [text for text in done.err.splitlines() if "--map" not in text]  # only a hint
        assert (done.status in (0, 1), said) == (True, []), line


def test_08_a_pattern_that_matches_nothing_writes_nothing(run, save):
    """sft slice --include 'nope*' writes a file without tensors, status 0, over what was there."""
    before = Path(save("a")).read_bytes()
    Path("mine.npy").write_text("mine")
    for arguments in (
        ("nope*", "-o", "new.npy"),
        ("ln_f.bias", "-o", "mine.npy"),
        ("ln_f.bias", "-o", "a", "--format", "npy", "--force"),
    ):
        done = run("slice", "a", *arguments)
        assert (done.status, done.out) == (2, "")
    assert Path("mine.npy").read_text() == "mine"
    assert Path("a").read_bytes() == before
    assert not Path("new.npy").exists()


def test_09_json_is_strict_with_nan(run, save):
    """sft stat and diff --json print a bare NaN, which is no JSON."""
    save("nan", lambda model: model["ln_f.bias"].fill(np.nan))
    save("a")
    for command in (
        ("list", "nan", "--stats", "--format", "json"),
        ("slice", "nan", "ln_f.bias", "--format", "json"),
        ("slice", "nan", "ln_f.bias", "--stats", "--format", "json"),
        ("diff", "nan", "a", "--format", "json"),
        ("diff", "nan", "a", "--format", "jsonl", "ln_f.*"),
    ):
        json.loads(run(*command).out, parse_constant=pytest.fail)


def test_10_shards_are_one_model_again(run, save):
    """sft split writes the index beside its input, and sft cannot open it."""
    save("whole")
    assert run("convert", "whole", "shards/", "--max-shard-size", "200B", "--quiet").status == 0
    assert len(list(Path("shards").glob("*.safetensors"))) > 1
    assert len(list(Path().iterdir())) == 2
    assert run("diff", "whole", "shards").status == 0
    assert run("diff", "shards/model.safetensors.index.json", "whole").status == 0


@pytest.mark.parametrize(
    "dtype", [np.float32, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, np.int64]
)
@pytest.mark.parametrize("change", ["swapped", "one"])
def test_11_changes_that_statistics_miss_are_found(run, save, dtype, change):
    """diffai compares mean, std, min and max: swapped elements and more are no difference."""
    values = np.arange(8).astype(dtype)
    changed = values.copy()
    if change == "swapped":
        changed[[2, 5]] = changed[[5, 2]]
    else:
        changed[3] = 5
    save_file({"x": values}, "a")
    save_file({"x": changed}, "b")
    done = run("diff", "a", "b", "--format", "json")
    assert differing(done) == {"x": 2 if change == "swapped" else 1}


def test_11_metadata_that_differs_is_told(run, save):
    """diffai says nothing of it. It is no difference of the parameters, so the status is 0."""
    save("a", metadata={"format": "pt", "epoch": "3"})
    save("b", metadata={"format": "pt", "epoch": "4"})
    done = run("diff", "a", "b")
    assert (done.status, "metadata differs" in done.out, "epoch" in done.out) == (0, True, True)
    assert json.loads(run("diff", "a", "b", "--format", "json").out)["metadata_differs"] == [
        "epoch"
    ]


def test_12_other_values_are_never_identical_and_a_pt_file_is_not_empty(run, save):
    """ckptkit diff: "structurally identical", status 0; ckptkit info of a .pt file: 0 tensors."""
    done = run("diff", save("a"), save("b", lambda model: model["wte.weight"].fill(0)))
    assert done.status == 1
    Path("small.pt").write_bytes(pickle.dumps({"weight": list(range(100))}, protocol=2))
    for command in (("list", "small.pt"), ("diff", "a", "small.pt"), ("slice", "small.pt", "x")):
        done = run(*command)
        assert (done.status, done.out) == (2, "")
        assert "pickle" in done.err


def test_13_names_are_whole_in_a_pipe(run, save):
    """ckptkit info in a pipe: four different names print as the same 80 columns."""
    names = [
        f"model.language_model.layers.0.block_sparse_moe.experts.{i}." + "w" * 90 for i in range(4)
    ]
    save_file({name: np.zeros(2) for name in names}, "a")
    save_file({name: np.ones(2) for name in names}, "b")
    for command in (
        ("list", "a"),
        ("diff", "a", "b"),
        ("slice", "a", "*"),
        ("diff", "a", "b", "--stat"),
    ):
        out = run(*command).out
        assert all(name in out for name in names) or "--stat" in command
        assert "..." not in out
        assert "\x1b" not in out


def test_14_vectors_count(run, save):
    """modeldelta skips every tensor with one axis, and misses the changed bias."""
    done = run(
        "diff",
        save("a"),
        save("b", lambda model: model["ln_f.bias"].__iadd__(1)),
        "--format",
        "json",
    )
    assert differing(done) == {"ln_f.bias": 4}


def test_15_another_shape_or_a_missing_array_is_a_difference_with_a_line(run, save):
    """h5diff: status 0 for another shape; status 1 without a word for a missing dataset."""
    save("a")
    done = run(
        "diff", "a", save("b", lambda model: model.update({"ln_f.bias": np.zeros(5, np.float32)}))
    )
    assert done.status == 1
    assert "~ ln_f.bias  shape  [4] -> [5]" in done.out
    done = run("diff", "a", save("c", lambda model: model.pop("ln_f.bias")))
    assert done.status == 1
    assert "- ln_f.bias  missing  [4] float32" in done.out


def test_16_each_parameter_has_random_numbers_of_its_own(run, save):
    """brainsurgery: a seed gives every matched layer the same weights; the metadata are lost."""
    save("a", metadata={"format": "pt", "licence": "MIT"})
    rule = ("--rule", "h.?.c_attn.weight=normal(0, 1)", "--seed", "7")
    for out in ("b", "again"):
        assert run("init", "a", *rule, "-o", out, "--quiet").status == 0
    first, second = (run("slice", "b", f"h.{i}.c_attn.weight", "--format", "csv").out for i in "01")
    assert first != second
    assert run("diff", "b", "again").status == 0
    assert differing(run("diff", "a", "b", "--format", "json")) == {
        "h.0.c_attn.weight": 48,
        "h.1.c_attn.weight": 48,
    }
    metadata = json.loads(run("list", "b", "--format", "json").out)["metadata"]
    assert metadata == {"format": "pt", "licence": "MIT"}


def test_17_setting_one_name_of_a_tie_sets_both_and_keeps_the_tie(run, tmp_path, monkeypatch):
    """brainsurgery fill_ in a tied file: the tie is broken without notice."""
    monkeypatch.chdir(tmp_path)
    save_file({"wte.weight": np.zeros((3, 2), np.float32)}, "a", {"head.weight": "wte.weight"})
    assert run("set", "a", "head.weight[0]=1", "-o", "b").status == 0
    done = run("diff", "a", "b", "--format", "json")
    assert [d["kind"] for d in json.loads(done.out)["differences"]] == ["value"]
    out = run("slice", "b", "head.weight", "wte.weight", "--format", "csv").out
    assert out.count("1.0,1.0\n0.0,0.0\n0.0,0.0\n") == 2


@pytest.mark.parametrize("suffix", [".safetensors", ".h5", ".npz"])
def test_18_equal_shapes_are_not_equal_values_and_arrays_are_counted_right(run, save, suffix):
    """KerasFileEditor.compare: "Comparison successful", 6 matching weights in a file of 4."""
    write = {".safetensors": save_file, ".h5": save_hdf5, ".npz": save_npz}
    names = []
    for name, change in (("a", 0), ("b", 1)):
        model = {n: array + change for n, array in arrays().items()}
        names.append(f"{name}{suffix}")
        write[suffix](model, names[-1])
    done = run("diff", *names, "--format", "json")
    totals = json.loads(done.out)["totals"]
    assert done.status == 1
    assert (totals["compared"], totals["same"], totals["value"]) == (6, 0, 6)


def test_19_a_tied_head_counts_once(run, save):
    """torchinfo: 100 parameters for 63, and -37.00% of them."""
    save_file(
        {"emb.weight": np.zeros((9, 4), np.float32), "ln.weight": np.zeros(27)},
        "tied",
        {"head.weight": "emb.weight"},
    )
    totals = json.loads(run("list", "tied", "--format", "json").out)["totals"]
    assert (totals["names"], totals["arrays"], totals["count"]) == (3, 2, 63)
    assert (
        json.loads(run("diff", "tied", "tied", "--format", "json").out)["totals"]["compared"] == 2
    )


def test_20_a_tensor_turned_to_nan_differs(run, save):
    """weightscope diff: "bit-identical across every compared tensor"."""
    done = run(
        "diff",
        save("a"),
        save("b", lambda model: model["wte.weight"].fill(np.nan)),
        "--format",
        "json",
    )
    assert (done.status, differing(done)) == (1, {"wte.weight": 36})
    assert run("diff", "a", "b", "--rtol", "1e30", "--atol", "1e30").status == 1


def test_21_bfloat16_is_read_by_who_never_heard_of_it(save):
    """safetensors.numpy.load_file: TypeError: data type 'bfloat16' not understood."""
    save(
        "a",
        lambda model: model.update({"ln_f.bias": np.array([0.5, -2]).astype(ml_dtypes.bfloat16)}),
    )
    for command in (["slice", "a", "ln_f.bias"], ["list", "a", "--stats"], ["diff", "a", "a"]):
        done = subprocess.run(
            [sys.executable, "-m", "paraminspect", *command],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    script = "import paraminspect as pi; print(pi.open('a')['ln_f.bias'].data[...])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "[0.5 -2]\n"
