"""Files that the installed Keras and tf_keras write now: as listed as those in tests/data/keras."""

import json
import os
import subprocess

import pytest
from test_checkpoint_keras import DATA, WEIGHTS, assert_lists

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
