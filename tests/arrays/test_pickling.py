"""Arrays that are read on demand can be pickled, and give the same values in another process."""

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import paraminspect as pi

SCHEMES = [
    "normal(0, 1)", "uniform(-1, 1)", "trunc_normal", "orthogonal", "sparse(0.5)", "zeros", "xavier_uniform",
    "[normal(0, 1), x - mean(x)]", "dirac", "identity", "bilinear", "padded(normal(0, 1), 0)", "delta_orthogonal",
]  # fmt: skip

DEFINITIONS = {
    "pytorch": "framework: pytorch\nlayers:\n  - Linear(4, 8)\n  - Conv2d(4, 8, 3)\n",
    "keras": "framework: keras\ninput: [4]\nlayers:\n  - Dense(8, kernel_initializer='orthogonal')\n"
    "  - Dense(8, kernel_initializer='TruncatedNormal')\n  - Dense(2)\n",
    "mxnet": "framework: mxnet\ninput: [3, 4]\nlayers:\n  - Dense(8)\n"
    "  - Dense(2, weight_initializer=Orthogonal())\n",
}

EDITS = ["x * 2", "x - mean(x)", "x + 'b'", "where(x > 0, x, 0)", "sort(x)"]


def ramp(shape, step=1):
    return step * np.arange(float(np.prod(shape))).reshape(shape)


def check(tree):
    for parameter in tree.values():
        copy = pickle.loads(pickle.dumps(parameter.data))
        np.testing.assert_array_equal(copy, parameter, strict=True)
        # And after it was read, when it holds more than it began with.
        again = pickle.loads(pickle.dumps(parameter.data))
        np.testing.assert_array_equal(again, parameter, strict=True)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_drawn_arrays_are_pickled_as_their_recipe(scheme):
    shape = (4, 4) if scheme in ("identity", "sparse(0.5)") else (4, 4, 3, 3)
    tree = pi.ParameterTree({"w": np.zeros(shape)})
    check(pi.initialize(tree, seed=3, rules={"w": scheme}, layout="out_in"))


def test_a_function_that_can_be_pickled_is_a_scheme_that_can_be():
    tree = pi.ParameterTree({"w": np.zeros((2, 3))})
    check(pi.initialize(tree, seed=3, rules={"w": "ramp(2)"}, functions=[ramp]))


@pytest.mark.parametrize(
    ("framework", "rng"),
    [(f, r) for f, r in [("pytorch", "pytorch"), ("pytorch", "jax"), ("pytorch", "native"), ("keras", "keras"),
                         ("keras", "keras-jax"), ("keras", "keras-torch"), ("mxnet", "mxnet")]],
)  # fmt: skip
def test_arrays_of_every_generator_can_be_pickled(framework, rng, tmp_path):
    (tmp_path / "m.yaml").write_text(DEFINITIONS[framework])
    check(pi.initialize(pi.open(str(tmp_path / "m.yaml")), seed=1, rng=rng))


@pytest.mark.parametrize(
    ("rng", "scheme"),
    [(rng, "orthogonal") for rng in ("pytorch", "native", "jax")]
    + [(rng, "sparse(0.5)") for rng in ("pytorch", "native")],
)
def test_arrays_that_are_made_whole_can_be_pickled(scheme, rng):
    tree = pi.ParameterTree({"w": np.zeros((4, 6), np.float32)})
    check(pi.initialize(tree, seed=2, rng=rng, rules={"w": scheme}, layout="in_out"))


@pytest.mark.parametrize("edit", EDITS)
def test_edited_arrays_can_be_pickled(edit):
    tree = pi.ParameterTree({"w": np.arange(-12.0, 12).reshape(4, 6), "b": np.arange(6.0)})
    check(pi.set(tree, {"w": edit}))
    check(pi.set(pi.set(tree, {"w[0]": 3}), {"w[:, 1]": [1, 2, 3, 4]}))


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".h5"])
def test_stored_arrays_can_be_pickled(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    pi.save(pi.ParameterTree({"w": np.arange(12.0).reshape(3, 4), "b": np.ones(3, np.int8)}), path)
    check(pi.open(str(path)))


def test_compressed_and_turned_arrays_can_be_pickled(tmp_path):
    values = np.arange(400.0).reshape(20, 20)
    np.savez_compressed(tmp_path / "c.npz", w=values, f=np.asfortranarray(values))
    np.savez(tmp_path / "f.npz", f=np.asfortranarray(values))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        for compression in ("gzip", "lzf"):
            file.create_dataset(compression, data=values, chunks=(5, 5), compression=compression)
    kept = Path(__file__).parents[1] / "data/arch/keras/files/mha_block.keras"
    with zipfile.ZipFile(kept) as old, zipfile.ZipFile(tmp_path / "z.keras", "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    for name in ("c.npz", "f.npz", "c.h5", "z.keras"):
        check(pi.open(str(tmp_path / name)))


def test_a_file_that_has_changed_is_noticed_by_what_was_pickled_before(tmp_path):
    path = tmp_path / "a.safetensors"
    pi.save(pi.ParameterTree({"w": np.zeros(3)}), path)
    pickled = pickle.dumps(pi.open(str(path))["w"])
    pi.save(pi.ParameterTree({"w": np.ones(3)}), path, overwrite=True)
    with pytest.raises(pi.ParamInspectError, match="has changed since it was opened"):
        pickle.loads(pickled).numpy()


def test_another_process_makes_the_same_values(tmp_path):
    path = tmp_path / "a.safetensors"
    pi.save(pi.ParameterTree({"w": np.arange(6.0), "d": np.zeros(6)}), path)
    tree = pi.set(pi.open(str(path)), {"w": "x * 2"})
    tree = pi.initialize(tree, seed=5, rules={"d": "normal(0, 1)"})
    (tmp_path / "tree.pickle").write_bytes(pickle.dumps(tree))
    program = "import pickle, sys; t = pickle.load(open(sys.argv[1], 'rb')); print([p.tolist() for p in t.values()])"
    command = [sys.executable, "-c", program, str(tmp_path / "tree.pickle")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([p.tolist() for p in tree.values()])
