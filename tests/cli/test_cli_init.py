"""The contract of `paraminspect init`: arguments, exit status, what is printed, what is written."""

import json
import stat

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

MLP = "framework: pytorch\nlayers:\n  - Linear(4, 8)\n  - ReLU()\n  - Linear(8, 1)\n"
TIED = (
    "framework: pytorch\nlayers:\n  wte: Embedding(6, 4)\n  head: Linear(4, 6, bias=False)\n"
    "ties: {head.weight: wte.weight}\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.yaml").write_text(MLP)
    return tmp_path


@pytest.fixture
def checkpoint(folder):
    path = folder / "old.safetensors"
    values = {
        "0.weight": np.arange(32, dtype=np.float32).reshape(8, 4),
        "0.bias": np.arange(8, dtype=np.float32),
        "pooler": np.arange(3, dtype=np.float16),
    }
    save_file(values, path, {"licence": "MIT"})
    return path


def metadata(path):
    with safe_open(path, "np") as file:
        return file.metadata()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_in_a_folder_with_a_definition_no_more_is_needed(run, folder):
    done = run("init", "--scheme", "xavier")
    assert done.status == 0
    seed = int(done.err.split()[1])
    assert done.err == f"seed {seed} (--seed {seed} draws the same again)\n"
    assert done.out == (
        f"draw 4 of 4 arrays, --rng native --seed {seed}\n"
        "write model.safetensors: 4 arrays, 196 bytes\n"
    )
    values = load_file("model.safetensors")
    assert list(map(np.shape, values.values())) == [(8, 4), (8,), (1, 8), (1,)]
    assert metadata("model.safetensors") == {"format": "pt"}
    run("init", "--scheme", "xavier", "--seed", seed, "-o", "again.safetensors")
    assert (folder / "again.safetensors").read_bytes() == (
        folder / "model.safetensors"
    ).read_bytes()


def test_the_chapters_schemes_in_one_line(run, folder):
    assert run("init", "--rule", "0.weight=xavier", "--rule", "2.weight=42", "-q").out == ""
    values = load_file("model.safetensors")
    assert np.all(values["2.weight"] == 42)
    assert len(np.unique(values["0.weight"])) == 32


def test_the_values_of_torch_manual_seed(run, folder):
    run("init", "--rng", "pytorch", "--seed", "0")
    first = load_file("model.safetensors")["0.weight"][0]
    expected = [
        -0.003743410110473633,
        0.26822179555892944,
        -0.4115225672721863,
        -0.3679695129394531,
    ]
    assert first.tolist() == expected


def test_ties_are_written_as_save_model_writes_them(run, folder):
    (folder / "model.yaml").write_text(TIED)
    run("init", "--seed", "0")
    assert list(load_file("model.safetensors")) == ["wte.weight"]
    assert metadata("model.safetensors") == {"format": "pt", "head.weight": "wte.weight"}


def test_a_definition_is_named_or_read_from_standard_input(run, folder, monkeypatch):
    (folder / "sub").mkdir()
    (folder / "sub" / "net.yaml").write_text(MLP)
    assert run("init", "sub/net.yaml", "--seed", "1").status == 0
    assert names_in(folder / "sub") == ["net.safetensors", "net.yaml"]


def test_dtype_and_shards(run, folder):
    done = run("init", "--seed", "0", "--dtype", "bf16", "--max-shard-size", "50B", "-o", "out")
    assert done.status == 0
    index = json.loads((folder / "out" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 98
    assert len(set(index["weight_map"].values())) > 1


def test_a_dry_run_writes_nothing(run, folder):
    done = run("init", "--seed", "0", "--dry-run", "--report")
    assert done.out.splitlines()[-2:] == [
        "would draw 4 of 4 arrays, --rng native --seed 0",
        "would write model.safetensors: 4 arrays, 196 bytes",
    ]
    assert names_in(folder) == ["model.yaml"]


def test_the_report_shows_scheme_fans_theory_and_what_came_out(run, folder):
    done = run("init", "--seed", "0", "--report", "--rule", "0.bias[2:5]=normal(0, 2)")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["name", "scheme", "fans", "theory", "mean", "std"]
    assert lines[1][:7] == ["0.weight", "kaiming_uniform(a=5**0.5)", "4,", "8", "0", "±", "0.2887"]
    assert lines[5][:6] == ["0.bias[2:5]", "normal(0,", "2)", "0", "±", "2"]
    assert max(map(len, done.out.splitlines()[:6])) <= 80


def test_of_a_checkpoint_the_rest_stays_as_it_is(run, checkpoint):
    before = load_file(checkpoint)
    checkpoint.chmod(0o640)
    done = run("init", "-i", checkpoint, "--rule", "0.weight[6:]=normal(0, 0.02)", "--seed", "3")
    assert done.out.startswith("draw 1 of 3 arrays, --rng native --seed 3\n")
    after = load_file(checkpoint)
    np.testing.assert_array_equal(after["0.weight"][:6], before["0.weight"][:6], strict=True)
    assert np.abs(after["0.weight"][6:]).max() < 0.2
    for name in ("0.bias", "pooler"):
        np.testing.assert_array_equal(after[name], before[name], strict=True)
    assert metadata(checkpoint) == {"licence": "MIT"}
    assert stat.S_IMODE(checkpoint.stat().st_mode) == 0o640


def test_what_a_checkpoint_lacks_is_added_and_told(run, checkpoint):
    done = run(
        "init", checkpoint, "--missing-from", "model.yaml", "-o", "new.safetensors", "--seed", "0"
    )
    assert done.out == (
        "MISSING     2.weight [1, 8]: drawn\n"
        "MISSING     2.bias [1]: drawn\n"
        "UNEXPECTED  pooler [3]: kept\n"
        "draw 2 of 5 arrays, --rng native --seed 0\n"
        "write new.safetensors: 5 arrays, 202 bytes\n"
    )
    assert set(load_file("new.safetensors")) == {
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
        "pooler",
    }


def test_another_shape_is_an_error_unless_a_rule_draws_it_anew(run, folder, checkpoint):
    (folder / "model.yaml").write_text(MLP.replace("Linear(4, 8)", "Linear(5, 8)"))
    wanted = ("init", checkpoint, "--missing-from", "model.yaml", "-o", "new.safetensors")
    done = run(*wanted)
    assert done.status == 2
    assert "MISMATCH: 0.weight has shape [8, 4], the model [8, 5]" in done.err
    done = run(*wanted, "--rule", "0.weight=xavier_uniform", "--seed", "0")
    assert "MISMATCH    0.weight [8, 4], the model has [8, 5]: drawn\n" in done.out
    assert load_file("new.safetensors")["0.weight"].shape == (8, 5)


def test_a_rule_for_a_position_does_not_draw_another_shape_anew(run, folder, checkpoint):
    (folder / "model.yaml").write_text(MLP.replace("Linear(4, 8)", "Linear(5, 8)"))
    wanted = ("init", checkpoint, "--missing-from", "model.yaml", "-o", "new.safetensors")
    done = run(*wanted, "--rule", "[2]=zeros", "--seed", "0")
    assert done.status == 2
    assert "MISMATCH: 0.weight has shape [8, 4], the model [8, 5]" in done.err
    done = run(*wanted, "--rule", "[0].weight=zeros", "--rule", "pooler=zeros", "--seed", "0")
    assert "MISMATCH    0.weight [8, 4], the model has [8, 5]: drawn\n" in done.out


def test_with_missing_parameters_a_scheme_is_for_these_alone(run, checkpoint):
    run("init", "-i", checkpoint, "--missing-from", "model.yaml", "--scheme", "ones", "--seed", "0")
    values = load_file(checkpoint)
    assert np.all(values["2.weight"] == 1)
    assert values["0.weight"][7, 3] == 31


def test_parts_of_one_array_count_once(run, checkpoint):
    rules = ("--rule", "0.weight=1", "--rule", "0.weight[0]=2", "--rule", "0.weight[1]=3")
    done = run("init", "-i", checkpoint, *rules, "--seed", "0")
    assert done.out.startswith("draw 1 of 3 arrays, ")


def test_functions_of_a_plugin_are_schemes(run, folder):
    (folder / "mine.py").write_text(
        "import numpy as np\n"
        "def ramp(shape, slope=1.0):\n    return slope * np.arange(np.prod(shape)).reshape(shape)\n"
    )
    run("init", "--plugin", "mine.py", "--scheme", "ramp(slope=2)", "--seed", "0")
    assert load_file("model.safetensors")["2.weight"].tolist() == [[0, 2, 4, 6, 8, 10, 12, 14]]
    done = run("init", "--plugin", "mine.py", "--scheme", "rampe", "--dry-run", "--force")
    assert "unknown scheme 'rampe', did you mean 'ramp'?" in done.err


@pytest.fixture
def installed(folder, monkeypatch):
    """A package that offers functions by the entry-point group."""
    package = folder / "site" / "mine-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    lines = ["countdown = mine_init:countdown", "gone = mine_none:gone", "no = mine_init:NUMBER"]
    (package / "entry_points.txt").write_text("\n".join(["[paraminspect.schemes]", *lines]) + "\n")
    (folder / "site" / "mine_init.py").write_text(
        "NUMBER = 3\ndef countdown(shape):\n    return [list(range(shape[1], 0, -1))] * shape[0]\n"
    )
    monkeypatch.syspath_prepend(folder / "site")


@pytest.mark.usefixtures("installed")
def test_functions_of_installed_packages_are_schemes(run):
    run("init", "--scheme", "countdown", "--seed", "0")
    assert load_file("model.safetensors")["2.weight"].tolist() == [[8, 7, 6, 5, 4, 3, 2, 1]]
    assert "\nInstalled\n  countdown, gone, no\n" in run("init", "--list-schemes").out
    for name, message in (("gone", "No module named 'mine_none'"), ("no", "is not a function")):
        done = run("init", "--force", "--scheme", name)
        assert (done.status, message in done.err) == (2, True)


def test_schemes_and_generators_are_listed_with_formula_and_source(run, folder):
    done = run("init", "--list-schemes")
    assert (
        "  xavier_uniform(gain=1.0)\n    U(-a, a), a = gain·sqrt(6 / (fan_in + fan_out)).\n"
        in done.out
    )
    assert "Glorot & Bengio 2010, eq. 16" in done.out
    assert "  pytorch-2.13 (also: pytorch)\n" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scheme", "xaviar"], "0.weight: unknown scheme 'xaviar', did you mean 'xavier'?"),
        (["--rule", "1.weight=zeros"], "no parameter matches '1.weight'"),
        (["--rule", "zeros"], "expected ADDRESS=EXPRESSION"),
        (["--rule", "0.weight="], "expected a scheme like normal(0, 0.02) behind '0.weight='"),
        (["--rule", "0.weight=@"], "0.weight: expected @FILE.npy, got @ alone"),
        (["--rng", "pytorch-2.4"], "pytorch-2.4 are not reproduced"),
        (["--rng", "torch"], "unknown rng 'torch', did you mean 'pytorch'?"),
        (["--rng", "tensorflow"], "unknown rng 'tensorflow', did you mean 'keras'?"),
        (["--rng", "torch-2.4"], "torch-2.4 are not reproduced"),
        (["--scheme", "gaussian"], "unknown scheme 'gaussian': did you mean 'normal'?"),
        (["--scheme", "default"], "unknown scheme 'default': leave it out"),
        (["--scheme", "he"], "did you mean 'he_uniform' or 'he_normal'?"),
        (["--rule", "0.weight=@/etc/passwd"], "/etc/passwd: not a .npy array"),
        (["--rng", "pytorch", "--seed", str(1 << 64)], "takes seeds from -2**63 to 2**64 - 1"),
        (["--dtype", "float31"], "unknown dtype 'float31', did you mean 'float32'?"),
        (["--dtype", "int8"], "int8 cannot hold random numbers"),
        (["nothing.yaml"], "nothing.yaml: cannot open"),
        (["old.safetensors", "-o", "x.safetensors"], "what to draw? Give --rule, --scheme"),
        (["old.safetensors", "--scheme", "ones"], "where to write?"),
        (["-i", "old.safetensors", "--scheme", "he_normal"], "--layout out_in"),
        (["-i"], "a definition holds no values"),
        (["--missing-from", "model.yaml"], "--missing-from names a definition, for a SOURCE with"),
        (["--plugin", "none.py"], "none.py: no such file"),
        (["--rule", "0.bias=@old.safetensors"], "0.bias: "),
    ],
)
def test_trouble_is_one_line_and_nothing_is_written(run, checkpoint, arguments, message):
    before = names_in(checkpoint.parent), checkpoint.read_bytes()
    done = run("init", *arguments, *([] if "--seed" in arguments else ["--seed", "0"]))
    assert done.status == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert (names_in(checkpoint.parent), checkpoint.read_bytes()) == before


def test_another_file_is_not_overwritten(run, folder):
    (folder / "model.safetensors").write_bytes(b"precious")
    assert "exists already; use --force" in run("init").err
    assert run("init", "--force").status == 0


def test_a_model_without_parameters_has_nothing_to_draw(run, folder):
    (folder / "relu.yaml").write_text("framework: pytorch\nlayers:\n  - ReLU()\n")
    done = run("init", "relu.yaml")
    assert (done.status, "relu.yaml has no parameters" in done.err) == (2, True)


def test_without_a_definition_here_a_source_is_needed(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("init")
    assert (done.status, "there is no model.yaml here" in done.err) == (2, True)


def test_of_a_file_that_is_no_array_not_a_byte_is_printed(run, folder):
    (folder / "secret").write_text("hunter2 and more of it")
    done = run("init", "--rule", "0.weight=@secret")
    assert (done.status, "hunter2" in done.out + done.err) == (2, False)
