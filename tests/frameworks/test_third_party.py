"""A framework that another package brings works everywhere, and nothing else knows one by name."""

import ast
from pathlib import Path

import numpy as np
import pytest

import paraminspect
from paraminspect.frameworks import FRAMEWORKS, load_framework

MODEL = "framework: flax\ninput: [4]\nlayers:\n- Dense(3)\n- Dense(2, use_bias=False)\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Entry points as a package declares them: `installed("flax = flax_like:FRAMEWORK")`."""

    def install(line):
        folder = tmp_path / "site" / "flax_like-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: flax-like\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[paraminspect.frameworks]\n{line}\n")
        monkeypatch.syspath_prepend(folder.parent)
        model = tmp_path / "model.yaml"
        model.write_text(MODEL)
        return model

    return install


@pytest.fixture
def model(installed):
    return installed("flax = flax_like:FRAMEWORK")


def test_its_models_are_listed(run, model):
    assert run("list", model, "--format", "names").out.split() == ["0.kernel", "0.bias", "1.kernel"]


def test_its_models_are_initialized_run_and_compared(run, model, tmp_path):
    values = tmp_path / "model.safetensors"
    assert run("init", model, "--seed", "0").status == 0
    assert run("diff", model, values).status == 0
    x, out = np.ones((2, 4), np.float32), tmp_path / "y.npy"
    np.save(tmp_path / "x.npy", x)
    done = run("run", model, "--checkpoint", values, "--input", tmp_path / "x.npy", "-o", out)
    assert done.status == 0, done.err
    tree = paraminspect.open(values)
    kernels = [tree[name].data[...] for name in ("0.kernel", "1.kernel")]
    np.testing.assert_allclose(np.load(out), x @ kernels[0] @ kernels[1], rtol=1e-6, strict=True)
    assert kernels[0].std() > 0
    assert run("diff", values, values).status == 0
    assert run("grad", model, "--checkpoint", values).status == 0


def test_a_fan_is_the_one_that_its_layer_tells(run, model):
    done = run("init", model, "--seed", "0", "--report", "--dry-run")
    assert done.status == 0, done.err
    assert "lecun_normal" in done.out + done.err


def test_random_numbers_of_another_framework_are_refused(run, model):
    done = run("init", model, "--rng", "pytorch", "--seed", "0")
    assert done.status == 2
    assert "it cannot draw one of flax" in done.err


def test_an_unknown_framework_is_answered_with_the_installed_ones_too(run, model):
    model.write_text(MODEL.replace("flax", "flex"))
    done = run("list", model)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "one of pytorch, keras, mxnet, flax, did you mean 'flax'?" in done.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("flax = nowhere:FRAMEWORK", "ModuleNotFoundError: No module named 'nowhere'"),
        ("flax = flax_like:MODELLING", "is not a Framework of this name"),
        ("flax = flax_like:NOTHING", "AttributeError"),
    ],
)
def test_a_broken_package_is_named(run, installed, line, message):
    done = run("list", installed(line))
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "flax of paraminspect.frameworks" in done.err
    assert message in done.err


ROOT = Path(paraminspect.__file__).parent
OUTSIDE = [p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts[0] != "frameworks"]
KNOWN = {*FRAMEWORKS, *(alias for name in FRAMEWORKS for alias in load_framework(name).aliases)}
OTHERS = {
    ("formats/_table.py", "keras"),  # a format of this name
    ("formats/keras/_format.py", "keras"),
    ("formats/safetensors/_reading.py", "pt"),  # what the library of safetensors takes
    ("formats/safetensors/_reading.py", "torch"),
    ("init/generators/streams/_keras_backends.py", "torch"),  # a backend of Keras
    ("language/_checking.py", "torch"),  # what users write before a function
}
"""Where a word is the name of something else."""


def test_nothing_outside_frameworks_knows_one_by_name():
    found = set()
    for path in OUTSIDE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in KNOWN:
                found.add((str(path.relative_to(ROOT)), node.value))
    assert found - OTHERS == set()
