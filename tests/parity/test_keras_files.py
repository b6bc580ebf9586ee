"""Files that the installed Keras and tf_keras write, and what the installed Keras loads."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from keras_models import APPLICATIONS, HOLDERS, PAIRS, REFERENCE, random_pair, text_of
from test_checkpoint_keras import DATA, WEIGHTS, assert_lists

from paraminspect.arrays import InMemory
from paraminspect.definition import load_definition
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.init.plan import initialize
from paraminspect.operations.tying import tie

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def written(framework_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    python = framework_python("keras")
    if subprocess.run([python, "-c", "import tf_keras"], capture_output=True).returncode:
        pytest.skip("needs tf_keras beside keras")
    command = [python, DATA / "make_files.py", folder]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return folder, json.loads((folder / "weights.json").read_text())


@pytest.mark.parametrize("file", WEIGHTS)
def test_a_file_of_the_installed_keras_lists_the_weights_of_its_model(file, written):
    folder, weights = written
    assert_lists(folder / file, weights[file])


LOAD = """
import json, sys, keras
model = keras.saving.load_model(sys.argv[1], compile=False)
for path in sys.argv[2:]:
    if path.endswith((".weights.h5", ".weights.json")):
        model.load_weights(path)
    else:
        model = keras.saving.load_model(path, compile=False)
    print(json.dumps([weight.numpy().tolist() for weight in model.weights]))
"""


def test_keras_loads_what_was_changed_and_tied(framework_python, tmp_path):
    python = framework_python("keras")
    suffixes = (".keras", ".weights.h5", ".h5", ".weights.json")
    paths = [tmp_path / f"keras3_nested{suffix}" for suffix in suffixes]
    for file in DATA.glob("keras3_nested*"):
        shutil.copy(file, tmp_path)
    expected = []
    for path in paths:
        tree = open_checkpoint(path)
        order = [w["name"] for w in WEIGHTS[path.name]]
        new = {order[-1]: np.full(1, 7, np.float32)}  # in one shard, the second
        if path.suffix != ".json":
            one, two = (name for name in order if tree[name].shape == (2, 3))
            new[one] = np.arange(6, dtype=np.float32).reshape(2, 3)
            tree = tie(tree, two, one)
        edited = [replace(tree[name], data=InMemory(values)) for name, values in new.items()]
        save_checkpoint(tree.replace(edited), path, overwrite=True)
        expected.append([open_checkpoint(path)[name].numpy().tolist() for name in order])
    command = [python, "-c", LOAD, DATA / "keras3_nested.keras", *paths]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert loaded == expected
    assert [7.0] in loaded[0]


SEED = 20261125

TIED = (
    """
framework: keras
input: [4]
layers:
  - Dense(4, name='hidden')
  - Dense(4)
ties: {sequential/dense/kernel: sequential/hidden/kernel}
""",
    "model = keras.Sequential([keras.Input((4,)), L.Dense(4, name='hidden'), L.Dense(4)])",
)


def test_keras_loads_what_is_written_from_a_definition(framework_python, tmp_path):
    pairs = [*PAIRS.values(), *HOLDERS.values(), *{**REFERENCE, **APPLICATIONS}.items()]
    pairs += [TIED, *(random_pair(SEED + i) for i in range(30))]
    asked, expected = [], []
    for number, (definition, source) in enumerate(pairs):
        model = load_definition(text_of(definition).encode(), "model.yaml")
        whole = [f"{n}=7" for n, p in model.items() if "float" not in p.dtype.name]
        tree = initialize(model, rules=["*=normal(0, 1)", *whole], seed=number)
        path = tmp_path / f"{number}.weights.h5"
        assert save_checkpoint(tree, path) == []
        asked.append([source, str(path)])
        values = {name: parameter.numpy() for name, parameter in tree.items()}
        expected.append({name: [v.dtype.name, digest(v)] for name, v in values.items()})
    command = [framework_python("keras"), DATA / "oracle.py", "loads"]
    questions = json.dumps(asked)
    done = subprocess.run(command, input=questions, capture_output=True, text=True, check=True)
    shutil.rmtree(tmp_path)  # VGG16 is large
    answers = json.loads(done.stdout)
    for answer, values, (definition, _) in zip(answers, expected, pairs, strict=True):
        assert answer == values, definition


def digest(values):
    return hashlib.sha256(values.tobytes()).hexdigest()
