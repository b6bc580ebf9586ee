"""Write tensorflow.json and .npz, or those of jax or torch: what Keras draws. Needs Keras 3.15.

    KERAS_BACKEND=tensorflow python tests/data/init/keras_draws/make.py

TensorFlow 2.21, JAX 0.10 or torch 2.13, on a CPU with FMA. Of exact values a hash goes to the JSON.
Those behind a QR decomposition, whose last bits differ from build to build, and behind a square
root, which torch does not round correctly, go to the .npz.
"""

import hashlib
import json
import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import keras  # noqa: E402
import numpy as np  # noqa: E402
from models import MODELS  # noqa: E402

BACKEND = keras.backend.backend()
INITIALIZERS = [
    *((f"{name}{kind}", {}) for name in ("Glorot", "He", "Lecun") for kind in ("Uniform", "Normal")),
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.3}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": -0.3, "maxval": 0.7}),
    ("TruncatedNormal", {"stddev": 0.02}),
    ("TruncatedNormal", {"mean": -0.7, "stddev": 0.3}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"}),
    ("Orthogonal", {}),
    ("Orthogonal", {"gain": 1.5}),
]
SHAPES = [(4, 3), (7,), (3, 3, 4, 8), (2, 5, 6), (16, 16), (5, 4, 2)]
SEEDS = [0, 1, 1234, 2**31 - 1, 2**32 - 1]
DTYPES = ["float16", "bfloat16", "float32", "float64"]
TIES = [1 + 2**-11 + 2**-40, 1 + 2**-8 + 2**-40]
"""What float16 and bfloat16 round up, but down if it is rounded to float32 before."""

LARGE = [
    ("RandomUniform", {"minval": 1.7, "maxval": 2.3}),
    *(("RandomUniform", {"minval": -tie, "maxval": 2.3}) for tie in TIES),
    *((name, dict(zip(["mean", "stddev"], TIES))) for name in ("RandomNormal", "TruncatedNormal")),
    *INITIALIZERS[6:9],
    *INITIALIZERS[10:12],
]
MODEL_SEEDS = (0, 1)

CLOSE = {}
"""Values of the .npz, by the key that the JSON has."""


def values(array):
    """A hash of values; bfloat16, which NumPy lacks, as the bits of its words."""
    array = keras.ops.convert_to_tensor(array)
    if str(array.dtype).endswith("bfloat16"):
        wide = np.ascontiguousarray(keras.ops.convert_to_numpy(keras.ops.cast(array, "float32")))
        found = (wide.view(np.uint32) >> 16).astype(np.uint16)
    else:
        found = np.ascontiguousarray(keras.ops.convert_to_numpy(array))
    return found


def digest(array):
    return hashlib.sha256(values(array).tobytes()).hexdigest()[:16]


def initializer_case(name, arguments, shape, seed, dtype):
    """None for what Keras refuses, or makes of another dtype than it was asked for."""
    case = [name, arguments, shape, seed, dtype]
    try:
        drawn = getattr(keras.initializers, name)(**arguments, seed=seed)(shape, dtype=dtype)
    except Exception:
        return [*case, None]
    if keras.backend.standardize_dtype(drawn.dtype) != dtype:
        return [*case, None]
    if name != "Orthogonal":
        return [*case, digest(drawn)]
    key = f"q{len(CLOSE)}"
    CLOSE[key] = values(drawn)
    return [*case, key]


def model_case(name, seed):
    definition, code = MODELS[name]
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    scope = {**vars(keras.initializers), **vars(keras.layers), "keras": keras, "L": keras.layers}
    exec(code, scope)
    weights = []
    for weight in scope["model"].weights:
        if weight.path.endswith(("recurrent_kernel", "stddev")):
            key = f"q{len(CLOSE)}"
            CLOSE[key] = values(weight)
        else:
            key = digest(weight)
        weights.append(key)
    return [name, definition, seed, weights]


def initializer_cases():
    for one in INITIALIZERS:
        for shape in SHAPES:
            for seed in SEEDS:
                yield initializer_case(*one, shape, seed, "float32")
        for dtype in DTYPES:
            yield initializer_case(*one, (9, 5), 3, dtype)
    for one in LARGE:
        for dtype in DTYPES:
            yield initializer_case(*one, (40_003,), 5, dtype)
    yield initializer_case("RandomNormal", {}, (), 5, "float32")
    yield initializer_case("RandomUniform", {}, (), 5, "float32")
    yield initializer_case("TruncatedNormal", {}, (), 5, "float32")


if __name__ == "__main__":
    frozen = {
        "models": [model_case(name, seed) for name in MODELS for seed in MODEL_SEEDS],
        "initializers": list(initializer_cases()),
    }
    (HERE / f"{BACKEND}.json").write_text(json.dumps(frozen, separators=(",", ":")))
    np.savez_compressed(HERE / f"{BACKEND}.npz", **CLOSE)
