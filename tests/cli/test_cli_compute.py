"""`run`, `grad` and `train`: arguments, exit statuses, what is printed and written."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import paraminspect as pi
from paraminspect import compute
from paraminspect.cli.main import main

SHARED = """
framework: pytorch
input: [4]
share: {shared: "Linear(8, 8)"}
layers:
  - Linear(4, 8)
  - ReLU()
  - shared
  - ReLU()
  - shared
  - ReLU()
  - Linear(8, 1)
"""
IDLE = """
framework: pytorch
layers:
  a: Linear(2, 2)
  idle: Linear(2, 2)
  forward: a(x)
"""

TRAIN = ("train", "shared.yaml", "--seed", "0", "--data")

TWO = "framework: pytorch\nlayers:\n  p: ReLU()\n  forward(x, y, z): stack([x, y, z])\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shared.yaml").write_text(SHARED)
    (tmp_path / "idle.yaml").write_text(IDLE)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", x.sum(1, keepdims=True))
    np.savez(tmp_path / "xy.npz", x=x, y=x.sum(1, keepdims=True))
    np.savez(tmp_path / "empty.npz", x=x[:0], y=x[:0, :1])
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_grad_shows_output_loss_and_a_row_for_each_name(folder):
    result = invoke("grad", "shared.yaml", "--seed", "0", "--input", "x.npy")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("output  [16, 1] float32, norm ")
    assert lines[1].endswith("(sum)")
    assert [line.split()[0] for line in lines[4:]] == [
        *("0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias", "6.weight", "6.bias"),
    ]
    assert lines[6].endswith("sum of 2 uses")
    assert lines[8].endswith("= 2.weight")


def test_grad_per_use_shows_what_is_summed(folder):
    result = invoke("grad", "shared.yaml", "--seed", "0", "--per-use", "--format", "jsonl")
    rows = [json.loads(line) for line in result.output.splitlines()]
    of = [row for row in rows if row["name"] in ("2.bias", "4.bias")]
    assert [row["note"] for row in of] == ["sum of 2 uses", "one use", "one use"]
    total, first, second = (row["grad"]["mean"] for row in of)
    assert total == pytest.approx(first + second)


def test_a_parameter_that_no_path_reaches_shows_none(folder):
    result = invoke("grad", "idle.yaml", "--seed", "0", "--input", "ones(1, 2)")
    rows = [line for line in result.output.splitlines() if line.startswith("idle.")]
    assert [row.partition("]")[2].split()[0] for row in rows] == [
        "none",
        "none",
    ]
    result = invoke("grad", "idle.yaml", "--seed", "0", "--input", "ones(1, 2)", "--format", "json")
    found = {row["name"]: row["grad"] for row in json.loads(result.output)["parameters"]}
    assert found["idle.weight"] is None
    assert found["a.weight"] is not None


def test_grad_saves_gradients_with_their_ties(folder):
    result = invoke("grad", "shared.yaml", "--seed", "0", "-o", "grads.safetensors")
    assert result.exit_code == 0, result.output
    tree = pi.open("grads.safetensors")
    assert dict(tree.ties) == {"4.weight": "2.weight", "4.bias": "2.bias"}
    assert tree["6.bias"].numpy().tolist() == [1.0]
    result = invoke("grad", "shared.yaml", "--seed", "0", "-o", "grads.safetensors")
    assert result.exit_code == 2
    assert "exists already; use --force" in result.output


def test_grad_tells_what_a_format_cannot_keep(folder):
    result = invoke("grad", "shared.yaml", "--seed", "0", "-o", "g.npz")
    assert result.stderr == (
        "paraminspect: npz cannot store ties; 2 tied parameters were written as copies\n"
    )


def test_run_prints_or_saves_the_output(folder):
    printed = invoke("run", "shared.yaml", "--seed", "3", "--input", "x.npy")
    assert printed.exit_code == 0
    saved = invoke("run", "shared.yaml", "--seed", "3", "--input", "x.npy", "-o", "out.npy")
    assert saved.exit_code == 0
    assert np.load("out.npy").shape == (16, 1)
    assert printed.output.strip() == str(np.load("out.npy"))


def test_train_lowers_the_loss_and_keeps_ties_tied(folder):
    arguments = ("--data", "xy.npz", "--steps", "60", "--lr", "0.05", "-o", "t.safetensors")
    result = invoke("train", "shared.yaml", "--seed", "0", *arguments, "--format", "jsonl")
    assert result.exit_code == 0, result.output
    steps = [json.loads(line) for line in result.output.splitlines() if line.startswith("{")]
    assert [step["step"] for step in steps] == [1, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60]
    assert steps[-1]["loss"] < steps[0]["loss"] / 2
    assert set(steps[0]["parameters"]) == {
        *("0.weight", "0.bias", "2.weight", "2.bias", "6.weight", "6.bias"),
    }
    trained = pi.open("t.safetensors")
    assert trained["2.weight"].data is trained["4.weight"].data
    result = invoke("run", "shared.yaml", "--checkpoint", "t.safetensors", "--input", "x.npy")
    assert result.exit_code == 0


def test_a_quiet_train_reports_nothing(folder):
    result = invoke(*TRAIN, "xy.npz", "--steps", "2", "-q", "-o", "t.safetensors")
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / "t.safetensors").exists()


def test_the_loss_is_a_number_under_one_name_in_grad_and_train(folder):
    of_values = ("--input", "x.npy", "--target", "y.npy", "--loss", "mse", "--format", "json")
    grad = json.loads(invoke("grad", "shared.yaml", "--seed", "0", *of_values).output)
    train = json.loads(
        invoke(*TRAIN, "xy.npz", "--steps", "1", "--dry-run", "--format", "jsonl").output
    )
    assert grad["loss"] == train["loss"] == grad["loss_value"]
    assert grad["loss_function"] == train["loss_function"] == "mse"


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("--momentum 0.9 --nesterov", {"momentum": 0.9, "nesterov": True}),
        (
            "--momentum 0.9 --dampening 0.5 --weight-decay 0.1",
            {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
        ),
        ("--optimizer adam --betas 0.5 0.6 --eps 0.1", {"betas": (0.5, 0.6), "eps": 0.1}),
        ("--optimizer adamw --weight-decay 0 --amsgrad", {"weight_decay": 0, "amsgrad": True}),
        (
            "--optimizer rmsprop --alpha 0.5 --centered --momentum 0.3",
            {"alpha": 0.5, "centered": True, "momentum": 0.3},
        ),
    ],
)
def test_train_steps_with_the_arguments_of_its_optimizer(folder, options, arguments):
    name = options.split()[1] if options.startswith("--optimizer") else "sgd"
    common = ("xy.npz", "--steps", "3", "--dtype", "float64", "-o", "t.safetensors")
    assert invoke(*TRAIN, *common, *options.split()).exit_code == 0
    net = pi.initialize(pi.open("shared.yaml"), seed=0)
    with np.load("xy.npz") as file:
        batches = [([file["x"].astype(np.float64)], file["y"].astype(np.float64))]
    update = compute.OPTIMIZERS[name](0.01, **arguments)
    *_, last = compute.train(net, batches, "mse", update, 3, compute.load_values(net, "float64"))
    for name, value in last.values.items():
        np.testing.assert_array_equal(pi.open("t.safetensors")[name].numpy(), value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("t.txt", "the name does not tell a format"),
        ("none/t.npz", "none/t.npz: cannot write: there is no folder none"),
    ],
)
def test_train_refuses_a_target_before_the_first_step(folder, target, message):
    result = invoke(*TRAIN, "xy.npz", "-o", target)
    assert message in (result.output if result.exit_code == 2 else str(result.exception))
    assert "step" not in result.output
    assert sorted(p.name for p in folder.iterdir()) == [
        *("empty.npz", "idle.yaml", "shared.yaml", "x.npy", "xy.npz", "y.npy"),
    ]


@pytest.mark.parametrize(
    "text", ["uniform(2, 4)", " normal(2, 4)", "1 - uniform(2, 4) * ones(2, 4)"]
)
def test_a_seed_makes_every_random_input_reproducible(folder, text):
    first, second, other = (
        invoke("run", "shared.yaml", "--scheme", "ones", "--seed", seed, "--input", text).stdout
        for seed in ("0", "0", "1")
    )
    assert first == second != other


def test_random_inputs_are_drawn_one_after_another(folder):
    (folder / "two.yaml").write_text(TWO)
    texts = ("uniform(2, 3)", "integers(9, 2, 3)", "uniform(2, 3)")
    inputs = [part for text in texts for part in ("--input", text)]
    assert invoke("run", "two.yaml", "--seed", "5", *inputs, "-o", "out.npy").exit_code == 0
    rng = np.random.default_rng(5)
    first, second, third = rng.random((2, 3)), rng.integers(0, 9, (2, 3)), rng.random((2, 3))
    expected = np.stack([first, second, third]).astype(np.float32)
    np.testing.assert_array_equal(np.load("out.npy"), expected, strict=True)


def test_a_seed_that_is_not_given_is_told(folder):
    result = invoke("run", "shared.yaml")
    seed = result.stderr.split()[1].rstrip(";")
    again = invoke("run", "shared.yaml", "--seed", seed)
    assert result.stdout == again.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("grad", "idle.yaml", "--seed", "0"), "the definition has no `input`: say the shape"),
        (("grad", "shared.yaml", "--seed", "0", "--loss", "mse"), "the loss mse needs a target"),
        (
            ("run", "shared.yaml", "--seed", "0", "--input", "ones(2, 4)", "--input", "ones"),
            "layer (the whole), Sequential: expected 1 input (x), got 2",
        ),
        (
            ("run", "shared.yaml", "--seed", "0", "--input", "uniform(2, 4, low='a')"),
            "uniform: unsup",
        ),
        (
            ("run", "shared.yaml", "--seed", "0", "--input", "normal(2, 4, std=ones(3))"),
            "normal: oper",
        ),
        (("grad", "x.npy", "--seed", "0"), "npy"),
        (("grad", "shared.yaml", "--seed", "0", "--input", "ones(2, 3)"), "expected in_features 4"),
        (("grad", "shared.yaml", "--seed", "0", "--input", "one(2, 4)"), "did you mean 'ones'"),
        (("grad", "shared.yaml", "--seed", "0", "--input", "ones(10**9, 4)"), "has over"),
        (("grad", "shared.yaml", "--seed", "0", "--input", "none.npy"), "none.npy: cannot open"),
        (("run", "shared.yaml", "--seed", "0", "--input", "xy.npz"), "xy.npz: an input is a .npy"),
        (("run", "shared.yaml", "--seed", "0", "--force"), "--force goes with -o FILE"),
        (("grad", "shared.yaml", "--seed", "0", "--force"), "--force goes with -o FILE"),
        (("grad", "shared.yaml", "--checkpoint", "xy.npz"), "0.weight"),
        (("grad", "shared.yaml", "--checkpoint", "xy.npz", "--scheme", "ones"), "leave --scheme"),
        (("train", "shared.yaml", "--seed", "0", "--data", "xy.npz"), "where to write?"),
        (("train", "shared.yaml", "--seed", "0", "--data", "x.npy", "--dry-run"), "npy"),
        (
            ("grad", "idle.yaml", "--seed", "0", "--input", "ones(1, 2)", "--per-use"),
            "--per-use is for ties, and no array of idle.yaml has several names",
        ),
        ((*TRAIN, "none.npz", "--dry-run"), "none.npz: cannot open"),
        ((*TRAIN, "empty.npz", "--dry-run"), "empty.npz: x and y have no examples"),
        ((*TRAIN, "xy.npz", "--dry-run", "--lr", "-1"), "Invalid value for '--lr': -1.0"),
        ((*TRAIN, "xy.npz", "--dry-run", "--lr", "nan"), "Invalid value for '--lr': 'nan'"),
        (
            (*TRAIN, "xy.npz", "--dry-run", "--steps", "1", "--lr", "1e300", "--dtype", "float32"),
            "0.weight is not finite after step 1: a smaller learning rate may help",
        ),
        ((*TRAIN, "xy.npz", "--dry-run", "--betas", "0.9", "0.9"), "--betas is for adam and adamw"),
        (
            (*TRAIN, "xy.npz", "--dry-run", "--optimizer", "adam", "--momentum", "0.5"),
            "--momentum is for sgd and rmsprop",
        ),
        ((*TRAIN, "xy.npz", "--dry-run", "--nesterov"), "needs a momentum and no dampening"),
        (
            (*TRAIN, "xy.npz", "--dry-run", "--optimizer", "adam", "--betas", "1", "0.9"),
            "1.0 is not in the range 0<=x<1",
        ),
        ((*TRAIN, "xy.npz", "--dry-run", "--weight-decay", "inf"), "is not in the range"),
        (
            ("grad", "shared.yaml", "--seed", "0", "--target", "ones(1, 1)"),
            "--target goes with --loss mse or cross_entropy",
        ),
        (
            ("grad", "shared.yaml", "--checkpoint", "xy.npz", "--rng", "pytorch"),
            "--checkpoint has the values already: leave --rng out",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_in_one_line(folder, arguments, message):
    result = invoke(*arguments)
    told = result.output if result.exit_code == 2 else str(result.exception)
    assert result.exit_code == 2 or isinstance(result.exception, pi.ParamInspectError)
    assert message in told
